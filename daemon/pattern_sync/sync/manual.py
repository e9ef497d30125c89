"""The manual sync: a scan with its own criteria, or a preview of it."""

from collections.abc import Callable
from typing import Protocol

from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.sync.reconciler import Reconciler


class RunRecord(Protocol):
    """Where scans are recorded."""

    async def record_run(self, kind: str, result: SyncResult) -> None: ...


class ManualSync:
    """Ends in the same reconcile step as the daemon's own scans. `on_finished` gets the result of each that wrote."""

    def __init__(
        self,
        reconciler: Reconciler,
        record: RunRecord,
        on_finished: Callable[[SyncResult], None] = lambda _result: None,
    ) -> None:
        self._reconciler = reconciler
        self._record = record
        self._on_finished = on_finished

    async def run(
        self,
        sync_filter: SyncFilter,
        *,
        dry_run: bool,
        on_progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> SyncResult:
        """Queue what passes the filter and is missing, best impact first; a dry run writes nothing.

        Patterns in the quarantine are tried as well: the cause of their refusal may have been mended.

        `on_progress` gets the number of patterns that were handled, and their total.
        """
        if dry_run:
            return await self._reconciler.preview_everything(sync_filter)
        result = await self._reconciler.reconcile_everything(sync_filter, on_progress, retry=True)
        self._on_finished(result)
        await self._record.record_run(ScanKind.MANUAL, result)
        return result
