"""The life of a LISTEN session, over sessions in memory."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import (
    AccessRefused,
    DatabaseUnavailable,
    NoAnswer,
    PoolerInTheWay,
    SchemaMissing,
    StandbyServer,
    StatementFailed,
)
from pattern_sync.domain.facts import (
    ListenerLost,
    NotificationIgnored,
    NotificationReceived,
    SessionEnded,
    SessionProven,
)
from pattern_sync.domain.reception import Mode, SessionEnd
from pattern_sync.domain.scans import ScanKind
from pattern_sync.services.timings import Timings
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.listener import Listener
from pattern_sync.sync.payloads import Payloads
from pattern_sync.sync.reception import Reception
from pattern_sync.sync.recovery import Recovery
from pattern_sync.sync.silence import Silence
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, FakeSession, RecordedFacts, RecordingActivity

TIMINGS = Timings()


class Bench:
    """A listener and everything around it; it meets the sessions, or faults, one after the other."""

    def __init__(self, sessions: "list[FakeSession | Exception]") -> None:
        clock = Clock()
        self.intake = Intake(clock)
        self.facts = RecordedFacts()
        self.recovery = Recovery(clock, self.facts, TIMINGS.settle_seconds, self.intake)
        silence = Silence(clock, self.facts, self.recovery.deafened, lambda: False, TIMINGS.blind_after_seconds)
        self.reception = Reception(clock, self.facts, silence, self.recovery.deafened)
        self.backoff = Backoff(lambda: 1.0, TIMINGS.retry_base_seconds, TIMINGS.retry_cap_seconds)
        self.deaf_backoff = Backoff(lambda: 1.0, TIMINGS.deaf_base_seconds, TIMINGS.deaf_cap_seconds)
        self.activity = RecordingActivity(clock, Listener.name)
        self.marks_at_open: list[int] = []
        self._sessions: Iterator[FakeSession | Exception] = iter(sessions)
        self.listener = Listener(
            self._open,
            Payloads(self.intake, self.recovery, self.facts),
            self.intake,
            self.reception,
            self.backoff,
            self.deaf_backoff,
            self.facts,
            self.activity,
            clock,
            TIMINGS,
        )

    async def _open(self, on_payload: Callable[[str], None]) -> FakeSession:
        self.marks_at_open.append(len(await self.intake.take_scans(0)))
        session = next(self._sessions, None) or DatabaseUnavailable("no more sessions")
        if isinstance(session, Exception):
            raise session
        session.on_payload = on_payload
        return session

    async def run_until(self, condition: Callable[[], object]) -> None:
        task = asyncio.create_task(self.listener.run())
        try:
            await settle(condition)
        finally:
            task.cancel()
            await asyncio.wait([task])


def test_every_connect_listens_first_and_then_catches_up() -> None:
    async def check() -> None:
        bench = Bench([FakeSession(dies_after=1), FakeSession(dies_after=1), DatabaseUnavailable("down")])
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                await bench.listener.run_once()
            assert await bench.intake.take_scans(0) == {ScanKind.CATCH_UP}
        assert bench.marks_at_open == [0, 0], "no catch-up is requested before LISTEN is in force"
        with pytest.raises(DatabaseUnavailable):
            await bench.listener.run_once()
        assert await bench.intake.take_scans(0) == frozenset(), "nor without a session"

    run(check())


def test_the_listener_reports_listening_once_a_round_trip_is_proven() -> None:
    async def check() -> None:
        session = FakeSession()
        bench = Bench([session])
        await bench.run_until(lambda: bench.reception.mode is Mode.LISTENING and session.heartbeats > 3)
        assert session.terminated

    run(check())


def test_a_deaf_session_means_polling_and_retries_with_growing_pauses() -> None:
    async def check() -> None:
        sessions = [FakeSession(receives=False) for _ in range(8)]
        bench = Bench([*sessions])
        await bench.run_until(lambda: len(bench.activity.waits) >= 8)
        assert bench.reception.mode is Mode.POLLING
        assert all(session.terminated for session in sessions)
        assert bench.activity.waits[:8] == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]
        assert bench.backoff.attempts <= 1, "being deaf is no outage"

    run(check())


def test_a_session_that_gets_notifications_resets_the_pause_after_deafness() -> None:
    async def check() -> None:
        deaf, receiving = (FakeSession(receives=False) for _ in range(3)), FakeSession(dies_after=1)
        bench = Bench([*deaf, receiving, FakeSession(receives=False)])
        await bench.run_until(lambda: len(bench.activity.waits) >= 5)
        assert bench.activity.waits[:5] == [5.0, 10.0, 20.0, 0.1, 5.0]

    run(check())


def test_a_pooler_that_is_recognised_at_once_means_polling_too() -> None:
    async def check() -> None:
        bench = Bench([PoolerInTheWay("the session no longer listens")])
        await bench.run_until(lambda: bench.activity.waits)
        assert bench.reception.mode is Mode.POLLING
        assert bench.activity.waits[0] == TIMINGS.deaf_base_seconds
        assert "pooler" in bench.facts.of(ListenerLost)[0].reason

    run(check())


@pytest.mark.parametrize(
    "fault",
    [
        DatabaseUnavailable("down"),
        AccessRefused("wrong password"),
        StatementFailed("too many notifications in the NOTIFY queue"),
        SchemaMissing("a function is gone"),
    ],
)
def test_an_unreachable_database_means_polling_and_retries(fault: Exception) -> None:
    async def check() -> None:
        session = FakeSession()
        bench = Bench([fault, fault, session])
        await bench.run_until(lambda: bench.reception.mode is Mode.LISTENING)
        assert bench.activity.waits[:2] == [0.1, 0.2]

    run(check())


def test_a_session_that_dies_before_a_heartbeat_does_not_reset_the_backoff() -> None:
    async def check() -> None:
        bench = Bench([FakeSession(dies_after=0) for _ in range(4)])
        await bench.run_until(lambda: len(bench.activity.waits) >= 4)
        assert bench.activity.waits[:4] == [0.1, 0.2, 0.4, 0.8]

    run(check())


def test_a_proven_heartbeat_resets_the_backoff() -> None:
    async def check() -> None:
        bench = Bench([FakeSession(dies_after=0), FakeSession(dies_after=0), FakeSession(dies_after=2)])
        await bench.run_until(lambda: len(bench.activity.waits) >= 3)
        assert bench.activity.waits[:3] == [0.1, 0.2, 0.1]

    run(check())


def test_a_lost_connection_is_noticed_at_once_and_terminated() -> None:
    async def check() -> None:
        session = FakeSession()
        bench = Bench([session])
        task = asyncio.create_task(bench.listener.run_once())
        await settle(lambda: bench.reception.mode is Mode.LISTENING)
        session.lost.set()
        with pytest.raises(DatabaseUnavailable):
            await task
        assert session.terminated

    run(check())


def test_a_bug_ends_the_listener_and_closes_its_session() -> None:
    async def check() -> None:
        session = FakeSession()
        session.heartbeat = _broken  # type: ignore[method-assign]
        with pytest.raises(ZeroDivisionError):
            await Bench([session]).listener.run()
        assert session.terminated

    run(check())


async def _broken() -> None:
    raise ZeroDivisionError


def test_a_notification_marks_what_it_names() -> None:
    async def check() -> None:
        session = FakeSession(dies_after=1)
        bench = Bench([session])
        with pytest.raises(DatabaseUnavailable):
            await bench.listener.run_once()
        await bench.intake.take_scans(0)
        for payload in ("7", "9", "*", "settings", "garbage", "", "007"):
            session.on_payload(payload)
        assert await bench.intake.take_patterns(0) == [7, 9]
        assert await bench.intake.take_scans(0) == {ScanKind.REQUEST, ScanKind.SETTINGS}
        assert len(bench.facts.of(NotificationIgnored)) == 3
        assert len(bench.facts.of(NotificationReceived)) == 7

    run(check())


def test_a_session_has_a_heartbeat_every_few_seconds_and_a_round_trip_every_minute() -> None:
    async def check() -> None:
        session, round_trips = FakeSession(dies_after=45), [0]
        round_trip = session.round_trip

        async def counted() -> bool:
            round_trips[0] += 1
            return await round_trip()

        session.round_trip = counted  # type: ignore[method-assign]
        bench = Bench([session])
        with pytest.raises(DatabaseUnavailable):
            await bench.listener.run_once()
        assert set(bench.activity.event_waits) == {TIMINGS.heartbeat_seconds}
        assert round_trips == [3], "with the 1st, 21st and 41st heartbeat"

    run(check())


def test_a_loss_is_reported_once_with_its_first_reason_until_it_listens_again() -> None:
    async def check() -> None:
        down = [DatabaseUnavailable("down"), AccessRefused("no")]
        bench = Bench([*down, FakeSession(dies_after=1), *down])
        await bench.run_until(lambda: len(bench.activity.waits) >= 5)
        assert [fact.reason for fact in bench.facts.of(ListenerLost)] == ["down", "no answer in time"]

    run(check())


def test_each_proof_of_a_session_is_a_fact_with_the_time_that_it_took() -> None:
    async def check() -> None:
        bench = Bench([FakeSession()])
        await bench.run_until(lambda: len(bench.facts.of(SessionProven)) >= 21)
        proofs = bench.facts.of(SessionProven)[:21]
        assert {proof.heartbeat_seconds for proof in proofs} == {0.0}
        with_round_trip = [number for number, proof in enumerate(proofs) if proof.round_trip_seconds is not None]
        assert with_round_trip == [0, 20], "each minute"

    run(check())


@pytest.mark.parametrize(
    ("session", "end"),
    [
        (FakeSession(dies_after=1), SessionEnd.KILLED),
        (FakeSession(dies_after=1, fault=NoAnswer("no answer in time")), SessionEnd.TIMEOUT),
        (FakeSession(dies_after=1, fault=StandbyServer("a standby")), SessionEnd.STANDBY),
        (FakeSession(receives=False), SessionEnd.DEAF),
        (PoolerInTheWay("no longer listens"), SessionEnd.DEAF),
        (StandbyServer("a standby"), SessionEnd.STANDBY),
        (NoAnswer("no answer in time"), SessionEnd.TIMEOUT),
        (DatabaseUnavailable("Connection refused"), SessionEnd.REFUSED),
        (AccessRefused("wrong password"), SessionEnd.REFUSED),
    ],
)
def test_each_end_of_a_session_is_a_fact_with_its_reason(session: FakeSession | Exception, end: SessionEnd) -> None:
    async def check() -> None:
        bench = Bench([session])
        await bench.run_until(lambda: bench.facts.of(SessionEnded))
        assert bench.facts.of(SessionEnded)[0] == SessionEnded(end)

    run(check())


def test_a_notification_is_a_fact_with_its_kind_before_it_is_marked() -> None:
    async def check() -> None:
        session = FakeSession()
        bench = Bench([session])
        await bench.run_until(lambda: session.heartbeats)
        for payload in ("7", "*", "settings", "x"):
            session.on_payload(payload)
        kinds = [fact.kind for fact in bench.facts.of(NotificationReceived)]
        assert kinds == ["pattern", "everything", "settings", "unknown"]

    run(check())
