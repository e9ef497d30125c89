"""The sync endpoints: statistics and manual syncs."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Protocol

from fastapi import Body, Depends, HTTPException, Query

from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.statistics import SyncStatistics
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import ADMINISTRATORS_ONLY, EVERYWHERE, UNKNOWN
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.schemas.sync import SyncCounts, SyncCriteria, SyncReport

# A second manual sync waits for the first, which may have to scan a large table.
TURN_SECONDS = 30.0

DryRun = Annotated[bool, Query(description="Report what the sync would do, and write nothing.")]


class Syncs(Protocol):
    """Runs manual syncs."""

    async def run(self, sync_filter: SyncFilter, *, dry_run: bool) -> SyncResult: ...


class Counts(Protocol):
    """Counts patterns and queue entries."""

    async def statistics(self) -> SyncStatistics: ...


class SyncRoutes:
    """The manual sync over HTTP, for the application's panel and administrators."""

    def __init__(self, syncs: Syncs, counts: Counts, guard: Guard) -> None:
        self._syncs = syncs
        self._counts = counts
        self._turn = asyncio.Lock()
        reader = [Depends(guard.reader)]
        self.router = KnownOnly(prefix="/api/v1/patterns/sync", tags=["sync"], responses=EVERYWHERE | UNKNOWN)
        self.router.get("/statistics", dependencies=reader)(self.statistics)
        self.router.post("/run", dependencies=reader)(self.run)
        self.router.post("/high-priority", dependencies=reader)(self.high_priority)
        self.router.post("/all", dependencies=[Depends(guard.administrator)], responses=ADMINISTRATORS_ONLY)(self.all)

    async def statistics(self) -> SyncCounts:
        """Count the detector's patterns, and those in the queue."""
        return SyncCounts(**asdict(await self._counts.statistics()))

    async def run(
        self, criteria: Annotated[SyncCriteria | None, Body()] = None, *, dry_run: DryRun = False
    ) -> SyncReport:
        """Queue eligible patterns that pass the criteria in the body and have no entry yet, best impact first.

        Without a body, the criteria are 60 % confidence and 2 occurrences, and at most 50 patterns are queued. One
        manual sync runs at a time: another one waits for up to 30 seconds, then gets 503.
        """
        return await self._sync(SyncFilter.manual() if criteria is None else criteria.to_filter(), dry_run=dry_run)

    async def high_priority(self, *, dry_run: DryRun = False) -> SyncReport:
        """Queue at most 20 patterns with 70 % confidence, 5 occurrences and 1,000 USD a month, best impact first."""
        return await self._sync(SyncFilter.high_priority(), dry_run=dry_run)

    async def all(self, *, dry_run: DryRun = False) -> SyncReport:
        """Queue at most 200 eligible patterns, whatever their figures, best impact first. For administrators only."""
        return await self._sync(SyncFilter.everything(), dry_run=dry_run)

    async def _sync(self, sync_filter: SyncFilter, *, dry_run: bool) -> SyncReport:
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise HTTPException(503, "Another manual sync is still running. Try again later.") from None
        try:
            result = await self._syncs.run(sync_filter, dry_run=dry_run)
        finally:
            self._turn.release()
        # The database's message about a row may quote anything, so it goes to the log only.
        errors = [
            f"{signature}: the database refused it. The daemon's log says why."
            for signature in result.failed_pattern_ids
        ]
        return SyncReport(**{**asdict(result), "errors": tuple(errors)})
