"""The blocking Python API."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase, BlockingQueue, run_blocking
from pattern_sync.database.rows import (
    check_version,
    filter_arguments,
    run_arguments,
    to_explanation,
    to_filter,
    to_overview,
    to_pending,
    to_statistics,
)
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.runs import RunKind
from pattern_sync.domain.statistics import Overview, PendingEntry, SyncStatistics
from pattern_sync.sync.reconciler import Reconciler


class PatternSyncService:
    """Runs the daemon's reconcile from a program without an event loop; each call opens its own connection.

    Every method raises DatabaseUnavailable, AccessRefused or SchemaError, all of them PatternSyncError.
    """

    def __init__(self, database_url: str) -> None:
        self._address = DatabaseAddress.parse(database_url)

    def sync_patterns(
        self,
        sync_filter: SyncFilter | None = None,
        *,
        dry_run: bool = False,
        on_progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> SyncResult:
        """Queue what passes the filter and is missing, best impact first; without a filter, the manual default.

        A dry run writes nothing. `on_progress` is told how many of how many patterns were handled.
        """
        wanted = SyncFilter() if sync_filter is None else sync_filter
        with self._connect() as database:
            reconciler = Reconciler(BlockingQueue(database), time.monotonic)
            if dry_run:
                with database.transaction(read_only=True):
                    return run_blocking(reconciler.preview_everything(wanted))
            result = run_blocking(reconciler.reconcile_everything(wanted, on_progress))
            database.fetch("record_run", *run_arguments(RunKind.MANUAL, result))
            return result

    def sync_high_priority_patterns(self, *, dry_run: bool = False) -> SyncResult:
        """Queue the best 20 of the patterns with 70 % confidence, 5 occurrences and 1,000 USD a month."""
        return self.sync_patterns(SyncFilter.high_priority(), dry_run=dry_run)

    def sync_all_patterns(self, *, dry_run: bool = False) -> SyncResult:
        """Queue the best 200 of all eligible patterns."""
        return self.sync_patterns(SyncFilter.everything(), dry_run=dry_run)

    def get_sync_statistics(self) -> SyncStatistics:
        """Return how many patterns there are, here and in the queue."""
        with self._connect() as database:
            return to_statistics(database.fetch("statistics")[0])

    def explain(self, signature: str) -> Explanation:
        """Return why a pattern is in the queue or is not, by the filter in force."""
        with self._connect() as database:
            in_force = to_filter(database.fetch("read_filter")[0])
            row = database.fetch("explain", *filter_arguments(in_force), signature.replace("\0", ""))[0]
            return to_explanation(signature, in_force, row)

    def overview(self) -> Overview:
        """Return everything that `pattern-sync status` shows."""
        with self._connect() as database, database.transaction(read_only=True):
            return to_overview(str(self._address), database.fetch)

    def top_of_queue(self, limit: int = 10) -> list[PendingEntry]:
        """Return the pending entries with the best impact."""
        with self._connect() as database:
            return [to_pending(row) for row in database.fetch("queue_top", limit)]

    @contextmanager
    def _connect(self) -> Iterator[BlockingDatabase]:
        with BlockingDatabase.connect(self._address) as database:
            check_version(int(database.fetch("schema_version")[0]["version"]))
            yield database
