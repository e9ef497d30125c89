"""The same statements without an event loop, over psycopg."""

from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import psycopg
from psycopg.rows import DictRow, dict_row

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.faults import translated
from pattern_sync.database.rows import filter_arguments, run_arguments, to_candidates, to_outcomes
from pattern_sync.database.statements import Statement, load_statements
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import Candidate, Outcome, PatternOutcome, signatures_of
from pattern_sync.domain.results import SyncResult
from pattern_sync.sync.reconciler import Step

CONNECT_SECONDS = 5
BATCH_SIZE = 2_000
# A peer that vanished is noticed within seconds; psycopg has no deadline of its own for a statement.
_KEEPALIVE: Mapping[str, Any] = {
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

Result = TypeVar("Result")


class BlockingDatabase:
    """One connection in autocommit, and named statements on it."""

    def __init__(self, connection: "psycopg.Connection[DictRow]", statements: Mapping[str, Statement]) -> None:
        self._connection = connection
        self._statements = statements

    @classmethod
    @contextmanager
    def connect(cls, address: DatabaseAddress) -> Iterator[Self]:
        """Connect to the first host that takes writes. Raises DatabaseUnavailable or AccessRefused."""
        with translated():
            connection = psycopg.connect(
                address.url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name="pattern-sync",
                target_session_attrs="read-write",
                row_factory=dict_row,
                cursor_factory=psycopg.RawCursor,
                **_KEEPALIVE,
            )
        with translated(), connection:
            yield cls(connection, load_statements())

    def fetch(self, name: str, *arguments: object) -> list[DictRow]:
        """Run one named statement and return its rows."""
        with translated():
            cursor = self._connection.execute(self._statements[name].sql.encode(), arguments)
            return cursor.fetchall() if cursor.description else []

    async def fetch_at_once(self, name: str, *arguments: object) -> list[DictRow]:
        """Run one named statement, as a coroutine that never suspends."""
        return self.fetch(name, *arguments)

    def run_script(self, script: str) -> None:
        """Run the statements of a file of sql/."""
        with translated():
            self._connection.execute(script.encode())

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[None]:
        """Keep what is run within in one transaction; a read-only one sees one snapshot."""
        self._connection.read_only = read_only
        # Not a role's or a database's default: an installer has to see what was done while it waited for others.
        level = psycopg.IsolationLevel.REPEATABLE_READ if read_only else psycopg.IsolationLevel.READ_COMMITTED
        self._connection.isolation_level = level
        with translated(), self._connection.transaction():
            yield


class BlockingQueue:
    """The reconciler's queue over a connection that blocks: its coroutines never suspend."""

    def __init__(self, database: BlockingDatabase) -> None:
        self._database = database

    async def reconcile(self, pattern_ids: Sequence[int], sync_filter: SyncFilter) -> list[PatternOutcome]:
        """Run one step of the reconcile."""
        arguments = (*filter_arguments(sync_filter), list(pattern_ids))
        outcomes = to_outcomes(self._database.fetch("reconcile", *arguments))
        queued, refreshed = signatures_of(outcomes, Outcome.QUEUED), signatures_of(outcomes, Outcome.REFRESHED)
        if queued or refreshed:
            self._database.fetch("announce_changes", queued, refreshed)
        return outcomes

    async def side_by_side(self, steps: Sequence[Step]) -> list[list[PatternOutcome]]:
        """Run some steps one after the other: there is one connection."""
        return [await step for step in steps]

    async def signature_of(self, pattern_id: int) -> str:
        """Return the name of a pattern, for a message."""
        rows = self._database.fetch("pattern_signature", pattern_id)
        return str(rows[0]["signature"]) if rows else f"row {pattern_id}"

    async def count_candidates(self, sync_filter: SyncFilter) -> tuple[int, int]:
        """Return how many patterns qualify, and how many of them have no entry."""
        row = self._database.fetch("count_candidates", *filter_arguments(sync_filter))[0]
        return row["candidates"], row["missing"]

    async def count_gone(self) -> int:
        """Return how many pending entries have lost their pattern."""
        return int(self._database.fetch("count_gone")[0]["gone"])

    async def record_run(self, kind: str, result: SyncResult) -> None:
        """Remember a run for `status`."""
        self._database.fetch("record_run", *run_arguments(kind, result))

    async def missing_patterns(self, sync_filter: SyncFilter) -> AsyncGenerator[list[Candidate], None]:
        """Yield batches of patterns that qualify and have no entry, best impact first."""
        arguments = (*filter_arguments(sync_filter), sync_filter.max_patterns)
        for batch in self._batches("missing_patterns", *arguments):
            yield batch

    async def stale_patterns(self) -> AsyncGenerator[list[Candidate], None]:
        """Yield batches of patterns whose pending entry shows other figures."""
        for batch in self._batches("stale_patterns", 0, None):
            yield batch

    def _batches(self, name: str, *arguments: object) -> Iterator[list[Candidate]]:
        found = to_candidates(self._database.fetch(name, *arguments))
        for start in range(0, len(found), BATCH_SIZE):
            yield found[start : start + BATCH_SIZE]


def run_blocking(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Drive a coroutine that never suspends to its end, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    coroutine.close()
    raise RuntimeError("A coroutine over a blocking connection was suspended.")
