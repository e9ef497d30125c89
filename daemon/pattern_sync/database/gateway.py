"""What the daemon asks of the database, over asyncpg."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from pattern_sync.database.pool import Pool
from pattern_sync.database.rows import (
    check_version,
    filter_arguments,
    run_arguments,
    to_candidates,
    to_filter_in_force,
    to_outcomes,
)
from pattern_sync.domain.errors import AccessRefused
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import Candidate, PatternOutcome
from pattern_sync.domain.results import SyncResult
from pattern_sync.sync.reconciler import Step

# A few patterns take milliseconds: longer is a lock or a dead link, and others must not wait behind it.
EVENT_SECONDS = 5.0
# A look at the whole of a large table, and a batch of a bulk change.
SCAN_SECONDS = 120.0
FEW_PATTERNS = 500
BATCH_SIZE = 8_000
PLANNED_LENGTH = 10


class DaemonGateway:
    """Runs the daemon's statements; every method raises DatabaseError or SchemaError.

    `on_written` gets what each reconcile came to, so that the review pages are told.
    """

    def __init__(self, pool: Pool, on_written: Callable[[list[PatternOutcome]], None]) -> None:
        self._pool = pool
        self._on_written = on_written
        self._published: SyncFilter | None = None

    async def check_schema(self) -> None:
        """Raise SchemaError unless the schema in the database is this version's."""
        rows = await self._pool.fetch("schema_version", deadline_seconds=EVENT_SECONDS)
        check_version(rows[0]["version"])

    async def check_rights(self) -> None:
        """Raise AccessRefused, with the statements that help, where the daemon's role may not do all of its work."""
        rows = await self._pool.fetch("missing_rights", deadline_seconds=EVENT_SECONDS)
        if rows:
            grants = " ".join(str(row["remedy"]) for row in rows)
            raise AccessRefused(f"The daemon's role lacks rights. As the owner of the tables: {grants}")

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

    async def reconcile(self, pattern_ids: Sequence[int], sync_filter: SyncFilter) -> list[PatternOutcome]:
        """Run one step of the reconcile; patterns that are gone are not in the result."""
        deadline = EVENT_SECONDS if len(pattern_ids) <= FEW_PATTERNS else SCAN_SECONDS
        arguments = (*filter_arguments(sync_filter), _at_least_ten(pattern_ids))
        outcomes = to_outcomes(await self._pool.fetch("reconcile", *arguments, deadline_seconds=deadline))
        self._on_written(outcomes)
        return outcomes

    async def side_by_side(self, steps: Sequence[Step]) -> list[list[PatternOutcome]]:
        """Run some steps at once, each on its own connection."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(step, name="reconcile step") for step in steps]
        except BaseExceptionGroup as faults:
            raise faults.exceptions[0] from None  # each of them alone would have ended the run
        return [task.result() for task in tasks]

    async def signature_of(self, pattern_id: int) -> str:
        """Return the name of a pattern, for a message."""
        rows = await self._pool.fetch("pattern_signature", pattern_id, deadline_seconds=EVENT_SECONDS)
        return str(rows[0]["signature"]) if rows else f"row {pattern_id}"

    async def count_candidates(self, sync_filter: SyncFilter) -> tuple[int, int]:
        """Return how many patterns qualify, and how many of them have no entry."""
        arguments = filter_arguments(sync_filter)
        rows = await self._pool.fetch("count_candidates", *arguments, deadline_seconds=SCAN_SECONDS)
        return rows[0]["candidates"], rows[0]["missing"]

    async def count_gone(self) -> int:
        """Return how many pending entries have lost their pattern."""
        rows = await self._pool.fetch("count_gone", deadline_seconds=SCAN_SECONDS)
        return int(rows[0]["gone"])

    async def missing_patterns(self, sync_filter: SyncFilter) -> AsyncGenerator[list[Candidate], None]:
        """Yield batches of patterns that qualify and have no entry, best impact first."""
        arguments = (*filter_arguments(sync_filter), sync_filter.max_patterns)
        stream = self._pool.stream("missing_patterns", *arguments, batch_size=BATCH_SIZE, deadline_seconds=SCAN_SECONDS)
        async with aclosing(stream) as batches:
            async for rows in batches:
                yield to_candidates(rows)

    async def stale_patterns(self) -> AsyncGenerator[list[Candidate], None]:
        """Yield batches of patterns whose pending entry shows other figures.

        One statement a batch and no cursor: an idle database is asked this every few seconds.
        """
        after_id = 0
        while True:
            rows = await self._pool.fetch("stale_patterns", after_id, BATCH_SIZE, deadline_seconds=SCAN_SECONDS)
            if not rows:
                return
            yield to_candidates(rows)
            if len(rows) < BATCH_SIZE:
                return
            after_id = rows[-1]["pattern_id"]

    async def record_run(self, kind: str, result: SyncResult) -> None:
        """Remember a run for `status`."""
        await self._pool.fetch("record_run", *run_arguments(kind, result), deadline_seconds=EVENT_SECONDS)


def _at_least_ten(pattern_ids: Sequence[int]) -> Sequence[int]:
    """Repeat the last id, which changes nothing: to plan a reconcile of one pattern takes longer than to do it.

    PostgreSQL keeps a plan when it looks no dearer than one made for the very case, and it takes an array for ten long.
    """
    last = list(pattern_ids[-1:])
    return [*pattern_ids, *last * (PLANNED_LENGTH - len(pattern_ids))]
