"""The three states of a service: waiting, working, in an outage; and its reports of outages."""

import asyncio

import pytest

from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable, PassingFault, SchemaOutdated
from pattern_sync.services.activity import Activity
from pattern_sync.services.liveness import STEP_SECONDS, Liveness
from pattern_sync.services.outage import Availability
from pattern_sync.services.waiting import wait_for
from tests.support.asynchronous import run, settle
from tests.support.fakes import OUTAGE_WAITS, Clock, RecordedReports, RecordingActivity, outage_backoff

DOWN = DatabaseUnavailable("down")


async def attempt(activity: Activity, fault: Exception | None = None) -> None:
    async with activity.working():
        if fault is not None:
            raise fault


def test_a_passing_fault_puts_work_back_is_reported_and_waited_out_in_this_order() -> None:
    async def check() -> None:
        activity = RecordingActivity(Clock(), "service")
        done: list[str] = []

        async def wait(seconds: float) -> None:
            done.append(f"waited {seconds:g}, in an outage: {activity.in_outage}, reported: {activity.reports.without}")

        activity.wait = wait  # type: ignore[method-assign]
        async with activity.working(put_back=lambda: done.append("put back")):
            raise DOWN
        assert done == ["put back", "waited 7, in an outage: True, reported: {'service'}"]
        assert activity.reports.faults == [("service", DOWN)]

    run(check())


def test_work_is_put_back_before_the_outage_is_reported() -> None:
    async def check() -> None:
        activity = RecordingActivity(Clock())
        async with activity.working(put_back=lambda: done.append(bool(activity.reports.faults))):
            raise DOWN

    done: list[bool] = []
    run(check())
    assert done == [False]


def test_each_failure_makes_the_next_wait_longer_and_a_success_starts_over() -> None:
    async def check() -> None:
        activity = RecordingActivity(Clock())
        for _ in range(3):
            await attempt(activity, DOWN)
        await attempt(activity)
        assert not activity.in_outage
        assert activity.reports.without == set()
        await attempt(activity, AccessRefused("no"))
        assert activity.in_outage
        assert activity.waits == [*OUTAGE_WAITS[:3], OUTAGE_WAITS[0]]

    run(check())


@pytest.mark.parametrize("fault", [SchemaOutdated("older"), ZeroDivisionError(), asyncio.CancelledError()], ids=repr)
def test_any_other_exception_ends_the_service_and_is_no_success(fault: BaseException) -> None:
    async def check() -> None:
        activity = RecordingActivity(Clock())
        await attempt(activity, DOWN)
        with pytest.raises(type(fault)):
            async with activity.working():
                raise fault
        assert activity.in_outage
        assert len(activity.waits) == 1
        assert not activity.liveness.hangs

    run(check())


def test_a_service_with_nothing_left_to_attempt_is_in_no_outage() -> None:
    async def check() -> None:
        activity = RecordingActivity(Clock())
        await attempt(activity, DOWN)
        activity.rest()
        assert not activity.in_outage
        assert activity.reports.without == set()
        await attempt(activity, DOWN)
        assert activity.waits == [OUTAGE_WAITS[0]] * 2

    run(check())


def test_a_rest_reports_nothing_for_a_service_in_no_outage() -> None:
    activity = RecordingActivity(Clock(), "idle")
    activity.reports.without.add("idle")
    activity.rest()
    assert activity.reports.without == {"idle"}


def test_work_past_its_deadline_hangs_and_the_wait_of_an_outage_does_not() -> None:
    async def check() -> None:
        clock = Clock()
        activity = Activity("service", Liveness(clock), RecordedReports(), outage_backoff())
        blocked = asyncio.Event()

        async def work() -> None:
            async with activity.working(30.0):
                await blocked.wait()
                raise DOWN

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        clock.seconds += 30.0
        assert not activity.liveness.hangs
        clock.seconds += 0.1
        assert activity.liveness.hangs
        blocked.set()
        await settle(lambda: activity.in_outage)
        clock.seconds += 10 * STEP_SECONDS
        assert not activity.liveness.hangs
        task.cancel()
        await asyncio.wait([task])

    run(check())


def test_a_wait_for_an_event_ends_with_it_or_after_its_time() -> None:
    async def check() -> None:
        activity = Activity("service", Liveness(Clock()), RecordedReports(), outage_backoff())
        event = asyncio.Event()
        assert not await activity.wait_for(event, 0.001)
        waiting = asyncio.create_task(activity.wait_for(event, 20.0))
        await asyncio.sleep(0)
        event.set()
        assert await waiting
        assert await activity.wait_for(event, 0.0), "an event that is already set needs no wait"

    run(check(), seconds=10)


def test_a_cancelled_wait_raises_the_cancellation() -> None:
    async def check() -> None:
        waiting = asyncio.create_task(wait_for(asyncio.Event(), 20.0))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()

    run(check())


class Found:
    """An availability, and its reports."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.said: list[str | float] = []
        self.availability = Availability(self.clock, self.said.append, self.said.append)

    def lost(self, service: str, fault: PassingFault = DOWN) -> None:
        self.availability.lost(service, fault)


def test_an_outage_is_reported_once_when_it_begins_and_once_when_it_ends() -> None:
    found = Found()
    for _ in range(50):
        found.lost("service", AccessRefused("first"))
        found.lost("service", DatabaseUnavailable("later"))
    assert found.availability.is_lost()
    assert found.availability.outage.is_set()
    found.clock.seconds += 12.5
    assert found.availability.lost_seconds() == 12.5
    for _ in range(50):
        found.availability.back("service")
    assert not found.availability.is_lost()
    assert not found.availability.outage.is_set()
    assert found.availability.lost_seconds() == 0.0
    assert found.said == ["first", 12.5]


def test_a_second_outage_is_reported_again() -> None:
    found = Found()
    for _ in range(2):
        found.lost("service")
        found.availability.back("service")
    assert found.said == ["down", 0.0] * 2


def test_the_success_of_one_service_does_not_end_the_outage_of_another() -> None:
    found = Found()
    found.lost("scan-worker", AccessRefused("a right is missing"))
    for _ in range(50):
        found.lost("event-worker")
        found.availability.back("event-worker")
        found.availability.back("refresher")
    assert found.availability.is_lost()
    assert found.said == ["a right is missing"]
    found.availability.back("scan-worker")
    assert found.said == ["a right is missing", 0.0]
