"""What the probes report in every state of a daemon."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest

from pattern_sync.domain.facts import (
    DatabaseBack,
    DatabaseLost,
    Fact,
    FilterForeign,
    FilterOwn,
    ListenerListening,
    ListenerLost,
    NotificationQueueDrained,
    NotificationQueueFull,
    NotificationReceived,
    PagesCurrent,
    PagesStale,
    QuarantineRetried,
    ResultsResumed,
    ResultsStopped,
    ScanFinished,
    SchemaRead,
    SettingsReloaded,
    SweepPlanned,
    SweepSettled,
    TellingResumed,
    TellingStopped,
    TriggersFaulty,
    TriggersSeen,
    TriggersUnseen,
)
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.notification import Channel, NotificationKind
from pattern_sync.domain.reception import Audience, LackingRole, Mode, TriggerFault
from pattern_sync.domain.results import Retried, SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.domain.statistics import Publication
from pattern_sync.observability.health import Condition, Health, HealthReporter
from pattern_sync.observability.view import View
from pattern_sync.services.liveness import STEP_SECONDS
from pattern_sync.services.supervisor import Service, Supervisor
from pattern_sync.sync.periodic import Poller, Sweeper
from tests.support.fakes import Clock, RecordedReports, outage_backoff

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
DRIVERS_WORDS = "connection to server at 10.0.0.5, user app, failed"


class Observed:
    """A daemon's view on a clock that stands still, and its report."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._begun = self.clock()
        self.view = View(self.clock)
        self._supervisor = Supervisor(self.clock, outage_backoff)
        self.waiting: list[int] = []
        self._reporter = HealthReporter(
            self.view, "1.2.3", self.clock, self._wall_clock, self.waiting.__len__, self._supervisor.hanging
        )

    def _wall_clock(self) -> datetime:
        return START + timedelta(seconds=self.clock() - self._begun)

    def report(self) -> Health:
        return self._reporter.report()

    def scanned(self, *kinds: ScanKind, result: SyncResult | None = None) -> None:
        self.view(ScanFinished(frozenset(kinds), result or SyncResult()))

    def caught_up(self) -> None:
        self.view(ListenerListening(None))
        self.scanned(ScanKind.CATCH_UP)

    def working(self, service: type[Service], seconds: float = STEP_SECONDS) -> AbstractContextManager[None]:
        return self._supervisor.activity(service, RecordedReports()).liveness.working(seconds)


@pytest.fixture
def observed() -> Observed:
    return Observed()


def test_before_its_first_catch_up_a_daemon_is_not_available(observed: Observed) -> None:
    report = observed.report()
    assert report.status is Condition.UNAVAILABLE
    assert report.reasons == ("The first catch-up is not finished yet.",)
    assert (report.database, report.listener) == (Condition.OK, Mode.STARTING)
    assert (report.started_at, report.version) == (START, "1.2.3")


def test_a_daemon_that_listens_and_has_caught_up_is_healthy(observed: Observed) -> None:
    observed.clock.seconds += 2
    observed.caught_up()
    observed.clock.seconds += 60
    report = observed.report()
    assert (report.status, report.reasons) == (Condition.OK, ())
    assert report.started_at == START
    assert report.last_catch_up_at == report.listener_since == START + timedelta(seconds=2)
    assert report.last_sweep_at is report.last_notification_at is report.database_lost_at is None


def test_a_schema_that_is_newer_is_shown_and_degrades_nothing(observed: Observed) -> None:
    assert observed.report().schema_version is None
    observed.view(SchemaRead(5, 4))
    observed.caught_up()
    report = observed.report()
    assert (report.schema_version, report.status, report.reasons) == (5, Condition.OK, ())


def test_every_moment_is_a_time_of_day(observed: Observed) -> None:
    observed.caught_up()
    observed.clock.seconds += 10
    observed.view(NotificationReceived(Channel.PATTERNS, NotificationKind.PATTERN))
    observed.clock.seconds += 10
    observed.scanned(ScanKind.SWEEP, ScanKind.REQUEST, result=SyncResult(synced_count=3, error_count=1))
    observed.view(SweepPlanned(3600))
    observed.waiting.extend([1, 2])
    observed.clock.seconds += 10
    report = observed.report()
    assert report.last_notification_at == START + timedelta(seconds=10)
    assert report.last_sweep_at == START + timedelta(seconds=20)
    assert report.next_sweep_at == START + timedelta(seconds=3620)
    assert (report.queued_total, report.failed_total, report.queue_depth) == (3, 1, 2)


def test_a_lost_database_is_reported_without_the_drivers_words_until_it_is_back(observed: Observed) -> None:
    observed.caught_up()
    observed.clock.seconds += 5
    observed.view(DatabaseLost(DRIVERS_WORDS))
    observed.clock.seconds += 5
    report = observed.report()
    assert (report.status, report.database) == (Condition.UNAVAILABLE, Condition.UNAVAILABLE)
    assert report.database_lost_at == START + timedelta(seconds=5)
    assert "10.0.0.5" not in " ".join(report.reasons)
    observed.view(DatabaseBack(5.0))
    report = observed.report()
    assert (report.status, report.database_lost_at) == (Condition.OK, None)


def test_a_database_that_was_never_reached_is_lost(observed: Observed) -> None:
    observed.view(DatabaseLost(DRIVERS_WORDS))
    report = observed.report()
    assert (report.status, report.database) == (Condition.UNAVAILABLE, Condition.UNAVAILABLE)
    assert DRIVERS_WORDS not in " ".join(report.reasons)


def test_a_daemon_that_polls_is_degraded(observed: Observed) -> None:
    observed.caught_up()
    observed.clock.seconds += 5
    observed.view(ListenerLost(DRIVERS_WORDS))
    report = observed.report()
    assert (report.status, report.listener, report.database) == (Condition.DEGRADED, Mode.POLLING, Condition.OK)
    assert report.listener_since == START + timedelta(seconds=5)
    assert "polls" in report.reasons[0]
    assert DRIVERS_WORDS not in " ".join(report.reasons)
    observed.view(ListenerListening(5.0))
    assert observed.report().status is Condition.OK


def test_another_daemons_filter_degrades_until_ones_own_is_in_force(observed: Observed) -> None:
    observed.caught_up()
    own, other = SyncFilter(min_confidence=70), SyncFilter(min_confidence=30)
    foreign = FilterForeign(other, own, Publication("daemon from 10.0.0.5", START))
    for end in (FilterOwn(own), SettingsReloaded(str(other), changed=False)):
        observed.view(foreign)
        report = observed.report()
        assert report.status is Condition.DEGRADED
        assert str(own) in report.reasons[0]
        assert str(other) in report.reasons[0]
        assert "10.0.0.5" not in report.reasons[0]
        observed.view(end)
        assert observed.report().status is Condition.OK


def test_roles_without_rights_are_named_with_their_grants_a_few_of_hundreds(observed: Observed) -> None:
    observed.caught_up()
    faults = tuple(
        LackingRole(f"r{number}", "may write", Audience.DAEMONS, "USAGE", f"GRANT TO r{number};").fault
        for number in range(800)
    )
    observed.view(TriggersFaulty(faults, silenced=True))
    (reason,) = observed.report().reasons
    assert "the role r0 may write and lacks USAGE" in reason
    assert "and 795 more. Run: GRANT TO r0; GRANT TO r1;" in reason
    assert "migrate" not in reason


def test_a_silent_trigger_degrades_and_is_named_with_the_remedy(observed: Observed) -> None:
    observed.caught_up()
    fault = TriggerFault("operation_patterns", "the trigger is disabled", Audience.DAEMONS, mendable=True)
    unwanted = TriggerFault("old", "a trigger is left", None, mendable=True)
    observed.view(TriggersFaulty((fault, unwanted), silenced=True))
    report = observed.report()
    assert (report.status, report.database) == (Condition.DEGRADED, Condition.OK)
    assert report.reasons == (
        "The daemons are not notified of some changes: the trigger is disabled. Run: pattern-sync migrate",
    )
    observed.view(TriggersFaulty((unwanted,), silenced=False))
    assert observed.report().status is Condition.OK, "no change is missed"


def test_triggers_that_cannot_be_checked_degrade(observed: Observed) -> None:
    observed.caught_up()
    observed.view(TriggersUnseen(DRIVERS_WORDS))
    report = observed.report()
    assert (report.status, report.database) == (Condition.DEGRADED, Condition.OK)
    assert "cannot be checked" in report.reasons[0]
    assert DRIVERS_WORDS not in report.reasons[0]
    observed.view(TriggersSeen())
    assert observed.report().status is Condition.OK


def test_a_full_notification_queue_degrades(observed: Observed) -> None:
    observed.caught_up()
    observed.view(NotificationQueueFull(0.5, 4711))
    assert "50% full" in observed.report().reasons[0]
    assert "4711" in observed.report().reasons[0]
    observed.view(NotificationQueueDrained())
    assert observed.report().status is Condition.OK


def test_recovered_patterns_are_reported_until_a_sweep_finds_none(observed: Observed) -> None:
    observed.caught_up()
    observed.clock.seconds += 3600
    observed.scanned(ScanKind.SWEEP, result=SyncResult(synced_count=2, synced_pattern_ids=("a", "b")))
    swept_at = observed.clock()
    observed.clock.seconds += 5
    observed.view(SweepSettled(2, 2, swept_at))
    report = observed.report()
    assert (report.status, report.recovered_total) == (Condition.DEGRADED, 2)
    assert report.last_recovered_at == report.last_sweep_at == START + timedelta(seconds=3600)
    assert "2 patterns" in report.reasons[0]
    observed.view(SweepSettled(0, 2, observed.clock()))
    report = observed.report()
    assert (report.status, report.recovered_total) == (Condition.OK, 2)
    assert report.last_recovered_at == START + timedelta(seconds=3600)


def test_refused_patterns_degrade_the_daemon_with_their_number(observed: Observed) -> None:
    observed.caught_up()
    observed.view(QuarantineRetried(Retried(3, 3, 3, (DRIVERS_WORDS,), (), ())))
    report = observed.report()
    assert (report.status, report.refused) == (Condition.DEGRADED, 3)
    assert "3 patterns that qualify could not be queued" in report.reasons[0]
    assert DRIVERS_WORDS not in report.reasons[0]
    observed.view(QuarantineRetried(Retried(3, 0, 0, (), ("a", "b", "c"), ())))
    report = observed.report()
    assert (report.status, report.queued_total) == (Condition.OK, 3)


def test_a_daemon_with_stale_pages_is_degraded_and_still_queues(observed: Observed) -> None:
    observed.caught_up()
    observed.view(PagesStale(DRIVERS_WORDS))
    report = observed.report()
    assert (report.status, report.database) == (Condition.DEGRADED, Condition.OK)
    assert "pages" in report.reasons[0]
    assert DRIVERS_WORDS not in " ".join(report.reasons)
    observed.view(PagesCurrent(5.0))
    assert observed.report().status is Condition.OK


@pytest.mark.parametrize(
    ("stopped", "resumed", "words"),
    [
        (TellingStopped("locked"), TellingResumed(3.0), "Messages to people cannot be prepared"),
        (ResultsStopped("locked"), ResultsResumed(3.0), "Results are not kept up to date"),
    ],
)
def test_what_is_done_beside_queueing_degrades_the_daemon_while_it_fails(
    observed: Observed, stopped: Fact, resumed: Fact, words: str
) -> None:
    observed.caught_up()
    observed.view(stopped)
    assert observed.report().status is Condition.DEGRADED
    assert words in " ".join(observed.report().reasons)
    observed.view(resumed)
    assert observed.report().status is Condition.OK


def test_a_manual_sync_is_no_catch_up(observed: Observed) -> None:
    observed.scanned(ScanKind.MANUAL, result=SyncResult(synced_count=2))
    report = observed.report()
    assert (report.status, report.queued_total) == (Condition.UNAVAILABLE, 2)


def test_a_service_that_hangs_is_named(observed: Observed) -> None:
    observed.caught_up()
    with observed.working(Poller, 2 * STEP_SECONDS), observed.working(Sweeper):
        observed.clock.seconds += STEP_SECONDS
        assert observed.report().status is Condition.OK
        observed.clock.seconds += 1
        report = observed.report()
    assert report.status is Condition.DEGRADED
    assert report.reasons == ("Hanging: sweeper.",)


def test_all_faults_are_reported_and_the_worst_decides_the_status(observed: Observed) -> None:
    observed.caught_up()
    observed.view(ListenerLost("deaf"))
    observed.view(DatabaseLost("gone"))
    with observed.working(Sweeper):
        observed.clock.seconds += STEP_SECONDS + 1
        report = observed.report()
    assert report.status is Condition.UNAVAILABLE
    assert len(report.reasons) == 3
