"""What others do to the tables: locks, late commits, changes of their definition."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from tests.faults.injections.noticing import Noticed, waited_for
from tests.faults.injections.repeating import repeated
from tests.support.traffic import INSERT, OFTEN
from tests.support.world import World

if TYPE_CHECKING:
    from psycopg.rows import DictRow

# Patterns and entries that nobody else writes: whoever waits for these writers waits because of us.
ORDERED = [f"ordered:{number}" for number in range(20)]
ENTRIES_FIRST = (
    "UPDATE pattern_approvals SET approval_notes = 'seen' WHERE pattern_id = ANY(%s) AND status = 'pending'",
    "UPDATE operation_patterns SET occurrence_count = occurrence_count + 1 WHERE pattern_signature = ANY(%s)",
)
FEWEST_TRANSACTIONS = 10
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

# Whether later ids and later transactions are in the queue already.
PASSED = (
    "SELECT EXISTS (SELECT FROM pattern_approvals AS a JOIN operation_patterns AS p"
    " ON p.pattern_signature = a.pattern_id WHERE p.id > %s AND p.xmin::text::bigint > %s) AS passed"
)


@contextmanager
def locked(world: World, table: str) -> Iterator[Noticed]:
    """Hold the strongest lock on a table."""
    with world.database.another_connection(autocommit=False) as holder:
        holder.execute(f"LOCK TABLE {table}".encode())
        yield waited_for(world, holder.info.backend_pid)
        holder.rollback()


@contextmanager
def opposite_orders(world: World) -> Iterator[Noticed]:
    """Have some transactions write entries and then patterns, and others patterns and then entries."""
    for signature in ORDERED:
        world.database.execute(f"{INSERT} ON CONFLICT DO NOTHING", signature, OFTEN)
    with ExitStack() as stack:
        writers = [stack.enter_context(world.database.another_connection(autocommit=False)) for _ in range(2)]
        committed = {writer.info.backend_pid: 0 for writer in writers}
        for writer, statements in zip(writers, (ENTRIES_FIRST, ENTRIES_FIRST[::-1]), strict=True):
            # A deadlock of the two lasts as long as that, and should not fill the time.
            writer.execute("SET deadlock_timeout = '100ms'")
            writer.commit()
            stack.enter_context(repeated(partial(_write, writer, statements, committed), every_seconds=0.01))
        yield lambda: min(committed.values()) >= FEWEST_TRANSACTIONS


def _write(writer: "psycopg.Connection[DictRow]", statements: Sequence[str], committed: dict[int, int]) -> None:
    try:
        for statement in statements:
            writer.execute(statement.encode(), [ORDERED])
        writer.commit()
        committed[writer.info.backend_pid] += 1
    except psycopg.errors.DeadlockDetected as fault:
        writer.rollback()
        # The two lock each other out by themselves; we must have no part in it.
        involved = {int(pid) for pid in re.findall(r"[Pp]rocess (\d+)", fault.diag.message_detail or "")}
        if not involved or involved - committed.keys():
            raise


@contextmanager
def late_commit(world: World) -> Iterator[Noticed]:
    """Commit a pattern long after it was written."""
    signature = f"late:{time.monotonic_ns()}"
    with world.database.another_connection(autocommit=False) as writer:
        late = writer.execute(f"{INSERT} RETURNING id, pg_current_xact_id()::text::bigint AS xact", [signature, OFTEN])
        row = late.fetchone()
        assert row is not None
        yield lambda: world.database.execute(PASSED, row["id"], row["xact"])[0]["passed"]
        assert not world.database.entry(signature)
        writer.commit()
    world.ledger.add_qualifying(signature)


@contextmanager
def altered(world: World) -> Iterator[Noticed]:
    """Alter, index, rewrite and vacuum both tables again and again."""
    altered: list[str] = []
    with world.database.another_connection() as operator:

        def alter() -> None:
            for statement in DEFINITIONS:
                operator.execute(statement.encode())
                altered.append(statement)

        with repeated(alter, every_seconds=0.1):
            yield lambda: len(altered) >= len(DEFINITIONS)
