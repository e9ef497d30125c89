"""The reconcile's statements, over either driver."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pattern_sync.database.rows import Row
from pattern_sync.database.rows.filters import filter_arguments
from pattern_sync.database.rows.queue import (
    ids_argument,
    run_argument,
    to_missing_preview,
    to_outcomes,
    to_queued_page,
    to_refreshed_page,
    to_retried,
)
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome, PatternOutcome, signatures_of
from pattern_sync.domain.results import MissingPreview, QueuedPage, RefreshedPage, Retried, SyncResult

# A few patterns take milliseconds; more time means a lock or a dead link, and other patterns must not wait for it.
EVENT_SECONDS = 5.0
# For a read of a whole large table, and for a batch of a bulk change.
SCAN_SECONDS = 120.0
FEW_PATTERNS = 500
BATCH_SIZE = 4_000


class Session(Protocol):
    """Runs named statements: the pool, or a blocking connection."""

    @property
    def in_transactions(self) -> bool:
        """Return whether each statement runs in its own transaction, because sessions are shared with other clients."""

    def fetch(self, name: str, /, *arguments: object, deadline_seconds: float) -> Awaitable[Sequence[Row]]:
        """Run one named statement and return its rows."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace of a long scan: how long a step lasts (0: one page), and how many lanes run after the first step."""

    first_step_seconds: float
    step_seconds: float
    lanes: int


# Most of a daemon's scans are done after the first page.
DAEMONS_PACE = Pace(first_step_seconds=0.0, step_seconds=5.0, lanes=2)
COMMANDS_PACE = Pace(first_step_seconds=1.0, step_seconds=1.0, lanes=1)


@dataclass(slots=True)
class _Lane:
    """A share of one scan: its number, the number of lanes, when the scan began, and the row ids that were locked."""

    number: int
    lanes: int
    begun: datetime | None = None
    held: list[str] = field(default_factory=list)


class QueueGateway:
    """Runs the statements of the reconcile; every method raises DatabaseError or SchemaError.

    `on_written` gets the signatures that were queued and those that were refreshed, to notify the review pages.
    """

    def __init__(
        self, session: Session, on_written: Callable[[Sequence[str], Sequence[str]], None], pace: Pace
    ) -> None:
        self._session = session
        self._on_written = on_written
        self._pace = pace

    async def reconcile(self, row_ids: Sequence[RowId], sync_filter: SyncFilter) -> list[PatternOutcome]:
        """Run one step of the reconcile; patterns that are gone are not in the result."""
        deadline = EVENT_SECONDS if len(row_ids) <= FEW_PATTERNS else SCAN_SECONDS
        arguments = (*filter_arguments(sync_filter), ids_argument(row_ids))
        outcomes = to_outcomes(await self._session.fetch("reconcile", *arguments, deadline_seconds=deadline))
        self._on_written(signatures_of(outcomes, Outcome.QUEUED), signatures_of(outcomes, Outcome.REFRESHED))
        return outcomes

    async def queue_missing(self, sync_filter: SyncFilter, *, retry: bool) -> AsyncGenerator[QueuedPage, None]:
        """Queue what qualifies and has no entry, best impact first, step by step until it is done."""
        most = sync_filter.max_patterns
        page = await self._queue_lane(
            sync_filter, most, _Lane(0, 1), retry=retry, seconds=self._pace.first_step_seconds
        )
        yield page
        most = None if most is None else most - page.taken
        shares = 0 if page.finished else 1 if most is not None else self._pace.lanes
        lanes = [_Lane(number, shares, page.begun, [str(item) for item in page.held]) for number in range(shares)]
        while lanes:
            seconds = self._pace.step_seconds
            steps = [self._queue_lane(sync_filter, most, lane, retry=retry, seconds=seconds) for lane in lanes]
            pages = await _side_by_side(steps)
            for lane, page in zip(lanes, pages, strict=True):
                lane.held += map(str, page.held)
                yield page
            if most is not None:
                most -= pages[0].taken
            lanes = [lane for lane, page in zip(lanes, pages, strict=True) if not page.finished]

    async def preview_missing(self, sync_filter: SyncFilter) -> MissingPreview:
        """Return what queue_missing would find; writes nothing."""
        arguments = (*filter_arguments(sync_filter), sync_filter.max_patterns, True)
        return to_missing_preview(await self._row("preview_missing", *arguments))

    async def refresh_stale(self, sync_filter: SyncFilter, after_id: RowId) -> RefreshedPage:
        """Refresh the next stale entries."""
        arguments = (*filter_arguments(sync_filter), after_id, BATCH_SIZE)
        page = to_refreshed_page(await self._row("refresh_stale", *arguments))
        self._on_written([], page.refreshed_signatures)
        return page

    async def retry_refused(self, sync_filter: SyncFilter, most: int) -> Retried:
        """Try quarantined patterns that are due again."""
        retried = to_retried(await self._row("retry_refused", *filter_arguments(sync_filter), most))
        self._on_written(retried.queued_signatures, retried.refreshed_signatures)
        return retried

    async def count_stale(self) -> int:
        """Return how many pending entries are stale."""
        return int((await self._row("count_stale"))["stale"])

    async def count_gone(self) -> int:
        """Return how many pending entries have lost their pattern."""
        return int((await self._row("count_gone"))["gone"])

    async def record_run(self, kind: str, result: SyncResult) -> None:
        """Record a scan for `status`."""
        await self._session.fetch("record_run", run_argument(kind, result), deadline_seconds=EVENT_SECONDS)

    async def _queue_lane(
        self, sync_filter: SyncFilter, most: int | None, lane: _Lane, *, retry: bool, seconds: float
    ) -> QueuedPage:
        commits = not self._session.in_transactions
        wanted = (*filter_arguments(sync_filter), most, retry, lane.number, lane.lanes, seconds, commits)
        page = to_queued_page(await self._row("queue_missing", *wanted, lane.begun, lane.held))
        self._on_written(page.queued_signatures, [])
        return page

    async def _row(self, name: str, *arguments: object) -> Row:
        return (await self._session.fetch(name, *arguments, deadline_seconds=SCAN_SECONDS))[0]


async def _side_by_side(steps: Sequence[Coroutine[None, None, QueuedPage]]) -> list[QueuedPage]:
    if len(steps) == 1:  # a blocking connection has no event loop for a task
        return [await steps[0]]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(step, name="queue lane") for step in steps]
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from None  # any of them alone would have ended the scan
    return [task.result() for task in tasks]
