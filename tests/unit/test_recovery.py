"""What sweeps find although notifications arrive, and what follows from it."""

import asyncio

import pytest

from pattern_sync.domain.facts import SweepPlanned, SweepSettled
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.reception import Audience, Sighting, TriggerFault
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.services.timings import Timings
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.periodic import LARGEST_SHARE_OF_TIME, Poller, Sweeper
from pattern_sync.sync.reception import Reception
from pattern_sync.sync.recovery import MOST_NAMES, Recovery
from pattern_sync.sync.silence import Silence
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordedFacts, RecordingActivity

HOUR = 3600.0
TIMINGS = Timings()
DISABLED = TriggerFault("operation_patterns", "the trigger is disabled", Audience.DAEMONS, mendable=True)
FOUND = SyncResult(synced_count=3, synced_pattern_ids=("a", "b", "c"), sync_duration_ms=100.0)
MANY = SyncResult(synced_count=1_000, synced_pattern_ids=tuple(f"s{i}" for i in range(200)))


class Hearing:
    """A daemon that has listened for an hour, on a clock of its own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.facts = RecordedFacts()
        self.recovery = Recovery(self.clock, self.facts, TIMINGS.settle_seconds)
        self.silence = Silence(self.clock, self.facts, self.recovery.deafened, lambda: False, 10.0)
        self.reception = Reception(self.clock, self.facts, self.silence, self.recovery.deafened)
        self.reception.listening()
        self.scan(ScanKind.CATCH_UP)
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

    def last_settled(self) -> SweepSettled:
        return self.facts.of(SweepSettled)[-1]


@pytest.fixture
def hearing() -> Hearing:
    return Hearing()


def test_patterns_that_a_sweep_finds_while_listening_are_counted_and_reported_once(hearing: Hearing) -> None:
    hearing.sweep()
    swept_at = hearing.clock()
    assert hearing.recovery.settle() == 0, "what was announced meanwhile may be on its way"
    assert not hearing.facts.of(SweepSettled)
    assert hearing.settle() == 3
    assert hearing.facts.of(SweepSettled) == [SweepSettled(3, 3, swept_at)]
    assert hearing.settle() == 0
    hearing.sweep()
    hearing.settle()
    assert hearing.last_settled().recovered_total == 6
    hearing.sweep(SyncResult())
    assert hearing.last_settled() == SweepSettled(0, 6, hearing.clock())


def test_patterns_announced_during_the_sweep_are_not_counted(hearing: Hearing) -> None:
    hearing.sweep()
    hearing.reconciled("a", "b")
    assert hearing.settle() == 1
    hearing.sweep()
    hearing.reconciled("a", "b", "c", "d")
    assert hearing.settle() == 0
    hearing.reconciled(*(f"o{i}" for i in range(400)))
    hearing.sweep(MANY)
    assert hearing.settle() == 600, "more than are named: so many at least"


def test_a_pattern_queued_by_its_notification_is_not_counted_as_recovered(hearing: Hearing) -> None:
    hearing.reconciled("a", outcome=Outcome.QUEUED)
    hearing.sweep()
    assert hearing.settle() == 3


@pytest.mark.parametrize("kinds", [(ScanKind.REQUEST,), (ScanKind.CATCH_UP,), (ScanKind.POLL,), (ScanKind.SETTINGS,)])
def test_a_sweep_coalesced_with_other_scans_recovers_nothing(hearing: Hearing, kinds: tuple[ScanKind, ...]) -> None:
    hearing.sweep(FOUND, *kinds)
    assert hearing.settle() == 0


def test_a_sweep_after_an_announced_bulk_change_recovers_nothing(hearing: Hearing) -> None:
    hearing.sweep()
    hearing.clock.seconds += 1
    hearing.recovery.everything_notified()
    assert hearing.settle() == 0
    hearing.clock.seconds += 1
    hearing.scan(ScanKind.REQUEST)
    hearing.clock.seconds += HOUR
    hearing.sweep()
    assert hearing.settle() == 3


def test_patterns_found_right_after_deafness_are_not_counted(hearing: Hearing) -> None:
    hearing.reception.lost("lost")
    hearing.reception.listening()
    hearing.sweep()
    assert hearing.settle() == 0, "the catch-up of this session is not done yet"
    hearing.scan(ScanKind.CATCH_UP)
    hearing.silence.seen(Sighting((DISABLED,)))
    hearing.sweep()
    assert hearing.settle() == 0, "a trigger is silent"
    hearing.silence.seen(Sighting())
    hearing.scan(ScanKind.CATCH_UP)
    hearing.sweep()
    assert hearing.settle() == 3


def test_the_remembered_names_are_bounded_and_the_oldest_go_first(hearing: Hearing) -> None:
    hearing.sweep()
    hearing.reconciled("a", *(f"o{i}" for i in range(MOST_NAMES - 1)))
    hearing.reconciled("b")
    assert hearing.settle() == 2, "a was forgotten for b"


async def waited_for_the_next_sweep(hearing: Hearing, interval: float = HOUR) -> float:
    """Return how long a sweeper waits for its next sweep, whether it is woken meanwhile or not."""
    activity, intake = RecordingActivity(hearing.clock), Intake()
    sweeper = Sweeper(
        intake,
        hearing.recovery,
        interval,
        lambda: 0.0,
        hearing.facts,
        activity,
        hearing.clock,
        TIMINGS.recovering_seconds,
    )
    task = asyncio.create_task(sweeper.run())
    assert await intake.take_scans(5.0) == {ScanKind.SWEEP}
    task.cancel()
    await asyncio.wait([task])
    return activity.waits[0] if activity.waits else activity.event_waits[0]


def test_sweeps_come_every_minute_until_one_finds_nothing(hearing: Hearing) -> None:
    async def check() -> None:
        assert await waited_for_the_next_sweep(hearing) == HOUR
        hearing.sweep()
        hearing.settle()
        assert await waited_for_the_next_sweep(hearing) == TIMINGS.recovering_seconds
        hearing.sweep(SyncResult())
        assert await waited_for_the_next_sweep(hearing) == HOUR

    run(check())


def test_a_shorter_sweep_interval_stays(hearing: Hearing) -> None:
    hearing.sweep()
    hearing.settle()
    assert run(waited_for_the_next_sweep(hearing, 20.0)) == 20.0


@pytest.mark.parametrize(("waited", "left"), [(10.0, 50.0), (600.0, 0.0)])
def test_a_waiting_sweeper_is_woken_when_the_last_sweep_recovered_some(
    hearing: Hearing, waited: float, left: float
) -> None:
    async def check() -> None:
        activity = RecordingActivity(hearing.clock)

        async def wait_for(event: asyncio.Event, _seconds: float) -> bool:
            return await event.wait()

        activity.wait_for = wait_for  # type: ignore[method-assign, assignment]
        sweeper = Sweeper(Intake(), hearing.recovery, HOUR, lambda: 0.0, hearing.facts, activity, hearing.clock, 60.0)
        task = asyncio.create_task(sweeper.run())
        await settle(lambda: hearing.facts.of(SweepPlanned))
        hearing.sweep()
        hearing.clock.seconds += waited - TIMINGS.settle_seconds
        hearing.settle()
        await settle(lambda: activity.waits)
        task.cancel()
        await asyncio.wait([task])
        assert activity.waits[0] == left
        assert hearing.facts.of(SweepPlanned)[:2] == [SweepPlanned(HOUR), SweepPlanned(left)]

    run(check())


def test_replicas_drift_apart_as_each_sweep_is_up_to_a_tenth_early(hearing: Hearing) -> None:
    async def check() -> None:
        activity = RecordingActivity(hearing.clock)
        sweeper = Sweeper(Intake(), hearing.recovery, HOUR, lambda: 1.0, hearing.facts, activity, hearing.clock, 60.0)
        task = asyncio.create_task(sweeper.run())
        await settle(lambda: activity.event_waits)
        task.cancel()
        await asyncio.wait([task])
        assert activity.event_waits[0] == 0.9 * HOUR

    run(check())


def test_the_poller_polls_while_the_daemon_is_deaf_or_a_trigger_silent(hearing: Hearing) -> None:
    async def check() -> None:
        intake, activity = Intake(), RecordingActivity(hearing.clock)
        poller = Poller(intake, hearing.reception, activity, TIMINGS.poll_seconds)
        poller.run_once()
        assert await intake.take_scans(0) == frozenset()
        hearing.silence.seen(Sighting((DISABLED,)))
        poller.run_once()
        assert await intake.take_scans(0) == {ScanKind.POLL}
        hearing.silence.seen(Sighting())
        poller.run_once()
        assert await intake.take_scans(0) == frozenset()
        hearing.reception.lost("lost")
        poller.run_once()
        assert await intake.take_scans(0) == {ScanKind.POLL}
        task = asyncio.create_task(poller.run())
        assert await intake.take_scans(5.0) == {ScanKind.POLL}
        intake.scanned({ScanKind.POLL}, 2.0, in_vain=True)
        before = len(activity.waits)
        await settle(lambda: len(activity.waits) > before)
        task.cancel()
        await asyncio.wait([task])
        assert activity.waits[0] == TIMINGS.poll_seconds
        assert activity.waits[-1] == 2.0 / LARGEST_SHARE_OF_TIME, "polls take a tenth of the time at most"

    run(check())
