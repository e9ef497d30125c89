"""The lane of what was refused: a bounded share of time, and all at once when it is mended."""

import asyncio

import pytest

from pattern_sync.domain.errors import DatabaseUnavailable, StatementFailed
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import Retried
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.retrier import FEW, IDLE_SECONDS, LARGEST_SHARE_OF_TIME, MANY, PERIOD_SECONDS, Retrier
from pattern_sync.sync.workers import FilterInForce
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, FakeQueue, RecordingLife


class Lane:
    def __init__(self, refused: int = 0) -> None:
        self.clock = Clock()
        self.queue = FakeQueue(range(refused), poison=range(refused))
        self.queue.refused = set(range(refused))
        self.life = RecordingLife(self.clock)
        self.told: list[Retried] = []
        self.failures_total = 0
        self.retrier = Retrier(
            Reconciler(self.queue, self.clock),
            FilterInForce(SyncFilter.everything(max_patterns=None)),
            self.told.append,
            lambda: self.failures_total,
            self.life,
            self.clock,
        )

    async def rounds(self, times: int) -> None:
        """Let it retry so many times."""
        task = asyncio.create_task(self.retrier.run())
        await settle(lambda: len(self.queue.retries) >= times)
        task.cancel()
        await asyncio.wait([task])


def test_what_is_refused_again_is_tried_in_small_numbers() -> None:
    lane = Lane(refused=10_000)
    run(lane.rounds(5))
    assert lane.queue.retries == [FEW] * 5
    assert lane.told[-1].refused == 10_000
    assert set(lane.life.pauses) == {PERIOD_SECONDS}


def test_a_retry_takes_a_twentieth_of_the_time_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = Lane(refused=10)
    retry = lane.queue.retry_refused

    async def slowly(sync_filter: SyncFilter, most: int) -> Retried:
        lane.clock.seconds += 3
        return await retry(sync_filter, most)

    monkeypatch.setattr(lane.queue, "retry_refused", slowly)
    run(lane.rounds(2))
    assert lane.life.pauses[0] == 3 / LARGEST_SHARE_OF_TIME


def test_when_all_go_through_the_others_follow_at_once() -> None:
    lane = Lane(refused=10_000)
    lane.queue.poison.clear()
    run(lane.rounds(5))
    assert lane.queue.retries[:5] == [FEW, FEW * 4, FEW * 16, FEW * 64, MANY]
    assert len(lane.queue.entries) >= 85 * FEW + MANY, "without a pause in between"


@pytest.mark.parametrize("fault", [DatabaseUnavailable("down"), StatementFailed("no such table")])
def test_a_fault_of_the_database_is_waited_out(fault: Exception) -> None:
    lane = Lane(refused=3)
    lane.queue.faults = [fault]
    run(lane.rounds(2))
    assert len(lane.told) == 1


def test_with_nothing_refused_it_hardly_asks_until_something_is() -> None:
    lane = Lane()

    async def check() -> None:
        task = asyncio.create_task(lane.retrier.run())
        await settle(lambda: sum(lane.life.pauses) >= IDLE_SECONDS)
        assert lane.queue.retries == [FEW], "once in half a minute"
        before = len(lane.queue.retries)
        lane.failures_total += 1
        await settle(lambda: len(lane.queue.retries) > before)
        task.cancel()
        await asyncio.wait([task])

    run(check())
    assert sum(lane.life.pauses) <= IDLE_SECONDS + 2 * PERIOD_SECONDS
