"""The quarantine's retries: a bounded share of time, and all at once when the cause is gone."""

import asyncio

import pytest

from pattern_sync.domain.facts import QuarantineRetried
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import Retried
from pattern_sync.services.activity import Activity
from pattern_sync.services.liveness import Liveness
from pattern_sync.services.timings import Timings
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.retrier import FEW, LARGEST_SHARE_OF_TIME, MANY, Retrier
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, FakeQueue, RecordedFacts, RecordedReports, RecordingActivity, outage_backoff

TIMINGS = Timings()


class Lane:
    def __init__(self, refused: int = 0, activity: Activity | None = None, timings: Timings = TIMINGS) -> None:
        self.clock = Clock()
        self.queue = FakeQueue(range(refused), poison=range(refused))
        self.queue.refused = set(range(refused))
        self.activity = RecordingActivity(self.clock)
        self.facts = RecordedFacts()
        self.quarantined = asyncio.Event()
        self.retrier = Retrier(
            Reconciler(self.queue, self.clock),
            FilterInForce(SyncFilter.everything(max_patterns=None)),
            self.quarantined,
            self.facts,
            activity or self.activity,
            self.clock,
            timings,
        )

    async def rounds(self, times: int) -> None:
        """Let it make this many retries."""
        task = asyncio.create_task(self.retrier.run())
        await settle(lambda: len(self.queue.retries) >= times)
        task.cancel()
        await asyncio.wait([task])


def test_patterns_refused_again_are_retried_in_small_numbers() -> None:
    lane = Lane(refused=10_000)
    run(lane.rounds(5))
    assert lane.queue.retries == [FEW] * 5
    assert lane.facts.of(QuarantineRetried)[-1].retried.refused == 10_000
    assert set(lane.activity.waits) == {TIMINGS.quarantine_seconds}
    assert lane.activity.event_waits == []


def test_a_retry_takes_a_twentieth_of_the_time_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = Lane(refused=10)
    retry = lane.queue.retry_refused

    async def slowly(sync_filter: SyncFilter, most: int) -> Retried:
        lane.clock.seconds += 3
        return await retry(sync_filter, most)

    monkeypatch.setattr(lane.queue, "retry_refused", slowly)
    run(lane.rounds(2))
    assert lane.activity.waits[0] == 3 / LARGEST_SHARE_OF_TIME


def test_when_all_go_through_the_others_follow_at_once() -> None:
    lane = Lane(refused=10_000)
    lane.queue.poison.clear()
    run(lane.rounds(5))
    assert lane.queue.retries[:5] == [FEW, FEW * 4, FEW * 16, FEW * 64, MANY]
    assert len(lane.queue.entries) >= 85 * FEW + MANY, "without a pause in between"


def test_an_idle_retrier_waits_until_something_is_refused() -> None:
    idle = Lane()
    run(idle.rounds(3))
    assert set(idle.activity.event_waits) == {TIMINGS.quarantine_idle_seconds}

    async def check() -> None:
        activity = Activity("retrier", Liveness(Clock()), RecordedReports(), outage_backoff())
        lane = Lane(activity=activity, timings=Timings(quarantine_seconds=0.0))
        task = asyncio.create_task(lane.retrier.run())
        await settle(lambda: lane.queue.retries)
        await asyncio.sleep(0.01)
        assert lane.queue.retries == [FEW], "the retrier waits until something is refused"
        lane.quarantined.set()
        await settle(lambda: len(lane.queue.retries) == 2)
        await asyncio.sleep(0.01)
        assert lane.queue.retries == [FEW, FEW], "and waits again"
        task.cancel()
        await asyncio.wait([task])

    run(check())


def test_a_refusal_during_a_retry_wakes_the_retrier_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        activity = Activity("retrier", Liveness(Clock()), RecordedReports(), outage_backoff())
        lane = Lane(activity=activity, timings=Timings(quarantine_seconds=0.0))
        retry = lane.queue.retry_refused

        async def refused_meanwhile(sync_filter: SyncFilter, most: int) -> Retried:
            if not lane.queue.retries:
                lane.quarantined.set()
            return await retry(sync_filter, most)

        monkeypatch.setattr(lane.queue, "retry_refused", refused_meanwhile)
        task = asyncio.create_task(lane.retrier.run())
        await settle(lambda: len(lane.queue.retries) == 2)
        task.cancel()
        await asyncio.wait([task])

    run(check())
