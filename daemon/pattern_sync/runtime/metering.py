"""What the metrics show of a daemon's parts."""

import platform

from pattern_sync.config import Settings
from pattern_sync.database.naming import release
from pattern_sync.database.pool import Pool
from pattern_sync.database.version import SCHEMA_VERSION
from pattern_sync.observability.metrics.gauges import Build, Sources
from pattern_sync.runtime.core import Core
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.web.live import LiveUpdates


def watch_metrics(core: Core, settings: Settings, pool: Pool, live: LiveUpdates, in_force: FilterInForce) -> None:
    """Have the metrics show the state of these parts at each scrape."""
    build = Build(release(), SCHEMA_VERSION, platform.python_version(), settings.interval)
    sources = Sources(
        filter_in_force=lambda: in_force.value,
        intake_depth=core.intake.__len__,
        intake_oldest_at=core.intake.oldest_at,
        pages_connected=live.__len__,
        pool_connections=pool.connections,
        stalled_services=core.supervisor.hanging,
    )
    core.observers.metrics.watch(core.observers.view, build, sources, core.now)
