"""What sweeps find although notifications arrive: the number that tells whether these can be trusted."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.runs import RunKind

# What was announced while a sweep ran has been looked at after this time.
SETTLE_SECONDS = 3.0
MOST_NAMES = 10_000
_FOUND_IN_THE_QUEUE = (Outcome.UNCHANGED, Outcome.REFRESHED)


@dataclass(frozen=True, slots=True)
class _Sweep:
    result: SyncResult
    since: float
    finished_at: float


class Recovery:
    """Counts what a sweep queued and nobody had announced; `now` is a monotonic clock in seconds.

    A sweep may be faster than the announcement of what it finds, so its number is known a moment later: what the event
    path then met in the queue was announced. After a bulk change was announced, what a sweep finds says nothing.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.total = 0
        self.last_at: float | None = None
        self.in_last_sweep = 0
        self._heard: dict[str, None] = {}
        self._everything_at: float | None = None
        self._previous_run_at = now()
        self._deaf = True
        self._sweep: _Sweep | None = None

    def deafened(self) -> None:
        """Note that something may not be heard until the next catch-up."""
        self._deaf = True

    def everything_announced(self) -> None:
        """Note that a bulk change was announced."""
        self._everything_at = self._now()

    def announced(self, outcomes: Iterable[PatternOutcome]) -> None:
        """Note what the event path came to."""
        for item in outcomes:
            if item.outcome in _FOUND_IN_THE_QUEUE:
                self._heard[item.signature] = None
        while len(self._heard) > MOST_NAMES:
            del self._heard[next(iter(self._heard))]

    def run_finished(self, kinds: Collection[RunKind], result: SyncResult, *, listening: bool) -> None:
        """Note a run; a sweep that nobody asked for counts if the daemon was listening since the run before."""
        since, self._previous_run_at = self._previous_run_at, self._now()
        if set(kinds) == {RunKind.SWEEP}:
            if not result.synced_count:
                self.in_last_sweep = 0
            elif listening and not self._deaf:
                self._sweep = _Sweep(result, since, self._now())
                return
        if RunKind.CATCH_UP in kinds:
            self._deaf = False
        if self._sweep is None:
            self._heard.clear()

    def settle(self) -> int:
        """Return what the last sweep recovered, once: as soon as that is known."""
        sweep = self._sweep
        if sweep is None or self._now() < sweep.finished_at + SETTLE_SECONDS:
            return 0
        self._sweep = None
        said_all = self._everything_at is not None and self._everything_at >= sweep.since
        self.in_last_sweep = 0 if said_all else self._unannounced(sweep.result)
        self._heard.clear()
        if self.in_last_sweep:
            self.total += self.in_last_sweep
            self.last_at = sweep.finished_at
        return self.in_last_sweep

    def _unannounced(self, result: SyncResult) -> int:
        if result.synced_count > len(result.synced_pattern_ids):  # too many to be named
            return max(0, result.synced_count - len(self._heard))
        return len(set(result.synced_pattern_ids).difference(self._heard))
