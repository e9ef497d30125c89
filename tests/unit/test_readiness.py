"""What the service manager hears during a start: READY=1 once, the watchdog from the first second, more time."""

import asyncio

import pytest

from pattern_sync.domain.facts import DaemonReady, ServiceHanging, StartedInOutage
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.runtime.readiness import Readiness
from pattern_sync.runtime.upkeep import Watchdog
from pattern_sync.services.timings import Timings
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordedFacts, RecordingActivity

EXTENDED = "EXTEND_TIMEOUT_USEC=30000000"


class Manager(ServiceManager):
    """Keeps what it is sent."""

    def __init__(self, watchdog_seconds: float | None = None) -> None:
        super().__init__(RecordedFacts(), {})
        self.watchdog_seconds = watchdog_seconds
        self.sent: list[str] = []
        self.takes = True

    def _send(self, message: str) -> bool:
        if self.takes:
            self.sent.append(message.partition("\n")[0])
        return self.takes


class Start:
    """A daemon that starts, on a database that has been away for `lost_seconds`."""

    def __init__(self, watchdog_seconds: float | None = None) -> None:
        self.lost_seconds = 0.0
        self.hanging: list[str] = []
        self.facts = RecordedFacts()
        self.manager = Manager(watchdog_seconds)
        self.activity = RecordingActivity(Clock())
        self.readiness = Readiness(self.facts, self.manager, lambda: self.lost_seconds, 20.0)
        self.watchdog = Watchdog(
            lambda: self.hanging, self.readiness, self.facts, self.manager, self.activity, Timings()
        )

    def ticks(self) -> list[str]:
        """Return what one tick of the watchdog sends."""
        self.manager.sent.clear()
        self.watchdog.run_once()
        return list(self.manager.sent)


@pytest.fixture
def start() -> Start:
    return Start()


def test_a_start_that_goes_on_feeds_the_watchdog_and_asks_for_time(start: Start) -> None:
    assert start.ticks() == ["WATCHDOG=1", EXTENDED]
    start.lost_seconds = 19.9
    assert start.ticks() == ["WATCHDOG=1", EXTENDED]
    assert start.facts == []


def test_the_first_catch_up_ends_the_start_and_the_next_ones_are_no_news(start: Start) -> None:
    start.readiness.reached()
    start.readiness.reached()
    assert start.manager.sent == ["READY=1"]
    assert start.facts == [DaemonReady()]
    assert start.ticks() == ["WATCHDOG=1"]


def test_a_long_outage_ends_the_start_and_the_catch_up_after_it_is_only_logged(start: Start) -> None:
    start.lost_seconds = 20.0
    assert start.ticks() == ["WATCHDOG=1", "READY=1"]
    assert start.ticks() == ["WATCHDOG=1"]
    start.readiness.reached()
    assert start.manager.sent == ["WATCHDOG=1"]
    assert start.facts == [StartedInOutage(20.0), DaemonReady()]


def test_a_start_that_hangs_gets_no_more_time(start: Start) -> None:
    start.hanging = ["start"]
    assert start.ticks() == []
    start.lost_seconds = 20.0
    assert start.ticks() == []
    assert start.facts == [ServiceHanging(("start",))], "the same state is one line"
    start.hanging = []
    assert start.ticks() == ["WATCHDOG=1", "READY=1"]
    start.hanging = ["start"]
    start.ticks()
    assert start.facts.of(ServiceHanging) == [ServiceHanging(("start",))] * 2


def test_a_reload_is_reported_only_after_the_start(start: Start) -> None:
    with start.readiness.reloading():
        start.readiness.reached()
    assert start.manager.sent == ["READY=1"]
    with start.readiness.reloading():
        assert start.manager.sent == ["READY=1", "RELOADING=1"]
    assert start.manager.sent == ["READY=1", "RELOADING=1", "READY=1"]


@pytest.mark.parametrize(
    ("watchdog_seconds", "starting", "running"), [(None, 1.0, 10.0), (30.0, 1.0, 10.0), (1.5, 0.5, 0.5)]
)
def test_the_watchdog_is_fed_three_times_in_its_interval_and_each_second_during_the_start(
    watchdog_seconds: float | None, starting: float, running: float
) -> None:
    async def check() -> None:
        start = Start(watchdog_seconds)
        task = asyncio.create_task(start.watchdog.run())
        await settle(lambda: start.activity.waits)
        start.readiness.reached()
        await settle(lambda: len(start.activity.waits) >= 3)
        task.cancel()
        assert (start.activity.waits[0], start.activity.waits[2]) == (starting, running)

    run(check())


def test_a_ready_that_was_not_taken_is_tried_again_each_second() -> None:
    async def check() -> None:
        start = Start()
        start.manager.takes = False
        task = asyncio.create_task(start.watchdog.run())
        start.readiness.reached()
        await settle(lambda: len(start.activity.waits) >= 2)
        start.manager.takes = True
        await settle(lambda: start.manager.sent)
        await settle(lambda: start.activity.waits[-1] > 1.0)
        task.cancel()
        assert start.activity.waits[:2] == [1.0, 1.0]
        assert start.manager.sent[:2] == ["READY=1", "WATCHDOG=1"]

    run(check())
