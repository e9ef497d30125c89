"""Every metric: its name, its type, its labels and its help. `make docs` lists them for operators."""

from dataclasses import dataclass
from enum import Enum, StrEnum

PREFIX = "pattern_sync_"
# From an event that takes a millisecond to one that waits for somebody's lock.
_WAIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_RUN_BUCKETS = (0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0)
# Few, as there is one histogram for each route.
_REQUEST_BUCKETS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
_SIZE_BUCKETS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)


class Type(StrEnum):
    """The type of a metric, as Prometheus names it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a metric is; `name` lacks the prefix, and a counter's also the suffix `_total`, which the library adds."""

    name: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        """Return the name in a query; a histogram also has `_bucket`, `_sum` and `_count`."""
        return f"{PREFIX}{self.name}{'_total' if self.type is Type.COUNTER else ''}"


def _gauge(name: str, text: str, *labels: str) -> Definition:
    return Definition(name, Type.GAUGE, text, labels)


def _counter(name: str, text: str, *labels: str) -> Definition:
    return Definition(name, Type.COUNTER, text, labels)


def _histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Definition:
    return Definition(name, Type.HISTOGRAM, text, labels, buckets)


class Metric(Enum):
    """In the order of the reference. Every label has a bounded number of values."""

    BUILD_INFO = _gauge("build_info", "Always 1; the labels name the version.", "version", "schema_version", "python")
    FILTER_INFO = _gauge(
        "filter_info",
        "Always 1; the labels are the filter that this daemon works by.",
        "min_confidence",
        "min_occurrences",
        "min_savings",
        "only_types",
        "exclude_types",
        "max_age_days",
        "min_workflows",
    )
    FILTER_FOREIGN = _gauge("filter_foreign", "Whether another filter than this daemon's own is in force.")
    RELOAD_REFUSED = _gauge("reload_refused", "Whether the last reload of the settings was refused.")
    DATABASE_UP = _gauge("database_up", "Whether every service can use the database.")
    LISTENER_MODE = _gauge("listener_mode", "1 for how the daemon learns of changes, 0 for the other ways.", "mode")
    LISTENER_RECONNECTS = _counter(
        "listener_reconnects", "LISTEN sessions that were lost or could not be had, by reason.", "reason"
    )
    NOTIFICATIONS = _counter("notifications", "Notifications that arrived.", "channel", "kind")
    UNKNOWN_NOTIFICATIONS = _counter("unknown_notifications", "Payloads that Pattern Sync does not send; ignored.")
    HEARTBEAT_SECONDS = _histogram(
        "heartbeat_seconds", "Time in which the LISTEN session answered a heartbeat.", _WAIT_BUCKETS
    )
    ROUND_TRIP_SECONDS = _histogram(
        "round_trip_seconds", "Time from sending a notification to its arrival at the same daemon.", _WAIT_BUCKETS
    )
    LAST_NOTIFICATION = _gauge(
        "last_notification_timestamp_seconds", "When a notification of a pattern last arrived; absent if none has."
    )
    LAST_HEARTBEAT = _gauge(
        "last_heartbeat_timestamp_seconds", "When the LISTEN session last answered; absent if it never has."
    )
    LAST_CATCH_UP = _gauge("last_catch_up_timestamp_seconds", "When a catch-up last ended; absent if none has.")
    LAST_SWEEP = _gauge("last_sweep_timestamp_seconds", "When a sweep last ended; absent if none has.")
    NEXT_SWEEP = _gauge("next_sweep_timestamp_seconds", "When the next sweep begins; absent before it is planned.")
    SWEEP_INTERVAL = _gauge("sweep_interval_seconds", "The interval of sweeps, from the settings.")
    TRIGGERS_UNFIT = _gauge("triggers_unfit", "Faults of the triggers, as of the last look, seconds ago.")
    TRIGGERS_UNSEEN = _gauge("triggers_unseen", "Whether the triggers cannot be checked.")
    NOTIFICATION_QUEUE_USAGE = _gauge(
        "notification_queue_usage_ratio",
        "Share of the server's notification queue that is in use, as of the last look, seconds ago.",
    )
    PATTERNS = _counter(
        "patterns",
        "Patterns by what caused the reconcile and what came of it. A scan counts what it queued, refreshed, or failed"
        " to queue, those included that were refused before.",
        "cause",
        "outcome",
    )
    RECOVERED_PATTERNS = _counter(
        "recovered_patterns",
        "Patterns that a catch-up or a sweep queued and no notification announced within 5 seconds. The first catch-up"
        " after a start does not count.",
        "by",
    )
    RUN_SECONDS = _histogram("run_duration_seconds", "Duration of scans of all patterns.", _RUN_BUCKETS, "kind")
    BATCH_PATTERNS = _histogram("batch_patterns", "Patterns that the event path reconciled at once.", _SIZE_BUCKETS)
    EVENT_TO_ENTRY = _histogram(
        "event_to_entry_seconds",
        "Time from the arrival of a pattern's notification to the commit of its entry.",
        _WAIT_BUCKETS,
    )
    INTAKE_DEPTH = _gauge("intake_depth", "Patterns that wait to be reconciled.")
    INTAKE_OLDEST = _gauge(
        "intake_oldest_seconds", "Age of the oldest mark that waits or is being reconciled; 0 if there is none."
    )
    QUARANTINED_PATTERNS = _gauge("quarantined_patterns", "Patterns that qualify and are refused by the application.")
    QUALIFYING_MISSING = _gauge(
        "qualifying_missing", "Patterns that qualified and had no entry when the last scan ended; absent before it."
    )
    PENDING_ENTRIES = _gauge(
        "pending_entries", "Pending entries, as of the last catch-up or sweep; absent before the first."
    )
    OLDEST_PENDING = _gauge(
        "oldest_pending_seconds",
        "Age of the entry that was the oldest pending one at the last catch-up or sweep; 0: there was none.",
    )
    DECISIONS = _counter("decisions", "Decisions and comments over HTTP, by what came of them.", "action", "result")
    HTTP_REQUESTS = _counter(
        "http_requests",
        "HTTP requests, and WebSockets that were refused, by the template of the path.",
        "route",
        "code",
    )
    HTTP_SECONDS = _histogram("http_request_seconds", "Time to answer an HTTP request.", _REQUEST_BUCKETS, "route")
    PAGES_CONNECTED = _gauge("pages_connected", "Open review pages and other clients of the live updates.")
    PAGES_LAGGING_CLOSED = _counter(
        "pages_lagging_closed", "Live connections closed because the client read too slowly."
    )
    PAGES_STALE = _gauge("pages_stale", "Whether the review pages cannot be kept up to date.")
    MESSAGES = _gauge(
        "messages", "Messages to people of the last 30 days, by their destination and state.", "channel", "state"
    )
    RULES = _gauge("rules", "Rules that decide for people, by what they do.", "state")
    RULE_DECISIONS = _counter("rule_decisions", "Patterns that rules have decided, by this daemon.", "verdict")
    MODEL_Z = _gauge(
        "model_z",
        "By how many standard errors predictions of decisions are better than the base rate, as of the last sweep.",
    )
    LIKELIHOODS_SHOWN = _gauge(
        "likelihoods_shown", "Whether entries show how likely they are approved; absent while nothing was learned."
    )
    POOL_CONNECTIONS = _gauge(
        "pool_connections",
        "Database connections beside the LISTEN session, by who uses them; an idle one is anybody's.",
        "lane",
        "state",
    )
    STALLED_SERVICES = _gauge("stalled_services", "Services that make no progress.")
