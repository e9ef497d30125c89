"""The patterns that the application refuses, told at most once a minute."""

from collections.abc import Callable, Sequence

import structlog

TELL_SECONDS = 60.0
SHOWN_REASONS = 5


class Refusals:
    """Knows how many patterns qualify and cannot be queued; `now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._now = now
        self.count = 0
        self._reasons: tuple[str, ...] = ()
        self._told = 0
        self._told_at: float | None = None

    def update(self, count: int, reasons: Sequence[str]) -> None:
        """Take how many there are now, and why some of them are refused."""
        self.count = count
        self._reasons = tuple(reasons[:SHOWN_REASONS])
        self.tell()

    def tell(self) -> None:
        """Say what has changed, unless something was said a moment ago: then the next call does."""
        too_soon = self._told_at is not None and self._now() < self._told_at + TELL_SECONDS
        if self.count == self._told or too_soon:
            return
        self._told, self._told_at = self.count, self._now()
        if self.count:
            self._log.warning("some patterns that qualify are refused", patterns=self.count, reasons=self._reasons)
        else:
            self._log.info("no pattern is refused any more")
