"""Metrics: what facts add up to, what a scrape shows, and that the reference has all of it."""

import re
from collections.abc import Mapping

import pytest
from prometheus_client import Metric as Family

from pattern_sync.domain import facts
from pattern_sync.domain.decision import ReviewAction, ReviewResult
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.notification import Channel, NotificationKind
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.reception import Audience, SessionEnd, TriggerFault
from pattern_sync.domain.results import Retried, SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.domain.statistics import PendingEntries
from pattern_sync.observability.metrics.catalogue import Metric, Type
from pattern_sync.observability.metrics.exposition import Metrics
from pattern_sync.observability.metrics.gauges import Build, Gauges, Sources
from pattern_sync.observability.view import View
from tests.support.fakes import Clock

NOON = 1_795_000_000.0
DISABLED = TriggerFault("operation_patterns", "the trigger is disabled", Audience.DAEMONS, mendable=True)
POOL = {("people", "in_use"): 1, ("services", "in_use"): 2, ("any", "idle"): 3}


class Scraped:
    """The metrics of a daemon in memory, on a clock that stands still."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.begun = self.clock()
        self.view = View(self.clock)
        self.metrics = Metrics()
        self.depth = 0
        self.oldest_at: float | None = None
        self.filter = SyncFilter(70.0, 5, 1000.0, max_patterns=None, only_types=("a", "b"))
        self.stalled: list[str] = []
        sources = Sources(
            filter_in_force=lambda: self.filter,
            intake_depth=lambda: self.depth,
            intake_oldest_at=lambda: self.oldest_at,
            pages_connected=lambda: 4,
            pool_connections=lambda: POOL,
            stalled_services=lambda: self.stalled,
        )
        build = Build("1.2.3", 7, "3.11.7", 3600.0)
        gauges = Gauges(self.view, build, sources, self.clock, lambda: NOON + self.clock() - self.begun)
        self.metrics.registry.register(gauges)

    def take(self, *taken: facts.Fact) -> None:
        for fact in taken:
            self.view(fact)
            self.metrics(fact)

    def families(self) -> dict[str, Family]:
        return {family.name: family for family in self.metrics.registry.collect()}

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"pattern_sync_{name}", labels)

    def series(self, name: str) -> Mapping[tuple[str, ...], float]:
        """Return the values that are not 0, by the values of the labels."""
        samples = [s for f in self.metrics.registry.collect() for s in f.samples if s.name == f"pattern_sync_{name}"]
        return {tuple(sample.labels.values()): sample.value for sample in samples if sample.value}


@pytest.fixture
def scraped() -> Scraped:
    return Scraped()


def outcomes(*wanted: Outcome) -> tuple[PatternOutcome, ...]:
    return tuple(PatternOutcome(RowId(number), f"s{number}", outcome) for number, outcome in enumerate(wanted))


def test_a_scrape_has_exactly_the_metrics_of_the_catalogue_and_those_of_the_process(scraped: Scraped) -> None:
    served = {name: family for name, family in scraped.families().items() if not name.startswith("process_")}
    catalogue = {f"pattern_sync_{metric.value.name}": metric.value for metric in Metric}
    assert served.keys() == catalogue.keys()
    for name, family in served.items():
        assert (family.type, family.documentation) == (catalogue[name].type, catalogue[name].help)
        for sample in family.samples:
            assert tuple(label for label in sample.labels if label != "le") == catalogue[name].labels


def test_names_have_their_units_and_helps_are_sentences() -> None:
    for metric in Metric:
        definition = metric.value
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", definition.name)
        assert definition.help.endswith(".")
        assert not definition.name.endswith("_total"), "the library adds it"
        if definition.type is Type.HISTOGRAM:
            assert definition.name.endswith(("_seconds", "_patterns"))
            assert definition.buckets == tuple(sorted(definition.buckets))


def test_the_event_path_counts_each_pattern_once_by_its_outcome(scraped: Scraped) -> None:
    done = outcomes(Outcome.QUEUED, Outcome.QUEUED, Outcome.DECIDED, Outcome.HELD)
    scraped.take(facts.PatternsReconciled(done, 4.0, gone=1, waited_seconds=(0.002, 3.0)))
    assert scraped.series("patterns_total") == {
        ("event", "queued"): 2.0,
        ("event", "decided"): 1.0,
        ("event", "gone"): 1.0,
    }
    assert scraped.value("batch_patterns_sum") == 5
    assert scraped.value("event_to_entry_seconds_count") == 2
    assert scraped.value("event_to_entry_seconds_bucket", le="0.0025") == 1
    assert scraped.value("event_to_entry_seconds_sum") == 3.002


def test_a_scan_counts_for_the_first_of_its_kinds(scraped: Scraped) -> None:
    result = SyncResult(synced_count=3, refreshed_count=2, error_count=1, sync_duration_ms=250.0)
    scraped.take(facts.ScanFinished(frozenset({ScanKind.CATCH_UP, ScanKind.SWEEP}), result))
    scraped.take(facts.EntriesRefreshed(5, 1.0), facts.QuarantineRetried(Retried(4, 1, 9, (), ("a", "b"), ("c",))))
    assert scraped.series("patterns_total") == {
        ("catch_up", "queued"): 3.0,
        ("catch_up", "refreshed"): 2.0,
        ("catch_up", "failed"): 1.0,
        ("refresh", "refreshed"): 5.0,
        ("retry", "queued"): 2.0,
        ("retry", "refreshed"): 1.0,
        ("retry", "failed"): 1.0,
    }
    assert scraped.series("run_duration_seconds_sum") == {("catch_up",): 0.25}
    assert scraped.value("quarantined_patterns") == 9


def test_how_the_gate_of_the_model_stands_is_told_while_there_is_a_model(scraped: Scraped) -> None:
    assert scraped.series("model_z") == scraped.series("likelihoods_shown") == {}
    scraped.take(facts.GateJudged(-0.4, shown=False))
    assert (scraped.value("model_z"), scraped.value("likelihoods_shown")) == (-0.4, 0)
    scraped.take(facts.GateJudged(2.5, shown=True))
    assert (scraped.value("model_z"), scraped.value("likelihoods_shown")) == (2.5, 1)
    scraped.take(facts.ModelIgnored(1, "edited"))
    assert scraped.series("model_z") == scraped.series("likelihoods_shown") == {}


def test_recovered_patterns_are_counted_by_what_found_them(scraped: Scraped) -> None:
    assert scraped.value("recovered_patterns_total", by="sweep") == 0, "an increase from nothing would not be seen"
    scraped.take(facts.SweepSettled(2, 2, 1.0), facts.SweepSettled(1, 3, 2.0), facts.CatchUpSettled(5))
    assert scraped.series("recovered_patterns_total") == {("sweep",): 3.0, ("catch_up",): 5.0}


def test_notifications_are_counted_by_channel_and_kind_and_strange_ones_apart(scraped: Scraped) -> None:
    received = facts.NotificationReceived
    scraped.take(
        received(Channel.PATTERNS, NotificationKind.PATTERN),
        received(Channel.PAGES, NotificationKind.CHANGES),
        received(Channel.PATTERNS, NotificationKind.UNKNOWN),
        facts.NotificationIgnored("'x'"),
    )
    assert scraped.series("notifications_total") == {("patterns", "pattern"): 1.0, ("pages", "changes"): 1.0}
    assert scraped.value("unknown_notifications_total") == 1


def test_the_life_of_the_listen_session_is_measured(scraped: Scraped) -> None:
    assert scraped.series("listener_mode") == {("starting",): 1.0}
    scraped.take(facts.SessionProven(0.001, 0.02), facts.SessionProven(0.003, None), facts.ListenerListening(None))
    assert scraped.value("heartbeat_seconds_count") == 2
    assert scraped.value("round_trip_seconds_sum") == 0.02
    assert scraped.series("listener_mode") == {("listening",): 1.0}
    scraped.take(facts.SessionEnded(SessionEnd.KILLED), facts.SessionEnded(SessionEnd.REFUSED))
    assert scraped.series("listener_reconnects_total") == {("killed",): 1.0, ("refused",): 1.0}


def test_decisions_pages_and_requests_are_counted(scraped: Scraped) -> None:
    scraped.take(
        facts.ReviewActed(ReviewAction.APPROVE, ReviewResult.DONE),
        facts.ReviewActed(ReviewAction.REJECT, ReviewResult.CONFLICT),
        facts.PageTooSlow(),
        facts.RequestAnswered("/readyz", "200", 0.004),
    )
    assert scraped.series("decisions_total") == {("approve", "done"): 1.0, ("reject", "conflict"): 1.0}
    assert scraped.value("pages_lagging_closed_total") == 1
    assert scraped.series("http_requests_total") == {("/readyz", "200"): 1.0}
    assert scraped.series("http_request_seconds_sum") == {("/readyz",): 0.004}


def test_a_database_is_up_from_the_first_use_until_it_is_lost(scraped: Scraped) -> None:
    assert scraped.value("database_up") == 0
    scraped.take(facts.FilterPublished(SyncFilter()))
    assert scraped.value("database_up") == 1
    scraped.take(facts.DatabaseLost("down"))
    assert scraped.value("database_up") == 0
    scraped.take(facts.DatabaseBack(1.0))
    assert scraped.value("database_up") == 1


def test_moments_are_times_of_day_and_absent_before_they_come(scraped: Scraped) -> None:
    for name in ("notification", "heartbeat", "catch_up", "sweep"):
        assert scraped.value(f"last_{name}_timestamp_seconds") is None
    scraped.clock.seconds += 10
    scraped.take(
        facts.NotificationReceived(Channel.PATTERNS, NotificationKind.PATTERN),
        facts.SessionProven(0.001, None),
        facts.ScanFinished(frozenset({ScanKind.SWEEP}), SyncResult()),
        facts.SweepPlanned(3600.0),
    )
    scraped.clock.seconds += 10
    scraped.take(facts.NotificationReceived(Channel.PAGES, NotificationKind.CHANGES))
    for name in ("notification", "heartbeat", "sweep"):
        assert scraped.value(f"last_{name}_timestamp_seconds") == NOON + 10
    assert scraped.value("last_catch_up_timestamp_seconds") is None
    assert scraped.value("next_sweep_timestamp_seconds") == NOON + 3610


def test_what_a_scan_leaves_behind_is_shown_but_a_manual_one_has_another_filter(scraped: Scraped) -> None:
    assert scraped.value("qualifying_missing") is None
    assert scraped.value("pending_entries") is None
    left = SyncResult(error_count=2, remaining_count=3)
    scraped.take(facts.ScanFinished(frozenset({ScanKind.POLL}), left))
    assert scraped.value("qualifying_missing") == 5
    scraped.take(facts.ScanFinished(frozenset({ScanKind.MANUAL}), SyncResult(remaining_count=99)))
    assert scraped.value("qualifying_missing") == 5
    scraped.take(facts.PendingCounted(PendingEntries(7, NOON - 86_400)))
    assert (scraped.value("pending_entries"), scraped.value("oldest_pending_seconds")) == (7, 86_400)
    scraped.clock.seconds += 60
    assert scraped.value("oldest_pending_seconds") == 86_460
    for pending in (PendingEntries(0, None), PendingEntries(0, NOON + 3600), PendingEntries(0, float("inf"))):
        scraped.take(facts.PendingCounted(pending))
        assert (scraped.value("pending_entries"), scraped.value("oldest_pending_seconds")) == (0, 0)


def test_what_the_parts_know_is_read_at_the_scrape(scraped: Scraped) -> None:
    assert scraped.value("intake_oldest_seconds") == 0
    scraped.depth, scraped.oldest_at, scraped.stalled = 12, scraped.clock() - 30, ["sweeper"]
    assert (scraped.value("intake_depth"), scraped.value("intake_oldest_seconds")) == (12, 30)
    assert scraped.value("stalled_services") == 1
    assert scraped.value("pages_connected") == 4
    assert scraped.series("pool_connections") == POOL
    assert scraped.value("sweep_interval_seconds") == 3600
    assert scraped.series("build_info") == {("1.2.3", "7", "3.11.7"): 1.0}
    assert scraped.series("filter_info") == {("70", "5", "1000", "a,b", "", "", ""): 1.0}
    scraped.filter = SyncFilter(70.0, 5, 1234567.89, max_patterns=None)
    assert scraped.series("filter_info") == {("70", "5", "1234567.89", "", "", "", ""): 1.0}
    scraped.filter = SyncFilter(80.0, 5, 1000.0, max_patterns=None)
    assert scraped.series("filter_info") == {("80", "5", "1000", "", "", "", ""): 1.0}


def test_silence_is_shown(scraped: Scraped) -> None:
    assert (scraped.value("triggers_unfit"), scraped.value("triggers_unseen")) == (0, 0)
    assert scraped.value("notification_queue_usage_ratio") is None
    scraped.take(
        facts.TriggersFaulty((DISABLED,), silenced=True),
        facts.TriggersUnseen("no right"),
        facts.TriggersChecked(0.25),
    )
    assert (scraped.value("triggers_unfit"), scraped.value("triggers_unseen")) == (1, 1)
    assert scraped.value("notification_queue_usage_ratio") == 0.25


def test_a_daemon_that_the_database_does_not_tell_of_changes_polls(scraped: Scraped) -> None:
    scraped.take(facts.ListenerListening(None), facts.TriggersFaulty((DISABLED,), silenced=True))
    assert scraped.series("listener_mode") == {("polling",): 1.0}
    scraped.take(facts.TriggersSound(1.0))
    assert scraped.series("listener_mode") == {("listening",): 1.0}


def test_settings_that_are_not_in_force_are_shown(scraped: Scraped) -> None:
    def shown() -> tuple[float | None, float | None]:
        return scraped.value("filter_foreign"), scraped.value("reload_refused")

    assert shown() == (0, 0)
    scraped.take(facts.FilterForeign(SyncFilter(), scraped.filter, None), facts.ReloadRefused("abc is no number"))
    assert shown() == (1, 1)
    scraped.take(facts.FilterOwn(scraped.filter), facts.SettingsReloaded("70", changed=False))
    assert shown() == (0, 0)


def test_stale_pages_are_shown(scraped: Scraped) -> None:
    assert scraped.value("pages_stale") == 0
    scraped.take(facts.PagesStale("down"))
    assert scraped.value("pages_stale") == 1
    scraped.take(facts.PagesCurrent(1.0))
    assert scraped.value("pages_stale") == 0


def test_series_whose_labels_are_known_begin_at_0(scraped: Scraped) -> None:
    for cause in ("catch_up", "sweep", "poll", "request", "manual", "retry"):
        for outcome in ("queued", "refreshed", "failed"):
            assert scraped.value("patterns_total", cause=cause, outcome=outcome) == 0, (cause, outcome)
    assert scraped.value("patterns_total", cause="refresh", outcome="refreshed") == 0
    for outcome in ("queued", "refreshed", "unchanged", "decided", "short", "failed", "gone"):
        assert scraped.value("patterns_total", cause="event", outcome=outcome) == 0, outcome


@pytest.mark.parametrize(
    "accept",
    [
        "text/plain;version=latest",
        "application/openmetrics-text; version=abc",
        "text/plain;version=" + "9" * 40,
        "application/openmetrics-text;version==;escaping==",
    ],
)
def test_a_version_that_is_no_number_is_no_fault_of_ours(scraped: Scraped, accept: str) -> None:
    _, content_type = scraped.metrics.scrape(accept)
    assert content_type.startswith(("text/plain; version=", "application/openmetrics-text; version="))


def test_a_scraper_gets_the_format_that_it_accepts(scraped: Scraped) -> None:
    text, content_type = scraped.metrics.scrape("")
    assert content_type.startswith("text/plain; version=")
    assert not text.endswith(b"# EOF\n")
    text, content_type = scraped.metrics.scrape("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith(b"# EOF\n")
    assert b"pattern_sync_recovered_patterns_total" in text
