"""Gauges, read from what the daemon knows at the moment of a scrape. Nothing asks the database."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.reception import Mode
from pattern_sync.domain.scans import ScanKind
from pattern_sync.observability.metrics.catalogue import PREFIX, Metric
from pattern_sync.observability.view import View


@dataclass(frozen=True, slots=True)
class Build:
    """What this daemon is and how it was set up."""

    version: str
    schema_version: int
    python: str
    sweep_interval_seconds: float


@dataclass(frozen=True, slots=True)
class Sources:
    """What the parts of a daemon know beside its facts; each is asked at a scrape and answers at once.

    `pool_connections` counts connections by lane and state.
    """

    filter_in_force: Callable[[], SyncFilter]
    intake_depth: Callable[[], int]
    intake_oldest_at: Callable[[], float | None]
    pages_connected: Callable[[], int]
    pool_connections: Callable[[], Mapping[tuple[str, str], int]]
    stalled_services: Callable[[], list[str]]


class Gauges(Collector):
    """Renders the view and the sources. `now` is the view's monotonic clock, `wall_clock` the time since 1970."""

    def __init__(
        self,
        view: View,
        build: Build,
        sources: Sources,
        now: Callable[[], float],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._view = view
        self._build = build
        self._sources = sources
        self._now = now
        self._wall_clock = wall_clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every gauge; one that has no value yet has no sample."""
        yield from self._infos()
        for metric, value in (self._conditions() | self._moments() | self._work()).items():
            yield _family(metric, () if value is None else [((), value)])
        yield _family(Metric.LISTENER_MODE, (((mode.value,), mode is self._view.effective_mode) for mode in Mode))
        yield _family(Metric.POOL_CONNECTIONS, self._sources.pool_connections().items())
        yield _family(Metric.MESSAGES, self._view.messages.items())
        yield _family(Metric.RULES, (((state,), count) for state, count in self._view.rules.items()))

    def _infos(self) -> Iterator[GaugeMetricFamily]:
        build, chosen = self._build, self._sources.filter_in_force()
        yield _family(Metric.BUILD_INFO, [((build.version, str(build.schema_version), build.python), 1)])
        criteria = (_exact(chosen.min_confidence), str(chosen.min_occurrences), _exact(chosen.min_savings))
        types = (",".join(chosen.only_types), ",".join(chosen.exclude_types))
        record = (_exact(chosen.max_age_days), _exact(chosen.min_workflows))
        yield _family(Metric.FILTER_INFO, [((*criteria, *types, *record), 1)])

    def _conditions(self) -> dict[Metric, float | None]:
        view = self._view
        return {
            Metric.FILTER_FOREIGN: view.foreign_filter is not None,
            Metric.RELOAD_REFUSED: view.why_reload_refused is not None,
            Metric.DATABASE_UP: view.database_lost_at is None and view.database_was_reached,
            Metric.TRIGGERS_UNFIT: len(view.trigger_faults),
            Metric.TRIGGERS_UNSEEN: view.triggers_are_unseen,
            Metric.NOTIFICATION_QUEUE_USAGE: view.queue_usage,
            Metric.SWEEP_INTERVAL: self._build.sweep_interval_seconds,
            Metric.PAGES_STALE: view.pages_are_stale,
            Metric.MODEL_Z: None if view.gate is None else view.gate.z,
            Metric.LIKELIHOODS_SHOWN: None if view.gate is None else view.gate.shown,
            Metric.STALLED_SERVICES: len(self._sources.stalled_services()),
        }

    def _moments(self) -> dict[Metric, float | None]:
        view = self._view
        moments = {
            Metric.LAST_NOTIFICATION: view.last_notification_at,
            Metric.LAST_HEARTBEAT: view.last_heartbeat_at,
            Metric.LAST_CATCH_UP: view.last_scan_at.get(ScanKind.CATCH_UP),
            Metric.LAST_SWEEP: view.last_scan_at.get(ScanKind.SWEEP),
            Metric.NEXT_SWEEP: view.next_sweep_at,
        }
        # At each scrape anew: whoever compares with another clock needs this one's current time.
        epoch = self._wall_clock() - self._now()
        return {metric: None if at is None else epoch + at for metric, at in moments.items()}

    def _work(self) -> dict[Metric, float | None]:
        view, sources = self._view, self._sources
        oldest_at = sources.intake_oldest_at()
        pending = view.pending
        return {
            Metric.INTAKE_DEPTH: sources.intake_depth(),
            Metric.INTAKE_OLDEST: 0.0 if oldest_at is None else self._now() - oldest_at,
            Metric.QUARANTINED_PATTERNS: view.refused,
            Metric.QUALIFYING_MISSING: view.qualifying_missing,
            Metric.PENDING_ENTRIES: None if pending is None else pending.count,
            Metric.OLDEST_PENDING: None if pending is None else self._age_of(pending.oldest_at),
            Metric.PAGES_CONNECTED: sources.pages_connected(),
        }

    def _age_of(self, moment: float | None) -> float:
        return 0.0 if moment is None else max(0.0, self._wall_clock() - moment)


def _exact(bound: float | None) -> str:
    # With as many digits as the database keeps of it, so that daemons by one filter show one series.
    return "" if bound is None else f"{bound:.15g}"


def _family(metric: Metric, samples: Iterable[tuple[Sequence[str], float]]) -> GaugeMetricFamily:
    definition = metric.value
    family = GaugeMetricFamily(PREFIX + definition.name, definition.help, labels=definition.labels)
    for labels, value in samples:
        family.add_metric(labels, float(value))
    return family
