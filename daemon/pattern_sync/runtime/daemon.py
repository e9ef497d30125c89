"""One daemon, from its start to its stop."""

import asyncio
import random
import secrets
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import NoReturn

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
from pattern_sync.domain.errors import (
    DatabaseUnavailable,
)
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.observability.health import HealthReporter
from pattern_sync.observability.state import DaemonState
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.review import Review
from pattern_sync.runtime.host import Host
from pattern_sync.runtime.upkeep import EmbeddedSupervisor, Reloader, Watchdog
from pattern_sync.sync.announcer import Announcer
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.listener import Listener
from pattern_sync.sync.manual import ManualSync
from pattern_sync.sync.outage import Outage
from pattern_sync.sync.periodic import Poller, Refresher, Sweeper
from pattern_sync.sync.pulse import Pulse
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.watch import TriggerWatch
from pattern_sync.sync.workers import EventWorker, FilterInForce, RunWorker
from pattern_sync.web import live
from pattern_sync.web.access import Tokens
from pattern_sync.web.app import Access, Parts, create_app
from pattern_sync.web.server import serving

# To tell the pages of other daemons what was written last.
ANNOUNCE_SECONDS = 2.0
# Short, as a daemon has to have caught up two seconds after its server accepts again.
RETRY_BASE_SECONDS = 0.1
RETRY_CAP_SECONDS = 1.5


class Daemon:
    """The running services of one process, and the order in which they start and stop."""

    def __init__(self, settings: Settings, host: Host, reload_settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._host = host
        self._reload_settings = reload_settings
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._loop = asyncio.get_running_loop()
        self._manager = ServiceManager()
        self._state = DaemonState(self._loop.time, self._manager.status)
        self._pulse = Pulse(self._loop.time)
        self._intake = Intake()
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._caught_up = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises AccessRefused or SchemaError where the first connect shows that waiting would not help, SchemaError also
        when the schema stops fitting later; anything else is a bug.
        """
        connector = Connector(self._host.address, load_statements())
        with self._signals():
            async with Pool(connector) as pool:
                for_people = ReviewGateway(Lane(pool, PEOPLES_CONNECTIONS).fetch)
                for_pages = ReviewGateway(Lane(pool, PAGES_CONNECTIONS).fetch)
                announcer = Announcer(for_pages.announce_changes, self._pages_outage(Announcer.NAME), self._pulse)
                gateway = DaemonGateway(pool, announcer.add)
                updates = live.LiveUpdates(
                    for_pages, self._state, self._pages_outage(live.NAME), self._pulse, self._loop.time
                )
                app = self._create_app(gateway, for_people, updates)
                async with (
                    serving(app, self._settings.http_host, self._settings.http_port),
                    _running(live.NAME, updates.run),
                ):
                    in_force = await self._first_contact(gateway)
                    if in_force is not None:
                        await self._serve(gateway, pool, FilterInForce(in_force), connector, announcer, updates)
        self._log.info("stopped")

    def _create_app(self, gateway: DaemonGateway, reviews: ReviewGateway, updates: live.LiveUpdates) -> ASGIApp:
        now = self._loop.time
        release = version("pattern-sync")
        health = HealthReporter(
            self._state,
            release,
            now,
            wall_clock=lambda: datetime.now(UTC),
            queue_depth=self._intake.__len__,
            stalled=self._pulse.stalled,
        )
        syncs = ManualSync(Reconciler(gateway, now), gateway, self._state.manual_run_finished)
        parts = Parts(Review(reviews), syncs, reviews, health, updates, self._pulse)
        return create_app(parts, self._access(), release)

    def _access(self) -> Access:
        settings = self._settings
        api_token, admin_token = settings.tokens()
        machine = socket.gethostname()
        names = {"localhost", machine, machine.partition(".")[0], settings.http_host, *settings.allowed_hosts}
        return Access(Tokens(api_token, admin_token), settings.origins(), names)

    async def _first_contact(self, gateway: DaemonGateway) -> SyncFilter | None:
        """Wait for the database and publish the filter; None where a stop was asked for meanwhile."""
        backoff = self._backoff()
        wanted = self._settings.sync_filter()
        while not self._stop.is_set():
            try:
                await gateway.check_schema()
                await gateway.check_rights()
                await gateway.publish_filter(wanted)
            except DatabaseUnavailable as fault:
                self._state.waiting(str(fault))
                await self._or_stopped(backoff.next_delay_seconds())
            else:
                self._state.database_back()
                self._state.filter_in_force(wanted)
                return wanted
        return None

    async def _serve(
        self,
        gateway: DaemonGateway,
        pool: Pool,
        in_force: FilterInForce,
        connector: Connector,
        announcer: Announcer,
        updates: live.LiveUpdates,
    ) -> None:
        now = self._loop.time
        reconciler = Reconciler(gateway, now)

        # One channel for all sessions: behind a pooler every new one would stay with some server connection.
        ping_channel = f"pattern_sync_{secrets.token_hex(8)}"

        async def open_session(on_payload: Callable[[str], None]) -> ListenSession:
            # What was open before belongs to a server that may be gone, or a primary that is none any more.
            await pool.expire()
            channels = {CHANNEL: on_payload, QUEUE_CHANNEL: updates.hint}
            session = await ListenSession.open(connector, pool, ping_channel, channels)
            updates.everything_changed()
            return session

        listener = Listener(open_session, self._intake, self._state, self._backoff(), self._pulse)
        sweeper = Sweeper(self._intake, self._settings.interval, random.random, self._state, self._pulse)
        poller = Poller(self._intake, self._state, self._pulse)
        watch = TriggerWatch(
            WatchGateway(pool),
            self._intake,
            updates.hint,
            gateway.republish_filter,
            self._state,
            self._pulse,
            mends=self._settings.mend,
        )
        refresher = Refresher(reconciler, in_force, self._state, self._pulse)
        reloader = Reloader(
            self._reload,
            lambda: self._reload_settings().sync_filter(),
            gateway.publish_filter,
            self._manager,
            self._outage(Reloader.__name__),
        )
        events = EventWorker(
            self._intake, reconciler, in_force, self._state, self._outage(EventWorker.NAME), self._pulse, now
        )
        runs = RunWorker(
            self._intake,
            reconciler,
            gateway,
            in_force,
            self._state,
            self._outage(RunWorker.NAME),
            self._pulse,
            on_caught_up=self._caught_up.set,
        )
        producers: dict[str, Callable[[], Awaitable[None]]] = {
            Listener.__name__: listener.run,
            Sweeper.__name__: sweeper.run,
            Poller.__name__: poller.run,
            TriggerWatch.__name__: watch.run,
            Refresher.__name__: refresher.run,
            "ReadyNotice": self._announce_ready,
            Reloader.__name__: reloader.run,
            Watchdog.__name__: Watchdog(self._pulse, self._manager).run,
        }
        if self._host.embedded is not None:
            producers[EmbeddedSupervisor.__name__] = EmbeddedSupervisor(self._host.embedded, self._state).run
        async with asyncio.TaskGroup() as workers:
            tasks = [
                workers.create_task(events.run(), name=EventWorker.__name__),
                workers.create_task(runs.run(), name=RunWorker.__name__),
            ]
            telling = workers.create_task(announcer.run(), name=Announcer.__name__)
            await self._run_until_stopped(producers)
            self._manager.stopping()
            self._intake.close()
            await self._drain(tasks)
            announcer.close()
            await _finish([telling], ANNOUNCE_SECONDS)

    async def _run_until_stopped(self, producers: dict[str, Callable[[], Awaitable[None]]]) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_for_ever(name, run), name=name) for name, run in producers.items()]
            await self._stop.wait()
            self._log.info("stopping", announced_patterns=len(self._intake))
            for task in tasks:
                task.cancel()

    async def _drain(self, workers: list[asyncio.Task[None]]) -> None:
        if await _finish(workers, self._settings.drain_seconds) or len(self._intake):
            self._log.warning("not finished in time, left to the next start", patterns=len(self._intake))

    async def _announce_ready(self) -> None:
        await self._caught_up.wait()
        self._log.info("ready")
        self._manager.ready()
        await asyncio.Event().wait()

    async def _or_stopped(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    def _outage(self, service: str) -> Outage:
        return Outage(service, self._state.database_lost, self._state.database_back, self._backoff(), self._pulse)

    def _pages_outage(self, service: str) -> Outage:
        # What the pages lack is their own trouble: patterns may be queued all the same.
        lost, back = partial(self._state.pages_lost, service), partial(self._state.pages_back, service)
        return Outage(service, lost, back, self._backoff(), self._pulse)

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


@asynccontextmanager
async def _running(name: str, run: Callable[[], Awaitable[None]]) -> AsyncGenerator[None, None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_for_ever(name, run), name=name)
        yield
        task.cancel()


async def _finish(workers: Collection[asyncio.Task[None]], seconds: float) -> bool:
    """Wait for tasks that are about to end; True where some had to be cut off."""
    _, unfinished = await asyncio.wait(workers, timeout=seconds)
    for worker in unfinished:
        worker.cancel()
    return bool(unfinished)


async def _for_ever(name: str, run: Callable[[], Awaitable[None]]) -> NoReturn:
    await run()
    raise RuntimeError(f"{name} ended, which it must not.")


async def run_daemon(settings: Settings, host: Host, reload_settings: Callable[[], Settings]) -> None:
    """Run one daemon until it is told to stop; see Daemon.run for what is raised."""
    await Daemon(settings, host, reload_settings).run()
