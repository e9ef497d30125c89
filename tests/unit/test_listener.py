"""The life of a LISTEN session, over sessions in memory."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import (
    AccessRefused,
    DatabaseUnavailable,
    PoolerInTheWay,
    SchemaMissing,
    StatementFailed,
)
from pattern_sync.domain.runs import RunKind
from pattern_sync.observability.state import DaemonState, Mode
from pattern_sync.sync import listener as module
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.listener import DEAF_BASE_SECONDS, DEAF_CAP_SECONDS, Listener
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, FakeSession, RecordingLife


@pytest.fixture(autouse=True)
def _fast_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_INTERVAL_SECONDS", 0.001)


class Bench:
    """A listener and everything around it; the sessions, or faults, come one after the other."""

    def __init__(self, sessions: "list[FakeSession | Exception]") -> None:
        clock = Clock()
        self.intake = Intake()
        self.state = DaemonState(clock, lambda _: None)
        self.backoff = Backoff(lambda: 1.0, base_seconds=0.1, cap_seconds=1.5)
        self.deaf_backoff = Backoff(lambda: 1.0, DEAF_BASE_SECONDS, DEAF_CAP_SECONDS)
        self.life = RecordingLife(clock)
        self.marks_at_open: list[int] = []
        self._sessions: Iterator[FakeSession | Exception] = iter(sessions)
        self.listener = Listener(self._open, self.intake, self.state, self.backoff, self.deaf_backoff, self.life)

    async def _open(self, on_payload: Callable[[str], None]) -> FakeSession:
        self.marks_at_open.append(len(await self.intake.take_everything(0)))
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
            await bench.listener.run_once()
            assert await bench.intake.take_everything(0) == {RunKind.CATCH_UP}
        assert bench.marks_at_open == [0, 0], "no catch-up is asked for before LISTEN is in force"
        await bench.listener.run_once()
        assert await bench.intake.take_everything(0) == frozenset(), "nor where there is no session"

    run(check())


def test_it_listens_once_the_round_trip_is_proven() -> None:
    async def check() -> None:
        session = FakeSession()
        bench = Bench([session])
        await bench.run_until(lambda: bench.state.mode is Mode.LISTENING and session.heartbeats > 3)
        assert session.terminated

    run(check())


def test_a_session_that_hears_nothing_means_polling_and_tries_that_come_after_seconds_and_grow_rare() -> None:
    async def check() -> None:
        sessions = [FakeSession(hears=False) for _ in range(8)]
        bench = Bench([*sessions])
        await bench.run_until(lambda: len(bench.life.pauses) >= 8)
        assert bench.state.mode is Mode.POLLING
        assert all(session.terminated for session in sessions)
        assert bench.life.pauses[:8] == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]
        assert bench.backoff.attempts <= 1, "being deaf is no outage"

    run(check())


def test_a_session_that_hears_again_makes_the_next_deafness_short() -> None:
    async def check() -> None:
        deaf, hearing = (FakeSession(hears=False) for _ in range(3)), FakeSession(dies_after=1)
        bench = Bench([*deaf, hearing, FakeSession(hears=False)])
        await bench.run_until(lambda: len(bench.life.pauses) >= 5)
        assert bench.life.pauses[:5] == [5.0, 10.0, 20.0, 0.1, 5.0]

    run(check())


def test_a_pooler_that_shows_itself_at_once_means_the_same() -> None:
    async def check() -> None:
        bench = Bench([PoolerInTheWay("the session no longer listens")])
        assert not await bench.listener.run_once()
        assert bench.state.mode is Mode.POLLING

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
def test_what_cannot_be_reached_is_polled_for_and_tried_again(fault: Exception) -> None:
    async def check() -> None:
        session = FakeSession()
        bench = Bench([fault, fault, session])
        await bench.run_until(lambda: bench.state.mode is Mode.LISTENING)
        assert bench.life.pauses[:2] == [0.1, 0.2]

    run(check())


def test_a_session_that_dies_before_a_heartbeat_does_not_reset_the_backoff() -> None:
    async def check() -> None:
        bench = Bench([FakeSession(dies_after=0) for _ in range(4)])
        await bench.run_until(lambda: len(bench.life.pauses) >= 4)
        assert bench.life.pauses[:4] == [0.1, 0.2, 0.4, 0.8]

    run(check())


def test_a_proven_heartbeat_resets_the_backoff() -> None:
    async def check() -> None:
        bench = Bench([FakeSession(dies_after=0), FakeSession(dies_after=0), FakeSession(dies_after=2)])
        await bench.run_until(lambda: len(bench.life.pauses) >= 3)
        assert bench.life.pauses[:3] == [0.1, 0.2, 0.1]

    run(check())


def test_a_lost_connection_is_noticed_at_once_and_terminated() -> None:
    async def check() -> None:
        session = FakeSession()
        bench = Bench([session])
        life = asyncio.create_task(bench.listener.run_once())
        await settle(lambda: bench.state.mode is Mode.LISTENING)
        session.lost.set()
        assert await life
        assert bench.state.mode is Mode.POLLING
        assert session.terminated

    run(check())


def test_a_bug_is_not_waited_out_but_the_session_is_given_up() -> None:
    async def check() -> None:
        session = FakeSession()
        session.heartbeat = _broken  # type: ignore[method-assign]
        with pytest.raises(ZeroDivisionError):
            await Bench([session]).listener.run()
        assert session.terminated

    run(check())


async def _broken() -> None:
    raise ZeroDivisionError


def test_what_is_heard_marks_what_it_names() -> None:
    async def check() -> None:
        session = FakeSession(dies_after=1)
        bench = Bench([session])
        await bench.listener.run_once()
        await bench.intake.take_everything(0)
        for payload in ("7", "9", "*", "settings", "garbage", "", "007"):
            session.on_payload(payload)
        assert await bench.intake.take_patterns(0) == [7, 9]
        assert await bench.intake.take_everything(0) == {RunKind.REQUEST, RunKind.SETTINGS}
        assert bench.state.unknown_payloads_total == 3

    run(check())
