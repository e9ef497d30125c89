"""A sync by hand: with criteria of its own, and a preview of it."""

from collections.abc import Callable
from typing import Protocol

from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.sync.reconciler import Reconciler


class RunRecord(Protocol):
    """Where runs are remembered."""

    async def record_run(self, kind: str, result: SyncResult) -> None: ...


class ManualSync:
    """Ends in the same reconcile step as the daemon's own runs; `on_finished` is told what was written."""

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

        What waits in the quarantine is tried as well: whoever asks may have mended what refused it.

        `on_progress` is told how many of how many patterns were handled.
        """
        if dry_run:
            return await self._reconciler.preview_everything(sync_filter)
        result = await self._reconciler.reconcile_everything(sync_filter, on_progress, retry=True)
        self._on_finished(result)
        await self._record.record_run(ScanKind.MANUAL, result)
        return result
