"""The event worker: reconciles the patterns that notifications named."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice

from pattern_sync.domain.facts import Emit, PatternsReconciled
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.services.activity import Activity
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.recovery import Recovery

# How soon a worker without work notices that the intake was closed.
IDLE_SECONDS = 5.0
# However many are locked, those that are not do not wait behind them for long.
MOST_HELD_AT_ONCE = 250


class EventWorker:
    """Reconciles marked patterns, and those that somebody has locked again `held_seconds` later.

    `quarantined` is set when the application refuses a pattern; `now` is a monotonic clock in seconds.
    """

    name = "event-worker"

    def __init__(
        self,
        intake: Intake,
        reconciler: Reconciler,
        in_force: FilterInForce,
        recovery: Recovery,
        quarantined: asyncio.Event,
        emit: Emit,
        activity: Activity,
        now: Callable[[], float],
        held_seconds: float,
    ) -> None:
        self._intake = intake
        self._reconciler = reconciler
        self._in_force = in_force
        self._recovery = recovery
        self._quarantined = quarantined
        self._emit = emit
        self._activity = activity
        self._now = now
        self._held_seconds = held_seconds
        self._held: dict[RowId, float] = {}  # with its arrival
        self._held_until: float | None = None

    async def run(self) -> None:
        """Work until the intake is closed and empty."""
        while not (self._intake.closed and not len(self._intake) and not self._held):
            row_ids = await self._intake.take_patterns(self._seconds_until_held())
            if not row_ids and not self._held:
                self._activity.rest()
            # By themselves: what was just marked must not wait with what is locked.
            await self.run_once(row_ids)
            if self._intake.closed and self._held:  # a closed intake waits for nothing
                await self._activity.wait(self._seconds_until_held())
            await self.run_once(self._take_held())

    async def run_once(self, row_ids: Sequence[RowId]) -> None:
        """Reconcile some patterns."""
        if not row_ids:
            return
        started = self._now()
        waited_seconds: list[float] = []

        def committed(outcomes: Sequence[PatternOutcome]) -> None:
            now = self._now()
            queued = [self._intake.arrived_at(item.row_id) for item in outcomes if item.outcome is Outcome.QUEUED]
            waited_seconds.extend(now - arrived_at for arrived_at in queued if arrived_at is not None)

        async with self._activity.working(put_back=lambda: self._intake.put_back(row_ids)):
            outcomes = await self._reconciler.reconcile(row_ids, self._in_force.value, committed)
            self._hold([item.row_id for item in outcomes if item.outcome is Outcome.HELD])
            self._intake.finish(row_ids)
            self._recovery.reconciled(outcomes)
            if any(item.outcome is Outcome.FAILED for item in outcomes):
                self._quarantined.set()
            milliseconds = (self._now() - started) * 1000
            gone = set(row_ids) - {item.row_id for item in outcomes}
            self._emit(PatternsReconciled(tuple(outcomes), milliseconds, len(gone), tuple(waited_seconds)))

    def close(self) -> None:
        """Have the intake empty itself."""
        self._intake.close()

    def _hold(self, row_ids: Sequence[RowId]) -> None:
        if row_ids:
            if not self._held or self._held_until is None:
                self._held_until = self._now() + self._held_seconds
            for row_id in row_ids:
                self._held.setdefault(row_id, self._intake.arrived_at(row_id) or self._now())

    def _seconds_until_held(self) -> float:
        if not self._held:
            return IDLE_SECONDS
        return 0.0 if self._held_until is None else max(0.0, self._held_until - self._now())

    def _take_held(self) -> list[RowId]:
        """Return some of what was locked a moment ago; the next ones come at once unless one of these still is."""
        if self._seconds_until_held() > 0:
            return []
        due = {row_id: self._held[row_id] for row_id in islice(self._held, MOST_HELD_AT_ONCE)}
        for row_id in due:
            del self._held[row_id]
        self._held_until = None
        self._intake.resume(due)
        return list(due)
