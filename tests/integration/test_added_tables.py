"""A later migration adds a table: the roles that work as daemons may use it, and nobody else."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pattern_sync.database.definitions import Migration, load_definitions
from tests.support.application import installer
from tests.support.database import TestDatabase
from tests.support.lived_in import documented_rights

NEXT = Migration(
    version=11,
    name="migrations/0011_more.sql",
    sql=(
        "CREATE TABLE pattern_sync.more (id BIGINT PRIMARY KEY);\n"
        "UPDATE pattern_sync.migrations AS m SET extended_to = 11 WHERE m.version = 3;\n"
    ),
)


def migrate_further(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    """Migrate as a version does that has one more migration; return what was done."""
    definitions = load_definitions()
    more = replace(definitions, migrations=(*definitions.migrations, NEXT))
    monkeypatch.setattr("pattern_sync.database.installer.load_definitions", lambda: more)
    return [step.about for step in installer(database).migrate()]


def rights_on_the_new_table(database: TestDatabase, role: str) -> set[str]:
    rows = database.execute(
        "SELECT wanted AS may FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS wanted"
        " WHERE has_table_privilege(%s, 'pattern_sync.more', wanted)",
        role,
    )
    return {str(row["may"]) for row in rows}


def test_a_daemons_role_with_the_documented_grants_may_use_a_table_that_is_added(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.role(*documented_rights()) as role:
        steps = migrate_further(database, monkeypatch)
        assert steps[-1] == f"grant the rights on what is new to the daemon's role {role}"
        assert rights_on_the_new_table(database, role) == {"SELECT", "INSERT", "UPDATE", "DELETE"}
        assert migrate_further(database, monkeypatch) == []


def test_a_role_that_may_only_read_gets_no_right_to_write(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.role("SELECT ON ALL TABLES IN SCHEMA pattern_sync") as reader:
        assert not any("daemon's role" in step for step in migrate_further(database, monkeypatch))
        assert rights_on_the_new_table(database, reader) == set()


def test_default_privileges_do_the_same(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.role(*documented_rights()) as role:
        rights = "SELECT, INSERT, UPDATE, DELETE"
        database.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA pattern_sync GRANT {rights} ON TABLES TO {role}")
        assert not any("daemon's role" in step for step in migrate_further(database, monkeypatch))
        assert rights_on_the_new_table(database, role) == set(rights.split(", "))
        assert migrate_further(database, monkeypatch) == []
