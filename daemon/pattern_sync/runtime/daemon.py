"""One daemon, from its start to its stop."""

import asyncio
import random
import secrets
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

import structlog
from starlette.types import ASGIApp

from pattern_sync.config import Settings
from pattern_sync.database.connector import Connector
from pattern_sync.database.gateway import DaemonGateway
from pattern_sync.database.pool import PAGES_CONNECTIONS, PEOPLES_CONNECTIONS, Lane, Pool
from pattern_sync.database.reviews import ReviewGateway
from pattern_sync.database.session import CHANNEL, QUEUE_CHANNEL, ListenSession
from pattern_sync.database.statements import load_statements
from pattern_sync.database.watching import WatchGateway
from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import AccessRefused, DatabaseError, SchemaError
from pattern_sync.observability.health import HealthReporter
from pattern_sync.observability.scarcity import Scarcity
from pattern_sync.observability.state import DaemonState
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.review import Review
from pattern_sync.runtime.host import Host
from pattern_sync.runtime.upkeep import EmbeddedSupervisor, Readiness, Reloader, Watchdog
from pattern_sync.sync.announcer import Announcer
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.listener import DEAF_BASE_SECONDS, DEAF_CAP_SECONDS, Listener
from pattern_sync.sync.liveness import Life, Liveness, Service
from pattern_sync.sync.manual import ManualSync
from pattern_sync.sync.outage import Outage
from pattern_sync.sync.periodic import Poller, Refresher, Sweeper
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.retrier import Retrier
from pattern_sync.sync.watch import TriggerWatch
from pattern_sync.sync.workers import EventWorker, FilterInForce, RunWorker
from pattern_sync.web.access import Tokens
from pattern_sync.web.app import Access, Parts, create_app
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.server import HttpServer

# To tell the pages of other daemons what was written last.
ANNOUNCE_SECONDS = 2.0
# Short, as a daemon has to have caught up two seconds after its server accepts again.
RETRY_BASE_SECONDS = 0.1
RETRY_CAP_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Core:
    """What the services of one daemon share."""

    connector: Connector
    pool: Pool
    gateway: DaemonGateway
    reconciler: Reconciler
    in_force: FilterInForce
    announcer: Announcer
    updates: LiveUpdates


class Daemon:
    """The running services of one process, and the order in which they start and stop."""

    def __init__(self, settings: Settings, host: Host, reload_settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._host = host
        self._reload_settings = reload_settings
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._loop = asyncio.get_running_loop()
        self._manager = ServiceManager()
        self._readiness = Readiness(self._manager)
        self._state = DaemonState(self._loop.time, self._manager.status)
        self._scarcity = Scarcity(self._loop.time)
        self._liveness = Liveness(self._loop.time)
        self._intake = Intake(self._loop.time)
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises AccessRefused or SchemaError where the first connect shows that waiting would not help, SchemaTooNew or
        SchemaOutdated also when another version's `migrate` has changed the schema later; anything else is a bug.
        """
        self._loop.set_exception_handler(self._scarcity.loop_fault)
        connector = Connector(self._host.address, load_statements())
        with self._signals():
            async with Pool(connector) as pool:
                core = self._core(connector, pool)
                http = self._http_server(core)
                http.open()
                async with self._running(http, http.close), self._running(core.updates):
                    if await self._first_contact(core):
                        await self._work(core)
        self._log.info("stopped")

    def _core(self, connector: Connector, pool: Pool) -> Core:
        now = self._loop.time
        for_pages = ReviewGateway(Lane(pool, PAGES_CONNECTIONS).fetch)
        announcer = Announcer(for_pages.announce_changes, self._pages_outage(Announcer), self._life(Announcer))
        updates = LiveUpdates(for_pages, self._state, self._pages_outage(LiveUpdates), self._life(LiveUpdates), now)
        gateway = DaemonGateway(pool, announcer.add)
        in_force = FilterInForce(self._settings.sync_filter())
        return Core(connector, pool, gateway, Reconciler(gateway, now), in_force, announcer, updates)

    def _http_server(self, core: Core) -> HttpServer:
        settings = self._settings
        app = self._create_app(core)
        return HttpServer(app, settings.http_host, settings.http_port, self._state, self._scarcity.too_many_connections)

    def _create_app(self, core: Core) -> ASGIApp:
        now = self._loop.time
        release = version("pattern-sync")
        reviews = ReviewGateway(Lane(core.pool, PEOPLES_CONNECTIONS).fetch)
        health = HealthReporter(
            self._state,
            release,
            now,
            wall_clock=lambda: datetime.now(UTC),
            queue_depth=self._intake.__len__,
            stalled=self._liveness.stalled,
        )
        syncs = ManualSync(Reconciler(core.gateway, now), core.gateway, self._state.manual_run_finished)
        parts = Parts(Review(reviews), syncs, reviews, health, core.updates, self._liveness)
        return create_app(parts, self._access(), release)

    def _access(self) -> Access:
        settings = self._settings
        api_token, admin_token = settings.tokens()
        machine = socket.gethostname()
        names = {"localhost", machine, machine.partition(".")[0], settings.http_host, *settings.allowed_hosts}
        return Access(Tokens(api_token, admin_token), settings.origins(), names)

    async def _first_contact(self, core: Core) -> bool:
        """Wait for the database and publish the filter; False where a stop was asked for meanwhile."""
        backoff = self._backoff()
        wanted = core.in_force.value
        while not self._stop.is_set():
            try:
                await core.gateway.check_schema()
                await core.gateway.check_rights()
                await core.gateway.publish_filter(wanted)
            except AccessRefused:
                raise
            except DatabaseError as fault:  # also a notification queue that is full: waiting helps, or somebody else
                self._state.waiting(str(fault))
                await self._or_stopped(backoff.next_delay_seconds())
            else:
                self._state.database_back()
                self._state.filter_in_force(wanted)
                return True
        return False

    async def _advise(self, core: Core) -> None:
        """Name the indexes that the application's tables lack, once; what fails here is the other services' to tell."""
        with suppress(DatabaseError, SchemaError):
            for index in await core.gateway.missing_indexes():
                self._log.warning(
                    "an index would help", relation=index.relation, without_it=index.cost, remedy=index.command
                )

    async def _work(self, core: Core) -> None:
        async with asyncio.TaskGroup() as group:
            workers = [self._start(group, worker) for worker in self._workers(core)]
            telling = self._start(group, core.announcer)
            group.create_task(self._advise(core), name="advice")
            await self._run_until_stopped(self._producers(core))
            self._manager.stopping()
            self._intake.close()
            await self._drain(workers)
            core.announcer.close()
            await _finish([telling], ANNOUNCE_SECONDS)

    def _workers(self, core: Core) -> list[Service]:
        """Return the services that end when the intake is closed and empty."""
        reconciler, in_force, now = core.reconciler, core.in_force, self._loop.time
        events = EventWorker(
            self._intake, reconciler, in_force, self._state, self._outage(EventWorker), self._life(EventWorker), now
        )
        runs = RunWorker(
            self._intake,
            reconciler,
            core.gateway,
            in_force,
            self._state,
            self._outage(RunWorker),
            self._life(RunWorker),
            on_caught_up=self._readiness.reached,
        )
        return [events, runs]

    def _producers(self, core: Core) -> list[Service]:
        """Return the services that run until the stop, and are simply cut off then."""
        state, life = self._state, self._life
        producers: list[Service] = [
            self._listener(core),
            Sweeper(self._intake, self._settings.interval, random.random, state, life(Sweeper)),
            Poller(self._intake, state, life(Poller)),
            Refresher(core.reconciler, core.in_force, state, life(Refresher)),
            Retrier(
                core.reconciler,
                core.in_force,
                state.retried,
                failures_total=lambda: state.failed_total,
                life=life(Retrier),
                now=self._loop.time,
            ),
            self._watch(core),
            self._reloader(core),
            Watchdog(self._liveness, self._manager, life(Watchdog)),
        ]
        if self._host.embedded is not None:
            producers.append(EmbeddedSupervisor(self._host.embedded, state, life(EmbeddedSupervisor)))
        return producers

    def _listener(self, core: Core) -> Listener:
        # One channel for all sessions: behind a pooler every new one would stay with some server connection.
        ping_channel = f"pattern_sync_{secrets.token_hex(8)}"

        async def open_session(on_payload: Callable[[str], None]) -> ListenSession:
            # What was open before belongs to a server that may be gone, or a primary that is none any more.
            await core.pool.expire()
            channels = {CHANNEL: on_payload, QUEUE_CHANNEL: core.updates.hint}
            session = await ListenSession.open(core.connector, core.pool, ping_channel, channels)
            core.updates.everything_changed()
            return session

        deaf_backoff = Backoff(random.random, DEAF_BASE_SECONDS, DEAF_CAP_SECONDS)
        return Listener(open_session, self._intake, self._state, self._backoff(), deaf_backoff, self._life(Listener))

    def _watch(self, core: Core) -> TriggerWatch:
        return TriggerWatch(
            WatchGateway(core.pool),
            self._intake,
            core.updates.hint,
            core.gateway.republish_filter,
            self._state,
            self._life(TriggerWatch),
            mends=self._settings.mend,
        )

    def _reloader(self, core: Core) -> Reloader:
        return Reloader(
            self._reload,
            lambda: self._reload_settings().sync_filter(),
            core.gateway.publish_filter,
            self._readiness,
            self._outage(Reloader),
            self._life(Reloader),
        )

    async def _run_until_stopped(self, producers: Collection[Service]) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [self._start(group, producer, for_ever=True) for producer in producers]
            await self._stop.wait()
            self._log.info("stopping", announced_patterns=len(self._intake))
            for task in tasks:
                task.cancel()

    async def _drain(self, workers: list[asyncio.Task[None]]) -> None:
        if await _finish(workers, self._settings.drain_seconds) or len(self._intake):
            self._log.warning("not finished in time, left to the next start", patterns=len(self._intake))

    @asynccontextmanager
    async def _running(self, service: Service, close: Callable[[], None] | None = None) -> AsyncGenerator[None, None]:
        """Run a service beside what is in the context; then have it close in its own time, or cut it off."""
        async with asyncio.TaskGroup() as group:
            task = self._start(group, service, for_ever=close is None)
            try:
                yield
            finally:
                if close is None:
                    task.cancel()
                else:
                    close()
                    await asyncio.wait({task})  # in here, or the group would cut off whoever is connected

    def _start(self, group: asyncio.TaskGroup, service: Service, *, for_ever: bool = False) -> asyncio.Task[None]:
        run = self._for_ever(service) if for_ever else self._liveness.supervise(service)
        return group.create_task(run, name=service.NAME)

    async def _for_ever(self, service: Service) -> None:
        await self._liveness.supervise(service)
        raise RuntimeError(f"The {service.NAME} ended, which it must not.")

    async def _or_stopped(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    def _life(self, service: type[Service]) -> Life:
        return self._liveness.life_of(service)

    def _outage(self, service: type[Service]) -> Outage:
        lost, back = self._state.database_lost, self._state.database_back
        return Outage(
            partial(lost, service=service.NAME),
            partial(back, service.NAME),
            self._backoff(),
            self._life(service),
        )

    def _pages_outage(self, service: type[Service]) -> Outage:
        # What the pages lack is their own trouble: patterns may be queued all the same.
        lost, back = partial(self._state.pages_lost, service.NAME), partial(self._state.pages_back, service.NAME)
        return Outage(lost, back, self._backoff(), self._life(service))

    def _backoff(self) -> Backoff:
        return Backoff(random.random, RETRY_BASE_SECONDS, RETRY_CAP_SECONDS)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        wanted = {signal.SIGTERM: self._stop, signal.SIGINT: self._stop, signal.SIGHUP: self._reload}
        for number, event in wanted.items():
            self._loop.add_signal_handler(number, event.set)
        try:
            yield
        finally:
            for number in wanted:
                self._loop.remove_signal_handler(number)


async def _finish(workers: Collection[asyncio.Task[None]], seconds: float) -> bool:
    """Wait for tasks that are about to end; True where some had to be cut off."""
    _, unfinished = await asyncio.wait(workers, timeout=seconds)
    for worker in unfinished:
        worker.cancel()
    return bool(unfinished)


async def run_daemon(settings: Settings, host: Host, reload_settings: Callable[[], Settings]) -> None:
    """Run one daemon until it is told to stop; see Daemon.run for what is raised."""
    await Daemon(settings, host, reload_settings).run()
