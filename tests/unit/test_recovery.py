"""What sweeps find although notifications arrive, and what follows from it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.runs import RunKind
from pattern_sync.domain.watching import Audience, Sighting, TriggerFault
from pattern_sync.observability.recovery import SETTLE_SECONDS
from pattern_sync.observability.state import DaemonState
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.periodic import POLL_SECONDS, RECOVERING_SECONDS, Poller, Sweeper
from tests.support.asynchronous import run
from tests.support.fakes import Clock, RecordingLife

HOUR = 3600.0
DISABLED = TriggerFault("operation_patterns", "the trigger is disabled", Audience.DAEMONS, mendable=True)
FOUND = SyncResult(synced_count=3, synced_pattern_ids=("a", "b", "c"), sync_duration_ms=100.0)
MANY = SyncResult(synced_count=1_000, synced_pattern_ids=tuple(f"s{i}" for i in range(200)))


class Hearing:
    """A daemon that has listened for an hour, on a clock of its own."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.state = DaemonState(self.clock, lambda _: None)
        self.state.listening()
        self.state.run_finished({RunKind.CATCH_UP}, SyncResult())
        self.clock.seconds += HOUR

    def sweep(self, result: SyncResult = FOUND, *more: RunKind) -> None:
        self.state.run_finished({RunKind.SWEEP, *more}, result)

    def announced(self, *signatures: str, outcome: Outcome = Outcome.UNCHANGED) -> None:
        self.state.reconciled([PatternOutcome(1, signature, outcome) for signature in signatures], 1.0)

    def settle(self) -> int:
        self.clock.seconds += SETTLE_SECONDS
        return self.state.settle()


@pytest.fixture
def hearing() -> Hearing:
    return Hearing()


def test_what_a_sweep_finds_while_listening_is_counted_and_told(hearing: Hearing) -> None:
    hearing.sweep()
    swept_at = hearing.clock()
    assert hearing.state.settle() == 0, "what was announced meanwhile may be on its way"
    with capture_logs() as lines:
        assert hearing.settle() == 3
    assert (lines[0]["log_level"], lines[0]["patterns"], lines[0]["so_far"]) == ("warning", 3, 3)
    assert (hearing.state.recovery.total, hearing.state.recovery.last_at) == (3, swept_at)
    assert hearing.settle() == 0, "once"
    hearing.sweep()
    hearing.settle()
    assert hearing.state.recovery.total == 6


def test_what_was_announced_while_the_sweep_ran_is_not_counted(hearing: Hearing) -> None:
    hearing.sweep()
    hearing.announced("a", "b")
    assert hearing.settle() == 1
    hearing.sweep()
    hearing.announced("a", "b", "c", "d")
    assert hearing.settle() == 0
    hearing.announced(*(f"o{i}" for i in range(400)))
    hearing.sweep(MANY)
    assert hearing.settle() == 600, "more than are named: so many at least"


def test_a_pattern_that_its_announcement_queued_is_none_that_the_sweep_did(hearing: Hearing) -> None:
    hearing.announced("a", outcome=Outcome.QUEUED)
    hearing.sweep()
    assert hearing.settle() == 3


@pytest.mark.parametrize("kinds", [(RunKind.REQUEST,), (RunKind.CATCH_UP,), (RunKind.POLL,), (RunKind.SETTINGS,)])
def test_a_run_for_other_reasons_too_recovers_nothing(hearing: Hearing, kinds: tuple[RunKind, ...]) -> None:
    hearing.sweep(FOUND, *kinds)
    assert hearing.settle() == 0


def test_after_a_bulk_change_was_announced_a_sweep_says_nothing(hearing: Hearing) -> None:
    hearing.sweep()
    hearing.clock.seconds += 1
    hearing.state.recovery.everything_announced()
    assert hearing.settle() == 0
    hearing.clock.seconds += 1
    hearing.state.run_finished({RunKind.REQUEST}, SyncResult())
    hearing.clock.seconds += HOUR
    hearing.sweep()
    assert hearing.settle() == 3


def test_what_is_found_after_deafness_was_not_to_be_heard(hearing: Hearing) -> None:
    hearing.state.polling("lost")
    hearing.state.listening()
    hearing.sweep()
    assert hearing.settle() == 0, "the catch-up of this session is not done yet"
    hearing.state.run_finished({RunKind.CATCH_UP}, SyncResult())
    hearing.state.silence.seen(Sighting((DISABLED,)))
    hearing.sweep()
    assert hearing.settle() == 0, "a trigger is silent"
    hearing.state.silence.seen(Sighting())
    hearing.state.run_finished({RunKind.CATCH_UP}, SyncResult())
    hearing.sweep()
    assert hearing.settle() == 3


def pauses_until_the_next_sweep(state: DaemonState, clock: Clock, interval: float = HOUR) -> tuple[float, ...]:
    async def sweep() -> tuple[float, ...]:
        life, intake = RecordingLife(clock), Intake()
        task = asyncio.create_task(Sweeper(intake, interval, lambda: 0.0, state, life).run())
        try:
            assert await intake.take_everything(5.0) == {RunKind.SWEEP}
        finally:
            task.cancel()
            await asyncio.wait([task])
        return tuple(life.pauses)

    return run(sweep())


def test_sweeps_come_every_minute_until_one_finds_nothing(hearing: Hearing) -> None:
    assert sum(pauses_until_the_next_sweep(hearing.state, hearing.clock)) >= HOUR
    hearing.sweep()
    hearing.settle()
    assert sum(pauses_until_the_next_sweep(hearing.state, hearing.clock)) < 2 * RECOVERING_SECONDS
    assert hearing.state.next_sweep_at is not None
    hearing.sweep(SyncResult())
    assert sum(pauses_until_the_next_sweep(hearing.state, hearing.clock)) >= HOUR


def test_sweeps_that_are_more_frequent_stay_so(hearing: Hearing) -> None:
    hearing.sweep()
    hearing.settle()
    assert sum(pauses_until_the_next_sweep(hearing.state, hearing.clock, 20.0)) < RECOVERING_SECONDS


def test_the_poller_polls_while_nothing_is_heard_or_nothing_is_told(hearing: Hearing) -> None:
    async def check() -> None:
        intake, life = Intake(), RecordingLife(hearing.clock)
        poller = Poller(intake, hearing.state, life)
        poller.run_once()
        assert await intake.take_everything(0) == frozenset()
        hearing.state.silence.seen(Sighting((DISABLED,)))
        poller.run_once()
        assert await intake.take_everything(0) == {RunKind.POLL}
        hearing.state.silence.seen(Sighting())
        poller.run_once()
        assert await intake.take_everything(0) == frozenset()
        hearing.state.polling("lost")
        poller.run_once()
        assert await intake.take_everything(0) == {RunKind.POLL}
        task = asyncio.create_task(poller.run())
        assert await intake.take_everything(5.0) == {RunKind.POLL}
        task.cancel()
        await asyncio.wait([task])
        assert life.pauses[0] == POLL_SECONDS

    run(check())
