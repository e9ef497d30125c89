"""The schema pattern_sync as a committed dump, so that every change shows in a diff."""

import difflib
import os

import pytest

from tests.support.application import GOLDEN, dump, server_major
from tests.support.database import TestDatabase

FILE = GOLDEN / "schema.sql"
REWRITE = "TEST_REWRITE_GOLDEN"
# pg_dump's own output differs between versions; the schema does not.
MAJOR = 18


def test_the_schema_equals_the_committed_dump(database: TestDatabase) -> None:
    if server_major(database) != MAJOR:
        pytest.skip(f"written down as PostgreSQL {MAJOR} says it")
    found = dump(database, "--schema-only", "--schema=pattern_sync", "--no-privileges")
    if os.environ.get(REWRITE):
        FILE.write_text(found, encoding="utf-8")
    diff = difflib.unified_diff(
        FILE.read_text(encoding="utf-8").splitlines(), found.splitlines(), FILE.name, "database", lineterm=""
    )
    shown = "\n".join(diff)
    assert not shown, f"{shown}\n\nIf that is meant, run the test with {REWRITE}=1 and commit the file."


def test_every_function_and_table_of_ours_has_a_comment(database: TestDatabase) -> None:
    silent = database.execute(
        "SELECT p.oid::regprocedure::text AS thing FROM pg_proc AS p"
        " WHERE p.pronamespace = 'pattern_sync'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL"
        " UNION ALL SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relnamespace = 'pattern_sync'::regnamespace"
        " AND c.relkind = 'r' AND obj_description(c.oid, 'pg_class') IS NULL"
    )
    assert silent == []


def test_public_may_use_only_what_the_triggers_need(database: TestDatabase) -> None:
    public = database.execute(
        "SELECT c.relname AS name, p.privilege_type AS may FROM pg_class AS c, aclexplode(c.relacl) AS p"
        " WHERE c.relnamespace = 'pattern_sync'::regnamespace AND p.grantee = 0"
    )
    assert public == [{"name": "settings", "may": "SELECT"}]


def test_security_definer_functions_search_no_foreign_schema(database: TestDatabase) -> None:
    open_ones = database.execute(
        "SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'pattern_sync'::regnamespace AND prosecdef"
        " AND NOT EXISTS (SELECT FROM unnest(proconfig) AS c WHERE c LIKE 'search_path=%, pg_temp')"
    )
    assert open_ones == []
