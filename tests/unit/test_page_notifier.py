"""Every written entry is notified, also when there are many, after an outage, or before the end."""

import asyncio
from collections.abc import Mapping

from pattern_sync.domain.errors import DatabaseUnavailable
from pattern_sync.domain.notification import MOST_NAMED
from pattern_sync.sync.page_notifier import PageNotifier
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordingActivity

DEBOUNCE_SECONDS = 0.1


class Bench:
    """A page notifier and what it has notified; None stands for everything."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.notified: list[dict[str, str] | None] = []
        self.activity = RecordingActivity(Clock(), PageNotifier.name)
        self.notifier = PageNotifier(self._notify, self.activity, DEBOUNCE_SECONDS)

    async def _notify(self, written: Mapping[str, str] | None) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.notified.append(None if written is None else dict(written))


def names(prefix: str, number: int) -> list[str]:
    return [f"{prefix}:{each}" for each in range(number)]


def test_only_written_entries_are_notified() -> None:
    async def check() -> None:
        bench = Bench()
        bench.notifier.add([], [])
        await bench.notifier.run_once()
        assert bench.notified == []
        bench.notifier.add(["new"], [])
        bench.notifier.add([], ["old"])
        await bench.notifier.run_once()
        await bench.notifier.run_once()
        assert bench.notified == [{"new": "queued", "old": "refreshed"}]

    run(check())


def test_as_many_entries_as_a_payload_holds_are_notified_by_name() -> None:
    async def check() -> None:
        bench = Bench()
        refreshed, queued = names("refreshed", MOST_NAMED // 2), names("queued", MOST_NAMED // 2)
        bench.notifier.add([], refreshed)
        bench.notifier.add(queued, [])
        await bench.notifier.run_once()
        assert bench.notified == [{**dict.fromkeys(refreshed, "refreshed"), **dict.fromkeys(queued, "queued")}]

    run(check())


def test_more_entries_than_a_payload_holds_become_everything() -> None:
    async def check() -> None:
        bench = Bench()
        for number in range(5):
            bench.notifier.add(names(str(number), 900), [])
        await bench.notifier.run_once()
        bench.notifier.add([], ["old"])
        await bench.notifier.run_once()
        assert bench.notified == [None, {"old": "refreshed"}]

    run(check())


def test_changes_that_an_outage_held_up_are_notified_after_it() -> None:
    async def check() -> None:
        bench = Bench(DatabaseUnavailable("gone"))
        bench.notifier.add(["new", "both"], [])
        await bench.notifier.run_once()
        assert bench.activity.in_outage
        assert bench.activity.reports.without == {PageNotifier.name}
        bench.notifier.add([], ["old", "both"])
        await bench.notifier.run_once()
        assert bench.notified == [{"new": "queued", "both": "refreshed", "old": "refreshed"}], "the newer one is kept"
        assert not bench.activity.in_outage

    run(check())


def test_a_burst_is_notified_ten_times_a_second_at_most() -> None:
    async def check() -> None:
        bench = Bench()
        task = asyncio.create_task(bench.notifier.run())
        bench.notifier.add(["first"], [])
        await settle(lambda: bench.notified)
        bench.notifier.add(["second"], [])
        await settle(lambda: len(bench.notified) == 2)
        task.cancel()
        await asyncio.wait([task])
        assert set(bench.activity.event_waits) == {DEBOUNCE_SECONDS}

    run(check())


def test_the_last_changes_are_notified_before_the_end() -> None:
    async def check() -> None:
        bench = Bench()
        task = asyncio.create_task(bench.notifier.run())
        bench.notifier.add(["first"], [])
        await settle(lambda: len(bench.notified) == 1)
        bench.notifier.add(["last"], [])
        bench.notifier.close()
        async with asyncio.timeout(5):
            await task
        assert bench.notified == [{"first": "queued"}, {"last": "queued"}]

    run(check())


def test_a_notifier_with_nothing_to_notify_ends_at_once() -> None:
    async def check() -> None:
        bench = Bench()
        task = asyncio.create_task(bench.notifier.run())
        await asyncio.sleep(0)
        bench.notifier.close()
        async with asyncio.timeout(5):
            await task
        assert bench.notified == []

    run(check())
