"""The one step that every path ends in: bring the queue up to date, and look again until it is."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from pattern_sync.domain.conflicts import despite_conflicts
from pattern_sync.domain.errors import StatementFailed
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import WRITTEN, Candidate, Outcome, PatternOutcome
from pattern_sync.domain.quarantine import Quarantine
from pattern_sync.domain.results import SyncResult, Tally

# A pattern that changes faster than it can be looked at is left to the refresh of a few seconds later.
MOST_LOOKS = 5
# More than this many patterns are written by two connections at once, where the queue has two.
MOST_IN_ONE_STATEMENT = 4_000

Step = Coroutine[Any, Any, list[PatternOutcome]]


class Queue(Protocol):
    """What a reconcile needs of the database."""

    async def reconcile(self, pattern_ids: Sequence[int], sync_filter: SyncFilter) -> list[PatternOutcome]: ...
    async def side_by_side(self, steps: Sequence[Step]) -> list[list[PatternOutcome]]: ...
    async def signature_of(self, pattern_id: int) -> str: ...
    async def count_candidates(self, sync_filter: SyncFilter) -> tuple[int, int]: ...
    async def count_gone(self) -> int: ...
    def missing_patterns(self, sync_filter: SyncFilter) -> AsyncGenerator[list[Candidate], None]: ...
    def stale_patterns(self) -> AsyncGenerator[list[Candidate], None]: ...


class Reconciler:
    """Brings the queue up to date for some patterns or for all; idempotent, safe to run beside itself.

    It awaits nothing but the queue, so that a queue which blocks makes it a blocking reconciler.
    `now` is a monotonic clock in seconds.
    """

    def __init__(self, queue: Queue, now: Callable[[], float]) -> None:
        self._queue = queue
        self._now = now
        self._quarantine = Quarantine()

    def take_due(self) -> list[int]:
        """Return the poison rows that may be tried again now."""
        return self._quarantine.due(self._now())

    async def reconcile(self, pattern_ids: Sequence[int], sync_filter: SyncFilter) -> list[PatternOutcome]:
        """Reconcile some patterns, in their order; the result lacks those in quarantine and those that are gone."""
        return await self._reconcile(pattern_ids, sync_filter, MOST_LOOKS)

    async def _reconcile(self, pattern_ids: Sequence[int], sync_filter: SyncFilter, looks: int) -> list[PatternOutcome]:
        now = self._now()
        looked_at = [item for item in dict.fromkeys(pattern_ids) if not self._quarantine.holds(item, now)]
        first: dict[int, PatternOutcome] = {}
        to_look_at = looked_at
        for _ in range(looks):
            if not to_look_at:
                break
            outcomes = await self._step(to_look_at, sync_filter)
            for item in outcomes:
                first.setdefault(item.pattern_id, item)
            # A writer or another daemon may have committed in between: only a look without a write ends it.
            to_look_at = [item.pattern_id for item in outcomes if item.outcome in WRITTEN]
        self._quarantine.release(
            item for item in looked_at if item not in first or first[item].outcome is not Outcome.FAILED
        )
        return [first[item] for item in looked_at if item in first]

    async def reconcile_everything(
        self, sync_filter: SyncFilter, on_progress: Callable[[int, int], None] = lambda _done, _of: None
    ) -> SyncResult:
        """Queue what qualifies and is missing, best impact first, then refresh what is stale.

        `on_progress` is told how many of how many missing patterns were handled.
        """
        started = self._now()
        candidates, missing = await self._queue.count_candidates(sync_filter)
        capped = missing if sync_filter.max_patterns is None else min(missing, sync_filter.max_patterns)
        tally = Tally()
        listed = 0
        async with aclosing(self._queue.missing_patterns(sync_filter)) as batches:
            async for batch in batches:
                # One look each: the refresh that follows is the second one, for all of them in one statement.
                outcomes = await self._reconcile([item.pattern_id for item in batch], sync_filter, looks=1)
                tally.add_missing(outcomes)
                self._add_held_back(batch, outcomes, tally)
                listed += len(batch)
                on_progress(listed, max(capped, listed))
        await self._refresh(sync_filter, tally)
        return self._result(
            tally,
            skipped=candidates - missing + tally.already_queued,
            remaining=max(0, missing - listed),
            gone=await self._queue.count_gone(),
            started=started,
        )

    async def refresh_stale(self, sync_filter: SyncFilter) -> SyncResult:
        """Bring the figures of pending entries up to date."""
        started = self._now()
        tally = Tally()
        await self._refresh(sync_filter, tally)
        return self._result(tally, skipped=0, remaining=0, gone=0, started=started)

    async def preview_everything(self, sync_filter: SyncFilter) -> SyncResult:
        """Return what reconcile_everything would do; writes nothing."""
        started = self._now()
        candidates, missing = await self._queue.count_candidates(sync_filter)
        tally = Tally()
        async with aclosing(self._queue.missing_patterns(sync_filter)) as batches:
            async for batch in batches:
                tally.add_missing(PatternOutcome(item.pattern_id, item.signature, Outcome.QUEUED) for item in batch)
        async with aclosing(self._queue.stale_patterns()) as batches:
            async for batch in batches:
                tally.refreshed += len(batch)
        return self._result(
            tally,
            skipped=candidates - missing,
            remaining=max(0, missing - tally.queued),
            gone=await self._queue.count_gone(),
            started=started,
            dry_run=True,
        )

    async def _refresh(self, sync_filter: SyncFilter, tally: Tally) -> None:
        async with aclosing(self._queue.stale_patterns()) as batches:
            async for batch in batches:
                tally.add_stale(await self.reconcile([item.pattern_id for item in batch], sync_filter))

    async def _step(self, pattern_ids: Sequence[int], sync_filter: SyncFilter) -> list[PatternOutcome]:
        middle = len(pattern_ids) // 2
        halves = pattern_ids[:middle], pattern_ids[middle:]
        if len(pattern_ids) > MOST_IN_ONE_STATEMENT:
            done = await self._queue.side_by_side([self._step(half, sync_filter) for half in halves])
            return [*done[0], *done[1]]
        try:
            return await despite_conflicts(lambda: self._queue.reconcile(pattern_ids, sync_filter))
        except StatementFailed as fault:
            if len(pattern_ids) == 1:
                return [await self._poisoned(pattern_ids[0], str(fault))]
        # One row spoils the statement for all: halve until it is alone.
        return [*await self._step(halves[0], sync_filter), *await self._step(halves[1], sync_filter)]

    async def _poisoned(self, pattern_id: int, error: str) -> PatternOutcome:
        self._quarantine.failed(pattern_id, self._now())
        return PatternOutcome(pattern_id, await self._queue.signature_of(pattern_id), Outcome.FAILED, error)

    def _add_held_back(self, batch: Sequence[Candidate], outcomes: Sequence[PatternOutcome], tally: Tally) -> None:
        seen = {item.pattern_id for item in outcomes}
        now = self._now()
        for item in batch:
            if item.pattern_id not in seen and self._quarantine.holds(item.pattern_id, now):
                tally.add_failure(
                    PatternOutcome(item.pattern_id, item.signature, Outcome.FAILED, "failed before, tried again later")
                )

    def _result(
        self, tally: Tally, *, skipped: int, remaining: int, gone: int, started: float, dry_run: bool = False
    ) -> SyncResult:
        return SyncResult(
            synced_count=tally.queued,
            refreshed_count=tally.refreshed,
            skipped_count=skipped,
            error_count=tally.failed,
            remaining_count=remaining,
            gone_count=gone,
            synced_pattern_ids=tuple(tally.signatures),
            errors=tuple(tally.errors),
            failed_pattern_ids=tuple(tally.failed_signatures),
            sync_duration_ms=round((self._now() - started) * 1000, 3),
            dry_run=dry_run,
        )
