"""Whether the open pages are known to show the queue as it is."""

from collections.abc import Awaitable, Callable

# Beside changes that were told, one that was not cannot be seen: now and then everything is told again.
LONGEST_UNPROVEN_SECONDS = 300.0


class Proof:
    """Compares the queue with what all pages were last told of it, by a fingerprint.

    `fingerprint` reads the queue's; `now` is a monotonic clock in seconds.
    """

    def __init__(self, fingerprint: Callable[[], Awaitable[str]], now: Callable[[], float]) -> None:
        self._read = fingerprint
        self._now = now
        self._fingerprint: str | None = None
        self._proven_at = now()

    async def begin(self) -> None:
        """Note what all pages are about to be told, before it is read: what changes meanwhile is a difference later."""
        self._fingerprint = await self._read()
        self._proven_at = self._now()

    def lose(self) -> None:
        """Note that pages are told single changes, beside which others may have gone unheard."""
        self._fingerprint = None

    async def is_lacking(self, *, quiet: bool, polling: bool) -> bool:
        """Return whether everything has to be told; `quiet` where nothing else is to be told anyway."""
        if self._fingerprint is None:
            # While notifications do not arrive there would be nothing else to find a change by.
            overdue = self._now() - self._proven_at >= LONGEST_UNPROVEN_SECONDS
            return overdue or (quiet and polling)
        if not quiet:
            return False
        if await self._read() != self._fingerprint:
            return True
        self._proven_at = self._now()
        return False
