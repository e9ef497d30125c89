"""The scan worker: reconciles all patterns whenever that was requested."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Protocol

from pattern_sync.domain.errors import StatementFailed
from pattern_sync.domain.facts import Emit, FilterForeign, FilterOwn, FilterPublished, PendingCounted, ScanFinished
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind, leading
from pattern_sync.domain.statistics import PendingEntries, Publication
from pattern_sync.services.activity import Activity
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.reception import Reception
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.recovery import Recovery

# How soon a worker without work notices that the intake was closed.
IDLE_SECONDS = 5.0


class Installation(Protocol):
    """What a scan asks the database beside its rows."""

    async def check_schema(self) -> None: ...
    async def read_filter(self) -> SyncFilter: ...
    async def read_publication(self) -> Publication | None: ...
    async def record_run(self, kind: str, result: SyncResult) -> None: ...
    async def count_pending(self) -> PendingEntries: ...


class ScanWorker:
    """Serves catch-ups, sweeps, polls, and what a bulk change or a new filter requests.

    `on_caught_up` is called after each scan, with what it served; `quarantined` is set when the application refuses a
    pattern.
    """

    name = "scan-worker"

    def __init__(
        self,
        intake: Intake,
        reconciler: Reconciler,
        installation: Installation,
        in_force: FilterInForce,
        reception: Reception,
        recovery: Recovery,
        quarantined: asyncio.Event,
        on_caught_up: Callable[[Collection[ScanKind]], None],
        emit: Emit,
        activity: Activity,
    ) -> None:
        self._intake = intake
        self._reconciler = reconciler
        self._installation = installation
        self._in_force = in_force
        self._reception = reception
        self._recovery = recovery
        self._quarantined = quarantined
        self._on_caught_up = on_caught_up
        self._emit = emit
        self._activity = activity
        self._scanned_by: SyncFilter | None = None

    async def run(self) -> None:
        """Work until the intake is closed."""
        while not self._intake.closed:
            if kinds := await self._intake.take_scans(IDLE_SECONDS):
                await self.run_once(kinds)

    async def run_once(self, kinds: Collection[ScanKind]) -> None:
        """Serve all these requests with one scan."""
        async with self._activity.working(put_back=lambda: self._intake.put_back_everything(kinds)):
            await self._installation.check_schema()
            await self._read_filter()
            verified = self._verified(frozenset(kinds))
            result = await self._scan(verified)
            self._finished(verified, result)

    def close(self) -> None:
        """Stop after the scan that goes on."""
        self._intake.close()

    async def _scan(self, kinds: Collection[ScanKind]) -> SyncResult:
        result = await self._reconciler.reconcile_everything(self._in_force.value, on_held=self._intake.add)
        # Before anything is awaited: what the event path meets during a scan is told from what it met before by the
        # time at which the scan ended.
        self._recovery.scanned(kinds, result, listening=self._reception.is_complete)
        kind = leading(kinds)
        if kind not in (ScanKind.POLL, ScanKind.REQUEST) or result.synced_count:
            await self._installation.record_run(kind, result)
        if kind in (ScanKind.CATCH_UP, ScanKind.SWEEP):
            # A column that cannot be read as a time must not fail what is done.
            with suppress(StatementFailed):
                self._emit(PendingCounted(await self._installation.count_pending()))
        return result

    def _verified(self, kinds: frozenset[ScanKind]) -> frozenset[ScanKind]:
        # Whoever may connect can claim that the filter is new, as often as they like. That is no news to log or record.
        if self._in_force.value == self._scanned_by and ScanKind.SETTINGS in kinds:
            return kinds - {ScanKind.SETTINGS} | {ScanKind.REQUEST}
        return kinds

    async def _read_filter(self) -> None:
        found, publication = await self._find_filter()
        before = self._in_force.foreign
        self._in_force.value = found
        if self._in_force.foreign != before:
            own = self._in_force.own_as_found(found)
            self._emit(FilterForeign(found, self._in_force.own, publication) if own is None else FilterOwn(own))

    async def _find_filter(self) -> tuple[SyncFilter, Publication | None]:
        while True:
            publications = self._in_force.publications
            found = await self._installation.read_filter()
            is_foreign = self._in_force.is_foreign(found)
            publication = await self._installation.read_publication() if is_foreign else None
            # One of this daemon's own has returned meanwhile: what was found may be the filter before it.
            if publications == self._in_force.publications:
                return found, publication

    def _finished(self, kinds: frozenset[ScanKind], result: SyncResult) -> None:
        self._scanned_by = self._in_force.value
        if ScanKind.SETTINGS in kinds:
            self._emit(FilterPublished(self._in_force.value))
        self._intake.scanned(kinds, result.sync_duration_ms / 1000, in_vain=not result.synced_count)
        if result.error_count:
            self._quarantined.set()
        self._emit(ScanFinished(kinds, result))
        self._on_caught_up(kinds)
