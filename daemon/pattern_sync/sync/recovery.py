"""Recovery: what sweeps find although notifications arrive. It shows whether notifications can be trusted."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from pattern_sync.domain.facts import Emit, SweepSettled
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind

MOST_NAMES = 10_000
_FOUND_IN_THE_QUEUE = (Outcome.UNCHANGED, Outcome.REFRESHED)


@dataclass(frozen=True, slots=True)
class _Sweep:
    result: SyncResult
    since: float
    finished_at: float


class Recovery:
    """Counts what a sweep queued without a notification. `now` is a monotonic clock in seconds.

    A sweep may be faster than the notification of what it finds, so its count is settled `settle_seconds` later: what
    the event path then met in the queue was notified. What a sweep finds after a bulk change was notified proves
    nothing. `found` is set while the last sweep recovered any.
    """

    def __init__(self, now: Callable[[], float], emit: Emit, settle_seconds: float) -> None:
        self._now = now
        self._emit = emit
        self._settle_seconds = settle_seconds
        self._total = 0
        self.found = asyncio.Event()
        self._heard: dict[str, None] = {}
        self._everything_at: float | None = None
        self._previous_scan_at = now()
        self._deaf = True
        self._sweep: _Sweep | None = None

    def deafened(self) -> None:
        """Record that notifications may be missed until the next catch-up."""
        self._deaf = True

    def everything_notified(self) -> None:
        """Record that a bulk change was notified."""
        self._everything_at = self._now()

    def reconciled(self, outcomes: Iterable[PatternOutcome]) -> None:
        """Record what the event path came to."""
        for item in outcomes:
            if item.outcome in _FOUND_IN_THE_QUEUE:
                self._heard[item.signature] = None
        while len(self._heard) > MOST_NAMES:
            del self._heard[next(iter(self._heard))]

    def scanned(self, kinds: Collection[ScanKind], result: SyncResult, *, listening: bool) -> None:
        """Record a scan. A sweep of its own accord counts if the daemon was listening since the scan before."""
        since, self._previous_scan_at = self._previous_scan_at, self._now()
        if set(kinds) == {ScanKind.SWEEP}:
            if not result.synced_count:
                self._settled(0, self._now())
            elif listening and not self._deaf:
                self._sweep = _Sweep(result, since, self._now())
                return
        if ScanKind.CATCH_UP in kinds:
            self._deaf = False
        if self._sweep is None:
            self._heard.clear()

    def settle(self) -> int:
        """Return how many patterns the last sweep recovered, once: as soon as that is known."""
        sweep = self._sweep
        if sweep is None or self._now() < sweep.finished_at + self._settle_seconds:
            return 0
        self._sweep = None
        all_notified = self._everything_at is not None and self._everything_at >= sweep.since
        recovered = 0 if all_notified else self._not_notified(sweep.result)
        self._heard.clear()
        self._settled(recovered, sweep.finished_at)
        return recovered

    def _settled(self, recovered: int, swept_at: float) -> None:
        if recovered:
            self.found.set()
        else:
            self.found.clear()
        self._total += recovered
        self._emit(SweepSettled(recovered, self._total, swept_at))

    def _not_notified(self, result: SyncResult) -> int:
        if result.synced_count > len(result.synced_pattern_ids):  # too many to be named
            return max(0, result.synced_count - len(self._heard))
        return len(set(result.synced_pattern_ids).difference(self._heard))
