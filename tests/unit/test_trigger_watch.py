"""The trigger watch: marks, faults and what follows from them, over a database in memory."""

import asyncio
from collections.abc import Sequence

import pytest

from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable, SchemaMissing, TransactionConflict
from pattern_sync.domain.facts import (
    Fact,
    NotificationIgnored,
    NotificationQueueDrained,
    NotificationQueueFull,
    TableRebuilt,
    TriggersChecked,
    TriggersFaulty,
    TriggersMended,
    TriggersNotMended,
    TriggersSeen,
    TriggersSound,
    TriggersUnseen,
)
from pattern_sync.domain.reception import Audience, Sighting, TriggerFault
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.services.activity import Activity
from pattern_sync.services.liveness import Liveness
from pattern_sync.services.outage import Availability
from pattern_sync.services.timings import Timings
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.payloads import Payloads
from pattern_sync.sync.reception import Reception
from pattern_sync.sync.recovery import Recovery
from pattern_sync.sync.silence import Silence
from pattern_sync.sync.trigger_watch import SETTINGS, TriggerWatch
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordedFacts, outage_backoff

TIMINGS = Timings()
DISABLED = TriggerFault("operation_patterns", "the trigger is disabled", Audience.DAEMONS, mendable=True)
PAGES_ONLY = TriggerFault("pattern_approvals", "the trigger is missing", Audience.PAGES, mendable=True)
STRAY = TriggerFault("old", "a trigger is left", None, mendable=True)
LOST_FILTER = TriggerFault(SETTINGS, "there is no filter", Audience.DAEMONS, mendable=True)
GONE = TriggerFault(None, "there is no table", Audience.DAEMONS, mendable=False)


class FakeDatabase:
    """Returns one result per check; a fault in the list is raised. The last result repeats for ever."""

    def __init__(self, answers: Sequence[Sighting | Exception]) -> None:
        self.answers = list(answers)
        self.refuses: Exception | None = None
        self.mended: list[str] = []
        self.recovered: list[int] = []

    async def look(self) -> Sighting:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def mend(self, relation: str) -> None:
        if self.refuses:
            raise self.refuses
        self.mended.append(relation)

    async def record_recovery(self, patterns: int) -> None:
        self.recovered.append(patterns)


class News(RecordedFacts):
    """Keeps facts; of the one that every look emits, only the queue's usage."""

    def __init__(self) -> None:
        super().__init__()
        self.queue_usages: list[float] = []

    def __call__(self, fact: Fact) -> None:
        if isinstance(fact, TriggersChecked):
            self.queue_usages.append(fact.queue_usage)
        else:
            super().__call__(fact)


class WatchActivity(Activity):
    """Never waits; the clock advances by the requested time."""

    def __init__(self, clock: Clock, silence: Silence) -> None:
        super().__init__(TriggerWatch.name, Liveness(clock), silence, outage_backoff())
        self._clock = clock
        self.waits: list[float] = []

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._clock.seconds += seconds
        await asyncio.sleep(0)


class Bench:
    """A watch whose rounds can be counted, and what depends on it; the daemon listens and has caught up."""

    def __init__(self, *answers: Sighting | Exception, mends: bool = False) -> None:
        self.clock = Clock()
        self.facts = News()
        self.database = FakeDatabase(answers)
        self.intake = Intake(self.clock)
        self.others = Availability(self.clock, lambda _: None, lambda _: None)
        self.recovery = Recovery(self.clock, self.facts, TIMINGS.settle_seconds, self.intake)
        self.silence = Silence(
            self.clock, self.facts, self.recovery.deafened, self.others.is_lost, TIMINGS.blind_after_seconds
        )
        self.reception = Reception(self.clock, self.facts, self.silence, self.recovery.deafened)
        self.reception.listening()
        self.facts.clear()
        self.activity = WatchActivity(self.clock, self.silence)
        self.notified: list[str] = []
        self.republished = 0
        self.watch = TriggerWatch(
            self.database,
            self.intake,
            Payloads(self.intake, self.recovery, self.facts),
            self.silence,
            self.recovery,
            self.notified.append,
            self._republish,
            self.facts,
            self.activity,
            TIMINGS.watch_seconds,
            mends=mends,
        )

    async def _republish(self) -> None:
        self.republished += 1

    async def look(self, times: int = 1) -> None:
        """Make this many checks, each followed by its wait."""
        rounds = len(self.activity.waits) + times
        task = asyncio.create_task(self.watch.run())
        await settle(lambda: task.done() or len(self.activity.waits) >= rounds)
        assert not task.done(), "no fault may end the watch"
        task.cancel()
        await asyncio.wait([task])

    async def requested(self) -> frozenset[ScanKind]:
        return await self.intake.take_scans(0)


def test_a_mark_is_read_by_the_rules_of_its_channel() -> None:
    async def check() -> None:
        bench = Bench(Sighting(patterns=("7", "9", "nonsense"), entries=('{"queued": ["a"]}',)), Sighting())
        await bench.look()
        assert await bench.intake.take_patterns(0) == [7, 9]
        assert await bench.requested() == frozenset()
        assert bench.notified == ['{"queued": ["a"]}']
        assert len(bench.facts.of(NotificationIgnored)) == 1
        await bench.look()
        assert await bench.intake.take_patterns(0) == []

    run(check())


@pytest.mark.parametrize(("payload", "kind"), [("*", ScanKind.REQUEST), ("settings", ScanKind.SETTINGS)])
def test_a_mark_that_names_no_pattern_requests_a_scan(payload: str, kind: ScanKind) -> None:
    async def check() -> None:
        bench = Bench(Sighting(patterns=(payload,)))
        await bench.look()
        assert await bench.requested() == {kind}

    run(check())


def test_while_a_trigger_is_silent_the_daemon_polls_and_one_catch_up_ends_it() -> None:
    async def check() -> None:
        bench = Bench(Sighting((DISABLED,)), Sighting((DISABLED,)), Sighting())
        await bench.look(2)
        assert bench.reception.must_poll
        assert not bench.reception.is_complete
        assert await bench.requested() == frozenset()
        bench.clock.seconds += 30
        await bench.look(2)
        assert not bench.reception.must_poll
        assert bench.reception.is_complete
        assert await bench.requested() == {ScanKind.CATCH_UP}
        assert bench.facts == [
            TriggersFaulty((DISABLED,), silenced=True),
            TriggersSound(after_seconds=30.0 + 2 * TIMINGS.watch_seconds),
        ]

    run(check())


def test_each_change_of_the_faults_is_reported_once() -> None:
    async def check() -> None:
        bench = Bench(Sighting((DISABLED,)), Sighting((DISABLED, GONE)), Sighting((GONE, DISABLED)), Sighting((GONE,)))
        await bench.look(6)
        assert [fact.faults for fact in bench.facts.of(TriggersFaulty)] == [(DISABLED,), (DISABLED, GONE), (GONE,)]

    run(check())


def test_a_silent_queue_trigger_refreshes_the_pages_and_polls_no_patterns() -> None:
    async def check() -> None:
        bench = Bench(Sighting((PAGES_ONLY,)), Sighting((PAGES_ONLY,)), Sighting())
        await bench.look(2)
        assert not bench.reception.must_poll
        assert bench.facts.of(TriggersFaulty) == [TriggersFaulty((PAGES_ONLY,), silenced=False)]
        assert bench.notified == ["*", "*"]
        await bench.look(2)
        assert bench.notified == ["*"] * 3, "once more when the pages are notified again"

    run(check())


def test_a_leftover_trigger_is_no_silence() -> None:
    async def check() -> None:
        bench = Bench(Sighting((STRAY,)))
        await bench.look()
        assert not bench.reception.must_poll
        assert not any(bench.silence.silences(audience) for audience in Audience)

    run(check())


def test_a_rebuilt_table_is_scanned_once() -> None:
    async def check() -> None:
        bench = Bench(Sighting(storage="a"), Sighting(storage="a"), Sighting(storage="b"), Sighting(storage="b"))
        await bench.look(2)
        assert await bench.requested() == frozenset()
        await bench.look()
        assert await bench.requested() == {ScanKind.REQUEST}
        assert bench.facts == [TableRebuilt()]
        await bench.look()
        assert await bench.requested() == frozenset()

    run(check())


def test_a_notification_queue_that_fills_up_is_reported_with_the_process_and_polled() -> None:
    async def check() -> None:
        bench = Bench(Sighting(queue_usage=0.63, blocker_pid=77), Sighting(queue_usage=0.7, blocker_pid=77), Sighting())
        await bench.look()
        assert bench.reception.must_poll
        await bench.look(2)
        assert not bench.reception.must_poll
        assert await bench.requested() == {ScanKind.CATCH_UP}
        assert bench.facts == [NotificationQueueFull(0.63, 77), NotificationQueueDrained()]

    run(check())


@pytest.mark.parametrize("fault", [AccessRefused("no right"), SchemaMissing("gone")], ids=repr)
def test_a_watch_whose_check_is_refused_polls_at_once_and_catches_up_afterwards(fault: Exception) -> None:
    async def check() -> None:
        bench = Bench(fault, fault, Sighting())
        await bench.look()
        assert bench.reception.must_poll
        await bench.look(2)
        assert not bench.reception.must_poll
        assert bench.facts == [TriggersUnseen(str(fault)), TriggersSeen()]
        assert await bench.requested() == {ScanKind.CATCH_UP, ScanKind.REQUEST}

    run(check())


@pytest.mark.parametrize("fault", [AccessRefused("no"), DatabaseUnavailable("down"), SchemaMissing("gone")])
def test_no_passing_fault_ends_the_watch(fault: Exception) -> None:
    run(Bench(fault).look(5))


def test_an_outage_that_others_report_is_not_reported_by_the_watch() -> None:
    async def check() -> None:
        down = DatabaseUnavailable("down")
        bench = Bench(*[down] * 8, Sighting())
        await bench.look()
        bench.others.lost("refresher", down)
        await bench.look(7)
        bench.others.back("refresher")
        await bench.look()
        assert bench.facts == []
        assert await bench.requested() == {ScanKind.REQUEST}, "marks may have been lost with a response"

    run(check())


def test_a_check_that_fails_a_moment_longer_than_the_others_is_not_reported() -> None:
    async def check() -> None:
        down = DatabaseUnavailable("down")
        bench = Bench(*[down] * 5, Sighting())
        bench.others.lost("refresher", down)
        await bench.look(4)
        bench.others.back("refresher")
        await bench.look(2)
        assert bench.facts == []

    run(check())


def test_an_outage_of_the_watch_alone_is_reported_once_after_a_while() -> None:
    async def check() -> None:
        bench = Bench(*[DatabaseUnavailable("no answer")] * 6, Sighting())
        await bench.look()
        assert bench.facts == []
        assert not bench.reception.must_poll
        await bench.look(5)
        assert bench.facts == [TriggersUnseen("no answer")]
        assert bench.reception.must_poll
        await bench.look()
        assert bench.facts == [TriggersUnseen("no answer"), TriggersSeen()]

    run(check())


def test_the_watch_repairs_only_where_it_may_and_checks_again_at_once() -> None:
    async def check() -> None:
        left = Bench(Sighting((DISABLED,)))
        await left.look()
        assert left.database.mended == []
        bench = Bench(Sighting((DISABLED, PAGES_ONLY, GONE)), Sighting(), mends=True)
        await bench.look()
        assert bench.database.mended == ["operation_patterns", "pattern_approvals"]
        assert not bench.reception.must_poll
        assert bench.facts.of(TriggersMended) == [
            TriggersMended("operation_patterns", ("the trigger is disabled",)),
            TriggersMended("pattern_approvals", ("the trigger is missing",)),
        ]

    run(check())


@pytest.mark.parametrize("fault", [AccessRefused("must be owner of table"), TransactionConflict("lock timeout")])
def test_a_repair_that_is_refused_is_reported_once_and_retried(fault: Exception) -> None:
    async def check() -> None:
        bench = Bench(Sighting((DISABLED,)), mends=True)
        bench.database.refuses = fault
        await bench.look(4)
        assert bench.facts.of(TriggersNotMended) == [TriggersNotMended("operation_patterns", str(fault))]
        assert bench.reception.must_poll
        bench.database.refuses = None
        await bench.look()
        assert bench.database.mended

    run(check())


def test_a_lost_filter_is_put_in_force_again_once_possible() -> None:
    async def check() -> None:
        bench = Bench(Sighting((LOST_FILTER,)), Sighting((LOST_FILTER,)), Sighting())
        await bench.look(2)
        assert bench.republished == 0
        await bench.look(3)
        assert bench.republished == 1

    run(check())


def test_a_lost_filter_that_the_watch_repairs_is_put_in_force_again() -> None:
    async def check() -> None:
        bench = Bench(Sighting((LOST_FILTER,)), Sighting(), mends=True)
        await bench.look()
        assert bench.republished == 1

    run(check())


def test_the_count_that_a_sweep_recovered_is_recorded_once() -> None:
    async def check() -> None:
        bench = Bench(Sighting())
        bench.recovery.scanned({ScanKind.CATCH_UP}, SyncResult(), listening=True)
        bench.clock.seconds += 3600
        found = SyncResult(synced_count=2, synced_pattern_ids=("a", "b"))
        bench.recovery.scanned({ScanKind.SWEEP}, found, listening=True)
        await bench.look()
        assert bench.database.recovered == []
        await bench.look(3)
        assert bench.database.recovered == [2]

    run(check())


def test_the_watch_checks_every_few_seconds_and_by_the_backoff_in_an_outage() -> None:
    async def check() -> None:
        bench = Bench(Sighting(), DatabaseUnavailable("down"), DatabaseUnavailable("down"), Sighting())
        await bench.look(5)
        assert bench.activity.waits == [5.0, 7.0, 14.0, 5.0, 5.0]

    run(check())


def test_rows_written_under_another_filter_are_scanned_when_their_writers_end() -> None:
    async def check() -> None:
        bench = Bench(
            Sighting(body="1", writers=frozenset({"7"})),
            Sighting(body="1"),
            Sighting(body="2", writers=frozenset({"8", "9"})),
            Sighting(body="2", writers=frozenset({"8", "10"})),
            Sighting(body="2", writers=frozenset({"8"})),
            Sighting(body="2"),
            Sighting(body="2", writers=frozenset({"11"})),
            Sighting(body="2"),
        )
        requested = []
        for _ in range(8):
            await bench.look()
            requested.append(ScanKind.POLL in await bench.requested())
        assert requested == [False, True, True, True, False, True, False, False]

    run(check())


def test_each_check_reports_how_full_the_notification_queue_is() -> None:
    async def check() -> None:
        bench = Bench(Sighting(queue_usage=0.01), Sighting(queue_usage=0.2))
        await bench.look(2)
        assert bench.facts.queue_usages == [0.01, 0.2]

    run(check())
