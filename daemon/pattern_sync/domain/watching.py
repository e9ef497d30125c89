"""What is seen when the daemon looks whether changes are still told."""

from dataclasses import dataclass
from enum import StrEnum

# From here on the triggers hold their tongue: a full queue would fail the commit of whoever notifies.
FULL_ENOUGH = 0.5


class Audience(StrEnum):
    """Who hears nothing of a change."""

    DAEMONS = "patterns"
    PAGES = "pages"


@dataclass(frozen=True, slots=True)
class TriggerFault:
    """Something that keeps changes from being told; `silenced` is None where nobody misses anything."""

    relation: str | None
    fault: str
    silenced: Audience | None
    mendable: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look: the faults, and the payloads that writers could not notify.

    `storage` differs from look to look when rows may have come in unseen, `body` when the trigger was created anew;
    `writers` are the transactions that write. `queue_usage` is a share of 1, `hinderer` the
    server process that most likely keeps the notification queue from being emptied.
    """

    faults: tuple[TriggerFault, ...] = ()
    patterns: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    storage: str | None = None
    queue_usage: float = 0.0
    hinderer: int | None = None
    body: str | None = None
    writers: frozenset[str] = frozenset()
