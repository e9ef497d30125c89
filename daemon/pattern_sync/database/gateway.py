"""What the daemon asks of the database, over asyncpg."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pattern_sync.database.pool import Pool
from pattern_sync.database.rows import (
    check_version,
    filter_arguments,
    ids_argument,
    run_argument,
    to_filter_in_force,
    to_missing_indexes,
    to_missing_preview,
    to_outcomes,
    to_queued_page,
    to_refreshed_page,
    to_retried,
)
from pattern_sync.domain.errors import AccessRefused
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome, PatternOutcome, signatures_of
from pattern_sync.domain.results import MissingPreview, QueuedPage, RefreshedPage, Retried, SyncResult
from pattern_sync.domain.statistics import MissingIndex

# A few patterns take milliseconds: longer is a lock or a dead link, and others must not wait behind it.
EVENT_SECONDS = 5.0
# A look at the whole of a large table, and a batch of a bulk change.
SCAN_SECONDS = 120.0
FEW_PATTERNS = 500
BATCH_SIZE = 4_000
# A run over very many tells how far it is after about so long.
STEP_SECONDS = 5.0
# A share of the patterns for each connection that works at them: its number, and how many there are.
WHOLE = (0, 1)
LANES = [(0, 2), (1, 2)]


@dataclass(slots=True)
class _Lane:
    """A share of one run: its number, how many there are, when the run began and what somebody has locked."""

    number: int
    lanes: int
    begun: datetime | None = None
    held: list[str] = field(default_factory=list)


class DaemonGateway:
    """Runs the daemon's statements; every method raises DatabaseError or SchemaError.

    `on_written` gets the patterns that were queued and those that were refreshed, so that the review pages are told.
    """

    def __init__(self, pool: Pool, on_written: Callable[[Sequence[str], Sequence[str]], None]) -> None:
        self._pool = pool
        self._on_written = on_written
        self._published: SyncFilter | None = None

    async def check_schema(self) -> None:
        """Raise SchemaError unless the schema in the database is this version's; AccessRefused as check_rights does."""
        try:
            rows = await self._pool.fetch("schema_version", deadline_seconds=EVENT_SECONDS)
        except AccessRefused:
            await self.check_rights()  # after a restore without rights: says what helps, and not only that it is denied
            raise
        check_version(rows[0]["version"])

    async def check_rights(self) -> None:
        """Raise AccessRefused, with the statements that help, where the daemon's role may not do all of its work."""
        rows = await self._pool.fetch("missing_rights", deadline_seconds=EVENT_SECONDS)
        if rows:
            grants = " ".join(str(row["remedy"]) for row in rows)
            raise AccessRefused(f"The daemon's role lacks rights. As the owner of the tables: {grants}")

    async def missing_indexes(self) -> tuple[MissingIndex, ...]:
        """Return the indexes that large tables of the application lack for us."""
        return to_missing_indexes(await self._pool.fetch("missing_indexes", deadline_seconds=EVENT_SECONDS))

    async def read_filter(self) -> SyncFilter:
        """Return the filter in force; the one that was published last where the database has lost it."""
        rows = await self._pool.fetch("read_filter", deadline_seconds=EVENT_SECONDS)
        return self._published if not rows and self._published is not None else to_filter_in_force(rows)

    async def publish_filter(self, sync_filter: SyncFilter) -> bool:
        """Put a filter in force for the triggers and all daemons; False where it was already."""
        self._published = sync_filter
        arguments = filter_arguments(sync_filter)
        return bool(await self._pool.fetch("publish_filter", *arguments, deadline_seconds=EVENT_SECONDS))

    async def republish_filter(self) -> None:
        """Put the filter in force again that was published last."""
        if self._published is not None:
            await self.publish_filter(self._published)

    async def reconcile(self, row_ids: Sequence[RowId], sync_filter: SyncFilter) -> list[PatternOutcome]:
        """Run one step of the reconcile; patterns that are gone are not in the result."""
        deadline = EVENT_SECONDS if len(row_ids) <= FEW_PATTERNS else SCAN_SECONDS
        arguments = (*filter_arguments(sync_filter), ids_argument(row_ids))
        outcomes = to_outcomes(await self._pool.fetch("reconcile", *arguments, deadline_seconds=deadline))
        self._on_written(signatures_of(outcomes, Outcome.QUEUED), signatures_of(outcomes, Outcome.REFRESHED))
        return outcomes

    async def queue_missing(self, sync_filter: SyncFilter, *, retry: bool) -> AsyncGenerator[QueuedPage, None]:
        """Queue what qualifies and has no entry, best impact first, step by step until it is done.

        Most runs are done after the first page; what is left of a large one is shared out among two connections.
        """
        most = sync_filter.max_patterns
        page = await self._queue_lane(sync_filter, most, _Lane(*WHOLE), retry=retry, budget_seconds=0)
        yield page
        most = None if most is None else most - page.taken
        shares = [] if page.finished else [WHOLE] if most is not None else LANES
        lanes = [_Lane(*share, page.begun, [str(item) for item in page.held]) for share in shares]
        while lanes:
            steps = [
                self._queue_lane(sync_filter, most, lane, retry=retry, budget_seconds=STEP_SECONDS) for lane in lanes
            ]
            pages = await _side_by_side(steps)
            for lane, page in zip(lanes, pages, strict=True):
                lane.held += map(str, page.held)
                yield page
            if most is not None:
                most -= pages[0].taken
            lanes = [lane for lane, page in zip(lanes, pages, strict=True) if not page.finished]

    async def preview_missing(self, sync_filter: SyncFilter) -> MissingPreview:
        """Return what queue_missing would find; writes nothing."""
        arguments = (*filter_arguments(sync_filter), sync_filter.max_patterns)
        rows = await self._pool.fetch("preview_missing", *arguments, deadline_seconds=SCAN_SECONDS)
        return to_missing_preview(rows[0])

    async def refresh_stale(self, sync_filter: SyncFilter, after_id: int) -> RefreshedPage:
        """Bring the next pending entries up to date whose figures are behind."""
        arguments = (*filter_arguments(sync_filter), after_id, BATCH_SIZE)
        rows = await self._pool.fetch("refresh_stale", *arguments, deadline_seconds=SCAN_SECONDS)
        page = to_refreshed_page(rows[0])
        self._on_written([], page.refreshed_signatures)
        return page

    async def retry_refused(self, sync_filter: SyncFilter, most: int) -> Retried:
        """Try patterns of the quarantine again whose time has come."""
        arguments = (*filter_arguments(sync_filter), most)
        rows = await self._pool.fetch("retry_refused", *arguments, deadline_seconds=SCAN_SECONDS)
        retried = to_retried(rows[0])
        self._on_written(retried.queued_signatures, retried.refreshed_signatures)
        return retried

    async def count_stale(self) -> int:
        """Return how many pending entries are behind the figures of their patterns."""
        rows = await self._pool.fetch("count_stale", deadline_seconds=SCAN_SECONDS)
        return int(rows[0]["stale"])

    async def count_gone(self) -> int:
        """Return how many pending entries have lost their pattern."""
        rows = await self._pool.fetch("count_gone", deadline_seconds=SCAN_SECONDS)
        return int(rows[0]["gone"])

    async def _queue_lane(
        self, sync_filter: SyncFilter, most: int | None, lane: _Lane, *, retry: bool, budget_seconds: float
    ) -> QueuedPage:
        commits = not self._pool.in_transactions
        wanted = (*filter_arguments(sync_filter), most, retry, lane.number, lane.lanes, budget_seconds, commits)
        arguments = (*wanted, lane.begun, lane.held)
        rows = await self._pool.fetch("queue_missing", *arguments, deadline_seconds=SCAN_SECONDS)
        page = to_queued_page(rows[0])
        self._on_written(page.queued_signatures, [])
        return page

    async def record_run(self, kind: str, result: SyncResult) -> None:
        """Remember a run for `status`."""
        await self._pool.fetch("record_run", run_argument(kind, result), deadline_seconds=EVENT_SECONDS)


async def _side_by_side(steps: Sequence[Coroutine[None, None, QueuedPage]]) -> list[QueuedPage]:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(step, name="queue lane") for step in steps]
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from None  # each of them alone would have ended the run
    return [task.result() for task in tasks]
