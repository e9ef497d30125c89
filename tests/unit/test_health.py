"""What the probes say of every state that a daemon can be in."""

from datetime import UTC, datetime, timedelta

import pytest

from pattern_sync.domain.errors import DatabaseUnavailable
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.runs import RunKind
from pattern_sync.domain.watching import Audience, Sighting, TriggerFault
from pattern_sync.observability.health import Condition, Health, HealthReporter
from pattern_sync.observability.state import DaemonState, Mode
from pattern_sync.sync.liveness import STEP_SECONDS, Liveness
from pattern_sync.sync.periodic import Poller, Sweeper
from tests.support.fakes import Clock

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
DRIVERS_WORDS = "connection to server at 10.0.0.5, user app, failed"


class Observed:
    """A daemon's state on a clock that stands still, and its report."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._begun = self.clock()
        self.state = DaemonState(self.clock, lambda _: None)
        self.liveness = Liveness(self.clock)
        self.waiting: list[int] = []
        self._reporter = HealthReporter(
            self.state, "1.2.3", self.clock, self._wall_clock, self.waiting.__len__, self.liveness.stalled
        )

    def _wall_clock(self) -> datetime:
        return START + timedelta(seconds=self.clock() - self._begun)

    def report(self) -> Health:
        return self._reporter.report()

    def caught_up(self) -> None:
        self.state.listening()
        self.state.run_finished({RunKind.CATCH_UP}, SyncResult())


@pytest.fixture
def observed() -> Observed:
    return Observed()


def test_before_its_first_catch_up_a_daemon_is_not_available(observed: Observed) -> None:
    report = observed.report()
    assert report.status is Condition.UNAVAILABLE
    assert report.reasons == ("The first catch-up is not done yet.",)
    assert (report.database, report.listener) == (Condition.OK, Mode.STARTING)
    assert (report.started_at, report.version) == (START, "1.2.3")


def test_a_daemon_that_listens_and_has_caught_up_is_well(observed: Observed) -> None:
    observed.clock.seconds += 2
    observed.caught_up()
    observed.clock.seconds += 60
    report = observed.report()
    assert (report.status, report.reasons) == (Condition.OK, ())
    assert report.started_at == START
    assert report.last_catch_up_at == report.listener_since == START + timedelta(seconds=2)
    assert report.last_sweep_at is report.last_notification_at is report.database_lost_at is None


def test_every_moment_is_told_as_a_time_of_day(observed: Observed) -> None:
    observed.caught_up()
    observed.clock.seconds += 10
    observed.state.notified()
    observed.clock.seconds += 10
    observed.state.run_finished({RunKind.SWEEP, RunKind.REQUEST}, SyncResult(synced_count=3, error_count=1))
    observed.state.sweep_planned(3600)
    observed.waiting.extend([1, 2])
    observed.clock.seconds += 10
    report = observed.report()
    assert report.last_notification_at == START + timedelta(seconds=10)
    assert report.last_sweep_at == START + timedelta(seconds=20)
    assert report.next_sweep_at == START + timedelta(seconds=3620)
    assert (report.queued_total, report.failed_total, report.queue_depth) == (3, 1, 2)


def test_a_lost_database_is_told_without_the_drivers_words_until_it_is_back(observed: Observed) -> None:
    observed.caught_up()
    observed.clock.seconds += 5
    observed.state.database_lost(str(DatabaseUnavailable(DRIVERS_WORDS)))
    observed.clock.seconds += 5
    observed.state.database_lost("again")
    report = observed.report()
    assert (report.status, report.database) == (Condition.UNAVAILABLE, Condition.UNAVAILABLE)
    assert report.database_lost_at == START + timedelta(seconds=5)
    assert "10.0.0.5" not in " ".join(report.reasons)
    observed.state.database_back()
    assert observed.report().status is Condition.OK


def test_a_database_that_was_never_reached_is_lost(observed: Observed) -> None:
    observed.state.waiting(DRIVERS_WORDS)
    report = observed.report()
    assert (report.status, report.database) == (Condition.UNAVAILABLE, Condition.UNAVAILABLE)
    assert DRIVERS_WORDS not in " ".join(report.reasons)


def test_a_daemon_that_polls_is_degraded(observed: Observed) -> None:
    observed.caught_up()
    observed.state.polling(DRIVERS_WORDS)
    report = observed.report()
    assert (report.status, report.listener, report.database) == (Condition.DEGRADED, Mode.POLLING, Condition.OK)
    assert "polls" in report.reasons[0]
    assert DRIVERS_WORDS not in " ".join(report.reasons)
    observed.state.listening()
    assert observed.report().status is Condition.OK


def test_a_silent_trigger_degrades_and_is_named_with_the_remedy(observed: Observed) -> None:
    observed.caught_up()
    fault = TriggerFault("operation_patterns", "the trigger is disabled", Audience.DAEMONS, mendable=True)
    unwanted = TriggerFault("old", "a trigger is left", None, mendable=True)
    observed.state.silence.seen(Sighting((fault, unwanted)))
    report = observed.report()
    assert (report.status, report.database) == (Condition.DEGRADED, Condition.OK)
    assert report.reasons == (
        "Some changes are not told to the daemons: the trigger is disabled. Run: pattern-sync migrate",
    )
    observed.state.silence.seen(Sighting((unwanted,)))
    assert observed.report().status is Condition.OK, "nobody misses anything"


def test_a_full_notification_queue_degrades(observed: Observed) -> None:
    observed.caught_up()
    observed.state.silence.seen(Sighting(queue_usage=0.5, hinderer=4711))
    assert "50% full" in observed.report().reasons[0]
    assert "4711" in observed.report().reasons[0]
    observed.state.silence.seen(Sighting(queue_usage=0.49))
    assert observed.report().status is Condition.OK


def test_what_a_sweep_recovered_is_told_until_one_finds_nothing(observed: Observed) -> None:
    observed.caught_up()
    observed.clock.seconds += 3600
    observed.state.run_finished({RunKind.SWEEP}, SyncResult(synced_count=2, synced_pattern_ids=("a", "b")))
    observed.clock.seconds += 5
    assert observed.state.settle() == 2
    report = observed.report()
    assert (report.status, report.recovered_total) == (Condition.DEGRADED, 2)
    assert report.last_recovered_at == report.last_sweep_at
    assert "2 patterns" in report.reasons[0]
    observed.state.run_finished({RunKind.SWEEP}, SyncResult())
    report = observed.report()
    assert (report.status, report.recovered_total) == (Condition.OK, 2)


def test_patterns_that_are_refused_degrade_by_their_number(observed: Observed) -> None:
    observed.caught_up()
    observed.state.refusals(3, [DRIVERS_WORDS])
    report = observed.report()
    assert (report.status, report.refused) == (Condition.DEGRADED, 3)
    assert "3 patterns that qualify could not be queued" in report.reasons[0]
    assert DRIVERS_WORDS not in report.reasons[0]
    observed.state.refusals(0, ())
    assert observed.report().status is Condition.OK


def test_a_daemon_whose_pages_are_cut_off_is_degraded_and_queues_on(observed: Observed) -> None:
    observed.caught_up()
    observed.state.pages_lost("live updates", DRIVERS_WORDS)
    report = observed.report()
    assert (report.status, report.database) == (Condition.DEGRADED, Condition.OK)
    assert "pages" in report.reasons[0]
    assert DRIVERS_WORDS not in " ".join(report.reasons)
    observed.state.pages_back("live updates")
    assert observed.report().status is Condition.OK


def test_a_sync_by_hand_is_no_catch_up(observed: Observed) -> None:
    observed.state.manual_run_finished(SyncResult(synced_count=2))
    report = observed.report()
    assert (report.status, report.queued_total) == (Condition.UNAVAILABLE, 2)


def test_a_service_that_hangs_is_named(observed: Observed) -> None:
    observed.caught_up()
    poller, sweeper = (observed.liveness.life_of(service) for service in (Poller, Sweeper))
    with poller.working() as polling, sweeper.working():
        observed.clock.seconds += STEP_SECONDS
        polling.renew()
        assert observed.report().status is Condition.OK
        observed.clock.seconds += 1
        report = observed.report()
    assert report.status is Condition.DEGRADED
    assert report.reasons == ("Hanging: sweeper.",)


def test_everything_that_is_wrong_is_told_and_the_worst_counts(observed: Observed) -> None:
    observed.caught_up()
    observed.state.polling("deaf")
    observed.state.database_lost("gone")
    with observed.liveness.life_of(Sweeper).working():
        observed.clock.seconds += STEP_SECONDS + 1
        report = observed.report()
    assert report.status is Condition.UNAVAILABLE
    assert len(report.reasons) == 3
