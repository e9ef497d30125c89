"""The assembly: settings in, the frozen graph of a daemon's parts out. Nothing is awaited here."""

import asyncio
import random
import secrets
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from pattern_sync.config import Settings
from pattern_sync.database.connector import Connector
from pattern_sync.database.gateway import DaemonGateway
from pattern_sync.database.pool import PAGES_CONNECTIONS, PEOPLES_CONNECTIONS, Lane, Pool
from pattern_sync.database.reviews import ReviewGateway
from pattern_sync.database.session import CHANNEL, QUEUE_CHANNEL, ListenSession
from pattern_sync.database.statements import load_statements
from pattern_sync.database.watch import WatchGateway
from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.facts import DatabaseBack, DatabaseLost, Emit, PagesCurrent, PagesStale, ScanFinished
from pattern_sync.domain.reception import Mode
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.observability.health import HealthReporter
from pattern_sync.observability.log import Log
from pattern_sync.observability.status_line import StatusLine
from pattern_sync.observability.subscribers import Subscribers
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.observability.view import View
from pattern_sync.observability.writer import LogWriter
from pattern_sync.review import Review
from pattern_sync.runtime.host import Host
from pattern_sync.runtime.upkeep import EmbeddedSupervisor, Readiness, Reloader, Watchdog
from pattern_sync.services.activity import Activity
from pattern_sync.services.outage import Availability
from pattern_sync.services.supervisor import ClosableService, Service, Supervisor
from pattern_sync.services.timings import Timings
from pattern_sync.sync.event_worker import EventWorker
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.listener import Listener
from pattern_sync.sync.manual import ManualSync
from pattern_sync.sync.page_notifier import PageNotifier
from pattern_sync.sync.payloads import Payloads
from pattern_sync.sync.periodic import Poller, Refresher, Sweeper
from pattern_sync.sync.reception import Reception
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.recovery import Recovery
from pattern_sync.sync.retrier import Retrier
from pattern_sync.sync.scan_worker import ScanWorker
from pattern_sync.sync.silence import Silence
from pattern_sync.sync.trigger_watch import TriggerWatch
from pattern_sync.web.access import Tokens
from pattern_sync.web.app import Access, create_app
from pattern_sync.web.app import Parts as WebParts
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.live_reader import LiveReader
from pattern_sync.web.server import HttpServer


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that the life of a daemon starts, uses and stops.

    `producers` mark what may matter, `workers` empty the intake, `page_notifier` tells of what they wrote.
    """

    emit: Emit
    manager: ServiceManager
    supervisor: Supervisor
    database: Availability
    pool: Pool
    gateway: DaemonGateway
    in_force: FilterInForce
    intake: Intake
    http: HttpServer
    live: LiveUpdates
    workers: Collection[ClosableService]
    page_notifier: PageNotifier
    producers: Collection[Service]


class Assembly:
    """Builds the parts of one daemon; `reload` asks it to read its settings anew, which `read_settings` does."""

    def __init__(
        self,
        settings: Settings,
        host: Host,
        reload: asyncio.Event,
        read_settings: Callable[[], Settings],
        now: Callable[[], float],
        timings: Timings,
    ) -> None:
        self._settings = settings
        self._host = host
        self._reload = reload
        self._read_settings = read_settings
        self._now = now
        self._timings = timings
        self._view = View(now)
        log = Log(LogWriter(), now, timings.log_interval_seconds)
        self._manager = ServiceManager(log)
        self._emit = Subscribers([self._view, log, StatusLine(self._view, self._manager.status)])
        self._supervisor = Supervisor(now, self._backoff)
        self._readiness = Readiness(self._emit, self._manager)
        self._build_availabilities()
        self._build_reception()
        self._build_database()
        self._live = self._live_updates()

    def _build_availabilities(self) -> None:
        now, emit = self._now, self._emit
        self._database = Availability(
            now, lambda reason: emit(DatabaseLost(reason)), lambda seconds: emit(DatabaseBack(seconds))
        )
        # What the pages lack is their own trouble: patterns may be queued all the same.
        self._pages = Availability(
            now, lambda reason: emit(PagesStale(reason)), lambda seconds: emit(PagesCurrent(seconds))
        )

    def _build_reception(self) -> None:
        now, emit, timings = self._now, self._emit, self._timings
        self._intake = Intake(now)
        self._recovery = Recovery(now, emit, timings.settle_seconds)
        self._silence = Silence(
            now,
            emit,
            self._recovery.deafened,
            lambda: self._database.lost_at is not None,
            timings.blind_after_seconds,
        )
        self._reception = Reception(now, emit, self._silence, self._recovery.deafened)
        self._payloads = Payloads(self._intake, self._recovery, emit)
        self._quarantined = asyncio.Event()

    def _build_database(self) -> None:
        self._connector = Connector(self._host.address, load_statements())
        self._pool = Pool(self._connector)
        self._page_reviews = ReviewGateway(Lane(self._pool, PAGES_CONNECTIONS).fetch)
        self._page_notifier = PageNotifier(
            self._page_reviews.notify_pages,
            self._supervisor.activity(PageNotifier, self._pages),
            self._timings.debounce_seconds,
        )
        self._gateway = DaemonGateway(self._pool, self._page_notifier.add)
        self._reconciler = Reconciler(self._gateway, self._now)
        self._in_force = FilterInForce(self._settings.sync_filter())

    def _live_updates(self) -> LiveUpdates:
        return LiveUpdates(
            LiveReader(self._page_reviews, self._now),
            lambda: self._database.lost_at is not None,
            lambda: self._reception.mode is Mode.POLLING,
            self._emit,
            self._supervisor.activity(LiveUpdates, self._pages),
            self._now,
            self._timings,
        )

    def parts(self) -> Parts:
        """Return the whole graph. Raises InvalidSettings where HTTP cannot be served as they say."""
        return Parts(
            emit=self._emit,
            manager=self._manager,
            supervisor=self._supervisor,
            database=self._database,
            pool=self._pool,
            gateway=self._gateway,
            in_force=self._in_force,
            intake=self._intake,
            http=self._http_server(),
            live=self._live,
            workers=[self._event_worker(), self._scan_worker()],
            page_notifier=self._page_notifier,
            producers=[
                self._listener(),
                self._sweeper(),
                self._poller(),
                self._refresher(),
                self._retrier(),
                self._trigger_watch(),
                self._reloader(),
                Watchdog(self._supervisor.hanging, self._emit, self._manager, self._activity(Watchdog), self._timings),
                *self._embedded_supervisor(),
            ],
        )

    def _event_worker(self) -> EventWorker:
        return EventWorker(
            self._intake,
            self._reconciler,
            self._in_force,
            self._recovery,
            self._quarantined,
            self._emit,
            self._activity(EventWorker),
            self._now,
            self._timings.held_seconds,
        )

    def _scan_worker(self) -> ScanWorker:
        return ScanWorker(
            self._intake,
            self._reconciler,
            self._gateway,
            self._in_force,
            self._reception,
            self._recovery,
            self._quarantined,
            self._readiness.reached,
            self._emit,
            self._activity(ScanWorker),
        )

    def _listener(self) -> Listener:
        # One channel for all sessions: behind a pooler every new one would stay with some server connection.
        ping_channel = f"pattern_sync_{secrets.token_hex(8)}"

        async def open_session(on_payload: Callable[[str], None]) -> ListenSession:
            # What was open before belongs to a server that may be gone, or a primary that is none any more.
            await self._pool.expire()
            channels = {CHANNEL: on_payload, QUEUE_CHANNEL: self._live.notified}
            session = await ListenSession.open(self._connector, self._pool, ping_channel, channels)
            self._live.gap()
            return session

        timings = self._timings
        return Listener(
            open_session,
            self._payloads,
            self._intake,
            self._reception,
            self._backoff(),
            Backoff(random.random, timings.deaf_base_seconds, timings.deaf_cap_seconds),
            self._emit,
            self._activity(Listener),
            timings,
        )

    def _sweeper(self) -> Sweeper:
        return Sweeper(
            self._intake,
            self._recovery,
            self._settings.interval,
            random.random,
            self._emit,
            self._activity(Sweeper),
            self._now,
            self._timings.recovering_seconds,
        )

    def _poller(self) -> Poller:
        return Poller(self._intake, self._reception, self._activity(Poller), self._timings.poll_seconds)

    def _refresher(self) -> Refresher:
        activity = self._activity(Refresher)
        return Refresher(self._reconciler, self._in_force, self._emit, activity, self._timings.refresh_seconds)

    def _retrier(self) -> Retrier:
        return Retrier(
            self._reconciler,
            self._in_force,
            self._quarantined,
            self._emit,
            self._activity(Retrier),
            self._now,
            self._timings,
        )

    def _trigger_watch(self) -> TriggerWatch:
        return TriggerWatch(
            WatchGateway(self._pool),
            self._intake,
            self._payloads,
            self._silence,
            self._recovery,
            self._live.notified,
            self._gateway.republish_filter,
            self._emit,
            self._supervisor.activity(TriggerWatch, self._silence),
            self._timings.watch_seconds,
            mends=self._settings.mend,
        )

    def _reloader(self) -> Reloader:
        return Reloader(
            self._reload,
            lambda: self._read_settings().sync_filter(),
            self._gateway.publish_filter,
            self._readiness,
            self._emit,
            self._activity(Reloader),
        )

    def _embedded_supervisor(self) -> list[EmbeddedSupervisor]:
        if self._host.embedded is None:
            return []
        activity = self._activity(EmbeddedSupervisor)
        return [EmbeddedSupervisor(self._host.embedded, self._emit, activity, self._timings.supervision_seconds)]

    def _http_server(self) -> HttpServer:
        release = version("pattern-sync")
        reviews = ReviewGateway(Lane(self._pool, PEOPLES_CONNECTIONS).fetch)
        parts = WebParts(
            Review(reviews),
            ManualSync(Reconciler(self._gateway, self._now), self._gateway, self._manual_sync_finished),
            reviews,
            self._health_reporter(release),
            self._live,
            self._supervisor.hanging,
            self._emit,
        )
        app = create_app(parts, self._access(), release)
        settings = self._settings
        return HttpServer(app, settings.http_host, settings.http_port, self._emit, self._timings.http_retry_seconds)

    def _manual_sync_finished(self, result: SyncResult) -> None:
        if result.error_count:
            self._quarantined.set()
        self._emit(ScanFinished(frozenset({ScanKind.MANUAL}), result))

    def _health_reporter(self, release: str) -> HealthReporter:
        return HealthReporter(
            self._view,
            release,
            self._now,
            wall_clock=lambda: datetime.now(UTC),
            queue_depth=self._intake.__len__,
            hanging=self._supervisor.hanging,
        )

    def _access(self) -> Access:
        settings = self._settings
        api_token, admin_token = settings.tokens()
        machine = socket.gethostname()
        names = {"localhost", machine, machine.partition(".")[0], settings.http_host, *settings.allowed_hosts}
        return Access(Tokens(api_token, admin_token), settings.origins(), names)

    def _activity(self, service: type[Service]) -> Activity:
        return self._supervisor.activity(service, self._database)

    def _backoff(self) -> Backoff:
        return Backoff(random.random, self._timings.retry_base_seconds, self._timings.retry_cap_seconds)
