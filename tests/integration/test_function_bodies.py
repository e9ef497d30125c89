"""Every statement of every PL/pgSQL function fits the schema, also in rarely executed branches."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer, PostgresBinaries, all_binaries
from tests.support.folders import open_folder

Session = psycopg.Connection[DictRow]

REQUIRED = "TEST_REQUIRE_PLPGSQL_CHECK"
FUNCTIONS = (
    "SELECT p.oid::regprocedure::text AS name, p.prorettype = 'trigger'::regtype AS of_trigger"
    " FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang"
    " WHERE l.lanname = 'plpgsql' AND p.pronamespace = 'pattern_sync'::regnamespace"
)
# A trigger function gets the rows of its table.
TRIGGERS = {
    "pattern_sync.announce()": ("operation_patterns", None, None),
    "pattern_sync.announce_entries()": ("pattern_approvals", "before", "changed"),
    "pattern_sync.announce_settings()": ("pattern_sync.settings", None, None),
}
CHECK = (
    "SELECT lineno, message, query FROM plpgsql_check_function_tb(%s::regprocedure, %s::regclass, oldtable => %s,"
    " newtable => %s, performance_warnings => false) WHERE level = 'error'"
)
MISSPELT = """CREATE FUNCTION pattern_sync.misspelt(known boolean) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF NOT known THEN
        RETURN (SELECT pg_catalog.count(*) FROM pattern_sync.refusals AS r WHERE r.retry_after IS NULL);
    END IF;
    RETURN 0;
END $$"""


@pytest.fixture(scope="module")
def checked() -> Iterator[Session]:
    """Return a migrated database with the extension plpgsql_check; skip if no installed PostgreSQL has it."""
    for binaries in all_binaries():
        with migrated(binaries) as connection:
            if connection.execute("SELECT FROM pg_available_extensions WHERE name = 'plpgsql_check'").rowcount:
                connection.execute("CREATE EXTENSION plpgsql_check")
                yield connection
                return
    if REQUIRED in os.environ:
        pytest.fail("No PostgreSQL here has plpgsql_check; on Debian 12: apt install postgresql-15-plpgsql-check")
    pytest.skip("no PostgreSQL here has the extension plpgsql_check")


@contextmanager
def migrated(binaries: PostgresBinaries) -> Iterator[Session]:
    with open_folder() as folder, EmbeddedServer(folder / "server", durable=False, binaries=binaries) as server:
        Installer(DatabaseAddress.parse(server.url)).migrate()
        with psycopg.connect(server.url, autocommit=True, row_factory=dict_row) as connection:
            yield connection


def faults(connection: Session, function: str) -> list[DictRow]:
    relation, old_rows, new_rows = TRIGGERS.get(function, ("0", None, None))
    return connection.execute(CHECK, (function, relation, old_rows, new_rows)).fetchall()


def test_a_column_that_is_misspelt_in_a_rare_branch_is_found(checked: Session) -> None:
    with checked.transaction(force_rollback=True):
        checked.execute(MISSPELT)
        (fault,) = faults(checked, "pattern_sync.misspelt(boolean)")
    assert "retry_after" in fault["message"]


def test_every_statement_of_every_function_fits_the_schema(checked: Session) -> None:
    functions = checked.execute(FUNCTIONS).fetchall()
    assert {row["name"] for row in functions if row["of_trigger"]} == set(TRIGGERS)
    found = {row["name"]: faults(checked, row["name"]) for row in functions}
    assert len(found) > len(TRIGGERS)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
