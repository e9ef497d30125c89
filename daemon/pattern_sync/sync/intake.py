"""What may matter and was not looked at yet: the daemon's dirty mark."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable

from pattern_sync.domain.runs import RunKind

# Beyond this, one look at everything is cheaper than the memory, and a flood is only a hint anyway.
MOST_PATTERNS = 10_000
# Whoever may connect to the cluster may ask for these, as often as they like. A look that was asked for and found
# nothing makes the next one wait, so that such looks take a tenth of the time at most.
PACED = frozenset({RunKind.REQUEST, RunKind.SETTINGS})
LARGEST_SHARE_OF_TIME = 0.1
LONGEST_WAIT_SECONDS = 60.0


class Intake:
    """Collects hints; a pattern that waits is not added twice, one that is being worked on is.

    A mark is cleared before the rows are read, never after: what commits in between is a new mark.
    `now` is a monotonic clock in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._patterns: set[int] = set()
        self._everything: set[RunKind] = set()
        self._has_patterns = asyncio.Event()
        self._has_everything = asyncio.Event()
        self._paced_until = now()
        self.closed = False

    def __len__(self) -> int:
        return len(self._patterns)

    def add(self, pattern_ids: Iterable[int]) -> None:
        """Mark patterns; too many become a look at everything."""
        self._patterns.update(pattern_ids)
        if len(self._patterns) > MOST_PATTERNS:
            self._patterns.clear()
            self.add_everything(RunKind.REQUEST)
        if self._patterns:
            self._has_patterns.set()

    def add_everything(self, kind: RunKind) -> None:
        """Ask for a look at everything; `kind` is what the log calls the run."""
        self._everything.add(kind)
        self._has_everything.set()

    def worked(self, kinds: Collection[RunKind], seconds: float, *, in_vain: bool) -> None:
        """Note what a look at everything took, and whether it found nothing to queue: such requests are paced."""
        if PACED.intersection(kinds):
            wait_seconds = min(LONGEST_WAIT_SECONDS, seconds / LARGEST_SHARE_OF_TIME) if in_vain else 0.0
            self._paced_until = self._now() + wait_seconds

    async def take_patterns(self, wait_seconds: float) -> list[int]:
        """Wait for marked patterns and return them, unmarked; empty after `wait_seconds`."""
        await self._wait(self._has_patterns, wait_seconds)
        taken = sorted(self._patterns)
        self._patterns.clear()
        self._release(self._has_patterns)
        return taken

    async def take_everything(self, wait_seconds: float) -> frozenset[RunKind]:
        """Wait for the wish to look at everything and return its kinds; empty after `wait_seconds`.

        A wish that is paced waits for its time, or goes along with one that is not.
        """
        until = self._now() + wait_seconds
        while (due_seconds := self._seconds_until_due()) > 0:
            left_seconds = until - self._now()
            if left_seconds <= 0:
                return frozenset()
            self._has_everything.clear()
            await self._wait(self._has_everything, min(left_seconds, due_seconds))
        taken = frozenset(self._everything)
        self._everything.clear()
        self._release(self._has_everything)
        return taken

    def close(self) -> None:
        """Let the takers go on at once: what is marked is still handed out, nothing is waited for."""
        self.closed = True
        self._has_patterns.set()
        self._has_everything.set()

    def _seconds_until_due(self) -> float:
        if self.closed or not PACED.issuperset(self._everything):
            return 0.0
        return self._paced_until - self._now() if self._everything else float("inf")

    def _release(self, event: asyncio.Event) -> None:
        if not self.closed:
            event.clear()

    @staticmethod
    async def _wait(event: asyncio.Event, seconds: float) -> None:
        if event.is_set():
            return
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
