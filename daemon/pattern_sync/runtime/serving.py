"""What people and machines reach over HTTP."""

import asyncio
import random
import socket
from collections.abc import Callable
from datetime import UTC, datetime

from pattern_sync.accounting import Accounting, SavingsKeeper
from pattern_sync.advising import Advising
from pattern_sync.config import Settings
from pattern_sync.database.advice import AdviceGateway
from pattern_sync.database.answers import AnswersGateway
from pattern_sync.database.detecting import ReportingGateway
from pattern_sync.database.gateway import DaemonGateway
from pattern_sync.database.learning import LearningGateway
from pattern_sync.database.naming import release
from pattern_sync.database.pool import PEOPLES_CONNECTIONS, Pool
from pattern_sync.database.queueing import SCAN_SECONDS
from pattern_sync.database.reviews import Fetch, ReviewGateway
from pattern_sync.database.roi import SavingsGateway
from pattern_sync.detecting import HookReader, Reporting, Words
from pattern_sync.domain.facts import ScanFinished
from pattern_sync.domain.reception import Mode
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.learning import Learning
from pattern_sync.observability.health import HealthReporter
from pattern_sync.review import Decisions, Finding, Review, Snoozing
from pattern_sync.runtime.core import Core
from pattern_sync.runtime.detecting import vocabulary_of
from pattern_sync.runtime.ruling import build_rules
from pattern_sync.runtime.telling import build_messages
from pattern_sync.sync.manual import ManualSync
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.traits_keeper import TraitsKeeper
from pattern_sync.web.access import Tokens
from pattern_sync.web.app import Access, Parts, create_app
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.live_reader import LiveReader
from pattern_sync.web.server import HttpServer


def build_live_updates(core: Core, reviews: ReviewGateway) -> LiveUpdates:
    """Return the service that keeps the review pages up to date."""
    return LiveUpdates(
        LiveReader(reviews, core.now),
        core.database.is_lost,
        lambda: core.reception.mode is Mode.POLLING,
        core.emit,
        core.supervisor.activity(LiveUpdates, core.pages),
        core.now,
        core.timings,
        reviews.tell_readers,
    )


def build_traits_keeper(core: Core, pool: Pool, on_kept: Callable[[], None]) -> TraitsKeeper:
    """Return the service that keeps what entries are found by; like the pages, it is not waited for by any pattern."""
    return TraitsKeeper(
        ReviewGateway(pool.lane("traits", 1, SCAN_SECONDS).fetch),
        core.supervisor.activity(TraitsKeeper, core.pages),
        core.now,
        core.timings,
        on_kept,
    )


def build_savings_keeper(core: Core, settings: Settings, pool: Pool) -> SavingsKeeper:
    """Return the service that keeps results up to date."""
    return SavingsKeeper(
        SavingsGateway(pool.lane("savings", 1, SCAN_SECONDS).fetch),
        settings.interval,
        random.random,
        core.emit,
        core.supervisor.activity(SavingsKeeper, core.results),
        adjusts=settings.adjust_confidence,
    )


def build_http_server(
    core: Core, settings: Settings, pool: Pool, gateway: DaemonGateway, live: LiveUpdates
) -> HttpServer:
    """Return the server of the API and the review page. Raises InvalidSettings."""
    peoples = pool.lane("people", PEOPLES_CONNECTIONS)
    reviews = ReviewGateway(peoples.fetch)

    def on_finished(result: SyncResult) -> None:
        if result.error_count:
            core.quarantined.set()
        core.emit(ScanFinished(frozenset({ScanKind.MANUAL}), result))

    review = Review(reviews, core.emit)
    parts = Parts(
        review,
        Finding(reviews, review),
        Advising(AdviceGateway(peoples.fetch), asyncio.to_thread),
        Accounting(SavingsGateway(peoples.fetch), asyncio.to_thread),
        Learning(LearningGateway(peoples.fetch)),
        Decisions(reviews, core.emit),
        AnswersGateway(peoples.fetch),
        Snoozing(reviews, core.emit),
        ManualSync(Reconciler(gateway, core.now), gateway, on_finished),
        reviews,
        build_messages(settings, peoples.fetch),
        _reporting(settings, peoples.fetch),
        build_rules(peoples.fetch, forbidden=not settings.rules),
        _health_reporter(core),
        live,
        core.supervisor.hanging,
        core.observers.metrics,
        core.emit,
        core.now,
    )
    app = create_app(parts, _access(settings), release())
    return HttpServer(app, settings.http_host, settings.http_port, core.emit, core.timings.http_retry_seconds)


def _reporting(settings: Settings, fetch: Fetch) -> Reporting:
    reader = HookReader(Words(vocabulary_of(settings)))
    return Reporting(ReportingGateway(fetch), reader, lambda: datetime.now(UTC))


def _health_reporter(core: Core) -> HealthReporter:
    return HealthReporter(
        core.observers.view,
        release(),
        core.now,
        wall_clock=lambda: datetime.now(UTC),
        queue_depth=core.intake.__len__,
        hanging=core.supervisor.hanging,
    )


def _access(settings: Settings) -> Access:
    tokens = Tokens(*settings.tokens(), settings.on_loopback)
    machine = socket.gethostname()
    names = {"localhost", machine, machine.partition(".")[0], settings.http_host, *settings.allowed_hosts}
    public = settings.public()
    return Access(
        tokens,
        settings.origins(),
        names if public is None else {*names, public.host},
        public_origin=None if public is None else public.origin,
        prefix="" if public is None else public.prefix,
        identity_header=settings.identity_header,
    )
