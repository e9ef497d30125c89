"""Who waits does not hang; who works has to be done in time, and every step of it renews that time."""

import asyncio

from pattern_sync.sync.liveness import STEP_SECONDS, Life, Liveness, working
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock

DAY_SECONDS = 86_400.0


class Sleeper:
    """A service that does not say when it works: it only runs statements."""

    NAME = "sleeper"

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answered = asyncio.Event()

    async def run(self) -> None:
        while True:
            await self.asked.wait()
            with working(5.0):
                await self.answered.wait()
            self.asked.clear()


def test_who_waits_does_not_hang_however_long() -> None:
    clock = Clock()
    life = Life("service", clock)
    with life.working():
        pass
    clock.seconds += DAY_SECONDS
    assert not life.hangs


def test_work_that_is_not_done_in_time_hangs_until_it_is_done() -> None:
    clock = Clock()
    life = Life("service", clock)
    with life.working(60.0):
        clock.seconds += 60.0
        assert not life.hangs
        clock.seconds += 0.1
        assert life.hangs
    assert not life.hangs


def test_statements_within_their_deadlines_do_not_add_up() -> None:
    clock = Clock()
    life = Life("service", clock)
    with life.working(60.0):
        for _ in range(100):
            with working(120.0):
                clock.seconds += 119.0
                assert not life.hangs
            clock.seconds += 59.0
            assert not life.hangs
        clock.seconds += 2.0
        assert life.hangs, "between two statements it has its own time"


def test_a_statement_that_does_not_come_back_hangs_although_the_whole_had_longer() -> None:
    clock = Clock()
    life = Life("service", clock)
    with life.working(STEP_SECONDS), working(5.0):
        clock.seconds += 5.1
        assert life.hangs


def test_one_of_two_that_go_on_side_by_side_does_not_hide_the_other() -> None:
    async def check() -> None:
        clock = Clock()
        life = Life("service", clock)
        stuck = asyncio.Event()

        async def hang() -> None:
            with working(100.0):
                await stuck.wait()

        with life.working(100.0):
            task = asyncio.create_task(hang())
            await asyncio.sleep(0)
            for _ in range(3):
                assert not life.hangs
                with working(100.0):
                    clock.seconds += 34.0
            assert life.hangs
            stuck.set()
            await task
            assert not life.hangs

    run(check())


def test_a_pause_in_the_midst_of_work_is_waiting() -> None:
    async def check() -> None:
        clock = Clock()
        life = Life("service", clock)
        with life.working(10.0), life.working(5.0):
            pausing = asyncio.create_task(life.pause(0.01))
            await asyncio.sleep(0)
            clock.seconds += DAY_SECONDS
            assert not life.hangs
            await pausing
            assert not life.hangs
            clock.seconds += 5.1
            assert life.hangs

    run(check())


def test_a_service_cannot_forget_to_say_that_it_works() -> None:
    async def check() -> None:
        clock = Clock()
        liveness = Liveness(clock)
        service = Sleeper()
        task = asyncio.create_task(liveness.supervise(service))
        await asyncio.sleep(0)
        clock.seconds += DAY_SECONDS
        assert liveness.stalled() == []
        service.asked.set()
        await settle(lambda: not task.done() and service.asked.is_set())
        await asyncio.sleep(0)
        clock.seconds += 5.1
        assert liveness.stalled() == ["sleeper"]
        service.answered.set()
        await settle(lambda: not service.asked.is_set())
        assert liveness.stalled() == []
        task.cancel()
        await asyncio.wait([task])

    run(check())


def test_what_is_done_for_nobodys_service_is_nobodys_hanging() -> None:
    with working(0.0):
        assert Liveness(Clock()).stalled() == []


def test_a_service_that_is_cut_off_at_work_does_not_hang() -> None:
    async def check() -> None:
        clock = Clock()
        liveness = Liveness(clock)
        service = Sleeper()
        service.asked.set()
        task = asyncio.create_task(liveness.supervise(service))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        clock.seconds += DAY_SECONDS
        assert liveness.stalled() == []

    run(check())
