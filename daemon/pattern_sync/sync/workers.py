"""The two that empty the intake: one for announced patterns, one for looks at everything."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from pattern_sync.domain.errors import PassingFault
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.runs import RunKind, leading
from pattern_sync.observability.state import DaemonState
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.liveness import Life
from pattern_sync.sync.outage import Outage
from pattern_sync.sync.reconciler import Reconciler, held_of

_BREATH_SECONDS = 5.0
# A pattern that somebody has locked is looked at again after this long; whoever it is must not be pressed.
HELD_SECONDS = 1.0
# However many are locked, those that are not do not wait behind them for long.
MOST_HELD_AT_ONCE = 250


@dataclass(slots=True)
class FilterInForce:
    """The filter that the database held when it was last read; shared by the services of one daemon."""

    value: SyncFilter


class Installation(Protocol):
    """What a run asks the database beside its rows."""

    async def check_schema(self) -> None: ...
    async def read_filter(self) -> SyncFilter: ...
    async def record_run(self, kind: str, result: SyncResult) -> None: ...


class EventWorker:
    """Reconciles the patterns that were announced, and again a moment later those that somebody had locked."""

    NAME = "event worker"

    def __init__(
        self,
        intake: Intake,
        reconciler: Reconciler,
        in_force: FilterInForce,
        state: DaemonState,
        outage: Outage,
        life: Life,
        now: Callable[[], float],
    ) -> None:
        self._intake = intake
        self._reconciler = reconciler
        self._in_force = in_force
        self._state = state
        self._outage = outage
        self._life = life
        self._now = now
        self._held: dict[int, None] = {}
        self._held_until: float | None = None

    async def run(self) -> None:
        """Work until the intake is closed and empty."""
        while not (self._intake.closed and not len(self._intake) and not self._held):
            pattern_ids = await self._intake.take_patterns(self._seconds_until_held())
            # By themselves: what was announced just now does not wait with what is locked.
            await self._work_at(pattern_ids)
            if self._intake.closed and self._held:  # which waits for nothing any more
                await self._life.pause(self._seconds_until_held())
            await self._work_at(self._take_held())

    async def run_once(self, pattern_ids: Sequence[int]) -> None:
        """Reconcile some patterns; in an outage they are marked again."""
        started = self._now()
        try:
            outcomes = await self._reconciler.reconcile(pattern_ids, self._in_force.value)
        except PassingFault as fault:
            if not self._intake.closed:  # else the catch-up of the next start finds them
                self._intake.add(pattern_ids)
                await self._outage.wait_out(fault)
            return
        self._outage.over()
        self._hold(held_of(outcomes))
        self._state.reconciled(outcomes, (self._now() - started) * 1000)

    async def _work_at(self, pattern_ids: Sequence[int]) -> None:
        if pattern_ids:
            with self._life.working():
                await self.run_once(pattern_ids)

    def _hold(self, pattern_ids: Sequence[int]) -> None:
        if pattern_ids:
            if not self._held or self._held_until is None:
                self._held_until = self._now() + HELD_SECONDS
            self._held.update(dict.fromkeys(pattern_ids))

    def _seconds_until_held(self) -> float:
        if not self._held:
            return _BREATH_SECONDS
        return 0.0 if self._held_until is None else max(0.0, self._held_until - self._now())

    def _take_held(self) -> list[int]:
        """Return some of what was locked a moment ago; the next ones come at once unless one of these still is."""
        if self._seconds_until_held() > 0:
            return []
        due = list(islice(self._held, MOST_HELD_AT_ONCE))
        for pattern_id in due:
            del self._held[pattern_id]
        self._held_until = None
        return due


class RunWorker:
    """Runs over all patterns: catch-ups, sweeps, polls, and what a bulk change or a new filter asks for."""

    NAME = "run worker"

    def __init__(
        self,
        intake: Intake,
        reconciler: Reconciler,
        installation: Installation,
        in_force: FilterInForce,
        state: DaemonState,
        outage: Outage,
        life: Life,
        on_caught_up: Callable[[], None],
    ) -> None:
        self._intake = intake
        self._reconciler = reconciler
        self._installation = installation
        self._in_force = in_force
        self._state = state
        self._outage = outage
        self._life = life
        self._on_caught_up = on_caught_up

    async def run(self) -> None:
        """Work until the intake is closed."""
        while not self._intake.closed:
            if kinds := await self._intake.take_everything(_BREATH_SECONDS):
                with self._life.working():
                    await self.run_once(kinds)

    async def run_once(self, kinds: Collection[RunKind]) -> None:
        """Run once for all these wishes; in an outage they are wished again."""
        kind = leading(kinds)
        try:
            await self._installation.check_schema()
            self._in_force.value = await self._installation.read_filter()
            result = await self._reconciler.reconcile_everything(self._in_force.value, on_held=self._intake.add)
            if kind not in (RunKind.POLL, RunKind.REQUEST) or result.synced_count:
                await self._installation.record_run(kind, result)
        except PassingFault as fault:
            if not self._intake.closed:
                for wish in kinds:
                    self._intake.add_everything(wish)
                await self._outage.wait_out(fault)
            return
        self._outage.over()
        if RunKind.SETTINGS in kinds:
            self._state.filter_in_force(self._in_force.value)
        self._intake.worked(kinds, result.sync_duration_ms / 1000, in_vain=not result.synced_count)
        self._state.run_finished(kinds, result)
        self._on_caught_up()
