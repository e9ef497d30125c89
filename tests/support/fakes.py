"""Stand-ins at the seams of services and sync: a clock, facts, an activity, a queue, a LISTEN session."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import TypeVar

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import DatabaseUnavailable, PassingFault
from pattern_sync.domain.facts import Fact
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome, PatternOutcome, signatures_of
from pattern_sync.domain.results import MissingPreview, QueuedPage, RefreshedPage, Retried
from pattern_sync.services.activity import Activity
from pattern_sync.services.liveness import Liveness

BATCH = 4
# How long a service waits in an outage here; no other wait is as long.
OUTAGE_WAITS = [7.0, 14.0, 28.0, 56.0, 112.0]

SomeFact = TypeVar("SomeFact", bound=Fact)


def row_ids(*numbers: int) -> list[RowId]:
    return [RowId(number) for number in numbers]


def outage_backoff() -> Backoff:
    return Backoff(lambda: 1.0, OUTAGE_WAITS[0], OUTAGE_WAITS[-1])


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class RecordedFacts(list[Fact]):
    """Keeps facts in their order."""

    def __call__(self, fact: Fact) -> None:
        self.append(fact)

    def of(self, kind: type[SomeFact]) -> list[SomeFact]:
        return [fact for fact in self if isinstance(fact, kind)]


class RecordedReports:
    """Keeps the reported outages; `without` holds the services that are in one."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, PassingFault]] = []
        self.without: set[str] = set()

    def lost(self, service: str, fault: PassingFault) -> None:
        self.faults.append((service, fault))
        self.without.add(service)

    def back(self, service: str) -> None:
        self.without.discard(service)


class RecordingActivity(Activity):
    """Never waits, and records the requested times: `waits`, and `event_waits` for events."""

    def __init__(self, now: Callable[[], float], name: str = "service") -> None:
        self.reports = RecordedReports()
        self.waits: list[float] = []
        self.event_waits: list[float] = []
        super().__init__(name, Liveness(now), self.reports, outage_backoff())

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    async def wait_for(self, event: asyncio.Event, seconds: float) -> bool:
        self.event_waits.append(seconds)
        await asyncio.sleep(0)
        return event.is_set()


class FakeQueue:
    """A queue in memory, quarantine included.

    `patterns` qualify, `poison` cannot be written, `held` are locked; `faults` are raised first, one a call.
    """

    def __init__(self, patterns: Iterable[int] = (), poison: Iterable[int] = ()) -> None:
        self.patterns = list(patterns)
        self.poison = set(poison)
        self.held: set[int] = set()
        self.refused: set[int] = set()
        self.faults: list[Exception] = []
        self.entries: set[int] = set()
        self.stale: set[int] = set()
        self.restless: set[int] = set()  # these change during every reconcile
        self.calls: list[tuple[int, ...]] = []
        self.retries: list[int] = []

    async def reconcile(self, row_ids: Sequence[RowId], sync_filter: SyncFilter) -> list[PatternOutcome]:
        assert sync_filter is not None
        self.calls.append(tuple(row_ids))
        if self.faults:
            raise self.faults.pop(0)
        return [self._outcome(item) for item in row_ids if item in self.patterns]

    def _outcome(self, item: int) -> PatternOutcome:
        if item in self.held:
            return PatternOutcome(RowId(item), f"s{item}", Outcome.HELD, "a lock")
        if item in self.poison - self.entries:
            self.refused.add(item)
            return PatternOutcome(RowId(item), f"s{item}", Outcome.FAILED, f"row {item} is poison")
        self.refused.discard(item)
        return PatternOutcome(RowId(item), f"s{item}", self._write(item))

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

    async def queue_missing(self, sync_filter: SyncFilter, *, retry: bool) -> AsyncGenerator[QueuedPage, None]:
        missing = self._missing()
        refused = [] if retry else [item for item in missing if item in self.refused]
        picked = [item for item in missing if item not in refused][: sync_filter.max_patterns]
        for start in range(0, max(len(picked), 1), BATCH):
            if self.faults:
                raise self.faults.pop(0)
            outcomes = [self._outcome(item) for item in picked[start : start + BATCH]]
            failed = [item for item in outcomes if item.outcome is Outcome.FAILED]
            queued = signatures_of(outcomes, Outcome.QUEUED)
            yield QueuedPage(
                candidates=len(self.patterns),
                missing=len(missing),
                refused=len(refused),
                handled=len(outcomes),
                queued=len(queued),
                failed=len(failed),
                held=tuple(item.row_id for item in outcomes if item.outcome is Outcome.HELD),
                queued_signatures=tuple(queued),
                failed_signatures=tuple(item.signature for item in failed),
                failed_reasons=tuple(str(item.error) for item in failed),
                finished=start + BATCH >= len(picked),
            )

    async def preview_missing(self, sync_filter: SyncFilter) -> MissingPreview:
        missing = self._missing()
        listed = missing[: sync_filter.max_patterns]
        return MissingPreview(len(self.patterns), len(missing), len(listed), tuple(f"s{item}" for item in listed))

    async def refresh_stale(self, sync_filter: SyncFilter, after_id: RowId) -> RefreshedPage:
        assert sync_filter is not None
        if self.faults:
            raise self.faults.pop(0)
        page = sorted(item for item in self.stale if item > after_id)[:BATCH]
        self.stale.difference_update(page)
        last_id = RowId(page[-1]) if page else None
        return RefreshedPage(len(page), len(page), tuple(f"s{item}" for item in page), last_id)

    async def retry_refused(self, sync_filter: SyncFilter, most: int) -> Retried:
        assert sync_filter is not None
        self.retries.append(most)
        if self.faults:
            raise self.faults.pop(0)
        outcomes = [self._outcome(item) for item in sorted(self.refused)[:most]]
        failed = [item for item in outcomes if item.outcome is Outcome.FAILED]
        queued = tuple(signatures_of(outcomes, Outcome.QUEUED))
        reasons = tuple(f"{item.signature}: {item.error}" for item in failed[:5])
        return Retried(len(outcomes), len(failed), len(self.refused), reasons, queued, ())

    async def count_stale(self) -> int:
        return len(self.stale)

    async def count_gone(self) -> int:
        return len(self.entries - set(self.patterns))

    def _missing(self) -> list[int]:
        return [item for item in self.patterns if item not in self.entries]


class FakeSession:
    """A LISTEN session; `receives` is whether a round trip comes back, `dies_after` how many heartbeats it lives."""

    def __init__(self, *, receives: bool = True, dies_after: int | None = None, fault: Exception | None = None) -> None:
        self.lost = asyncio.Event()
        self.on_payload: Callable[[str], None] = lambda _: None
        self.heartbeats = 0
        self.terminated = False
        self._receives = receives
        self._dies_after = dies_after
        self._fault = fault or DatabaseUnavailable("no answer in time")

    async def heartbeat(self) -> None:
        if self.heartbeats == self._dies_after:
            raise self._fault
        self.heartbeats += 1

    async def round_trip(self) -> bool:
        return self._receives

    def terminate(self) -> None:
        self.terminated = True
