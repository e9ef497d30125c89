"""The two that empty the intake, through work, outages and a stop."""

import asyncio
from collections.abc import Callable

import pytest

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import (
    AccessRefused,
    DatabaseUnavailable,
    SchemaMissing,
    SchemaOutdated,
    StatementFailed,
)
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.runs import RunKind
from pattern_sync.observability.state import DaemonState
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.outage import Outage
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.workers import HELD_SECONDS, MOST_HELD_AT_ONCE, EventWorker, FilterInForce, RunWorker
from tests.support.asynchronous import run
from tests.support.fakes import Clock, FakeQueue, RecordingLife

PUBLISHED = SyncFilter(80.0, 9, None, max_patterns=None)
OUTAGES = [
    DatabaseUnavailable("down"),
    AccessRefused("the role is gone"),
    SchemaMissing("the table was renamed"),
]


class FakeInstallation:
    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.recorded: list[str] = []

    async def check_schema(self) -> None:
        if self.faults:
            raise self.faults.pop(0)

    async def read_filter(self) -> SyncFilter:
        return PUBLISHED

    async def record_run(self, kind: str, result: SyncResult) -> None:
        assert result.total_candidates >= 0
        self.recorded.append(kind)


class Bench:
    def __init__(self, queue: FakeQueue) -> None:
        self.clock = clock = Clock()
        self.intake = Intake()
        self.installation = FakeInstallation()
        self.in_force = FilterInForce(SyncFilter())
        self.life = RecordingLife(clock)
        self.caught_up = 0
        state, reconciler = DaemonState(clock, lambda _: None), Reconciler(queue, clock)
        outage = Outage(state.database_lost, state.database_back, Backoff(lambda: 1.0, 0.1, 1.5), self.life)
        self.events = EventWorker(self.intake, reconciler, self.in_force, state, outage, self.life, clock)
        self.runs = RunWorker(
            self.intake, reconciler, self.installation, self.in_force, state, outage, self.life, self._on_caught_up
        )

    def _on_caught_up(self) -> None:
        self.caught_up += 1


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the clock is not the loop's
            await asyncio.sleep(0.001)


def test_announced_patterns_are_queued_and_a_closed_intake_is_drained() -> None:
    async def check() -> None:
        queue = FakeQueue([1, 2, 3])
        bench = Bench(queue)
        bench.intake.add([1, 3])
        bench.intake.close()
        await bench.events.run()
        assert queue.entries == {1, 3}

    run(check())


@pytest.mark.parametrize("fault", OUTAGES)
def test_in_an_outage_announced_patterns_are_marked_again(fault: Exception) -> None:
    async def check() -> None:
        queue = FakeQueue([1, 2])
        queue.faults = [fault]
        bench = Bench(queue)
        await bench.events.run_once([1, 2])
        assert bench.life.pauses == [0.1]
        assert await bench.intake.take_patterns(0) == [1, 2]

    run(check())


def test_an_outage_while_draining_ends_it_and_the_next_start_catches_up() -> None:
    async def check() -> None:
        queue = FakeQueue([1])
        queue.faults = [DatabaseUnavailable("down")]
        bench = Bench(queue)
        bench.intake.add([1])
        bench.intake.close()
        await bench.events.run()
        assert len(bench.intake) == 0

    run(check(), seconds=10)


def test_what_is_locked_is_looked_at_again_apart_and_in_turns() -> None:
    async def check() -> None:
        queue = FakeQueue(range(MOST_HELD_AT_ONCE + 10))
        queue.held = set(queue.patterns)
        bench = Bench(queue)
        bench.intake.add(queue.patterns)
        working = asyncio.create_task(bench.events.run())
        await until(lambda: len(queue.calls) == 1)
        bench.clock.seconds += HELD_SECONDS / 2
        bench.intake.add([1])  # does not put off the others
        await until(lambda: len(queue.calls) == 2)
        bench.clock.seconds += HELD_SECONDS / 2
        bench.intake.add([2])
        await until(lambda: len(queue.calls) == 4)
        assert queue.calls[2] == (2,)
        assert len(queue.calls[3]) == MOST_HELD_AT_ONCE
        queue.held.clear()
        bench.clock.seconds += HELD_SECONDS
        await until(lambda: queue.entries == set(queue.patterns))
        bench.intake.close()
        await working

    run(check())


def test_a_run_takes_the_filter_from_the_database_and_is_recorded() -> None:
    async def check() -> None:
        queue = FakeQueue(range(10))
        bench = Bench(queue)
        await bench.runs.run_once({RunKind.POLL, RunKind.CATCH_UP})
        assert queue.entries == set(range(10))
        assert bench.in_force.value == PUBLISHED
        assert bench.installation.recorded == ["catch-up"]
        assert bench.caught_up == 1

    run(check())


def test_a_poll_that_found_nothing_is_not_recorded() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue())
        await bench.runs.run_once({RunKind.POLL})
        assert bench.installation.recorded == []

    run(check())


@pytest.mark.parametrize("fault", [*OUTAGES, StatementFailed("the notification queue is full")])
def test_in_an_outage_the_wishes_are_wished_again_and_nothing_is_caught_up(fault: Exception) -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1]))
        bench.installation.faults = [fault]
        await bench.runs.run_once({RunKind.CATCH_UP, RunKind.SETTINGS})
        assert bench.caught_up == 0
        assert await bench.intake.take_everything(0) == {RunKind.CATCH_UP, RunKind.SETTINGS}

    run(check())


def test_a_schema_that_stopped_fitting_ends_the_worker() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1]))
        bench.installation.faults = [SchemaOutdated("of another version")]
        bench.intake.add_everything(RunKind.SWEEP)
        with pytest.raises(SchemaOutdated):
            await bench.runs.run()

    run(check())
