"""A waiting service does not hang; a working one has a deadline, which every step renews."""

import asyncio

import pytest

from pattern_sync.services.liveness import STEP_SECONDS, Liveness, working
from tests.support.asynchronous import run
from tests.support.fakes import Clock

DAY_SECONDS = 86_400.0


def test_a_service_that_waits_does_not_hang_however_long() -> None:
    clock = Clock()
    liveness = Liveness(clock)
    with liveness.working():
        pass
    clock.seconds += DAY_SECONDS
    assert not liveness.hangs


def test_work_past_its_deadline_hangs_until_it_is_done() -> None:
    clock = Clock()
    liveness = Liveness(clock)
    with liveness.working(60.0):
        clock.seconds += 60.0
        assert not liveness.hangs
        clock.seconds += 0.1
        assert liveness.hangs
    assert not liveness.hangs


def test_statements_within_their_deadlines_do_not_add_up() -> None:
    clock = Clock()
    liveness = Liveness(clock)
    with liveness.working(60.0):
        for _ in range(100):
            with working(120.0):
                clock.seconds += 119.0
                assert not liveness.hangs
            clock.seconds += 59.0
            assert not liveness.hangs
        clock.seconds += 2.0
        assert liveness.hangs, "between two statements the step's own deadline counts"


def test_a_statement_past_its_deadline_hangs_although_the_whole_has_longer() -> None:
    clock = Clock()
    liveness = Liveness(clock)
    with liveness.working(STEP_SECONDS), working(5.0):
        clock.seconds += 5.1
        assert liveness.hangs


def test_work_that_fails_is_over_too() -> None:
    clock = Clock()
    liveness = Liveness(clock)
    with pytest.raises(ZeroDivisionError), liveness.working(60.0), working(5.0):
        raise ZeroDivisionError
    clock.seconds += DAY_SECONDS
    assert not liveness.hangs
    with working(0.0):
        clock.seconds += 1.0
        assert not liveness.hangs, "nor are later statements part of it"


def test_one_of_two_concurrent_statements_does_not_hide_the_other() -> None:
    async def check() -> None:
        clock = Clock()
        liveness = Liveness(clock)
        stuck = asyncio.Event()

        async def hang() -> None:
            with working(100.0):
                await stuck.wait()

        with liveness.working(100.0):
            task = asyncio.create_task(hang())
            await asyncio.sleep(0)
            for _ in range(3):
                assert not liveness.hangs
                with working(100.0):
                    clock.seconds += 34.0
            assert liveness.hangs
            stuck.set()
            await task
            assert not liveness.hangs

    run(check())


def test_statements_of_a_task_that_outlives_its_step_still_count() -> None:
    async def check() -> None:
        clock = Clock()
        liveness = Liveness(clock)
        stuck = asyncio.Event()

        async def ask() -> None:
            with working(5.0):
                await stuck.wait()

        with liveness.working():
            task = asyncio.create_task(ask())
            await asyncio.sleep(0)
        clock.seconds += 5.1
        assert liveness.hangs
        stuck.set()
        await task
        assert not liveness.hangs

    run(check())


def test_the_tasks_of_a_service_count_for_it_and_for_no_other() -> None:
    async def check() -> None:
        clock = Clock()
        mine, yours = Liveness(clock), Liveness(clock)
        stuck = asyncio.Event()

        async def serve(liveness: Liveness) -> None:
            liveness.attach()
            await asyncio.create_task(ask() if liveness is mine else asyncio.sleep(0))

        async def ask() -> None:
            with working(5.0):
                await stuck.wait()

        tasks = [asyncio.create_task(serve(each)) for each in (mine, yours)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        clock.seconds += 5.1
        assert (mine.hangs, yours.hangs) == (True, False)
        stuck.set()
        await asyncio.gather(*tasks)
        assert not mine.hangs

    run(check())


def test_work_outside_of_services_makes_none_hang() -> None:
    clock = Clock()
    liveness = Liveness(clock)
    with working(0.0):
        clock.seconds += 1.0
        assert not liveness.hangs
