"""What was written is told, all of it, also when it is much, in an outage, or at the end."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import DatabaseUnavailable
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.observability.state import DaemonState
from pattern_sync.sync.announcer import MOST_NAMES, Announcer
from pattern_sync.sync.outage import Outage
from tests.support.asynchronous import run, settle
from tests.support.fakes import Clock, RecordingLife


@dataclass
class Told:
    """An announcer and what it has told, on a clock that stands still."""

    faults: list[Exception] = field(default_factory=list)
    told: list[tuple[list[str], list[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = Clock()
        self.state = DaemonState(clock, lambda _: None)
        life = RecordingLife(clock)
        backoff = Backoff(lambda: 1.0, 0.1, 1.5)
        outage = Outage(
            partial(self.state.pages_lost, Announcer.NAME),
            partial(self.state.pages_back, Announcer.NAME),
            backoff,
            life,
        )
        self.announcer = Announcer(self._tell, outage, life)

    async def _tell(self, queued: list[str], refreshed: list[str]) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.told.append((queued, refreshed))

    def add(self, outcome: Outcome, *names: str) -> None:
        queued, refreshed = (names, ()) if outcome is Outcome.QUEUED else ((), names)
        self.announcer.add(queued, refreshed)


def names(prefix: str, number: int) -> list[str]:
    return [f"{prefix}:{each}" for each in range(number)]


def test_what_was_written_is_told_and_nothing_else() -> None:
    async def check() -> None:
        it = Told()
        it.announcer.add([], [])
        await it.announcer.run_once()
        assert it.told == []
        it.add(Outcome.QUEUED, "new")
        it.add(Outcome.REFRESHED, "old")
        await it.announcer.run_once()
        await it.announcer.run_once()
        assert it.told == [(["new"], ["old"])]

    run(check())


def test_many_of_both_kinds_are_told_without_losing_one() -> None:
    async def check() -> None:
        it = Told()
        refreshed, queued = names("refreshed", MOST_NAMES - 1), names("queued", MOST_NAMES - 1)
        it.add(Outcome.REFRESHED, *refreshed)
        it.add(Outcome.QUEUED, *queued)
        await it.announcer.run_once()
        assert it.told == [(queued, refreshed)]

    run(check())


def test_more_than_the_database_names_are_kept_as_one_too_many() -> None:
    async def check() -> None:
        it = Told()
        for number in range(5):
            it.add(Outcome.QUEUED, *names(str(number), 900))
        await it.announcer.run_once()
        ((queued, _),) = it.told
        assert len(queued) == MOST_NAMES

    run(check())


def test_what_could_not_be_told_in_an_outage_is_told_after_it() -> None:
    async def check() -> None:
        it = Told(faults=[DatabaseUnavailable("gone")])
        it.add(Outcome.QUEUED, "new")
        await it.announcer.run_once()
        assert it.state.pages_cut_off
        assert it.state.database_lost_at is None
        it.add(Outcome.REFRESHED, "old")
        await it.announcer.run_once()
        assert it.told == [(["new"], ["old"])]
        assert not it.state.pages_cut_off

    run(check())


def test_what_was_written_last_is_told_before_the_end() -> None:
    async def check() -> None:
        it = Told()
        running = asyncio.create_task(it.announcer.run())
        it.add(Outcome.QUEUED, "first")
        await settle(lambda: len(it.told) == 1)
        it.add(Outcome.QUEUED, "last")
        it.announcer.close()
        async with asyncio.timeout(5):
            await running
        assert it.told == [(["first"], []), (["last"], [])]

    run(check())
