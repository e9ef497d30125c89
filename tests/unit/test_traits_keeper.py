"""The traits keeper: named entries at once, all of them at a bounded cost, and no outage that lasts for nothing."""

import asyncio
from collections.abc import Sequence

from pattern_sync.domain.errors import DatabaseUnavailable
from pattern_sync.services.timings import Timings
from pattern_sync.sync.traits_keeper import LARGEST_SHARE_OF_TIME, TraitsKeeper
from tests.support.asynchronous import run, settle
from tests.support.fakes import OUTAGE_WAITS, Clock, RecordingActivity

TIMINGS = Timings()
LOOK_SECONDS = 5.0


class Stage:
    """A keeper whose look at all entries takes five seconds; it is called with None then."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.activity = RecordingActivity(self.clock)
        self.kept: list[Sequence[str] | None] = []
        self.fault: Exception | None = None
        self.caught_up = 0
        self.keeper = TraitsKeeper(self, self.activity, self.clock, TIMINGS, self.on_kept)

    def on_kept(self) -> None:
        self.caught_up += 1

    async def keep_traits(self, signatures: Sequence[str] | None, _most: int | None) -> int | None:
        if self.fault:
            raise self.fault
        self.kept.append(signatures)
        if signatures is None:
            self.clock.seconds += LOOK_SECONDS
        return 0


def test_named_entries_do_not_wait_for_the_rest_after_a_look_at_all() -> None:
    async def check() -> None:
        stage = Stage()
        await stage.keeper.run_once()
        stage.keeper.mark_everything()
        stage.keeper.mark(["a"])
        await stage.keeper.run_once()
        stage.keeper.mark(["b"])
        await stage.keeper.run_once()
        assert stage.kept == [None, ["a"], ["b"]]
        assert stage.activity.waits == []
        stage.clock.seconds += LOOK_SECONDS / LARGEST_SHARE_OF_TIME
        await stage.keeper.run_once()
        assert stage.kept == [None, ["a"], ["b"], None]
        assert stage.caught_up == 4

    run(check())


def test_a_look_that_is_owed_is_made_as_soon_as_it_may_be() -> None:
    async def check() -> None:
        stage = Stage()
        stage.keeper.mark_everything()
        task = asyncio.create_task(stage.keeper.run())
        await settle(lambda: stage.kept == [None])
        stage.keeper.mark_everything()
        await settle(lambda: len(stage.activity.event_waits) > 3)
        assert max(stage.activity.event_waits[2:]) <= LOOK_SECONDS / LARGEST_SHARE_OF_TIME
        stage.clock.seconds += LOOK_SECONDS / LARGEST_SHARE_OF_TIME
        await settle(lambda: stage.kept == [None, None])
        task.cancel()

    run(check())


def test_an_outage_beside_a_look_that_is_owed_ends_with_the_next_attempt() -> None:
    async def check() -> None:
        stage = Stage()
        await stage.keeper.run_once()
        stage.keeper.mark_everything()
        stage.keeper.mark(["a"])
        stage.fault = DatabaseUnavailable("down")
        await stage.keeper.run_once()
        assert stage.activity.in_outage
        assert stage.caught_up == 1
        assert stage.activity.waits == [OUTAGE_WAITS[0]], "and not until the next look at all"
        stage.fault = None
        await stage.keeper.run_once()
        assert not stage.activity.in_outage
        assert stage.kept == [None, ["a"]]

    run(check())


def test_an_outage_ends_where_only_a_look_is_owed() -> None:
    async def check() -> None:
        stage = Stage()
        await stage.keeper.run_once()
        stage.keeper.mark([str(number) for number in range(200)])
        stage.fault = DatabaseUnavailable("down")
        await stage.keeper.run_once()
        stage.keeper.mark([str(number) for number in range(200, 100_000)])  # more than are kept by name
        stage.fault = None
        await stage.keeper.run_once()
        assert not stage.activity.in_outage

    run(check())
