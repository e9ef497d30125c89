"""The assembly: settings in, the frozen graph of a daemon's parts out. Nothing is awaited here."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from pattern_sync.config import Settings
from pattern_sync.database.connector import Connector
from pattern_sync.database.gateway import DaemonGateway
from pattern_sync.database.pool import PAGES_CONNECTIONS, Lane, Pool
from pattern_sync.database.reviews import ReviewGateway
from pattern_sync.database.statements import load_statements
from pattern_sync.runtime.core import Core
from pattern_sync.runtime.host import Host
from pattern_sync.runtime.queueing import (
    build_listener,
    build_periodic,
    build_trigger_watch,
    build_upkeep,
    build_workers,
)
from pattern_sync.runtime.serving import build_http_server, build_live_updates
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

    `producers` mark what may matter, `workers` empty the intake, `page_notifier` has the pages show what they wrote.
    """

    core: Core
    pool: Pool
    gateway: DaemonGateway
    in_force: FilterInForce
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
    connector = Connector(host.address, load_statements())
    pool = Pool(connector)
    page_reviews = ReviewGateway(Lane(pool, PAGES_CONNECTIONS).fetch)
    notifying = core.supervisor.activity(PageNotifier, core.pages)
    page_notifier = PageNotifier(page_reviews.notify_pages, notifying, timings.debounce_seconds)
    live = build_live_updates(core, page_reviews)
    gateway = DaemonGateway(pool, page_notifier.add)
    reconciler = Reconciler(gateway, now)
    in_force = FilterInForce(settings.sync_filter())
    return Parts(
        core=core,
        pool=pool,
        gateway=gateway,
        in_force=in_force,
        http=build_http_server(core, settings, pool, gateway, live),
        live=live,
        workers=build_workers(core, reconciler, gateway, in_force),
        page_notifier=page_notifier,
        producers=[
            build_listener(core, connector, pool, live),
            *build_periodic(core, reconciler, in_force, settings.interval),
            build_trigger_watch(core, pool, gateway, live, mends=settings.mend),
            *build_upkeep(core, gateway, in_force, host.embedded, reload, read_settings),
        ],
    )
