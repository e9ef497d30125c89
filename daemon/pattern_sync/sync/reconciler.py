"""The reconcile: the one step in which every path ends. It repeats until there is nothing left to write."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

from pattern_sync.domain.conflicts import despite_conflicts
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import WRITTEN, Outcome, PatternOutcome
from pattern_sync.domain.results import (
    MissingPreview,
    QueuedPage,
    RefreshedPage,
    Retried,
    SyncResult,
    Tally,
)

# A pattern that changes faster than this can follow is left to the next refresh, a few seconds later.
MOST_LOOKS = 5
MOST_AT_ONCE = 2_000
# Below every row id. Ids may be negative: restarting a sequence below zero is an emergency measure when it runs out.
BEFORE_ALL_IDS = RowId(-(2**63))


class Queue(Protocol):
    """What a reconcile needs of the database, quarantine included."""

    async def reconcile(self, row_ids: Sequence[RowId], sync_filter: SyncFilter) -> list[PatternOutcome]: ...
    def queue_missing(self, sync_filter: SyncFilter, *, retry: bool) -> AsyncGenerator[QueuedPage, None]: ...
    async def preview_missing(self, sync_filter: SyncFilter) -> MissingPreview: ...
    async def refresh_stale(self, sync_filter: SyncFilter, after_id: RowId) -> RefreshedPage: ...
    async def retry_refused(self, sync_filter: SyncFilter, most: int) -> Retried: ...
    async def count_stale(self) -> int: ...
    async def count_gone(self) -> int: ...


class Reconciler:
    """Brings the queue up to date for some patterns or for all. It is idempotent and safe to run concurrently.

    It awaits only the queue, so a blocking queue makes it a blocking reconciler. `now` is a monotonic clock in seconds.
    """

    def __init__(self, queue: Queue, now: Callable[[], float]) -> None:
        self._queue = queue
        self._now = now

    async def reconcile(
        self,
        row_ids: Sequence[RowId],
        sync_filter: SyncFilter,
        on_committed: Callable[[Sequence[PatternOutcome]], None] = lambda _outcomes: None,
    ) -> list[PatternOutcome]:
        """Reconcile some patterns; patterns that are gone are missing in the result.

        `on_committed` gets what each transaction did as soon as it has ended.
        """
        first: dict[RowId, PatternOutcome] = {}
        to_look_at = list(dict.fromkeys(row_ids))
        for _ in range(MOST_LOOKS):
            outcomes = await self._look(to_look_at, sync_filter, on_committed)
            for item in outcomes:
                first.setdefault(item.row_id, item)
            # A writer or another daemon may have committed in between: only a look without a write is the last.
            to_look_at = [item.row_id for item in outcomes if item.outcome in WRITTEN]
        return list(first.values())

    async def _look(
        self,
        row_ids: Sequence[RowId],
        sync_filter: SyncFilter,
        on_committed: Callable[[Sequence[PatternOutcome]], None],
    ) -> list[PatternOutcome]:
        """Look at each pattern once, in short steps. Each step settles at least one, so this ends."""
        outcomes: list[PatternOutcome] = []
        left = list(row_ids)
        while left:
            step = left[:MOST_AT_ONCE]
            done = await despite_conflicts(lambda ids=step: self._queue.reconcile(ids, sync_filter))  # type: ignore[misc]
            on_committed(done)
            outcomes += [item for item in done if item.outcome is not Outcome.UNTRIED]
            untried = [item.row_id for item in done if item.outcome is Outcome.UNTRIED]
            left = [*untried, *left[MOST_AT_ONCE:]]
        return outcomes

    async def reconcile_everything(
        self,
        sync_filter: SyncFilter,
        on_progress: Callable[[int, int], None] = lambda _done, _of: None,
        on_held: Callable[[Sequence[RowId]], None] = lambda _held: None,
        *,
        retry: bool = False,
    ) -> SyncResult:
        """Queue what qualifies and is missing, best impact first, then refresh what is stale.

        Patterns in the quarantine are skipped unless `retry` is set. `on_progress` gets the number of missing patterns
        that were handled, and their total; `on_held` gets patterns that another transaction has locked.
        """
        started = self._now()
        tally = Tally()
        async with aclosing(self._queue.queue_missing(sync_filter, retry=retry)) as pages:
            async for page in pages:
                tally.add(page)
                capped = tally.missing if sync_filter.max_patterns is None else sync_filter.max_patterns
                on_progress(tally.handled, max(tally.handled, min(tally.missing, capped)))
                if page.held:
                    on_held(page.held)
        tally.refreshed = await self._refresh(sync_filter)
        return tally.result(gone=await self._queue.count_gone(), duration_ms=self._since(started))

    async def refresh_stale(self, sync_filter: SyncFilter) -> SyncResult:
        """Bring the figures of pending entries up to date."""
        started = self._now()
        refreshed = await self._refresh(sync_filter)
        return SyncResult(refreshed_count=refreshed, sync_duration_ms=self._since(started))

    async def retry_refused(self, sync_filter: SyncFilter, most: int) -> Retried:
        """Try up to `most` patterns of the quarantine again that are due."""
        return await despite_conflicts(lambda: self._queue.retry_refused(sync_filter, most))

    async def preview_everything(self, sync_filter: SyncFilter) -> SyncResult:
        """Return what reconcile_everything would do; writes nothing."""
        started = self._now()
        found = await self._queue.preview_missing(sync_filter)
        return SyncResult(
            synced_count=found.listed,
            refreshed_count=await self._queue.count_stale(),
            skipped_count=found.candidates - found.missing,
            remaining_count=found.missing - found.listed,
            gone_count=await self._queue.count_gone(),
            synced_pattern_ids=found.signatures,
            sync_duration_ms=self._since(started),
            dry_run=True,
        )

    async def _refresh(self, sync_filter: SyncFilter) -> int:
        refreshed = 0
        after_id: RowId | None = BEFORE_ALL_IDS
        while after_id is not None:
            page = await self._queue.refresh_stale(sync_filter, after_id)
            refreshed += page.refreshed
            after_id = page.last_id
        return refreshed

    def _since(self, started: float) -> float:
        return round((self._now() - started) * 1000, 3)
