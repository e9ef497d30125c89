"""The filter that the database held when it was last read, beside this daemon's own."""

from dataclasses import replace

from pattern_sync.domain.filter import SyncFilter


class FilterInForce:
    """Shared by the services of one daemon; the scan worker reads `value` anew before each scan.

    `own` is the filter that this daemon has published. Any other daemon may have published another one since. While
    this one publishes, a scan may find its new filter before the publication has returned; and one whose answer was
    lost may be in force. `publications` counts those that have returned.
    """

    def __init__(self, own: SyncFilter) -> None:
        self.own = own
        self.value = own
        self.publications = 0
        self._coming: list[SyncFilter] = []

    @property
    def foreign(self) -> SyncFilter | None:
        """Return the filter in force unless it is this daemon's own."""
        return self.value if self.is_foreign(self.value) else None

    def is_foreign(self, found: SyncFilter) -> bool:
        """Return whether a filter is another one than this daemon's own."""
        return self.own_as_found(found) is None

    def own_as_found(self, found: SyncFilter) -> SyncFilter | None:
        """Return which filter of this daemon's was found, published or about to be; None if it is another's."""
        stored = _as_stored(found)
        return next((own for own in (self.own, *self._coming) if _as_stored(own) == stored), None)

    def publishing(self, own: SyncFilter) -> None:
        """Record that this daemon is about to put its filter in force; whether it got there shows when it is found."""
        if own not in self._coming:
            self._coming.append(own)

    def published(self, own: SyncFilter) -> None:
        """Record that this daemon has put its filter in force."""
        self.own = self.value = own
        self.publications += 1
        self._coming.clear()


def _as_stored(sync_filter: SyncFilter) -> SyncFilter:
    # The database keeps 15 digits of a float that becomes a NUMERIC; a cap is no criterion.
    savings = sync_filter.min_savings
    stored = None if savings is None else float(f"{savings:.15g}")
    return replace(sync_filter, min_savings=stored, max_patterns=None)
