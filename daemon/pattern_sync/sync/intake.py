"""The intake: what may matter and was not reconciled yet."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from pattern_sync.domain.identity import RowId
from pattern_sync.domain.scans import ScanKind
from pattern_sync.services.marks import Marks
from pattern_sync.services.waiting import wait_for

# Beyond this, one scan is cheaper than the memory, and a flood is only a hint anyway.
MOST_PATTERNS = 10_000
# Whoever may connect to the cluster may request these, as often as they like. A scan that was requested and found
# nothing makes the next one wait, so that such scans take a tenth of the time at most.
PACED = frozenset({ScanKind.REQUEST, ScanKind.SETTINGS})
LARGEST_SHARE_OF_TIME = 0.1
LONGEST_WAIT_SECONDS = 60.0


class Intake:
    """Coalesces marks for patterns and requests for scans. `now` is a monotonic clock in seconds.

    It remembers when each pattern was marked, until it is reconciled. `overflowed_at` is when marks last became a scan.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._patterns: Marks[RowId, float] = Marks(MOST_PATTERNS)
        self._in_progress: dict[RowId, float] = {}
        self._scans: set[ScanKind] = set()
        self._has_scans = asyncio.Event()
        self._paced_until = now()
        self.last_scan_seconds = 0.0
        self.overflowed_at: float | None = None
        self.closed = False

    def __len__(self) -> int:
        return len(self._patterns)

    def add(self, row_ids: Iterable[RowId]) -> None:
        """Mark patterns; too many become a scan."""
        self._patterns.add_new(dict.fromkeys(row_ids, self._now()))
        self._bound()

    def add_everything(self, kind: ScanKind) -> None:
        """Request a scan; `kind` says why."""
        self._scans.add(kind)
        self._has_scans.set()

    def put_back(self, row_ids: Iterable[RowId]) -> None:
        """Mark again what could not be reconciled. Once closed, the next start's catch-up finds it."""
        arrivals = {row_id: self._in_progress.pop(row_id, self._now()) for row_id in row_ids}
        if not self.closed:
            self._patterns.add(arrivals)  # these are older than marks made meanwhile
            self._bound()

    def resume(self, arrivals: Mapping[RowId, float]) -> None:
        """Take up again patterns that were finished for the time being; `arrivals` says when each was first marked."""
        self._in_progress.update(arrivals)

    def finish(self, row_ids: Iterable[RowId]) -> None:
        """Record that taken patterns were reconciled."""
        for row_id in row_ids:
            self._in_progress.pop(row_id, None)

    def arrived_at(self, row_id: RowId) -> float | None:
        """Return when a pattern that is in progress was marked."""
        return self._in_progress.get(row_id)

    def oldest_at(self) -> float | None:
        """Return when the oldest pattern was marked that waits or is in progress."""
        return min((*self._patterns.values(), *self._in_progress.values()), default=None)

    def put_back_everything(self, kinds: Iterable[ScanKind]) -> None:
        """Request scans again that could not be done."""
        if not self.closed:
            for kind in kinds:
                self.add_everything(kind)

    def scanned(self, kinds: Collection[ScanKind], seconds: float, *, in_vain: bool) -> None:
        """Record how long a scan took, and whether it found nothing to queue: such requests are paced."""
        self.last_scan_seconds = seconds
        if PACED.intersection(kinds):
            wait_seconds = min(LONGEST_WAIT_SECONDS, seconds / LARGEST_SHARE_OF_TIME) if in_vain else 0.0
            self._paced_until = self._now() + wait_seconds

    async def take_patterns(self, wait_seconds: float) -> list[RowId]:
        """Wait for marked patterns and return them, unmarked; empty after `wait_seconds`."""
        await wait_for(self._patterns.wake, wait_seconds)
        arrivals = self._take_patterns()
        self._in_progress = {**arrivals, **self._in_progress}
        return sorted(arrivals)

    async def take_scans(self, wait_seconds: float) -> frozenset[ScanKind]:
        """Wait for requests for a scan and return their kinds; empty after `wait_seconds`.

        A request that is paced waits for its time, or is served together with one that is not.
        """
        until = self._now() + wait_seconds
        while (due_seconds := self._seconds_until_due()) > 0:
            left_seconds = until - self._now()
            if left_seconds <= 0:
                return frozenset()
            self._has_scans.clear()
            await wait_for(self._has_scans, min(left_seconds, due_seconds))
        taken = frozenset(self._scans)
        self._scans.clear()
        if not self.closed:
            self._has_scans.clear()
        return taken

    def close(self) -> None:
        """Let the takers go on at once: what is marked is still handed out, nothing is waited for."""
        self.closed = True
        self._patterns.wake.set()
        self._has_scans.set()

    def _bound(self) -> None:
        if self._patterns.everything:
            self._take_patterns()
            self.overflowed_at = self._now()
            self.add_everything(ScanKind.REQUEST)

    def _take_patterns(self) -> Mapping[RowId, float]:
        taken = self._patterns.take()
        if self.closed:
            self._patterns.wake.set()
        return taken.marks

    def _seconds_until_due(self) -> float:
        if self.closed or not PACED.issuperset(self._scans):
            return 0.0
        return self._paced_until - self._now() if self._scans else float("inf")
