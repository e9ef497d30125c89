"""The sync endpoints: statistics, and syncs by hand."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Protocol

from fastapi import APIRouter, Body, Depends, HTTPException, Query

from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.statistics import SyncStatistics
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import ADMINISTRATORS_ONLY, EVERYWHERE
from pattern_sync.web.schemas import SyncCounts, SyncCriteria, SyncReport

# A second sync by hand waits for the first, which may take as long as a look at a large table.
TURN_SECONDS = 30.0

DryRun = Annotated[bool, Query(description="Only say what would be done")]


class Syncs(Protocol):
    """Runs syncs by hand."""

    async def run(self, sync_filter: SyncFilter, *, dry_run: bool) -> SyncResult: ...


class Counts(Protocol):
    """Knows how many patterns there are."""

    async def statistics(self) -> SyncStatistics: ...


class SyncRoutes:
    """What the application's panel and administrators ask of the sync."""

    def __init__(self, syncs: Syncs, counts: Counts, guard: Guard) -> None:
        self._syncs = syncs
        self._counts = counts
        self._turn = asyncio.Lock()
        reader = [Depends(guard.reader)]
        self.router = APIRouter(prefix="/api/v1/patterns/sync", tags=["sync"], responses=EVERYWHERE)
        self.router.get("/statistics", dependencies=reader)(self.statistics)
        self.router.post("/run", dependencies=reader)(self.run)
        self.router.post("/high-priority", dependencies=reader)(self.high_priority)
        self.router.post("/all", dependencies=[Depends(guard.administrator)], responses=ADMINISTRATORS_ONLY)(self.all)

    async def statistics(self) -> SyncCounts:
        """Count patterns in the source and in the queue."""
        return SyncCounts(**asdict(await self._counts.statistics()))

    async def run(
        self, criteria: Annotated[SyncCriteria | None, Body()] = None, *, dry_run: DryRun = False
    ) -> SyncReport:
        """Queue what passes criteria of your own and is missing.

        Without a body: confidence 60, occurrences 2, any savings. What a body does not name is unbounded.
        """
        return await self._sync(SyncFilter.manual() if criteria is None else criteria.to_filter(), dry_run=dry_run)

    async def high_priority(self, *, dry_run: DryRun = False) -> SyncReport:
        """Queue the best 20 of the patterns with 70 % confidence, 5 occurrences and 1,000 USD a month."""
        return await self._sync(SyncFilter.high_priority(), dry_run=dry_run)

    async def all(self, *, dry_run: DryRun = False) -> SyncReport:
        """Queue the best 200 of all eligible patterns; for administrators only."""
        return await self._sync(SyncFilter.everything(), dry_run=dry_run)

    async def _sync(self, sync_filter: SyncFilter, *, dry_run: bool) -> SyncReport:
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise HTTPException(503, "Another sync by hand is still running; try again later.") from None
        try:
            result = await self._syncs.run(sync_filter, dry_run=dry_run)
        finally:
            self._turn.release()
        # What the database said of a row may hold anything: it is for the log.
        errors = [
            f"{signature}: the database refused it; the daemon's log says why."
            for signature in result.failed_pattern_ids
        ]
        return SyncReport(**{**asdict(result), "errors": tuple(errors)})
