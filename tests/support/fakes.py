"""Stand-ins at the seams that the sync room declares: a clock, a queue, a LISTEN session."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

from pattern_sync.domain.errors import DatabaseUnavailable, StatementFailed
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import Candidate, Outcome, PatternOutcome
from pattern_sync.sync.liveness import Life
from pattern_sync.sync.reconciler import Step

BATCH = 4


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class FakeQueue:
    """A queue in memory: `patterns` qualify, `poison` cannot be written, `faults` are raised first, one a call."""

    def __init__(self, patterns: Iterable[int] = (), poison: Iterable[int] = ()) -> None:
        self.patterns = list(patterns)
        self.poison = set(poison)
        self.faults: list[Exception] = []
        self.entries: set[int] = set()
        self.stale: set[int] = set()
        self.restless: set[int] = set()  # these change under every look
        self.calls: list[tuple[int, ...]] = []

    async def reconcile(self, pattern_ids: Sequence[int], sync_filter: SyncFilter) -> list[PatternOutcome]:
        assert sync_filter is not None
        self.calls.append(tuple(pattern_ids))
        if self.faults:
            raise self.faults.pop(0)
        if spoiled := sorted(self.poison.intersection(pattern_ids) - self.entries):
            raise StatementFailed(f"row {spoiled[0]} is poison")
        return [PatternOutcome(item, f"s{item}", self._write(item)) for item in pattern_ids if item in self.patterns]

    def _write(self, item: int) -> Outcome:
        if item not in self.entries:
            self.entries.add(item)
            return Outcome.QUEUED
        if item in self.restless:
            return Outcome.REFRESHED
        if item in self.stale:
            self.stale.discard(item)
            return Outcome.REFRESHED
        return Outcome.UNCHANGED

    async def side_by_side(self, steps: Sequence[Step]) -> list[list[PatternOutcome]]:
        return [await step for step in steps]

    async def signature_of(self, pattern_id: int) -> str:
        return f"s{pattern_id}"

    async def count_candidates(self, sync_filter: SyncFilter) -> tuple[int, int]:
        assert sync_filter is not None
        return len(self.patterns), len(self._missing())

    async def count_gone(self) -> int:
        return len(self.entries - set(self.patterns))

    async def missing_patterns(self, sync_filter: SyncFilter) -> AsyncGenerator[list[Candidate], None]:
        async for batch in _batches(self._missing()[: sync_filter.max_patterns]):
            yield batch

    async def stale_patterns(self) -> AsyncGenerator[list[Candidate], None]:
        async for batch in _batches(sorted(self.stale)):
            yield batch

    def _missing(self) -> list[int]:
        return [item for item in self.patterns if item not in self.entries]


async def _batches(items: Sequence[int]) -> AsyncGenerator[list[Candidate], None]:
    for start in range(0, len(items), BATCH):
        yield [Candidate(item, f"s{item}") for item in items[start : start + BATCH]]


class FakeSession:
    """A LISTEN session; `hears` says whether a round trip comes back, `dies_after` how many heartbeats it lives."""

    def __init__(self, *, hears: bool = True, dies_after: int | None = None) -> None:
        self.lost = asyncio.Event()
        self.on_payload: Callable[[str], None] = lambda _: None
        self.heartbeats = 0
        self.terminated = False
        self._hears = hears
        self._dies_after = dies_after

    async def heartbeat(self) -> None:
        if self.heartbeats == self._dies_after:
            raise DatabaseUnavailable("no answer in time")
        self.heartbeats += 1

    async def round_trip(self) -> bool:
        return self._hears

    def terminate(self) -> None:
        self.terminated = True


class RecordingLife(Life):
    """Waits for nothing and remembers for how long it should have."""

    def __init__(self, now: Callable[[], float], name: str = "service") -> None:
        super().__init__(name, now)
        self.pauses: list[float] = []

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await super().pause(0)
