"""The worker for scans, through requests, outages and a stop."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pattern_sync.domain.errors import (
    AccessRefused,
    DatabaseUnavailable,
    SchemaMissing,
    SchemaOutdated,
    StatementFailed,
)
from pattern_sync.domain.facts import (
    FilterForeign,
    FilterOwn,
    FilterPublished,
    PendingCounted,
    ScanFinished,
    SweepSettled,
)
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.domain.statistics import PendingEntries, Publication
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.reception import Reception
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.recovery import Recovery
from pattern_sync.sync.scan_worker import ScanWorker
from pattern_sync.sync.silence import Silence
from tests.support.asynchronous import run
from tests.support.fakes import Clock, FakeQueue, RecordedFacts, RecordingActivity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

PUBLISHED = SyncFilter(80.0, 9, None, max_patterns=None)
PUBLICATION = Publication("daemon from 10.0.0.7", datetime(2026, 3, 1, tzinfo=UTC))


class FakeInstallation:
    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.recorded: list[str] = []
        self.found = PUBLISHED
        self.counted = 0
        self.refusal: Exception | None = None
        self.meanwhile: list[Callable[[], None]] = []

    async def check_schema(self) -> None:
        if self.faults:
            raise self.faults.pop(0)

    async def read_filter(self) -> SyncFilter:
        found = self.found
        if self.meanwhile:
            self.meanwhile.pop()()
        return found

    async def read_publication(self) -> Publication | None:
        return PUBLICATION

    async def record_run(self, kind: str, result: SyncResult) -> None:
        assert result.total_candidates >= 0
        self.recorded.append(kind)

    async def count_pending(self) -> PendingEntries:
        self.counted += 1
        if self.refusal:
            raise self.refusal
        return PendingEntries(3, 60.0)


class Bench:
    def __init__(self, queue: FakeQueue) -> None:
        self.clock = clock = Clock()
        self.queue = queue
        self.intake = Intake(clock)
        self.installation = FakeInstallation()
        self.in_force = FilterInForce(SyncFilter())
        self.facts = RecordedFacts()
        self.activity = RecordingActivity(clock, ScanWorker.name)
        self.quarantined = asyncio.Event()
        self.caught_up = 0
        self.recovery = recovery = Recovery(clock, self.facts, 3.0, self.intake)
        silence = Silence(clock, self.facts, recovery.deafened, lambda: False, 10.0)
        self.reception = Reception(clock, self.facts, silence, recovery.deafened)
        self.worker = ScanWorker(
            self.intake,
            Reconciler(queue, clock),
            self.installation,
            self.in_force,
            self.reception,
            recovery,
            self.quarantined,
            self._on_caught_up,
            self.facts,
            self.activity,
        )

    def _on_caught_up(self, _kinds: "Collection[ScanKind]") -> None:
        self.caught_up += 1


def test_a_scan_takes_the_filter_from_the_database_and_is_recorded() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue(range(10)))
        kinds = frozenset({ScanKind.POLL, ScanKind.CATCH_UP})
        await bench.worker.run_once(kinds)
        assert bench.queue.entries == set(range(10))
        assert bench.in_force.value == PUBLISHED
        assert bench.installation.recorded == ["catch-up"]
        assert bench.caught_up == 1
        (fact,) = bench.facts.of(ScanFinished)
        assert (fact.kinds, fact.result.synced_count) == (kinds, 10)
        assert not bench.facts.of(FilterPublished)

    run(check())


def test_a_poll_that_found_nothing_is_not_recorded() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue())
        await bench.worker.run_once({ScanKind.POLL})
        assert bench.installation.recorded == []

    run(check())


def test_a_settings_scan_reports_the_filter_in_force() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue())
        await bench.worker.run_once({ScanKind.SETTINGS, ScanKind.POLL})
        assert bench.facts.of(FilterPublished) == [FilterPublished(PUBLISHED)]

    run(check())


def test_a_filter_that_is_said_to_be_new_and_is_not_is_no_news() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue())
        for _ in range(3):
            await bench.worker.run_once({ScanKind.SETTINGS})
        assert bench.facts.of(FilterPublished) == [FilterPublished(PUBLISHED)]
        assert bench.installation.recorded == ["settings"]

    run(check())


def test_another_daemons_filter_is_reported_once_and_its_end_too() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue())
        own = bench.in_force.own
        for _ in range(3):
            await bench.worker.run_once({ScanKind.POLL})
        assert bench.facts.of(FilterForeign) == [FilterForeign(PUBLISHED, own, PUBLICATION)]
        bench.installation.found = replace(own, max_patterns=None)
        for _ in range(3):
            await bench.worker.run_once({ScanKind.SETTINGS})
        assert bench.facts.of(FilterOwn) == [FilterOwn(own)]

    run(check())


def test_a_reload_makes_the_filter_in_force_this_daemons_own() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue())
        await bench.worker.run_once({ScanKind.SWEEP})
        bench.in_force.published(PUBLISHED)
        await bench.worker.run_once({ScanKind.SETTINGS})
        assert len(bench.facts.of(FilterForeign)) == 1
        assert bench.facts.of(FilterOwn) == [], "the reload itself was news"

    run(check())


def test_a_filter_that_is_found_before_its_publication_has_returned_is_this_daemons_own() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue())
        own = bench.in_force.own
        bench.in_force.publishing(PUBLISHED)
        await bench.worker.run_once({ScanKind.SETTINGS})
        assert bench.facts.of(FilterForeign) == []
        assert bench.in_force.value == PUBLISHED
        # Until it returns, the one before may still be found, too; any other is somebody else's.
        bench.installation.found = replace(own, max_patterns=None)
        await bench.worker.run_once({ScanKind.SWEEP})
        assert bench.facts.of(FilterForeign) == []
        bench.installation.found = replace(PUBLISHED, min_occurrences=77)
        await bench.worker.run_once({ScanKind.SWEEP})
        assert len(bench.facts.of(FilterForeign)) == 1

    run(check())


def test_a_filter_that_was_read_before_this_daemons_publication_returned_is_read_again() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue())
        bench.installation.found = bench.in_force.own

        def publish() -> None:
            bench.in_force.publishing(PUBLISHED)
            bench.in_force.published(PUBLISHED)
            bench.installation.found = PUBLISHED

        bench.installation.meanwhile = [publish]
        await bench.worker.run_once({ScanKind.SWEEP})
        assert bench.facts.of(FilterForeign) == []
        assert bench.in_force.value == PUBLISHED

    run(check())


def test_each_publication_whose_answer_was_lost_may_be_found() -> None:
    in_force = FilterInForce(SyncFilter())
    later = SyncFilter(99.0)
    in_force.publishing(PUBLISHED)
    in_force.publishing(later)
    assert not in_force.is_foreign(PUBLISHED)
    in_force.published(later)
    assert in_force.is_foreign(PUBLISHED)


def test_what_is_found_of_this_daemons_own_is_named_for_what_it_is() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue())
        bench.installation.found = SyncFilter(99.0, max_patterns=None)
        await bench.worker.run_once({ScanKind.SWEEP})
        assert len(bench.facts.of(FilterForeign)) == 1
        bench.in_force.publishing(PUBLISHED)
        bench.installation.found = PUBLISHED
        await bench.worker.run_once({ScanKind.SETTINGS})
        assert bench.facts.of(FilterOwn) == [FilterOwn(PUBLISHED)]

    run(check())


def test_once_published_the_filter_before_is_somebody_elses() -> None:
    in_force = FilterInForce(SyncFilter())
    in_force.publishing(PUBLISHED)
    in_force.published(PUBLISHED)
    assert in_force.is_foreign(SyncFilter())


def test_a_filter_is_this_daemons_own_although_the_database_keeps_fewer_digits() -> None:
    in_force = FilterInForce(SyncFilter(min_savings=0.1 + 0.2))
    in_force.value = SyncFilter(min_savings=0.3, max_patterns=None)
    assert in_force.foreign is None


def test_a_scan_with_a_refused_pattern_wakes_the_retrier() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1, 2], poison=[2]))
        await bench.worker.run_once({ScanKind.SWEEP})
        assert bench.quarantined.is_set()
        bench = Bench(FakeQueue([1, 2]))
        await bench.worker.run_once({ScanKind.SWEEP})
        assert not bench.quarantined.is_set()

    run(check())


def test_held_patterns_are_marked() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1, 2]))
        bench.queue.held = {2}
        await bench.worker.run_once({ScanKind.SWEEP})
        assert await bench.intake.take_patterns(0) == [2]

    run(check())


def test_what_was_heard_during_a_sweep_is_not_recovered_however_slowly_the_sweep_is_recorded() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue())
        bench.reception.listening()
        await bench.worker.run_once({ScanKind.CATCH_UP})
        bench.queue.patterns.append(1)
        stale = bench.queue.refresh_stale
        record = bench.installation.record_run

        async def hear(*arguments: object) -> object:
            bench.clock.seconds += 0.003
            bench.recovery.reconciled([PatternOutcome(RowId(1), "s1", Outcome.UNCHANGED)])
            bench.clock.seconds += 0.001
            return await stale(*arguments)  # type: ignore[arg-type]

        async def record_slowly(kind: str, result: SyncResult) -> None:
            bench.clock.seconds += 0.5
            await record(kind, result)

        bench.queue.refresh_stale = hear  # type: ignore[method-assign, assignment]
        bench.installation.record_run = record_slowly  # type: ignore[method-assign]
        await bench.worker.run_once({ScanKind.SWEEP})
        assert bench.queue.entries == {1}
        bench.clock.seconds += 4.0
        assert bench.recovery.settle() == 0
        assert [fact.recovered for fact in bench.facts.of(SweepSettled)] == [0]

    run(check())


def test_a_request_that_led_to_nothing_makes_the_next_one_wait() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue())
        stale = bench.queue.refresh_stale

        async def slowly(*arguments: object) -> object:
            bench.clock.seconds += 6.0
            return await stale(*arguments)  # type: ignore[arg-type]

        bench.queue.refresh_stale = slowly  # type: ignore[method-assign, assignment]
        await bench.worker.run_once({ScanKind.REQUEST})
        assert bench.intake.last_scan_seconds == 6.0
        bench.intake.add_everything(ScanKind.REQUEST)
        assert await bench.intake.take_scans(0) == frozenset()

    run(check())


@pytest.mark.parametrize(
    "fault",
    [
        DatabaseUnavailable("down"),
        AccessRefused("the role is gone"),
        SchemaMissing("the table was renamed"),
        StatementFailed("the notification queue is full"),
    ],
)
def test_scans_that_meet_an_outage_are_requested_again_and_complete_no_catch_up(fault: Exception) -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1]))
        bench.installation.faults = [fault]
        await bench.worker.run_once({ScanKind.CATCH_UP, ScanKind.SETTINGS})
        assert bench.activity.in_outage
        assert bench.caught_up == 0
        assert bench.facts == []
        assert await bench.intake.take_scans(0) == {ScanKind.CATCH_UP, ScanKind.SETTINGS}

    run(check())


def test_an_outage_while_draining_ends_the_worker_and_the_next_start_catches_up() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1]))

        async def close_and_fail() -> None:
            bench.worker.close()
            raise DatabaseUnavailable("down")

        bench.installation.check_schema = close_and_fail  # type: ignore[method-assign]
        bench.intake.add_everything(ScanKind.SWEEP)
        await bench.worker.run()
        assert await bench.intake.take_scans(0) == frozenset()

    run(check(), seconds=10)


def test_a_schema_that_no_longer_fits_ends_the_worker() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1]))
        bench.installation.faults = [SchemaOutdated("of another version")]
        bench.intake.add_everything(ScanKind.SWEEP)
        with pytest.raises(SchemaOutdated):
            await bench.worker.run()

    run(check())


@pytest.mark.parametrize("kind", ScanKind)
def test_catch_ups_and_sweeps_also_count_what_is_pending(kind: ScanKind) -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1]))
        await bench.worker.run_once({kind})
        counted = [PendingCounted(PendingEntries(3, 60.0))] if kind in (ScanKind.CATCH_UP, ScanKind.SWEEP) else []
        assert bench.facts.of(PendingCounted) == counted
        assert bench.installation.counted == len(counted)

    run(check())


def test_a_column_without_times_does_not_fail_the_sweep() -> None:
    async def check() -> None:
        bench = Bench(FakeQueue([1]))
        bench.installation.refusal = StatementFailed("cannot cast type text to timestamp with time zone")
        await bench.worker.run_once({ScanKind.SWEEP})
        assert not bench.activity.in_outage
        assert bench.facts.of(ScanFinished)
        assert not bench.facts.of(PendingCounted)

    run(check())
