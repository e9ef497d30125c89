"""The services that bring patterns into the queue."""

import asyncio
import random
import secrets
from collections.abc import Callable, Collection

from pattern_sync.config import Reread
from pattern_sync.database.connector import Connector
from pattern_sync.database.gateway import DaemonGateway
from pattern_sync.database.naming import READERS_CHANNEL
from pattern_sync.database.pool import Pool
from pattern_sync.database.session import CHANNEL, QUEUE_CHANNEL, ListenSession
from pattern_sync.database.watch import WatchGateway
from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.scans import ScanKind
from pattern_sync.embedded import EmbeddedServer
from pattern_sync.runtime.core import Core, retry_backoff
from pattern_sync.runtime.hearing import QueueHearing
from pattern_sync.runtime.reload import FilterPublisher, Reloader
from pattern_sync.runtime.upkeep import EmbeddedSupervisor, Watchdog
from pattern_sync.services.supervisor import ClosableService, Service
from pattern_sync.sync.event_worker import EventWorker
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.listener import Listener
from pattern_sync.sync.periodic import Poller, Refresher, Sweeper
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.retrier import Retrier
from pattern_sync.sync.scan_worker import ScanWorker
from pattern_sync.sync.trigger_watch import TriggerWatch


def build_workers(
    core: Core,
    reconciler: Reconciler,
    gateway: DaemonGateway,
    in_force: FilterInForce,
    on_swept: Callable[[], None],
) -> list[ClosableService]:
    """Return the services that empty the intake; `on_swept` is called after each catch-up and sweep."""

    def caught_up(kinds: Collection[ScanKind]) -> None:
        core.readiness.reached()
        if ScanKind.SWEEP in kinds or ScanKind.CATCH_UP in kinds:
            on_swept()

    return [
        EventWorker(
            core.intake,
            reconciler,
            in_force,
            core.recovery,
            core.quarantined,
            core.emit,
            core.activity(EventWorker),
            core.now,
            core.timings.held_seconds,
        ),
        ScanWorker(
            core.intake,
            reconciler,
            gateway,
            in_force,
            core.reception,
            core.recovery,
            core.quarantined,
            caught_up,
            core.emit,
            core.activity(ScanWorker),
        ),
    ]


def build_listener(core: Core, connector: Connector, pool: Pool, hearing: QueueHearing) -> Listener:
    """Return the service that keeps a LISTEN session."""
    # One channel for all sessions: behind a pooler every new one would stay with some server connection.
    ping_channel = f"pattern_sync_{secrets.token_hex(8)}"

    async def open_session(on_payload: Callable[[str], None]) -> ListenSession:
        # What was open before belongs to a server that may be gone, or a primary that is none any more.
        await pool.expire()
        channels = {
            CHANNEL: on_payload,
            QUEUE_CHANNEL: hearing.notified,
            READERS_CHANNEL: hearing.readers_told,
        }
        session = await ListenSession.open(connector, pool, ping_channel, channels)
        hearing.mark_everything()
        return session

    timings = core.timings
    return Listener(
        open_session,
        core.payloads,
        core.intake,
        core.reception,
        retry_backoff(timings),
        Backoff(random.random, timings.deaf_base_seconds, timings.deaf_cap_seconds),
        core.emit,
        core.activity(Listener),
        core.now,
        timings,
    )


def build_trigger_watch(
    core: Core, pool: Pool, gateway: DaemonGateway, hearing: QueueHearing, *, mends: bool
) -> TriggerWatch:
    """Return the service that checks the triggers; its outages are the silence's to report."""
    return TriggerWatch(
        WatchGateway(pool),
        core.intake,
        core.payloads,
        core.silence,
        core.recovery,
        hearing.mark,
        gateway.republish_filter,
        core.emit,
        core.supervisor.activity(TriggerWatch, core.silence),
        core.timings.watch_seconds,
        mends=mends,
    )


def build_periodic(
    core: Core, reconciler: Reconciler, in_force: FilterInForce, interval_seconds: float
) -> list[Service]:
    """Return the services that nothing wakes."""
    timings = core.timings
    return [
        Sweeper(
            core.intake,
            core.recovery,
            interval_seconds,
            random.random,
            core.emit,
            core.activity(Sweeper),
            core.now,
            timings.recovering_seconds,
        ),
        Poller(core.intake, core.reception, core.activity(Poller), core.now, timings.poll_seconds),
        Refresher(reconciler, in_force, core.emit, core.activity(Refresher), timings.refresh_seconds),
        Retrier(reconciler, in_force, core.quarantined, core.emit, core.activity(Retrier), core.now, timings),
    ]


def build_publisher(core: Core, gateway: DaemonGateway, in_force: FilterInForce) -> FilterPublisher:
    """Return the service that puts the daemon's own filter in force."""

    async def publish(own: SyncFilter) -> bool:
        in_force.publishing(own)
        changed = await gateway.publish_filter(own)
        in_force.published(own)
        return changed

    return FilterPublisher(in_force.own, publish, core.emit, core.activity(FilterPublisher))


def build_reloader(
    core: Core, publisher: FilterPublisher, reload: asyncio.Event, reread: Callable[[], Reread]
) -> Reloader:
    """Return the service that reads the settings anew."""
    return Reloader(
        reload, reread, publisher, core.readiness, core.database.is_lost, core.emit, core.timings.reload_seconds
    )


def build_watchdog(core: Core) -> Watchdog:
    """Return the service that reports to the service manager."""
    return Watchdog(
        core.supervisor.hanging,
        core.readiness,
        core.emit,
        core.observers.manager,
        core.activity(Watchdog),
        core.timings,
    )


def build_embedded_supervisor(core: Core, server: EmbeddedServer) -> EmbeddedSupervisor:
    """Return the service that looks after the embedded server."""
    return EmbeddedSupervisor(server, core.emit, core.activity(EmbeddedSupervisor), core.timings.supervision_seconds)
