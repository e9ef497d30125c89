"""The two ways to the queue: the daemon's over the event loop, and the blocking one of the Python API."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from pattern_sync import PatternSyncService, SyncFilter, SyncResult
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.connector import Connector
from pattern_sync.database.gateway import DaemonGateway
from pattern_sync.database.pool import Pool
from pattern_sync.database.statements import load_statements
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.sync.reconciler import Reconciler
from tests.support.asynchronous import run
from tests.support.database import TestDatabase

UNCAPPED = SyncFilter.high_priority(max_patterns=None)

Result = TypeVar("Result")
Everything = Callable[[TestDatabase, SyncFilter], SyncResult]


def with_gateway(database: TestDatabase, use: Callable[[DaemonGateway], Awaitable[Result]]) -> Result:
    """Run a function with the daemon's gateway, over asyncpg."""

    async def go() -> Result:
        async with Pool(Connector(DatabaseAddress.parse(database.daemon_url), load_statements())) as pool:
            return await use(DaemonGateway(pool, lambda *_: None, lambda _: None))

    return run(go())


def reconcile_outcomes(database: TestDatabase, sync_filter: SyncFilter = UNCAPPED) -> list[PatternOutcome]:
    """Reconcile all patterns by their ids, as the event path does."""
    ids = [RowId(row["id"]) for row in database.execute("SELECT id FROM operation_patterns ORDER BY id")]
    return reconcile_ids(database, ids, sync_filter)


def reconcile_ids(
    database: TestDatabase, row_ids: Sequence[RowId], sync_filter: SyncFilter = UNCAPPED
) -> list[PatternOutcome]:
    """Reconcile these patterns, as the event path does."""
    return with_gateway(database, lambda gateway: Reconciler(gateway, time.monotonic).reconcile(row_ids, sync_filter))


def reconcile(database: TestDatabase, sync_filter: SyncFilter = UNCAPPED) -> dict[str, Outcome]:
    """Return the outcomes of a reconcile of all patterns, by signature."""
    return {item.signature: item.outcome for item in reconcile_outcomes(database, sync_filter)}


def daemon_everything(database: TestDatabase, sync_filter: SyncFilter) -> SyncResult:
    """Scan all patterns as the daemon does."""
    return with_gateway(database, lambda gateway: Reconciler(gateway, time.monotonic).reconcile_everything(sync_filter))


def service_everything(database: TestDatabase, sync_filter: SyncFilter) -> SyncResult:
    """Scan all patterns as a program without an event loop does."""
    return PatternSyncService(database.daemon_url).sync_patterns(sync_filter)
