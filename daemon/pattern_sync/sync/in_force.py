"""The filter that the database held when it was last read."""

from dataclasses import dataclass

from pattern_sync.domain.filter import SyncFilter


@dataclass(slots=True)
class FilterInForce:
    """Shared by the services of one daemon; the scan worker reads it anew before each scan."""

    value: SyncFilter
