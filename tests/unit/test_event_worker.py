"""The worker for marked patterns, through work, locks, outages and a stop."""

import asyncio
from collections.abc import Callable

import pytest

from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable, SchemaMissing
from pattern_sync.domain.facts import PatternsReconciled
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.domain.scans import ScanKind
from pattern_sync.sync.event_worker import MOST_HELD_AT_ONCE, EventWorker
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.intake import MOST_PATTERNS, Intake
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.recovery import Recovery
from tests.support.asynchronous import run, settle
from tests.support.fakes import OUTAGE_WAITS, Clock, FakeQueue, RecordedFacts, RecordingActivity, row_ids

HELD_SECONDS = 1.0


class Bench:
    def __init__(self, queue: FakeQueue) -> None:
        self.clock = clock = Clock()
        self.queue = queue
        self.intake = Intake(clock)
        self.facts = RecordedFacts()
        self.activity = RecordingActivity(clock, EventWorker.name)
        self.quarantined = asyncio.Event()
        self.worker = EventWorker(
            self.intake,
            Reconciler(queue, clock),
            FilterInForce(SyncFilter()),
            Recovery(clock, self.facts, 3.0, self.intake),
            self.quarantined,
            self.facts,
            self.activity,
            clock,
            HELD_SECONDS,
        )

    def reports_without(self) -> set[str]:
        return self.activity.reports.without


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the clock is not the loop's
            await asyncio.sleep(0.001)


def test_marked_patterns_are_queued_and_a_closed_intake_is_drained() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1, 2, 3]))
        bench.intake.add(row_ids(1, 3))
        bench.worker.close()
        await bench.worker.run()
        assert bench.queue.entries == {1, 3}

    run(check())


def test_a_reconcile_emits_a_fact_with_its_outcome_and_duration() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1, 2]))
        reconcile = bench.queue.reconcile

        async def slowly(*arguments: object) -> object:
            bench.clock.seconds += 0.25
            return await reconcile(*arguments)  # type: ignore[arg-type]

        bench.queue.reconcile = slowly  # type: ignore[method-assign, assignment]
        await bench.worker.run_once(row_ids(1, 9))
        (fact,) = bench.facts.of(PatternsReconciled)
        assert [(item.row_id, item.outcome) for item in fact.outcomes] == [(1, Outcome.QUEUED)]
        assert fact.milliseconds == 500.0, "two rounds"

    run(check())


def test_a_refused_pattern_wakes_the_retrier() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1, 2], poison=[2]))
        await bench.worker.run_once(row_ids(1))
        assert not bench.quarantined.is_set()
        await bench.worker.run_once(row_ids(1, 2))
        assert bench.quarantined.is_set()

    run(check())


@pytest.mark.parametrize(
    "fault", [DatabaseUnavailable("down"), AccessRefused("the role is gone"), SchemaMissing("the table was renamed")]
)
def test_in_an_outage_patterns_are_marked_again(fault: Exception) -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1, 2]))
        bench.queue.faults = [fault]
        await bench.worker.run_once(row_ids(1, 2))
        assert bench.activity.in_outage
        assert bench.facts == []
        assert await bench.intake.take_patterns(0) == [1, 2]

    run(check())


def test_an_outage_lasts_until_an_attempt_succeeds() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1]))
        bench.queue.faults = [DatabaseUnavailable("down")] * 3
        bench.intake.add(row_ids(1))
        task = asyncio.create_task(bench.worker.run())
        await settle(lambda: bench.queue.entries)
        bench.worker.close()
        await task
        assert bench.activity.waits == [7.0, 14.0, 28.0]
        assert not bench.activity.in_outage

    run(check())


def test_an_outage_in_which_the_marks_became_a_scan_is_over_once_nothing_is_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pattern_sync.sync.event_worker.IDLE_SECONDS", 0.001)

    async def check() -> None:
        bench = Bench(FakeQueue())
        many = row_ids(*range(MOST_PATTERNS))
        bench.queue.faults = [DatabaseUnavailable("down")]
        bench.intake.add(many)

        async def wait(seconds: float) -> None:
            assert seconds == OUTAGE_WAITS[0]
            assert bench.reports_without() == {EventWorker.name}
            bench.intake.add(row_ids(-1))  # one too many: the marks become a scan

        bench.activity.wait = wait  # type: ignore[method-assign]
        task = asyncio.create_task(bench.worker.run())
        await until(lambda: not bench.reports_without() and bool(bench.activity.reports.faults))
        assert not bench.activity.in_outage, "no attempt is left that could end the outage"
        assert await bench.intake.take_scans(0) == {ScanKind.REQUEST}
        assert len(bench.queue.calls) == 1
        bench.worker.close()
        await task

    run(check())


def test_an_outage_while_draining_ends_the_worker_and_the_next_start_catches_up() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1]))
        bench.queue.faults = [DatabaseUnavailable("down")]
        bench.intake.add(row_ids(1))
        bench.worker.close()
        await bench.worker.run()
        assert len(bench.intake) == 0

    run(check(), seconds=10)


def test_locked_patterns_are_retried_apart_and_in_turns() -> None:
    async def check() -> None:
        queue = FakeQueue(range(MOST_HELD_AT_ONCE + 10))
        queue.held = set(queue.patterns)
        bench = Bench(queue)
        bench.intake.add(row_ids(*queue.patterns))
        working = asyncio.create_task(bench.worker.run())
        await until(lambda: len(queue.calls) == 1)
        bench.clock.seconds += HELD_SECONDS / 2
        bench.intake.add(row_ids(1))  # does not delay the others
        await until(lambda: len(queue.calls) == 2)
        bench.clock.seconds += HELD_SECONDS / 2
        bench.intake.add(row_ids(2))
        await until(lambda: len(queue.calls) == 4)
        assert queue.calls[2] == (2,)
        assert len(queue.calls[3]) == MOST_HELD_AT_ONCE
        queue.held.clear()
        bench.clock.seconds += HELD_SECONDS
        await until(lambda: queue.entries == set(queue.patterns))
        bench.intake.close()
        await working

    run(check())


def test_patterns_locked_at_the_stop_are_retried_before_the_end() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1]))
        bench.queue.held = {1}
        bench.intake.add(row_ids(1))
        bench.worker.close()

        async def wait(seconds: float) -> None:
            assert seconds == HELD_SECONDS
            bench.clock.seconds += seconds
            bench.queue.held.clear()

        bench.activity.wait = wait  # type: ignore[method-assign]
        await bench.worker.run()
        assert bench.queue.entries == {1}

    run(check(), seconds=10)


def waits_of(bench: Bench) -> list[float]:
    return [seconds for fact in bench.facts.of(PatternsReconciled) for seconds in fact.waited_seconds]


def test_the_time_from_a_notification_to_the_commit_of_its_entry_is_measured() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1, 2]))
        reconcile = bench.queue.reconcile

        async def slowly(*arguments: object) -> object:
            bench.clock.seconds += 0.25
            return await reconcile(*arguments)  # type: ignore[arg-type]

        bench.queue.reconcile = slowly  # type: ignore[method-assign, assignment]
        bench.intake.add(row_ids(1, 9))
        bench.clock.seconds += 0.5
        bench.worker.close()
        await bench.worker.run()
        (fact,) = bench.facts.of(PatternsReconciled)
        assert fact.waited_seconds == (0.75,), "without the second look, which finds nothing to do"
        assert fact.gone == 1
        bench.intake.add(row_ids(1, 2))
        await bench.worker.run_once(await bench.intake.take_patterns(0))
        assert waits_of(bench) == [0.75, 0.25], "an entry that was there already was not waited for"

    run(check())


def test_the_time_includes_outages_and_locks() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1]))
        bench.queue.faults = [DatabaseUnavailable("down")]
        bench.queue.held = {1}
        bench.intake.add(row_ids(1))
        working = asyncio.create_task(bench.worker.run())
        await until(lambda: len(bench.queue.calls) == 2)
        bench.queue.held.clear()
        bench.clock.seconds += 60
        await until(lambda: bench.queue.entries == {1})
        bench.intake.close()
        await working
        assert waits_of(bench) == [60.0]
        assert bench.intake.oldest_at() is None

    run(check())
