"""Every service through an outage, through work that takes long or does not end, and through many starts and stops."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import Any, cast

import pytest

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.entry import Place, QueueCounts, QueueEntry, Status
from pattern_sync.domain.errors import DatabaseUnavailable, EmbeddedServerError
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import PatternOutcome
from pattern_sync.domain.results import QueuedPage, RefreshedPage, Retried, SyncResult
from pattern_sync.domain.runs import RunKind
from pattern_sync.domain.watching import Sighting
from pattern_sync.embedded import EmbeddedServer, Supervision
from pattern_sync.observability.state import DaemonState
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.runtime import daemon
from pattern_sync.runtime.upkeep import EmbeddedSupervisor, Readiness, Reloader, Watchdog
from pattern_sync.sync.announcer import Announcer
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.listener import Listener
from pattern_sync.sync.liveness import STEP_SECONDS, Life, Liveness, Service, working
from pattern_sync.sync.outage import Outage
from pattern_sync.sync.periodic import Poller, Refresher, Sweeper
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.retrier import Retrier
from pattern_sync.sync.watch import TriggerWatch
from pattern_sync.sync.workers import EventWorker, FilterInForce, RunWorker
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.server import HttpServer
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, FakeQueue, FakeSession

HOUR_SECONDS = 3_600.0
STARTS = 60


class HastyLife(Life):
    """Every pause is over at once and took an hour; remembers whether that ever looked like hanging."""

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, clock)
        self.clock = clock
        self.hung = False

    async def pause(self, seconds: float) -> None:
        assert seconds >= 0
        pausing = asyncio.ensure_future(super().pause(0))
        await asyncio.sleep(0)
        self.clock.seconds += HOUR_SECONDS
        self.hung |= self.hangs
        await pausing


class Database(FakeQueue):
    """Everything that services ask, with an outage (`down`), or an answer that never comes (`stuck`), for all of it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(range(40))
        self.clock = clock
        self.down = False
        self.stuck = False
        self.statement_seconds = 0.0
        self.deadline_seconds = 120.0
        self.asked = 0
        self.answered = 0
        self.sessions: list[FakeSession] = []

    async def ask(self) -> None:
        self.asked += 1
        with working(self.deadline_seconds):
            await asyncio.sleep(0)
            if self.stuck:
                await asyncio.Event().wait()
            self.clock.seconds += self.statement_seconds
            if self.down:
                raise DatabaseUnavailable("down")
        self.answered += 1

    async def reconcile(self, pattern_ids: Sequence[int], sync_filter: SyncFilter) -> list[PatternOutcome]:
        await self.ask()
        return await super().reconcile(pattern_ids, sync_filter)

    async def queue_missing(self, sync_filter: SyncFilter, *, retry: bool) -> AsyncGenerator[QueuedPage, None]:
        await self.ask()
        async for page in super().queue_missing(sync_filter, retry=retry):
            yield page

    async def refresh_stale(self, sync_filter: SyncFilter, after_id: int) -> RefreshedPage:
        await self.ask()
        return await super().refresh_stale(sync_filter, after_id)

    async def retry_refused(self, sync_filter: SyncFilter, most: int) -> Retried:
        await self.ask()
        return await super().retry_refused(sync_filter, most)

    async def open_session(self, _on_payload: Callable[[str], None]) -> FakeSession:
        await self.ask()
        self.sessions.append(FakeSession(dies_after=0 if self.down else None))
        return self.sessions[-1]

    async def tell(self, _queued: list[str], _refreshed: list[str]) -> None:
        await self.ask()

    async def publish(self, _filter: SyncFilter) -> bool:
        await self.ask()
        return True

    async def check_schema(self) -> None:
        await self.ask()

    async def read_filter(self) -> SyncFilter:
        await self.ask()
        return SyncFilter(max_patterns=None)

    async def record_run(self, _kind: str, _result: SyncResult) -> None:
        await self.ask()

    async def list_entries(self, _status: Status, _after: Place | None, _limit: int) -> list[QueueEntry]:
        await self.ask()
        return []

    async def find_entries(self, _pattern_ids: Sequence[str]) -> list[QueueEntry]:
        await self.ask()
        return []

    async def count_entries(self) -> QueueCounts:
        await self.ask()
        return QueueCounts(0, 0, 0, 0, 0, 0)

    async def look(self) -> Sighting:
        await self.ask()
        return Sighting()

    async def mend(self, _relation: str) -> None:
        await self.ask()

    async def record_recovery(self, _patterns: int) -> None:
        await self.ask()

    async def republish(self) -> None:
        await self.ask()

    async def fingerprint(self) -> str:
        await self.ask()
        return "same"


class Server:
    """An embedded server that can be away."""

    url = "postgresql://here"

    def __init__(self, database: Database) -> None:
        self._database = database

    def check(self) -> Supervision:
        self._database.asked += 1
        if self._database.down:
            raise EmbeddedServerError("it does not start")
        self._database.answered += 1
        return Supervision.RUNNING


class Stage:
    """What any service needs, on a clock of its own, and what gives it something to do."""

    def __init__(self, kind: type[Service]) -> None:
        self.clock = Clock()
        self.database = Database(self.clock)
        self.life = HastyLife(kind.NAME, self.clock)
        self.state = DaemonState(self.clock, lambda _: None)
        self.intake = Intake(self.clock)
        self.asked = asyncio.Event()
        manager = ServiceManager({})
        backoff = partial(Backoff, lambda: 1.0, 0.1, 1.5)
        outage = Outage(self.state.database_lost, self.state.database_back, backoff(), self.life)
        reconciler = Reconciler(self.database, self.clock)
        in_force = FilterInForce(SyncFilter())
        lost, back = (partial(tell, kind.NAME) for tell in (self.state.pages_lost, self.state.pages_back))
        pages_outage = Outage(lost, back, backoff(), self.life)
        self.announcer = Announcer(self.database.tell, pages_outage, self.life)
        self.updates = LiveUpdates(self.database, self.state, pages_outage, self.life, self.clock)
        self.caught_up = 0
        builders: dict[type[Any], Callable[[], Service]] = {
            Listener: lambda: Listener(
                self.database.open_session, self.intake, self.state, backoff(), backoff(), self.life
            ),
            Sweeper: lambda: Sweeper(self.intake, 3_600.0, lambda: 0.5, self.state, self.life),
            Poller: lambda: Poller(self.intake, self.state, self.life),
            Refresher: lambda: Refresher(reconciler, in_force, self.state, self.life),
            EventWorker: lambda: EventWorker(
                self.intake, reconciler, in_force, self.state, outage, self.life, self.clock
            ),
            RunWorker: lambda: RunWorker(
                self.intake, reconciler, self.database, in_force, self.state, outage, self.life, self._on_caught_up
            ),
            Announcer: lambda: self.announcer,
            Retrier: lambda: Retrier(
                reconciler, in_force, self.state.retried, lambda: self.state.failed_total, self.life, self.clock
            ),
            TriggerWatch: lambda: TriggerWatch(
                self.database,
                self.intake,
                self.updates.hint,
                self.database.republish,
                self.state,
                self.life,
                mends=True,
            ),
            LiveUpdates: lambda: self.updates,
            Reloader: lambda: Reloader(
                self.asked, SyncFilter, self.database.publish, Readiness(manager), outage, self.life
            ),
            Watchdog: lambda: Watchdog(Liveness(self.clock), manager, self.life),
            EmbeddedSupervisor: lambda: EmbeddedSupervisor(
                cast("EmbeddedServer", Server(self.database)), self.state, self.life
            ),
        }
        self.service = builders[kind]()

    def _on_caught_up(self) -> None:
        self.caught_up += 1

    def give_work(self) -> None:
        self.intake.add([1, 2, 3])
        self.intake.add_everything(RunKind.CATCH_UP)
        self.announcer.add(["a"], [])
        self.updates.join()
        self.asked.set()

    def start(self) -> "asyncio.Task[None]":
        return asyncio.create_task(self.life.run(self.service))


WORKING: list[type[Service]] = [
    Listener,
    Refresher,
    Retrier,
    TriggerWatch,
    EventWorker,
    RunWorker,
    Announcer,
    LiveUpdates,
    Reloader,
]
ALL: list[type[Service]] = [*WORKING, Sweeper, Poller, Watchdog, EmbeddedSupervisor]


async def stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


async def breathe(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


def test_no_service_of_the_daemon_is_left_out_here() -> None:
    known = {each for each in vars(daemon).values() if isinstance(each, type) and hasattr(each, "NAME")}
    assert known == {*ALL, HttpServer}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.NAME)
def test_hours_without_anything_to_do_are_no_hanging(kind: type[Service]) -> None:
    async def check() -> None:
        stage = Stage(kind)
        task = stage.start()
        for _ in range(5):
            await breathe(20)
            stage.clock.seconds += HOUR_SECONDS
            assert not stage.life.hangs or stage.database.asked, "it had nothing to do"
        assert not stage.life.hung
        await stopped(task)

    run(check())


@pytest.mark.parametrize("kind", [*WORKING, EmbeddedSupervisor], ids=lambda kind: kind.NAME)
def test_an_outage_of_hours_is_no_hanging(kind: type[Service]) -> None:
    async def check() -> None:
        stage = Stage(kind)
        stage.database.down = True
        stage.give_work()
        task = stage.start()
        await settle(lambda: stage.database.asked >= 10 or task.done())
        assert stage.clock.seconds > 5 * HOUR_SECONDS
        assert not stage.life.hung
        assert not task.done(), "an outage ends no service"
        stage.database.down = False
        await settle(lambda: stage.database.answered)
        await stopped(task)

    run(check())


@pytest.mark.parametrize("kind", WORKING, ids=lambda kind: kind.NAME)
def test_an_answer_that_never_comes_is_hanging(kind: type[Service]) -> None:
    async def check() -> None:
        stage = Stage(kind)
        stage.database.stuck = True
        stage.give_work()
        task = stage.start()
        await settle(lambda: stage.database.asked)
        await breathe(5)
        assert not stage.life.hangs
        stage.clock.seconds += STEP_SECONDS + 1
        assert stage.life.hangs
        await stopped(task)
        assert not stage.life.hangs

    run(check())


@pytest.mark.parametrize("kind", WORKING, ids=lambda kind: kind.NAME)
def test_work_that_takes_long_in_steps_that_do_not_is_no_hanging(kind: type[Service]) -> None:
    async def check() -> None:
        stage = Stage(kind)
        stage.database.statement_seconds = 119.0
        stage.database.stale = set(range(40))
        stage.database.entries = set(range(20))
        stage.give_work()
        task = stage.start()
        asked = 0
        for _ in range(400):
            await asyncio.sleep(0)
            asked = max(asked, stage.database.asked)
            assert not stage.life.hangs
        assert asked
        assert not stage.life.hung
        await stopped(task)

    run(check())


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.NAME)
def test_started_and_stopped_at_any_moment_it_leaves_nothing_behind(kind: type[Service]) -> None:
    async def check() -> None:
        chance = random.Random(7)
        for _ in range(STARTS):
            stage = Stage(kind)
            stage.database.down = chance.random() < 0.3
            stage.database.stuck = chance.random() < 0.3
            if chance.random() < 0.7:
                stage.give_work()
            task = stage.start()
            await breathe(chance.randrange(25))
            stage.database.down = chance.random() < 0.3
            await breathe(chance.randrange(25))
            await stopped(task)
            assert not stage.life.hangs
            assert all(session.terminated for session in stage.database.sessions)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(check())


@pytest.mark.parametrize("kind", [EventWorker, RunWorker], ids=lambda kind: kind.NAME)
def test_a_worker_ends_when_the_intake_is_closed_in_an_outage_too(kind: type[Service]) -> None:
    async def check() -> None:
        for down in (False, True):
            for moments in range(12):
                stage = Stage(kind)
                stage.database.down = down
                stage.give_work()
                task = stage.start()
                await breathe(moments)
                stage.intake.close()
                await asyncio.wait([task], timeout=5)
                assert task.done()
                assert task.exception() is None

    run(check())
