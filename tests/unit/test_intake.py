"""The dirty mark: what may matter and was not looked at yet."""

import asyncio

import pytest

from pattern_sync.domain.runs import RunKind
from pattern_sync.sync.intake import LONGEST_WAIT_SECONDS, MOST_PATTERNS, PACED, Intake
from tests.support.asynchronous import run
from tests.support.fakes import Clock

LONG_SECONDS = 20.0


def test_a_pattern_that_waits_is_not_added_twice() -> None:
    async def check() -> None:
        intake = Intake()
        intake.add([3, 1])
        intake.add([3, 2])
        assert await intake.take_patterns(LONG_SECONDS) == [1, 2, 3]

    run(check())


def test_the_mark_is_cleared_before_the_rows_are_read() -> None:
    async def check() -> None:
        intake = Intake()
        intake.add([7])
        assert await intake.take_patterns(LONG_SECONDS) == [7]
        assert len(intake) == 0
        # The worker reads the rows now; what commits meanwhile is a new mark.
        intake.add([7])
        assert await intake.take_patterns(LONG_SECONDS) == [7]

    run(check())


def test_a_taker_waits_until_something_is_marked() -> None:
    async def check() -> None:
        intake = Intake()
        taker = asyncio.create_task(intake.take_patterns(LONG_SECONDS))
        await asyncio.sleep(0)
        assert not taker.done()
        intake.add([])
        await asyncio.sleep(0)
        assert not taker.done(), "nothing is no news"
        intake.add([7])
        assert await taker == [7]
        again = asyncio.create_task(intake.take_patterns(LONG_SECONDS))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not again.done(), "a taker that does not wait spins"
        again.cancel()

    run(check())


def test_a_taker_returns_empty_handed_after_its_time() -> None:
    async def check() -> None:
        intake = Intake()
        assert await intake.take_patterns(0.001) == []
        assert await intake.take_everything(0.001) == frozenset()

    run(check())


def test_what_was_taken_is_not_handed_out_again() -> None:
    async def check() -> None:
        intake = Intake()
        intake.add([7])
        intake.add_everything(RunKind.SWEEP)
        await intake.take_patterns(LONG_SECONDS)
        await intake.take_everything(LONG_SECONDS)
        assert await intake.take_patterns(0.001) == []
        assert await intake.take_everything(0.001) == frozenset()

    run(check())


def test_several_wishes_for_everything_become_one_run_that_knows_them_all() -> None:
    async def check() -> None:
        intake = Intake()
        for kind in (RunKind.POLL, RunKind.CATCH_UP, RunKind.POLL):
            intake.add_everything(kind)
        assert await intake.take_everything(LONG_SECONDS) == {RunKind.POLL, RunKind.CATCH_UP}

    run(check())


def test_a_flood_of_patterns_becomes_one_look_at_everything() -> None:
    async def check() -> None:
        intake = Intake()
        intake.add(range(MOST_PATTERNS))
        assert len(intake) == MOST_PATTERNS
        intake.add([MOST_PATTERNS])
        assert len(intake) == 0
        assert await intake.take_everything(LONG_SECONDS) == {RunKind.REQUEST}

    run(check())


def test_after_closing_what_is_marked_is_handed_out_and_nothing_is_waited_for() -> None:
    async def check() -> None:
        intake = Intake()
        intake.add([7])
        intake.add_everything(RunKind.SWEEP)
        intake.close()
        assert await intake.take_patterns(LONG_SECONDS) == [7]
        assert await intake.take_everything(LONG_SECONDS) == {RunKind.SWEEP}
        assert await intake.take_patterns(LONG_SECONDS) == []
        assert await intake.take_everything(LONG_SECONDS) == frozenset()

    run(check(), seconds=LONG_SECONDS / 2)


def test_closing_wakes_whoever_waits() -> None:
    async def check() -> None:
        intake = Intake()
        patterns = asyncio.create_task(intake.take_patterns(LONG_SECONDS))
        everything = asyncio.create_task(intake.take_everything(LONG_SECONDS))
        await asyncio.sleep(0)
        intake.close()
        assert await patterns == []
        assert await everything == frozenset()

    run(check(), seconds=LONG_SECONDS / 2)


@pytest.mark.parametrize("kind", sorted(PACED))
def test_a_request_that_led_to_nothing_makes_the_next_one_wait_so_that_looks_take_a_tenth_of_the_time(
    kind: RunKind,
) -> None:
    async def check() -> None:
        clock = Clock()
        intake = Intake(clock)
        intake.add_everything(kind)
        assert await intake.take_everything(0) == {kind}, "the first is served at once"
        clock.seconds += 0.5
        intake.worked({kind}, 0.5, in_vain=True)
        intake.add_everything(kind)
        assert await intake.take_everything(0) == frozenset()
        clock.seconds += 4.9
        assert await intake.take_everything(0) == frozenset()
        clock.seconds += 0.1
        assert await intake.take_everything(0) == {kind}

    run(check())


def test_however_long_a_look_takes_a_request_waits_a_minute_at_most() -> None:
    async def check() -> None:
        clock = Clock()
        intake = Intake(clock)
        intake.worked({RunKind.REQUEST}, 500.0, in_vain=True)
        intake.add_everything(RunKind.REQUEST)
        clock.seconds += LONGEST_WAIT_SECONDS - 0.1
        assert await intake.take_everything(0) == frozenset()
        clock.seconds += 0.1
        assert await intake.take_everything(0) == {RunKind.REQUEST}

    run(check())


def test_a_request_that_found_something_makes_nobody_wait() -> None:
    async def check() -> None:
        intake = Intake(Clock())
        intake.worked({RunKind.REQUEST}, 500.0, in_vain=True)
        intake.worked({RunKind.REQUEST}, 1.0, in_vain=False)
        intake.add_everything(RunKind.REQUEST)
        assert await intake.take_everything(0) == {RunKind.REQUEST}

    run(check())


@pytest.mark.parametrize("kind", [RunKind.CATCH_UP, RunKind.SWEEP, RunKind.POLL])
def test_what_the_daemon_wants_itself_neither_waits_nor_makes_wait(kind: RunKind) -> None:
    async def check() -> None:
        intake = Intake(Clock())
        intake.worked({RunKind.REQUEST}, 500.0, in_vain=True)
        intake.add_everything(RunKind.REQUEST)
        intake.add_everything(kind)
        assert await intake.take_everything(0) == {RunKind.REQUEST, kind}, "the request goes along"
        intake = Intake(Clock())
        intake.worked({kind}, 500.0, in_vain=True)
        intake.add_everything(RunKind.REQUEST)
        assert await intake.take_everything(0) == {RunKind.REQUEST}

    run(check())


def test_a_catch_up_wakes_a_taker_that_holds_a_request_back() -> None:
    async def check() -> None:
        intake = Intake()
        intake.worked({RunKind.REQUEST}, 500.0, in_vain=True)
        taker = asyncio.create_task(intake.take_everything(LONG_SECONDS))
        await asyncio.sleep(0)
        intake.add_everything(RunKind.REQUEST)
        await asyncio.sleep(0.01)
        assert not taker.done()
        intake.add_everything(RunKind.CATCH_UP)
        assert await taker == {RunKind.REQUEST, RunKind.CATCH_UP}

    run(check(), seconds=LONG_SECONDS / 2)


def test_a_taker_hands_a_request_out_when_its_time_has_come_without_being_woken() -> None:
    async def check() -> None:
        intake = Intake()
        intake.worked({RunKind.REQUEST}, 0.005, in_vain=True)
        intake.add_everything(RunKind.REQUEST)
        assert await intake.take_everything(LONG_SECONDS) == {RunKind.REQUEST}

    run(check(), seconds=LONG_SECONDS / 2)


def test_a_request_that_waits_is_handed_out_at_the_end() -> None:
    async def check() -> None:
        intake = Intake()
        intake.worked({RunKind.REQUEST}, 500.0, in_vain=True)
        intake.add_everything(RunKind.REQUEST)
        intake.close()
        assert await intake.take_everything(LONG_SECONDS) == {RunKind.REQUEST}

    run(check(), seconds=LONG_SECONDS / 2)
