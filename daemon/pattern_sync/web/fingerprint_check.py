"""Whether every open page still shows the queue as it is."""

from collections.abc import Awaitable, Callable

# After a broadcast of single changes, the fingerprint cannot reveal a change that was not notified. So a full state is
# broadcast after this time at the latest.
LONGEST_UNCHECKED_SECONDS = 300.0


class FingerprintCheck:
    """Compares the queue's fingerprint with the one of the last state that all pages got.

    `fingerprint` reads it from the queue; `now` is a monotonic clock in seconds.
    """

    def __init__(self, fingerprint: Callable[[], Awaitable[str]], now: Callable[[], float]) -> None:
        self._read = fingerprint
        self._now = now
        self._fingerprint: str | None = None
        self._checked_at = now()

    async def record(self) -> None:
        """Keep the fingerprint before a state for all pages is read: what changes during the read differs later."""
        self._fingerprint = await self._read()
        self._checked_at = self._now()

    def invalidate(self) -> None:
        """Drop the fingerprint, as pages get single changes; others may have been missed."""
        self._fingerprint = None

    async def requires_state(self, *, quiet: bool, polling: bool) -> bool:
        """Return whether all pages need a full state; `quiet` if there is nothing else to send."""
        if self._fingerprint is None:
            # While notifications do not arrive, nothing else would reveal a change.
            overdue = self._now() - self._checked_at >= LONGEST_UNCHECKED_SECONDS
            return overdue or (quiet and polling)
        if not quiet:
            return False
        if await self._read() != self._fingerprint:
            return True
        self._checked_at = self._now()
        return False
