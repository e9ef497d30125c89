"""Counters and histograms, fed by facts."""

from collections import Counter as Tally
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Histogram

from pattern_sync.domain import facts
from pattern_sync.domain.decision import ReviewAction, ReviewResult
from pattern_sync.domain.notification import Channel, NotificationKind
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.domain.reception import SessionEnd
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.rules import RuleVerdict
from pattern_sync.domain.scans import ScanKind, leading
from pattern_sync.observability.metrics.catalogue import PREFIX, Metric

# Without those that are not outcomes yet: these patterns are reconciled again.
_OUTCOMES = [outcome for outcome in Outcome if outcome not in (Outcome.HELD, Outcome.UNTRIED)]
_KINDS = (
    (Channel.PATTERNS, NotificationKind.PATTERN),
    (Channel.PATTERNS, NotificationKind.EVERYTHING),
    (Channel.PATTERNS, NotificationKind.SETTINGS),
    (Channel.PAGES, NotificationKind.CHANGES),
    (Channel.PAGES, NotificationKind.EVERYTHING),
)
_WHOLE_SCAN = ("queued", "refreshed", "failed")
# The label's spelling of "catch-up".
_CAUSES = {kind: kind.value.replace("-", "_") for kind in ScanKind}
_EVENT, _RETRY, _REFRESH = "event", "retry", "refresh"


class Instruments:
    """Adds up facts. Series whose labels are known begin at 0, so that their first increase is seen as one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._reconnects = _counter(Metric.LISTENER_RECONNECTS, registry)
        self._notifications = _counter(Metric.NOTIFICATIONS, registry)
        self._unknown = _counter(Metric.UNKNOWN_NOTIFICATIONS, registry)
        self._heartbeat = _histogram(Metric.HEARTBEAT_SECONDS, registry)
        self._round_trip = _histogram(Metric.ROUND_TRIP_SECONDS, registry)
        self._patterns = _counter(Metric.PATTERNS, registry)
        self._recovered = _counter(Metric.RECOVERED_PATTERNS, registry)
        self._runs = _histogram(Metric.RUN_SECONDS, registry)
        self._batches = _histogram(Metric.BATCH_PATTERNS, registry)
        self._waits = _histogram(Metric.EVENT_TO_ENTRY, registry)
        self._decisions = _counter(Metric.DECISIONS, registry)
        self._requests = _counter(Metric.HTTP_REQUESTS, registry)
        self._request_seconds = _histogram(Metric.HTTP_SECONDS, registry)
        self._lagging = _counter(Metric.PAGES_LAGGING_CLOSED, registry)
        self._rule_decisions = _counter(Metric.RULE_DECISIONS, registry)
        self._begin_at_zero()
        # Found once: these are on the way from a commit to its entry.
        self._arrivals: dict[tuple[Channel, NotificationKind], Counter] = {
            labels: self._notifications.labels(*labels) for labels in _KINDS
        }
        self._of_events: dict[Outcome, Counter] = {
            outcome: self._patterns.labels(_EVENT, outcome) for outcome in _OUTCOMES
        }

    def __call__(self, fact: facts.Fact) -> None:
        """Take a fact."""
        match fact:
            case facts.NotificationReceived(channel, kind):
                if arrivals := self._arrivals.get((channel, kind)):
                    arrivals.inc()
            case facts.NotificationIgnored():
                self._unknown.inc()
            case facts.PatternsReconciled():
                self._reconciled(fact)
            case facts.RequestAnswered(route, code, seconds):
                self._requests.labels(route, code).inc()
                self._request_seconds.labels(route).observe(seconds)
            case facts.SessionProven(heartbeat_seconds, round_trip_seconds):
                self._heartbeat.observe(heartbeat_seconds)
                if round_trip_seconds is not None:
                    self._round_trip.observe(round_trip_seconds)
            case _:
                self._take_rare(fact)

    def _take_rare(self, fact: facts.Fact) -> None:
        match fact:
            case facts.SessionEnded(end):
                self._reconnects.labels(end).inc()
            case facts.ScanFinished(kinds, result):
                self._scanned(_CAUSES[leading(kinds)], result)
            case facts.EntriesRefreshed(entries):
                self._patterns.labels(_REFRESH, Outcome.REFRESHED).inc(entries)
            case facts.QuarantineRetried(retried):
                self._patterns.labels(_RETRY, Outcome.QUEUED).inc(len(retried.queued_signatures))
                self._patterns.labels(_RETRY, Outcome.REFRESHED).inc(len(retried.refreshed_signatures))
                self._patterns.labels(_RETRY, Outcome.FAILED).inc(retried.failed)
            case facts.SweepSettled(recovered):
                self._recovered.labels(_CAUSES[ScanKind.SWEEP]).inc(recovered)
            case facts.CatchUpSettled(recovered):
                self._recovered.labels(_CAUSES[ScanKind.CATCH_UP]).inc(recovered)
            case facts.ReviewActed(action, result, count):
                self._decisions.labels(action, result).inc(count)
            case facts.PageTooSlow():
                self._lagging.inc()
            case facts.RuleDecided(verdict=verdict, patterns=patterns):
                self._rule_decisions.labels(verdict).inc(patterns)
            case _:
                return

    def _reconciled(self, fact: facts.PatternsReconciled) -> None:
        self._batches.observe(len(fact.outcomes) + fact.gone)
        self._of_events[Outcome.GONE].inc(fact.gone)
        for outcome, count in Tally(item.outcome for item in fact.outcomes).items():
            if counter := self._of_events.get(outcome):
                counter.inc(count)
        for seconds in fact.waited_seconds:
            self._waits.observe(seconds)

    def _scanned(self, cause: str, result: SyncResult) -> None:
        self._runs.labels(cause).observe(result.sync_duration_ms / 1000)
        counts = (result.synced_count, result.refreshed_count, result.error_count)
        for outcome, count in zip(_WHOLE_SCAN, counts, strict=True):
            self._patterns.labels(cause, outcome).inc(count)

    def _begin_at_zero(self) -> None:
        known = {
            self._reconnects: product(SessionEnd),
            self._patterns: [*product([*_CAUSES.values(), _RETRY], _WHOLE_SCAN), (_REFRESH, Outcome.REFRESHED)],
            self._recovered: [(_CAUSES[ScanKind.CATCH_UP],), (_CAUSES[ScanKind.SWEEP],)],
            self._runs: product(_CAUSES.values()),
            self._decisions: product(ReviewAction, ReviewResult),
            self._rule_decisions: product(RuleVerdict),
        }
        for instrument, series in known.items():
            for labels in series:
                instrument.labels(*labels)


def _counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    definition = metric.value
    return Counter(PREFIX + definition.name, definition.help, definition.labels, registry=registry)


def _histogram(metric: Metric, registry: CollectorRegistry) -> Histogram:
    definition = metric.value
    name = PREFIX + definition.name
    return Histogram(name, definition.help, definition.labels, buckets=definition.buckets, registry=registry)
