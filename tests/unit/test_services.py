"""Every service in an outage, in work that takes long or never ends, and through many starts and stops."""

import asyncio
import importlib
import inspect
import pkgutil
import random
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

import pattern_sync
from pattern_sync.accounting import SavingsKeeper
from pattern_sync.config import Reread
from pattern_sync.delivery import Courier
from pattern_sync.domain.destinations import Destination
from pattern_sync.domain.entry import QueueCounts, QueueEntry
from pattern_sync.domain.errors import (
    AccessRefused,
    DatabaseUnavailable,
    EmbeddedServerError,
    EmbeddedServerMoved,
    PassingFault,
    SchemaMissing,
    StatementFailed,
)
from pattern_sync.domain.facts import QuarantineRetried, SettingsReloaded
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.gate import Scored
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.kept import KeptModel, Unforetold
from pattern_sync.domain.lessons import Lesson
from pattern_sync.domain.messages import ClaimedMessage, Gathered, Letter, Message, MessageCount, ToldPause
from pattern_sync.domain.outcomes import PatternOutcome
from pattern_sync.domain.reception import Sighting
from pattern_sync.domain.results import QueuedPage, RefreshedPage, Retried, SyncResult
from pattern_sync.domain.roi import Adjusted
from pattern_sync.domain.rule_trial import Measured
from pattern_sync.domain.rules import Applied, Rule, RuleLook
from pattern_sync.domain.scans import ScanKind
from pattern_sync.domain.standing import LearnMode
from pattern_sync.domain.statistics import PendingEntries
from pattern_sync.embedded import EmbeddedServer, Supervision
from pattern_sync.learning import Learner
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.ruling import RuleKeeper
from pattern_sync.runtime.readiness import Readiness
from pattern_sync.runtime.reload import FilterPublisher, Reloader
from pattern_sync.runtime.upkeep import EmbeddedSupervisor, Watchdog
from pattern_sync.services.activity import Activity
from pattern_sync.services.liveness import STEP_SECONDS, Liveness, working
from pattern_sync.services.supervisor import Service
from pattern_sync.services.timings import Timings
from pattern_sync.sync.event_worker import EventWorker
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.listener import Listener
from pattern_sync.sync.page_notifier import PageNotifier
from pattern_sync.sync.payloads import Payloads
from pattern_sync.sync.periodic import Poller, Refresher, Sweeper
from pattern_sync.sync.reception import Reception
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.recovery import Recovery
from pattern_sync.sync.retrier import Retrier
from pattern_sync.sync.scan_worker import ScanWorker
from pattern_sync.sync.silence import Silence
from pattern_sync.sync.traits_keeper import TraitsKeeper
from pattern_sync.sync.trigger_watch import TriggerWatch
from pattern_sync.telling import Teller, Terms
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.live_reader import LiveReader
from pattern_sync.web.server import HttpServer
from tests.support.asynchronous import run, settle
from tests.support.fakes import (
    OUTAGE_WAITS,
    Clock,
    FakeQueue,
    FakeSession,
    RecordedFacts,
    RecordedReports,
    outage_backoff,
    row_ids,
)

HOUR_SECONDS = 3_600.0
STARTS = 60


class HastyActivity(Activity):
    """Every wait ends at once and counts as an hour; records whether the service ever seemed to hang."""

    def __init__(self, name: str, clock: Clock, reports: RecordedReports) -> None:
        super().__init__(name, Liveness(clock), reports, outage_backoff())
        self._clock = clock
        self.hung = False
        self.waits: list[float] = []

    async def wait(self, seconds: float) -> None:
        assert seconds >= 0
        self.waits.append(seconds)
        await asyncio.sleep(0)
        self._clock.seconds += HOUR_SECONDS
        self.hung |= self.liveness.hangs
        await asyncio.sleep(0)

    async def wait_for(self, event: asyncio.Event, seconds: float) -> bool:
        await self.wait(seconds)
        return event.is_set()

    @property
    def outage_waits(self) -> list[float]:
        return [seconds for seconds in self.waits if seconds in OUTAGE_WAITS]


class Database(FakeQueue):
    """Everything that services query; all of it meets an outage (`fault`), or never responds (`stuck`)."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(range(40))
        self.clock = clock
        self.fault: PassingFault | None = None
        self.stuck = False
        self.statement_seconds = 0.0
        self.deadline_seconds = 120.0
        self.asked = 0
        self.answered = 0
        self.sessions: list[FakeSession] = []
        self.notified: list[str] = []

    async def ask(self) -> None:
        self.asked += 1
        with working(self.deadline_seconds):
            await asyncio.sleep(0)
            if self.stuck:
                await asyncio.Event().wait()
            self.clock.seconds += self.statement_seconds
            if self.fault is not None:
                raise self.fault
        self.answered += 1

    async def reconcile(self, row_ids: Sequence[RowId], sync_filter: SyncFilter) -> list[PatternOutcome]:
        await self.ask()
        return await super().reconcile(row_ids, sync_filter)

    async def queue_missing(self, sync_filter: SyncFilter, *, retry: bool) -> AsyncGenerator[QueuedPage, None]:
        await self.ask()
        async for page in super().queue_missing(sync_filter, retry=retry):
            yield page

    async def refresh_stale(self, sync_filter: SyncFilter, after_id: RowId) -> RefreshedPage:
        await self.ask()
        return await super().refresh_stale(sync_filter, after_id)

    async def retry_refused(self, sync_filter: SyncFilter, most: int) -> Retried:
        await self.ask()
        return await super().retry_refused(sync_filter, most)

    async def open_session(self, _on_payload: Callable[[str], None]) -> FakeSession:
        await self.ask()
        self.sessions.append(FakeSession())
        return self.sessions[-1]

    async def notify(self, written: Mapping[str, str] | None) -> None:
        await self.ask()
        self.notified += written or ()

    async def publish(self, _filter: SyncFilter) -> bool:
        await self.ask()
        return True

    async def check_schema(self) -> None:
        await self.ask()

    async def read_filter(self) -> SyncFilter:
        await self.ask()
        return SyncFilter(max_patterns=None)

    async def read_publication(self) -> None:
        await self.ask()

    async def record_run(self, _kind: str, _result: SyncResult) -> None:
        await self.ask()

    async def count_pending(self) -> PendingEntries:
        await self.ask()
        return PendingEntries(0, None)

    async def first_entries(self, _limit: int) -> list[QueueEntry]:
        await self.ask()
        return []

    async def find_entries(self, _signatures: Sequence[str]) -> list[QueueEntry]:
        await self.ask()
        return []

    async def count_entries(self) -> QueueCounts:
        await self.ask()
        return QueueCounts(0, 0, 0, 0, 0, 0, 0.0, None)

    async def look(self) -> Sighting:
        await self.ask()
        return Sighting()

    async def mend(self, _relation: str) -> None:
        await self.ask()

    async def record_recovery(self, _patterns: int) -> None:
        await self.ask()

    async def republish(self) -> None:
        await self.ask()

    async def keep_traits(self, _signatures: Sequence[str] | None, _most: int | None) -> int | None:
        await self.ask()
        return 0

    async def newest(self) -> KeptModel:
        await self.ask()
        return KeptModel(0, 0)

    async def lessons(self, _most: int) -> list[Lesson]:
        return []

    async def record(self, _most: int) -> list[Scored]:
        raise AssertionError("there is no model")

    async def keep_model(self, *_: object) -> int | None:
        raise AssertionError("there is no model")

    async def settle_gate(self, *_: object, shown: bool) -> None:
        raise AssertionError(f"there is no model, shown: {shown}")

    async def unforetold(self, *_: object) -> list[Unforetold]:
        raise AssertionError("there is no model")

    async def keep_predictions(self, *_: object) -> bool:
        raise AssertionError("there is no model")

    async def hide(self) -> bool:
        await self.ask()
        return False

    async def tell_pages(self, _signatures: Sequence[str] | None) -> None:
        raise AssertionError("nothing is shown")

    async def forget_predictions(self) -> None:
        await self.ask()

    async def plan(self, *_: object) -> float | None:
        await self.ask()
        return None

    async def plan_pauses(self, *_: object) -> None:
        await self.ask()

    async def claim(self, *_: object) -> ClaimedMessage | None:
        raise AssertionError("nothing is due")

    async def gather(self, *_: object) -> Gathered:
        raise AssertionError("nothing is due")

    async def gather_pauses(self, *_: object) -> list[ToldPause]:
        raise AssertionError("nothing is due")

    async def freeze(self, *_: object) -> bool:
        raise AssertionError("nothing is due")

    async def settle(self, *_: object) -> bool:
        raise AssertionError("nothing is due")

    async def keep_savings(self, most: int) -> int | None:
        await self.ask()
        return most

    async def adjust_confidence(self, at_least: int) -> Adjusted:
        assert at_least == 5
        return Adjusted((), (), None)

    async def prune(self) -> None:
        await self.ask()

    async def rules(self, _name: str | None = None) -> list[Rule]:
        await self.ask()
        return []

    async def mark(self, *_: object) -> int:
        raise AssertionError("there is no rule")

    async def look_at(self, *_: object) -> RuleLook | None:
        raise AssertionError("there is no rule")

    async def measure(self, *_: object) -> Measured:
        raise AssertionError("there is no rule")

    async def pause(self, *_: object) -> bool:
        raise AssertionError("there is no rule")

    async def apply(self, *_: object) -> list[Applied]:
        raise AssertionError("there is no rule")

    async def counts(self) -> list[MessageCount]:
        await self.ask()
        return []

    async def fingerprint(self) -> str:
        await self.ask()
        return "same"


class Server:
    """An embedded server that can be down."""

    url = "postgresql://here"

    def __init__(self, database: Database) -> None:
        self._database = database

    def check(self) -> Supervision:
        self._database.asked += 1
        if self._database.fault is not None:
            raise EmbeddedServerError("it does not start")
        self._database.answered += 1
        return Supervision.RUNNING


class Stage:
    """What any service needs, on a clock of its own, and what gives it work."""

    def __init__(self, kind: type[Service]) -> None:
        self.clock = clock = Clock()
        self.database = Database(clock)
        self.reports = RecordedReports()
        self.activity = HastyActivity(kind.name, clock, self.reports)
        self.facts = RecordedFacts()
        self.intake = Intake(clock)
        self.timings = Timings()
        self.requested = asyncio.Event()
        self.caught_up = 0
        self._quarantined = asyncio.Event()
        self._in_force = FilterInForce(SyncFilter())
        self._reconciler = Reconciler(self.database, clock)
        self._recovery = Recovery(clock, self.facts, self.timings.settle_seconds, self.intake)
        self._silence = Silence(clock, self.facts, self._recovery.deafened, lambda: False, 10.0)
        self._reception = Reception(clock, self.facts, self._silence, self._recovery.deafened)
        self._payloads = Payloads(self.intake, self._recovery, self.facts)
        self.page_notifier = PageNotifier(self.database.notify, self.activity, self.timings.debounce_seconds)
        self.updates = self._live_updates()
        self.publisher = FilterPublisher(SyncFilter(), self.database.publish, self.facts, self.activity)
        self._manager = ServiceManager(self.facts, {})
        self._readiness = Readiness(self.facts, self._manager, lambda: 0.0, self.timings.start_outage_seconds)
        builders: dict[type[Any], Callable[[], Service]] = {
            Listener: self._listener,
            Sweeper: self._sweeper,
            Poller: lambda: Poller(self.intake, self._reception, self.activity, clock, 3.0),
            Refresher: lambda: Refresher(self._reconciler, self._in_force, self.facts, self.activity, 4.0),
            EventWorker: self._event_worker,
            ScanWorker: self._scan_worker,
            PageNotifier: lambda: self.page_notifier,
            TraitsKeeper: lambda: TraitsKeeper(self.database, self.activity, clock, self.timings, lambda: None),
            Retrier: self._retrier,
            TriggerWatch: self._trigger_watch,
            LiveUpdates: lambda: self.updates,
            FilterPublisher: lambda: self.publisher,
            Teller: self._teller,
            SavingsKeeper: lambda: SavingsKeeper(
                self.database, 60.0, lambda: 0.0, self.facts, self.activity, adjusts=True
            ),
            RuleKeeper: lambda: RuleKeeper(self.database, self.facts, self.activity, clock, self.timings),
            Learner: lambda: Learner(self.database, LearnMode.ON, self.facts, self.activity, self.clock, self.timings),
            Reloader: self._reloader,
            Watchdog: self._watchdog,
            EmbeddedSupervisor: lambda: EmbeddedSupervisor(
                cast("EmbeddedServer", Server(self.database)), self.facts, self.activity, 0.5
            ),
        }
        self.service = builders[kind]()

    def give_work(self) -> None:
        self.intake.add(row_ids(1, 2, 3))
        self.intake.add_everything(ScanKind.CATCH_UP)
        self.page_notifier.add(["a"], [])
        self.updates.join()
        self.requested.set()
        if isinstance(self.service, Learner):
            self.service.swept()
        self.publisher.want(SyncFilter())

    def work_is_done(self) -> object:
        """Return whether the service has done its work, however often it had to try."""
        done: dict[type[Any], Callable[[], object]] = {
            EventWorker: lambda: self.database.entries >= {1, 2, 3},
            ScanWorker: lambda: self.caught_up and len(self.database.entries) == 40,
            PageNotifier: lambda: self.database.notified == ["a"],
            Retrier: lambda: self.facts.of(QuarantineRetried),
            FilterPublisher: lambda: self.facts.of(SettingsReloaded),
        }
        return done.get(type(self.service), lambda: self.database.answered)()

    def start(self) -> "asyncio.Task[None]":
        return asyncio.create_task(self._run(), name=self.service.name)

    async def _run(self) -> None:
        self.activity.liveness.attach()
        await self.service.run()

    def _teller(self) -> Teller:
        def write(_destination: Destination, _message: Message) -> Letter:
            raise AssertionError("there is nothing to tell")

        terms = Terms({}, 10_000, 3_600, None, None, about_rules=True, page_url=None)
        now = datetime.now(UTC)
        return Teller(
            self.database,
            Courier(None, lambda: now, "urn:here"),
            write,
            terms,
            self.facts,
            self.activity,
            lambda: now,
            self.clock,
            lambda: 0.0,
            self.timings,
        )

    def _live_updates(self) -> LiveUpdates:
        reader = LiveReader(self.database, self.clock)
        return LiveUpdates(reader, lambda: False, lambda: False, self.facts, self.activity, self.clock, self.timings)

    def _listener(self) -> Listener:
        return Listener(
            self.database.open_session,
            self._payloads,
            self.intake,
            self._reception,
            outage_backoff(),
            outage_backoff(),
            self.facts,
            self.activity,
            self.clock,
            self.timings,
        )

    def _sweeper(self) -> Sweeper:
        return Sweeper(
            self.intake, self._recovery, HOUR_SECONDS, lambda: 0.5, self.facts, self.activity, self.clock, 60.0
        )

    def _event_worker(self) -> EventWorker:
        return EventWorker(
            self.intake,
            self._reconciler,
            self._in_force,
            self._recovery,
            self._quarantined,
            self.facts,
            self.activity,
            self.clock,
            self.timings.held_seconds,
        )

    def _scan_worker(self) -> ScanWorker:
        return ScanWorker(
            self.intake,
            self._reconciler,
            self.database,
            self._in_force,
            self._reception,
            self._recovery,
            self._quarantined,
            self._on_caught_up,
            self.facts,
            self.activity,
        )

    def _retrier(self) -> Retrier:
        return Retrier(
            self._reconciler, self._in_force, self._quarantined, self.facts, self.activity, self.clock, self.timings
        )

    def _trigger_watch(self) -> TriggerWatch:
        return TriggerWatch(
            self.database,
            self.intake,
            self._payloads,
            self._silence,
            self._recovery,
            self.updates.notified,
            self.database.republish,
            self.facts,
            self.activity,
            self.timings.watch_seconds,
            mends=True,
        )

    def _reloader(self) -> Reloader:
        return Reloader(
            self.requested,
            lambda: Reread(SyncFilter()),
            self.publisher,
            self._readiness,
            lambda: False,
            self.facts,
            patience_seconds=0.0,
        )

    def _watchdog(self) -> Watchdog:
        return Watchdog(list, self._readiness, self.facts, self._manager, self.activity, self.timings)

    def _on_caught_up(self, _kinds: Collection[ScanKind]) -> None:
        self.caught_up += 1


# Services that handle an outage through `Activity.working`, all in the same way.
ATTEMPTING: list[type[Service]] = [
    Refresher,
    Retrier,
    TriggerWatch,
    EventWorker,
    ScanWorker,
    PageNotifier,
    TraitsKeeper,
    LiveUpdates,
    FilterPublisher,
    Teller,
    SavingsKeeper,
    RuleKeeper,
    Learner,
]
# The listener handles it through `Reception`: while it has no session, the daemon polls.
WORKING: list[type[Service]] = [*ATTEMPTING, Listener]
ALL: list[type[Service]] = [*WORKING, Sweeper, Poller, Reloader, Watchdog, EmbeddedSupervisor]


def name_of(kind: type[Service]) -> str:
    return kind.name


def every_service() -> Iterator[type[Any]]:
    """Yield every class of the program that has the shape of a service."""
    for module in pkgutil.walk_packages(pattern_sync.__path__, "pattern_sync."):
        if module.name.endswith("__main__"):
            continue
        for _, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            shape = inspect.iscoroutinefunction(getattr(each, "run", None)) and isinstance(
                getattr(each, "name", None), str
            )
            if shape and each.__module__ == module.name:
                yield each


async def stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


async def breathe(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


def test_every_service_of_the_daemon_is_covered_here() -> None:
    assert set(every_service()) == {*ALL, HttpServer}


def test_every_service_has_a_unique_name_fit_for_a_task_and_a_metric_label() -> None:
    names = [each.name for each in every_service()]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalpha() and name.islower() for name in names)


@pytest.mark.parametrize("kind", [*ATTEMPTING, EmbeddedSupervisor], ids=name_of)
def test_every_service_reports_an_outage_waits_it_out_and_does_its_work(
    kind: type[Service],
) -> None:
    async def check() -> None:
        stage = Stage(kind)
        stage.database.fault = DatabaseUnavailable("down")
        stage.give_work()
        task = stage.start()
        await settle(lambda: len(stage.activity.outage_waits) >= len(OUTAGE_WAITS) or task.done())
        assert not task.done(), "an outage ends no service"
        assert stage.activity.in_outage
        assert stage.activity.outage_waits == OUTAGE_WAITS, "each wait is longer: no attempt counts as a success"
        assert stage.reports.without == {kind.name}
        assert {(name, type(fault)) for name, fault in stage.reports.faults} == {(kind.name, DatabaseUnavailable)}
        stage.database.fault = None
        await settle(lambda: not stage.activity.in_outage and stage.work_is_done())
        assert stage.reports.without == set()
        stage.database.fault = DatabaseUnavailable("down again")
        stage.give_work()
        await settle(lambda: stage.activity.in_outage)
        assert stage.activity.outage_waits[len(OUTAGE_WAITS) :][-1] == OUTAGE_WAITS[0], "the wait was reset"
        await stopped(task)

    run(check())


@pytest.mark.parametrize("fault", [AccessRefused("no"), StatementFailed("bad"), SchemaMissing("gone")], ids=repr)
@pytest.mark.parametrize("kind", ATTEMPTING, ids=name_of)
def test_a_running_service_waits_out_every_passing_fault(kind: type[Service], fault: PassingFault) -> None:
    async def check() -> None:
        stage = Stage(kind)
        stage.database.fault = fault
        stage.give_work()
        task = stage.start()
        await settle(lambda: len(stage.activity.outage_waits) >= 2 or task.done())
        assert {name for name, _ in stage.reports.faults} == {kind.name}
        stage.database.fault = None
        await settle(lambda: not stage.activity.in_outage and stage.work_is_done())
        await stopped(task)

    run(check())


@pytest.mark.parametrize("kind", ALL, ids=name_of)
def test_a_service_idle_for_hours_does_not_hang(kind: type[Service]) -> None:
    async def check() -> None:
        stage = Stage(kind)
        task = stage.start()
        for _ in range(5):
            await breathe(20)
            stage.clock.seconds += HOUR_SECONDS
            assert not stage.activity.liveness.hangs or stage.database.asked, "the service had nothing to do"
        assert not stage.activity.hung
        await stopped(task)

    run(check())


@pytest.mark.parametrize("kind", [*WORKING, EmbeddedSupervisor], ids=name_of)
def test_a_service_in_an_outage_for_hours_does_not_hang(kind: type[Service]) -> None:
    async def check() -> None:
        stage = Stage(kind)
        stage.database.fault = DatabaseUnavailable("down")
        stage.give_work()
        task = stage.start()
        await settle(lambda: stage.database.asked >= 10 or task.done())
        assert stage.clock.seconds > 5 * HOUR_SECONDS
        assert not stage.activity.hung
        assert not task.done(), "an outage ends no service"
        stage.database.fault = None
        await settle(lambda: stage.database.answered)
        await stopped(task)

    run(check())


@pytest.mark.parametrize("kind", WORKING, ids=name_of)
def test_a_service_whose_database_never_responds_hangs(kind: type[Service]) -> None:
    async def check() -> None:
        stage = Stage(kind)
        stage.database.stuck = True
        stage.give_work()
        task = stage.start()
        await settle(lambda: stage.database.asked)
        await breathe(5)
        assert not stage.activity.liveness.hangs
        stage.clock.seconds += STEP_SECONDS + 1
        assert stage.activity.liveness.hangs
        await stopped(task)
        assert not stage.activity.liveness.hangs

    run(check())


@pytest.mark.parametrize("kind", WORKING, ids=name_of)
def test_long_work_in_short_steps_does_not_hang(kind: type[Service]) -> None:
    async def check() -> None:
        stage = Stage(kind)
        stage.database.statement_seconds = 119.0
        stage.database.stale = set(range(40))
        stage.database.entries = set(range(20))
        stage.give_work()
        task = stage.start()
        for _ in range(400):
            await asyncio.sleep(0)
            assert not stage.activity.liveness.hangs
        assert stage.database.asked
        assert not stage.activity.hung
        await stopped(task)

    run(check())


@pytest.mark.parametrize("kind", ALL, ids=name_of)
def test_a_service_stopped_at_any_moment_leaves_nothing_behind(kind: type[Service]) -> None:
    async def check() -> None:
        chance = random.Random(7)

        def perhaps() -> PassingFault | None:
            return DatabaseUnavailable("down") if chance.random() < 0.3 else None

        for _ in range(STARTS):
            stage = Stage(kind)
            stage.database.fault = perhaps()
            stage.database.stuck = chance.random() < 0.3
            if chance.random() < 0.7:
                stage.give_work()
            task = stage.start()
            await breathe(chance.randrange(25))
            stage.database.fault = perhaps()
            await breathe(chance.randrange(25))
            await stopped(task)
            assert not stage.activity.liveness.hangs
            assert all(session.terminated for session in stage.database.sessions)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(check())


@pytest.mark.parametrize("kind", [EventWorker, ScanWorker], ids=name_of)
def test_a_worker_ends_when_the_intake_is_closed_in_an_outage_too(kind: type[Service]) -> None:
    async def check() -> None:
        for fault in (None, DatabaseUnavailable("down")):
            for moments in range(12):
                stage = Stage(kind)
                stage.database.fault = fault
                stage.give_work()
                task = stage.start()
                await breathe(moments)
                stage.intake.close()
                await asyncio.wait([task], timeout=5)
                assert task.done()
                assert task.exception() is None

    run(check())


def test_an_embedded_server_on_another_port_ends_the_daemon_as_one_that_moved() -> None:
    async def check() -> None:
        stage = Stage(EmbeddedSupervisor)
        server = Server(stage.database)
        supervisor = EmbeddedSupervisor(cast("EmbeddedServer", server), stage.facts, stage.activity, 0.5)
        await supervisor.run_once()
        server.url = "postgresql://there"
        with pytest.raises(EmbeddedServerMoved):
            await supervisor.run_once()

    run(check())
