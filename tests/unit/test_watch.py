"""The watch: marks, faults and what follows from them, over a database in memory."""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable, SchemaMissing, TransactionConflict
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.runs import RunKind
from pattern_sync.domain.watching import Audience, Sighting, TriggerFault
from pattern_sync.observability.state import DaemonState
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.watch import PATIENT_LOOKS, SETTINGS, WATCH_SECONDS, TriggerWatch
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordingLife

DISABLED = TriggerFault("operation_patterns", "the trigger is disabled", Audience.DAEMONS, mendable=True)
PAGES_ONLY = TriggerFault("pattern_approvals", "the trigger is missing", Audience.PAGES, mendable=True)
STRAY = TriggerFault("old", "a trigger is left", None, mendable=True)
LOST_FILTER = TriggerFault(SETTINGS, "there is no filter", Audience.DAEMONS, mendable=True)
GONE = TriggerFault(None, "there is no table", Audience.DAEMONS, mendable=False)


class FakeDatabase:
    """Answers look after look; a fault in the list is raised. The last answer is given for ever."""

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


class Bench:
    def __init__(self, *answers: Sighting | Exception, mends: bool = False) -> None:
        self.clock = Clock()
        self.database = FakeDatabase(answers)
        self.intake = Intake()
        self.state = DaemonState(self.clock, lambda _: None)
        self.life = RecordingLife(self.clock)
        self.told: list[str] = []
        self.republished = 0
        self.watch = TriggerWatch(
            self.database, self.intake, self.told.append, self._republish, self.state, self.life, mends=mends
        )

    async def _republish(self) -> None:
        self.republished += 1

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            await self.watch.run_once()

    async def wishes(self) -> frozenset[RunKind]:
        return await self.intake.take_everything(0)


def events(lines: Sequence[object]) -> list[str]:
    return [line["event"] for line in lines if isinstance(line, dict)]


def test_marks_are_what_their_channel_says() -> None:
    async def check() -> None:
        bench = Bench(Sighting(patterns=("7", "9", "nonsense"), entries=('{"queued": ["a"]}',)), Sighting())
        await bench.look()
        assert await bench.intake.take_patterns(0) == [7, 9]
        assert await bench.wishes() == frozenset()
        assert bench.told == ['{"queued": ["a"]}']
        assert bench.state.unknown_payloads_total == 1
        await bench.look()
        assert await bench.intake.take_patterns(0) == []

    run(check())


@pytest.mark.parametrize(("payload", "wish"), [("*", RunKind.REQUEST), ("settings", RunKind.SETTINGS)])
def test_a_mark_that_names_no_pattern_asks_for_a_look_at_everything(payload: str, wish: RunKind) -> None:
    async def check() -> None:
        bench = Bench(Sighting(patterns=(payload,)))
        await bench.look()
        assert await bench.wishes() == {wish}

    run(check())


def test_while_a_trigger_is_silent_the_daemon_polls_and_one_catch_up_ends_it() -> None:
    async def check() -> None:
        bench = Bench(Sighting((DISABLED,)), Sighting((DISABLED,)), Sighting())
        bench.state.listening()
        with capture_logs() as lines:
            await bench.look(2)
            assert bench.state.must_poll
            assert await bench.wishes() == frozenset()
            bench.clock.seconds += 30
            await bench.look(2)
        assert not bench.state.must_poll
        assert await bench.wishes() == {RunKind.CATCH_UP}
        assert events(lines) == ["changes are not told, polling meanwhile", "every change is told again"]
        assert lines[0]["faults"] == ["the trigger is disabled"]
        assert lines[0]["remedy"] == "pattern-sync migrate"
        assert lines[1]["after_seconds"] == 30.0

    run(check())


def test_each_change_of_the_faults_is_told_once() -> None:
    async def check() -> None:
        bench = Bench(Sighting((DISABLED,)), Sighting((DISABLED, GONE)), Sighting((GONE, DISABLED)), Sighting((GONE,)))
        with capture_logs() as lines:
            await bench.look(6)
        assert len(lines) == 3

    run(check())


def test_pages_that_are_not_told_look_themselves_and_patterns_are_not_polled() -> None:
    async def check() -> None:
        bench = Bench(Sighting((PAGES_ONLY,)), Sighting((PAGES_ONLY,)), Sighting())
        await bench.look(2)
        assert not bench.state.must_poll
        assert bench.told == ["*", "*"]
        await bench.look(2)
        assert bench.told == ["*"] * 3, "once more, when they are told again"

    run(check())


def test_a_trigger_that_is_left_over_silences_nobody() -> None:
    async def check() -> None:
        bench = Bench(Sighting((STRAY,)))
        await bench.look()
        assert not bench.state.must_poll
        assert bench.state.silence.reasons() == []

    run(check())


def test_a_table_that_was_rebuilt_is_looked_at_once() -> None:
    async def check() -> None:
        bench = Bench(Sighting(storage="a"), Sighting(storage="a"), Sighting(storage="b"), Sighting(storage="b"))
        await bench.look(2)
        assert await bench.wishes() == frozenset()
        await bench.look()
        assert await bench.wishes() == {RunKind.REQUEST}
        await bench.look()
        assert await bench.wishes() == frozenset()

    run(check())


def test_a_notification_queue_that_fills_up_is_told_with_the_process_and_polled() -> None:
    async def check() -> None:
        bench = Bench(Sighting(queue_usage=0.63, hinderer=77), Sighting(queue_usage=0.7, hinderer=77), Sighting())
        with capture_logs() as lines:
            await bench.look()
            assert bench.state.must_poll
            assert "63% full" in bench.state.silence.reasons()[0]
            assert "77" in bench.state.silence.reasons()[0]
            await bench.look(2)
        assert not bench.state.must_poll
        assert await bench.wishes() == {RunKind.CATCH_UP}
        assert events(lines) == [
            "notifications are held back, polling meanwhile",
            "the notification queue is emptied again",
        ]

    run(check())


def test_a_watch_that_is_blind_says_so_once_and_looks_at_everything_afterwards() -> None:
    async def check() -> None:
        bench = Bench(AccessRefused("no right"), AccessRefused("no right"), Sighting())
        with capture_logs() as lines:
            await bench.look(2)
            assert bench.state.must_poll
            assert "no right" not in " ".join(bench.state.silence.reasons())
            await bench.look()
        assert not bench.state.must_poll
        assert events(lines) == [
            "the triggers cannot be looked after, polling meanwhile",
            "the triggers are looked after again",
        ]
        assert RunKind.CATCH_UP in await bench.wishes()

    run(check())


@pytest.mark.parametrize("fault", [AccessRefused("no"), DatabaseUnavailable("down"), SchemaMissing("gone")])
def test_nothing_that_it_meets_ends_it(fault: Exception) -> None:
    async def check() -> None:
        await Bench(fault).look(5)

    run(check())


def test_an_outage_is_left_to_the_others_to_report() -> None:
    async def check() -> None:
        bench = Bench(*[DatabaseUnavailable("down")] * 8, Sighting())
        with capture_logs() as lines:
            await bench.look(PATIENT_LOOKS)
            bench.state.database_lost("down")
            await bench.look(8)
        assert events(lines) == ["database unavailable, trying again"]
        assert await bench.wishes() == {RunKind.REQUEST}, "marks may have been lost with an answer"

    run(check())


def test_it_mends_only_where_it_is_told_to_and_looks_again_at_once() -> None:
    async def check() -> None:
        left = Bench(Sighting((DISABLED,)))
        await left.look()
        assert left.database.mended == []
        bench = Bench(Sighting((DISABLED, PAGES_ONLY, GONE)), Sighting(), mends=True)
        with capture_logs() as lines:
            await bench.look()
        assert bench.database.mended == ["operation_patterns", "pattern_approvals"]
        assert not bench.state.must_poll
        assert events(lines).count("mended") == 2

    run(check())


@pytest.mark.parametrize("fault", [AccessRefused("must be owner of table"), TransactionConflict("lock timeout")])
def test_what_it_may_not_mend_is_said_once_and_tried_again(fault: Exception) -> None:
    async def check() -> None:
        bench = Bench(Sighting((DISABLED,)), mends=True)
        bench.database.refuses = fault
        with capture_logs() as lines:
            await bench.look(4)
        assert events(lines).count("could not be mended, trying again") == 1
        assert bench.state.must_poll
        bench.database.refuses = None
        await bench.look()
        assert bench.database.mended

    run(check())


def test_a_filter_that_was_lost_is_put_in_force_again_once_it_can_be() -> None:
    async def check() -> None:
        bench = Bench(Sighting((LOST_FILTER,)), Sighting((LOST_FILTER,)), Sighting())
        await bench.look(2)
        assert bench.republished == 0
        await bench.look(3)
        assert bench.republished == 1

    run(check())


def test_a_filter_that_it_mends_by_itself_is_put_in_force_again_too() -> None:
    async def check() -> None:
        bench = Bench(Sighting((LOST_FILTER,)), Sighting(), mends=True)
        await bench.look()
        assert bench.republished == 1

    run(check())


def test_what_a_sweep_recovered_is_recorded_once() -> None:
    async def check() -> None:
        bench = Bench(Sighting())
        bench.state.listening()
        bench.state.run_finished({RunKind.CATCH_UP}, SyncResult())
        bench.clock.seconds += 3600
        bench.state.run_finished({RunKind.SWEEP}, SyncResult(synced_count=2, synced_pattern_ids=("a", "b")))
        await bench.look()
        assert bench.database.recovered == []
        bench.clock.seconds += 5
        await bench.look(3)
        assert bench.database.recovered == [2]

    run(check())


def test_it_looks_every_few_seconds() -> None:
    async def check() -> None:
        bench = Bench(Sighting())
        task = asyncio.create_task(bench.watch.run())
        await settle(lambda: len(bench.life.pauses) > 3)
        task.cancel()
        await asyncio.wait([task])
        assert set(bench.life.pauses) == {WATCH_SECONDS}

    run(check())


def test_what_was_written_under_another_filter_is_looked_for_when_its_writers_end() -> None:
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
        asked = []
        for _ in range(8):
            await bench.watch.run_once()
            asked.append(RunKind.POLL in await bench.intake.take_everything(0))
        assert asked == [False, True, True, True, False, True, False, False]

    run(check())
