"""The supervisor of the services: their tasks, what an early end means, how they are closed, and which hang."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from pattern_sync.services.liveness import working
from pattern_sync.services.supervisor import Service, Supervisor
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordedReports, outage_backoff


class Closable:
    """Ends when it is closed, unless it ignores that; records whether it was cut off."""

    name = "closable"

    def __init__(self, *, listens: bool = True) -> None:
        self.asked = asyncio.Event()
        self.was_cancelled = False
        self._closed = asyncio.Event()
        self._listens = listens

    async def run(self) -> None:
        try:
            await self._closed.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise

    def close(self) -> None:
        self.asked.set()
        if self._listens:
            self._closed.set()


class Another(Closable):
    name = "another"


class Hasty(Closable):
    """Ends by itself."""

    name = "hasty"

    async def run(self) -> None:
        return


class Asking(Closable):
    """Runs a statement without entering `working`."""

    name = "asking"

    async def run(self) -> None:
        with working(5.0):
            await super().run()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def supervisor(clock: Clock) -> Supervisor:
    return Supervisor(clock, outage_backoff)


@asynccontextmanager
async def running(supervisor: Supervisor, *services: Service) -> AsyncGenerator[None, None]:
    async with asyncio.TaskGroup() as group:
        supervisor.start(group, services)
        await asyncio.sleep(0)
        yield
        supervisor.cancel(services)


def test_each_service_runs_in_a_task_of_its_name(supervisor: Supervisor) -> None:
    async def check() -> None:
        async with running(supervisor, Closable(), Another()):
            assert {task.get_name() for task in asyncio.all_tasks()} >= {"closable", "another"}

    run(check())


def test_a_service_that_ends_before_it_was_closed_is_a_bug_that_ends_all_of_them(supervisor: Supervisor) -> None:
    async def check() -> None:
        other = Closable()
        with pytest.raises(ExceptionGroup) as raised:
            async with running(supervisor, other, Hasty()):
                await asyncio.Event().wait()
        (fault,) = raised.value.exceptions
        assert str(fault) == "The hasty ended, which it must not."
        assert other.was_cancelled

    run(check())


def test_closing_waits_for_the_end_of_each(supervisor: Supervisor) -> None:
    async def check() -> None:
        services = [Closable(), Another()]
        async with running(supervisor, *services):
            assert await supervisor.close(services, 20.0)
            assert not {task.get_name() for task in asyncio.all_tasks()} & {"closable", "another"}
        assert not any(service.was_cancelled for service in services)

    run(check(), seconds=10)


def test_a_service_that_closes_late_is_cancelled_and_the_others_are_not(supervisor: Supervisor) -> None:
    async def check() -> None:
        late, prompt = Closable(listens=False), Another()
        async with running(supervisor, late, prompt):
            assert not await supervisor.close([late, prompt], 0.01)
            assert late.asked.is_set()
            await settle(lambda: late.was_cancelled)
        assert not prompt.was_cancelled

    run(check(), seconds=10)


def test_closing_waits_no_longer_than_until_an_event(supervisor: Supervisor) -> None:
    async def check() -> None:
        late, outage = Closable(listens=False), asyncio.Event()
        async with running(supervisor, late):
            closing = asyncio.create_task(supervisor.close([late], 3600.0, unless=outage))
            await settle(late.asked.is_set)
            assert not late.was_cancelled
            outage.set()
            assert not await closing
            await settle(lambda: late.was_cancelled)

    run(check(), seconds=10)


def test_a_closed_service_may_have_ended_already(supervisor: Supervisor) -> None:
    async def check() -> None:
        service = Closable()
        async with running(supervisor, service):
            assert await supervisor.close([service], 20.0)
            assert await supervisor.close([service], 20.0)

    run(check(), seconds=10)


def test_a_cancelled_service_is_no_bug(supervisor: Supervisor) -> None:
    async def check() -> None:
        service = Closable()
        async with running(supervisor, service):
            supervisor.cancel([service])
        assert service.was_cancelled

    run(check())


def test_a_service_that_works_for_too_long_hangs_until_it_is_done(supervisor: Supervisor, clock: Clock) -> None:
    activity = supervisor.activity(Closable, RecordedReports())
    other = supervisor.activity(Another, RecordedReports())
    with other.liveness.working(600.0), activity.liveness.working(60.0):
        assert supervisor.hanging() == []
        clock.seconds += 60.1
        assert supervisor.hanging() == ["closable"]
    assert supervisor.hanging() == []


def test_a_service_has_one_activity(supervisor: Supervisor) -> None:
    first = supervisor.activity(Closable, RecordedReports())
    assert supervisor.activity(Closable, RecordedReports()) is first
    assert first.name == "closable"


@pytest.mark.parametrize("has_activity", [True, False], ids=["with an activity", "without one"])
def test_every_statement_of_a_service_counts_as_work(
    supervisor: Supervisor, clock: Clock, *, has_activity: bool
) -> None:
    async def check() -> None:
        if has_activity:
            supervisor.activity(Asking, RecordedReports())
        service = Asking()
        async with running(supervisor, service):
            clock.seconds += 5.0
            assert supervisor.hanging() == []
            clock.seconds += 0.1
            assert supervisor.hanging() == ["asking"]
        assert supervisor.hanging() == [], "cut off at work, it does not hang"

    run(check())


def test_the_work_of_one_service_does_not_count_for_another(supervisor: Supervisor, clock: Clock) -> None:
    async def check() -> None:
        async with running(supervisor, Asking(), Closable()):
            clock.seconds += 6.0
            assert supervisor.hanging() == ["asking"]

    run(check())
