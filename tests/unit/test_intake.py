"""The dirty mark: what may matter and was not looked at yet."""

import asyncio

from pattern_sync.domain.runs import RunKind
from pattern_sync.sync.intake import MOST_PATTERNS, Intake
from tests.support.asynchronous import run

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
