"""Patterns that sweeps recover although notifications arrive, and what follows."""

import asyncio
from dataclasses import replace

import pytest

from pattern_sync.domain.facts import CatchUpSettled, SweepPlanned, SweepSettled
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.reception import Audience, Sighting, TriggerFault
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.services.timings import Timings
from pattern_sync.sync.intake import MOST_PATTERNS, Intake
from pattern_sync.sync.periodic import LARGEST_SHARE_OF_TIME, LONGEST_PAUSE_SECONDS, Poller, Sweeper
from pattern_sync.sync.reception import Reception
from pattern_sync.sync.recovery import MOST_NAMES, Recovery
from pattern_sync.sync.silence import Silence
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordedFacts, RecordingActivity, row_ids

HOUR = 3600.0
TIMINGS = Timings()
DISABLED = TriggerFault("operation_patterns", "the trigger is disabled", Audience.DAEMONS, mendable=True)
FOUND = SyncResult(synced_count=3, synced_pattern_ids=("a", "b", "c"), sync_duration_ms=100.0)
MANY = SyncResult(synced_count=1_000, synced_pattern_ids=tuple(f"s{i}" for i in range(200)))


class ListeningDaemon:
    """A daemon that has listened for an hour, on a clock of its own."""

    def __init__(self, first_catch_up: SyncResult | None = None) -> None:
        self.clock = Clock()
        self.facts = RecordedFacts()
        self.intake = Intake(self.clock)
        self.recovery = Recovery(self.clock, self.facts, TIMINGS.settle_seconds, self.intake)
        self.silence = Silence(self.clock, self.facts, self.recovery.deafened, lambda: False, 10.0)
        self.reception = Reception(self.clock, self.facts, self.silence, self.recovery.deafened)
        self.reception.listening()
        self.scan(ScanKind.CATCH_UP, result=first_catch_up)
        self.clock.seconds += HOUR

    def scan(self, *kinds: ScanKind, result: SyncResult | None = None) -> None:
        self.recovery.scanned(set(kinds), result or SyncResult(), listening=self.reception.is_complete)

    def sweep(self, result: SyncResult = FOUND, *more: ScanKind) -> None:
        self.scan(ScanKind.SWEEP, *more, result=result)

    def reconciled(self, *signatures: str, outcome: Outcome = Outcome.UNCHANGED) -> None:
        self.recovery.reconciled([PatternOutcome(RowId(1), signature, outcome) for signature in signatures])

    def settle(self) -> int:
        self.clock.seconds += TIMINGS.settle_seconds
        return self.recovery.settle()

    def lose_and_catch_up(self, result: SyncResult = FOUND, *more: ScanKind) -> None:
        self.reception.lost("killed")
        self.scan(ScanKind.CATCH_UP, *more, result=result)
        self.reception.listening()

    def recovered_by_catch_up(self) -> list[int]:
        return [fact.recovered for fact in self.facts.of(CatchUpSettled)]

    def last_settled(self) -> SweepSettled:
        return self.facts.of(SweepSettled)[-1]


@pytest.fixture
def daemon() -> ListeningDaemon:
    return ListeningDaemon()


def test_patterns_that_a_sweep_finds_while_listening_are_counted_and_reported_once(daemon: ListeningDaemon) -> None:
    daemon.sweep()
    swept_at = daemon.clock()
    assert daemon.recovery.settle() == 0, "notifications sent meanwhile may be on their way"
    assert not daemon.facts.of(SweepSettled)
    assert daemon.settle() == 3
    assert daemon.facts.of(SweepSettled) == [SweepSettled(3, 3, swept_at)]
    assert daemon.settle() == 0
    daemon.sweep()
    daemon.settle()
    assert daemon.last_settled().recovered_total == 6
    daemon.sweep(SyncResult())
    assert daemon.last_settled() == SweepSettled(0, 6, daemon.clock())


def test_patterns_announced_during_the_sweep_are_not_counted(daemon: ListeningDaemon) -> None:
    daemon.sweep()
    daemon.reconciled("a", "b")
    assert daemon.settle() == 1
    daemon.sweep()
    daemon.reconciled("a", "b", "c", "d")
    assert daemon.settle() == 0
    daemon.sweep(MANY)
    daemon.reconciled(*(f"o{i}" for i in range(400)))
    assert daemon.settle() == 600, "more than are named: at least so many"


def test_what_was_met_before_a_scan_says_nothing_about_what_it_found(daemon: ListeningDaemon) -> None:
    daemon.reconciled("a", *(f"o{i}" for i in range(5_000)), outcome=Outcome.SHORT)
    daemon.clock.seconds += 1
    daemon.sweep(MANY)
    assert daemon.settle() == 1_000
    daemon.reconciled("a", outcome=Outcome.SHORT)
    daemon.clock.seconds += 1
    daemon.sweep()
    assert daemon.settle() == 3


def test_a_pattern_queued_by_its_notification_is_not_counted_as_recovered(daemon: ListeningDaemon) -> None:
    daemon.reconciled("a", outcome=Outcome.QUEUED)
    daemon.sweep()
    assert daemon.settle() == 3


@pytest.mark.parametrize("kinds", [(ScanKind.REQUEST,), (ScanKind.CATCH_UP,), (ScanKind.POLL,), (ScanKind.SETTINGS,)])
def test_a_sweep_coalesced_with_other_scans_recovers_nothing(
    daemon: ListeningDaemon, kinds: tuple[ScanKind, ...]
) -> None:
    daemon.sweep(FOUND, *kinds)
    assert daemon.settle() == 0


def test_a_sweep_after_an_announced_bulk_change_recovers_nothing(daemon: ListeningDaemon) -> None:
    daemon.sweep()
    daemon.clock.seconds += 1
    daemon.recovery.everything_notified()
    assert daemon.settle() == 0
    daemon.clock.seconds += 1
    daemon.scan(ScanKind.REQUEST)
    daemon.clock.seconds += HOUR
    daemon.sweep()
    assert daemon.settle() == 3


def test_patterns_found_right_after_deafness_are_not_counted(daemon: ListeningDaemon) -> None:
    daemon.reception.lost("lost")
    daemon.reception.listening()
    daemon.sweep()
    assert daemon.settle() == 0, "the catch-up of this session is not done yet"
    daemon.scan(ScanKind.CATCH_UP)
    daemon.silence.seen(Sighting((DISABLED,)))
    daemon.sweep()
    assert daemon.settle() == 0, "a trigger is silent"
    daemon.silence.seen(Sighting())
    daemon.scan(ScanKind.CATCH_UP)
    daemon.sweep()
    assert daemon.settle() == 3


def test_the_remembered_names_are_bounded_and_the_oldest_go_first(daemon: ListeningDaemon) -> None:
    daemon.sweep()
    daemon.reconciled("a", *(f"o{i}" for i in range(MOST_NAMES - 1)))
    daemon.reconciled("b")
    assert daemon.settle() == 2, "a made room for b"


async def waited_for_the_next_sweep(daemon: ListeningDaemon, interval: float = HOUR) -> float:
    """Return how long a sweeper waits for its next sweep, woken meanwhile or not."""
    activity, intake = RecordingActivity(daemon.clock), Intake()
    sweeper = Sweeper(
        intake,
        daemon.recovery,
        interval,
        lambda: 0.0,
        daemon.facts,
        activity,
        daemon.clock,
        TIMINGS.recovering_seconds,
    )
    task = asyncio.create_task(sweeper.run())
    assert await intake.take_scans(5.0) == {ScanKind.SWEEP}
    task.cancel()
    await asyncio.wait([task])
    return activity.waits[0] if activity.waits else activity.event_waits[0]


def test_sweeps_come_every_minute_until_one_finds_nothing(daemon: ListeningDaemon) -> None:
    async def check() -> None:
        assert await waited_for_the_next_sweep(daemon) == HOUR
        daemon.sweep()
        daemon.settle()
        assert await waited_for_the_next_sweep(daemon) == TIMINGS.recovering_seconds
        daemon.sweep(SyncResult())
        assert await waited_for_the_next_sweep(daemon) == HOUR

    run(check())


def test_a_shorter_sweep_interval_stays(daemon: ListeningDaemon) -> None:
    daemon.sweep()
    daemon.settle()
    assert run(waited_for_the_next_sweep(daemon, 20.0)) == 20.0


@pytest.mark.parametrize(("waited", "left"), [(10.0, 50.0), (600.0, 0.0)])
def test_a_waiting_sweeper_is_woken_when_the_last_sweep_recovered_some(
    daemon: ListeningDaemon, waited: float, left: float
) -> None:
    async def check() -> None:
        activity = RecordingActivity(daemon.clock)

        async def wait_for(event: asyncio.Event, _seconds: float) -> bool:
            return await event.wait()

        activity.wait_for = wait_for  # type: ignore[method-assign, assignment]
        sweeper = Sweeper(Intake(), daemon.recovery, HOUR, lambda: 0.0, daemon.facts, activity, daemon.clock, 60.0)
        task = asyncio.create_task(sweeper.run())
        await settle(lambda: daemon.facts.of(SweepPlanned))
        daemon.sweep()
        daemon.clock.seconds += waited - TIMINGS.settle_seconds
        daemon.settle()
        await settle(lambda: activity.waits)
        task.cancel()
        await asyncio.wait([task])
        assert activity.waits[0] == left
        assert daemon.facts.of(SweepPlanned)[:2] == [SweepPlanned(HOUR), SweepPlanned(left)]

    run(check())


def test_replicas_drift_apart_as_each_sweep_is_up_to_a_tenth_early(daemon: ListeningDaemon) -> None:
    async def check() -> None:
        activity = RecordingActivity(daemon.clock)
        sweeper = Sweeper(Intake(), daemon.recovery, HOUR, lambda: 1.0, daemon.facts, activity, daemon.clock, 60.0)
        task = asyncio.create_task(sweeper.run())
        await settle(lambda: activity.event_waits)
        task.cancel()
        await asyncio.wait([task])
        assert activity.event_waits[0] == 0.9 * HOUR

    run(check())


def polls(poller: Poller, intake: Intake) -> bool:
    """Tick once; return whether that requested a poll."""
    poller.run_once()
    return run(intake.take_scans(0)) == {ScanKind.POLL}


def test_the_poller_polls_while_the_daemon_is_deaf_or_a_trigger_silent(daemon: ListeningDaemon) -> None:
    intake = Intake()
    poller = Poller(intake, daemon.reception, RecordingActivity(daemon.clock), daemon.clock, TIMINGS.poll_seconds)
    assert not polls(poller, intake)
    daemon.silence.seen(Sighting((DISABLED,)))
    assert polls(poller, intake)
    daemon.silence.seen(Sighting())
    assert not polls(poller, intake)
    daemon.reception.lost("lost")
    assert polls(poller, intake)
    daemon.clock.seconds += TIMINGS.poll_seconds
    assert polls(poller, intake)


def test_polls_take_a_tenth_of_the_time_at_most_and_the_first_one_waits_for_nothing(daemon: ListeningDaemon) -> None:
    intake = Intake()
    poller = Poller(intake, daemon.reception, RecordingActivity(daemon.clock), daemon.clock, TIMINGS.poll_seconds)
    intake.scanned({ScanKind.CATCH_UP}, 2.0, in_vain=False)
    daemon.silence.seen(Sighting((DISABLED,)))
    assert polls(poller, intake)
    daemon.clock.seconds += 2.0 / LARGEST_SHARE_OF_TIME
    assert not polls(poller, intake), "the scan itself took two seconds of these"
    daemon.clock.seconds += 2.0
    assert polls(poller, intake)
    intake.scanned({ScanKind.POLL}, HOUR, in_vain=True)
    daemon.clock.seconds += LONGEST_PAUSE_SECONDS
    assert polls(poller, intake), "one that was held up does not make it deaf for long"


def test_the_poller_ticks(daemon: ListeningDaemon) -> None:
    async def check() -> None:
        intake, activity = Intake(), RecordingActivity(daemon.clock)
        daemon.reception.lost("lost")
        poller = Poller(intake, daemon.reception, activity, daemon.clock, TIMINGS.poll_seconds)
        task = asyncio.create_task(poller.run())
        assert await intake.take_scans(5.0) == {ScanKind.POLL}
        task.cancel()
        await asyncio.wait([task])
        assert activity.waits[0] == TIMINGS.poll_seconds

    run(check())


def test_patterns_that_were_written_in_an_outage_are_recovered_by_its_catch_up(daemon: ListeningDaemon) -> None:
    daemon.lose_and_catch_up()
    assert daemon.settle() == 0, "only what sweeps find is surprising"
    assert daemon.recovered_by_catch_up() == [3]
    assert not daemon.facts.of(SweepSettled)
    assert not daemon.recovery.found.is_set()
    daemon.lose_and_catch_up(FOUND, ScanKind.SWEEP, ScanKind.REQUEST)
    daemon.settle()
    assert daemon.recovered_by_catch_up() == [3, 3], "whatever else the scan was for"


def test_the_first_catch_up_after_a_start_recovers_nothing() -> None:
    started = ListeningDaemon(first_catch_up=FOUND)
    started.settle()
    assert started.recovered_by_catch_up() == []
    started.lose_and_catch_up()
    started.settle()
    assert started.recovered_by_catch_up() == [3]


def test_what_is_announced_while_a_daemon_catches_up_is_not_recovered(daemon: ListeningDaemon) -> None:
    daemon.lose_and_catch_up()
    daemon.clock.seconds += TIMINGS.settle_seconds - 0.1
    daemon.reconciled("a")
    daemon.clock.seconds += 0.1
    daemon.recovery.settle()
    assert daemon.recovered_by_catch_up() == [2]


def test_only_a_bulk_change_that_was_heard_excuses_a_catch_up(daemon: ListeningDaemon) -> None:
    daemon.lose_and_catch_up()
    daemon.recovery.everything_marked()
    daemon.settle()
    assert daemon.recovered_by_catch_up() == [3], "the watch marks everything after every outage"
    daemon.lose_and_catch_up()
    daemon.recovery.everything_notified()
    daemon.settle()
    assert daemon.recovered_by_catch_up() == [3, 0]


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.QUEUED, Outcome.UNTRIED}))
def test_whatever_became_of_an_announced_pattern_it_was_announced(daemon: ListeningDaemon, outcome: Outcome) -> None:
    daemon.sweep()
    daemon.reconciled("a", outcome=outcome)
    assert daemon.settle() == 2


def test_a_scan_is_settled_when_what_arrived_in_time_is_handled_however_long_that_takes(
    daemon: ListeningDaemon,
) -> None:
    async def check() -> None:
        daemon.sweep()
        daemon.clock.seconds += 1
        daemon.intake.add(row_ids(1))
        assert daemon.settle() == 0
        assert await daemon.intake.take_patterns(0) == row_ids(1)
        daemon.clock.seconds += HOUR
        daemon.intake.add(row_ids(2))
        assert daemon.settle() == 0, "the database is away, say"
        daemon.reconciled("a")
        daemon.intake.finish(row_ids(1))
        assert daemon.recovery.settle() == 2, "what came later is not waited for"

    run(check())


def test_marks_that_became_a_scan_were_announced_as_well(daemon: ListeningDaemon) -> None:
    daemon.sweep()
    daemon.intake.add(row_ids(*range(MOST_PATTERNS + 1)))
    assert daemon.settle() == 0
    daemon.clock.seconds += HOUR
    daemon.scan(ScanKind.REQUEST)
    daemon.clock.seconds += HOUR
    daemon.sweep()
    assert daemon.settle() == 3


def test_scans_that_follow_each_other_quickly_are_all_counted(daemon: ListeningDaemon) -> None:
    daemon.sweep(SyncResult(synced_count=1, synced_pattern_ids=("x",)))
    daemon.clock.seconds += 1
    daemon.lose_and_catch_up()
    daemon.clock.seconds += 1
    daemon.sweep(SyncResult(synced_count=1, synced_pattern_ids=("y",)))
    daemon.reconciled("a")
    assert daemon.settle() == 2
    assert daemon.recovered_by_catch_up() == [2]
    assert daemon.last_settled().recovered_total == 2


def test_what_is_heard_during_a_sweep_is_kept_when_the_one_before_it_is_settled(daemon: ListeningDaemon) -> None:
    daemon.sweep(SyncResult(synced_count=1, synced_pattern_ids=("x",)))
    daemon.clock.seconds += 1
    daemon.reconciled("a", "b", "c")  # by now the second sweep has queued them, and it is not done yet
    assert daemon.settle() == 1
    daemon.sweep(replace(FOUND, sync_duration_ms=7_000.0))
    assert daemon.settle() == 0
