"""What others do to the tables: locks, late commits, changes of their definition."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from tests.faults.injections.repeating import repeated
from tests.support.traffic import INSERT, OFTEN
from tests.support.world import World

if TYPE_CHECKING:
    from psycopg.rows import DictRow

ENTRIES_FIRST = (
    "UPDATE pattern_approvals SET approval_notes = 'seen' WHERE id % 7 = 0",
    "UPDATE operation_patterns SET last_seen = now() WHERE id % 7 = 0",
)
DEFINITIONS = (
    "ALTER TABLE operation_patterns ADD COLUMN extra text",
    "ALTER TABLE pattern_approvals ADD COLUMN extra text",
    "CREATE INDEX CONCURRENTLY extra_index ON operation_patterns (potential_monthly_savings)",
    "VACUUM FULL pattern_approvals",
    "REINDEX TABLE operation_patterns",
    "ALTER TABLE pattern_approvals ALTER COLUMN extra TYPE varchar(100)",
    "DROP INDEX extra_index",
    "ALTER TABLE operation_patterns DROP COLUMN extra",
    "ALTER TABLE pattern_approvals DROP COLUMN extra",
)


@contextmanager
def locked(world: World, table: str) -> Iterator[None]:
    """Hold the strongest lock on a table."""
    with world.database.another_connection(autocommit=False) as holder:
        holder.execute(f"LOCK TABLE {table}".encode())
        yield
        holder.rollback()


@contextmanager
def opposite_orders(world: World) -> Iterator[None]:
    """Have some transactions write entries and then patterns, and others patterns and then entries."""
    with ExitStack() as stack:
        for statements in (ENTRIES_FIRST, ENTRIES_FIRST[::-1]):
            connection = stack.enter_context(world.database.another_connection(autocommit=False))
            stack.enter_context(repeated(partial(_write, connection, statements), every_seconds=0.01))
        yield


def _write(connection: "psycopg.Connection[DictRow]", statements: Sequence[str]) -> None:
    try:
        for statement in statements:
            connection.execute(statement.encode())
        connection.commit()
    except psycopg.errors.DeadlockDetected:  # between these two: that is their own fault
        connection.rollback()


@contextmanager
def late_commit(world: World) -> Iterator[None]:
    """Commit a pattern long after it was written."""
    signature = f"late:{time.monotonic_ns()}"
    with world.database.another_connection(autocommit=False) as writer:
        writer.execute(INSERT, [signature, OFTEN])
        yield
        writer.commit()
    world.ledger.add_qualifying(signature)


@contextmanager
def altered(world: World) -> Iterator[None]:
    """Alter, index, rewrite and vacuum both tables again and again."""
    with world.database.another_connection() as operator:

        def alter() -> None:
            for statement in DEFINITIONS:
                operator.execute(statement.encode())

        with repeated(alter, every_seconds=0.1):
            yield
