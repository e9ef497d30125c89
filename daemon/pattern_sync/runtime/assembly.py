"""The assembly: settings in, the frozen graph of a daemon's parts out. Nothing is awaited here."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from pattern_sync.config import Rereader, Settings
from pattern_sync.database.connector import Connector
from pattern_sync.database.gateway import DaemonGateway
from pattern_sync.database.pool import PAGES_CONNECTIONS, Pool
from pattern_sync.database.reviews import ReviewGateway
from pattern_sync.database.statements import load_statements
from pattern_sync.database.version import SCHEMA_VERSION
from pattern_sync.domain.facts import SchemaRead
from pattern_sync.runtime.core import Core
from pattern_sync.runtime.hearing import QueueHearing
from pattern_sync.runtime.host import Host
from pattern_sync.runtime.learning import build_learner
from pattern_sync.runtime.metering import watch_metrics
from pattern_sync.runtime.queueing import (
    build_embedded_supervisor,
    build_listener,
    build_periodic,
    build_publisher,
    build_reloader,
    build_trigger_watch,
    build_watchdog,
    build_workers,
)
from pattern_sync.runtime.reload import FilterPublisher
from pattern_sync.runtime.ruling import build_rule_keeper
from pattern_sync.runtime.serving import (
    build_http_server,
    build_live_updates,
    build_savings_keeper,
    build_traits_keeper,
)
from pattern_sync.runtime.telling import build_teller
from pattern_sync.services.supervisor import ClosableService, Service
from pattern_sync.services.timings import Timings
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.page_notifier import PageNotifier
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.server import HttpServer


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that the life of a daemon starts, uses and stops.

    `keepers` run from the first second on, whether or not the database can be reached. `producers` mark what may
    matter, `workers` empty the intake, `page_notifier` has the pages show what they wrote.
    """

    core: Core
    pool: Pool
    gateway: DaemonGateway
    in_force: FilterInForce
    publisher: FilterPublisher
    keepers: Collection[Service]
    http: HttpServer
    live: LiveUpdates
    workers: Collection[ClosableService]
    page_notifier: PageNotifier
    producers: Collection[Service]


def assemble(
    settings: Settings,
    host: Host,
    reload: asyncio.Event,
    read_settings: Callable[[], Settings],
    now: Callable[[], float],
    timings: Timings,
) -> Parts:
    """Build one daemon; `reload` requests that it reads its settings anew. Raises InvalidSettings."""
    core = Core.build(now, timings)
    connector = Connector(host.address, load_statements(), core.emit)
    pool = Pool(connector)
    page_reviews = ReviewGateway(pool.lane("pages", PAGES_CONNECTIONS).fetch)
    notifying = core.supervisor.activity(PageNotifier, core.pages)
    page_notifier = PageNotifier(page_reviews.notify_pages, notifying, timings.debounce_seconds)
    live = build_live_updates(core, page_reviews)
    teller = build_teller(core, settings, pool)
    rule_keeper = build_rule_keeper(core, settings, pool)
    learner = build_learner(core, settings, pool)
    woken = [each.wake for each in (teller, rule_keeper, learner) if each is not None]
    traits_keeper = build_traits_keeper(core, pool, lambda: _call_each(woken))
    hearing = QueueHearing(live, traits_keeper)
    gateway = DaemonGateway(
        pool, page_notifier.add, lambda version: core.emit(SchemaRead(version.newest, SCHEMA_VERSION))
    )
    reconciler = Reconciler(gateway, now)
    in_force = FilterInForce(settings.sync_filter())
    publisher = build_publisher(core, gateway, in_force)
    watch_metrics(core, settings, pool, live, in_force)
    return Parts(
        core=core,
        pool=pool,
        gateway=gateway,
        in_force=in_force,
        publisher=publisher,
        keepers=[
            build_reloader(core, publisher, reload, Rereader(settings, read_settings)),
            build_watchdog(core),
        ],
        http=build_http_server(core, settings, pool, gateway, live),
        live=live,
        workers=build_workers(core, reconciler, gateway, in_force, learner.swept),
        page_notifier=page_notifier,
        producers=[
            build_listener(core, connector, pool, hearing),
            *build_periodic(core, reconciler, in_force, settings.interval),
            build_trigger_watch(core, pool, gateway, hearing, mends=settings.mend),
            traits_keeper,
            build_savings_keeper(core, settings, pool),
            learner,
            publisher,
            *([teller] if teller else []),
            *([rule_keeper] if rule_keeper else []),
            *([build_embedded_supervisor(core, host.embedded)] if host.embedded else []),
        ],
    )


def _call_each(callbacks: Collection[Callable[[], None]]) -> None:
    for callback in callbacks:
        callback()
