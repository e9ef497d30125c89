"""Who owns the schema, who may install and remove it, and what is not ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.domain.errors import AccessRefused, SchemaError
from tests.support.application import abouts, adopt, dump, installer
from tests.support.database import TestDatabase

TABLES = ("operation_patterns", "pattern_occurrences", "pattern_approvals", "pattern_review_history")


def owned_by(database: TestDatabase) -> set[str]:
    """Return the owners of our schema and of everything in it."""
    rows = database.execute(
        "SELECT DISTINCT pg_get_userbyid(owner) AS owner FROM ("
        " SELECT nspowner AS owner FROM pg_namespace WHERE nspname = 'pattern_sync'"
        " UNION SELECT relowner FROM pg_class WHERE relnamespace = 'pattern_sync'::regnamespace"
        " UNION SELECT proowner FROM pg_proc WHERE pronamespace = 'pattern_sync'::regnamespace) AS owned"
    )
    return {row["owner"] for row in rows}


def as_role(database: TestDatabase, role: str) -> Installer:
    return Installer(DatabaseAddress.parse(database.url_as(role)))


@contextmanager
def creator(database: TestDatabase, name: str) -> Iterator[str]:
    """Yield a role that may create schemas; it is dropped at the end with all that it owns."""
    role = f"{database.name}_{name}"
    database.execute(f'CREATE ROLE {role}; GRANT CREATE ON DATABASE "{database.name}" TO {role}')
    try:
        yield role
    finally:
        database.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


@pytest.fixture
def owner(empty_database: TestDatabase) -> Iterator[str]:
    """Return a role that owns the adopted tables and may create schemas."""
    adopt(empty_database)
    with creator(empty_database, "owner") as role:
        for table in TABLES:
            empty_database.execute(f"ALTER TABLE {table} OWNER TO {role}")
        yield role


@pytest.fixture
def stranger(empty_database: TestDatabase) -> Iterator[str]:
    """Return a role that owns nothing and may create schemas."""
    with creator(empty_database, "stranger") as role:
        yield role


def test_the_owner_installs_and_removes(empty_database: TestDatabase, owner: str) -> None:
    before = dump(empty_database)
    assert as_role(empty_database, owner).migrate() != []
    assert owned_by(empty_database) == {owner}
    assert as_role(empty_database, owner).uninstall() != []
    assert dump(empty_database) == before


def test_a_role_that_does_not_own_the_tables_is_refused_with_the_owners_name(
    empty_database: TestDatabase, owner: str, stranger: str
) -> None:
    before = dump(empty_database)
    for right in ("", f"GRANT ALL ON {', '.join(TABLES)} TO {stranger}"):
        if right:
            empty_database.execute(right)
            before = dump(empty_database)
        for attempt in (as_role(empty_database, stranger).migrate, as_role(empty_database, stranger).plan):
            with pytest.raises(AccessRefused) as refusal:
                attempt()
            assert f"operation_patterns belongs to {owner}" in str(refusal.value)
            assert f"This role is {stranger}" in str(refusal.value)
            assert "Nothing was changed" in str(refusal.value)
    assert dump(empty_database) == before


def test_objects_that_a_superuser_installs_belong_to_the_owner_of_the_tables(
    empty_database: TestDatabase, owner: str
) -> None:
    before = dump(empty_database)
    assert f"give the schema pattern_sync to {owner}, the owner of the tables" in abouts(empty_database)
    assert owned_by(empty_database) == {owner}
    assert abouts(empty_database) == []
    # So the owner can repair, upgrade and remove it.
    empty_database.execute("DROP TABLE pattern_sync.runs; DELETE FROM pattern_sync.migrations WHERE version = 3")
    assert as_role(empty_database, owner).migrate() != []
    assert owned_by(empty_database) == {owner}
    as_role(empty_database, owner).uninstall()
    assert dump(empty_database) == before


def test_a_member_of_the_owner_installs_for_the_owner(empty_database: TestDatabase, owner: str, stranger: str) -> None:
    empty_database.execute(f"GRANT {owner} TO {stranger}")
    assert as_role(empty_database, stranger).migrate() != []
    assert owned_by(empty_database) == {owner}
    assert as_role(empty_database, owner).migrate() == []


def test_an_installation_of_another_role_is_transferred_to_the_owner(empty_database: TestDatabase, owner: str) -> None:
    abouts(empty_database)
    empty_database.execute(
        "DO $$ DECLARE r record; BEGIN"
        " FOR r IN SELECT oid::regprocedure AS f FROM pg_proc WHERE pronamespace = 'pattern_sync'::regnamespace"
        " LOOP EXECUTE format('ALTER ROUTINE %s OWNER TO CURRENT_USER', r.f); END LOOP; END $$;"
        "ALTER SCHEMA pattern_sync OWNER TO CURRENT_USER"
    )
    for attempt in (as_role(empty_database, owner).migrate, as_role(empty_database, owner).uninstall):
        with pytest.raises(AccessRefused, match="The schema pattern_sync belongs to "):
            attempt()
    assert abouts(empty_database) == [f"give the schema pattern_sync to {owner}, the owner of the tables"]
    assert owned_by(empty_database) == {owner}


def test_an_empty_schema_created_in_advance_is_used(empty_database: TestDatabase, owner: str) -> None:
    empty_database.execute(f'REVOKE CREATE ON DATABASE "{empty_database.name}" FROM {owner}')
    with pytest.raises(AccessRefused, match=f"CREATE SCHEMA pattern_sync AUTHORIZATION {owner};"):
        as_role(empty_database, owner).migrate()
    empty_database.execute(f"CREATE SCHEMA pattern_sync AUTHORIZATION {owner}")
    assert as_role(empty_database, owner).migrate() != []
    assert as_role(empty_database, owner).migrate() == []


FOREIGN_SCHEMA = (
    "CREATE SCHEMA pattern_sync; CREATE TABLE pattern_sync.settings (name text); INSERT INTO pattern_sync.settings"
    " VALUES ('kept')"
)


def test_a_foreign_schema_of_the_same_name_is_left_alone(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    empty_database.execute(FOREIGN_SCHEMA)
    before = dump(empty_database)
    found = installer(empty_database)
    for attempt in (found.migrate, found.plan, found.uninstall, partial(found.uninstall, cascade=True)):
        with pytest.raises(SchemaError, match="is not Pattern Sync's"):
            attempt()
    assert dump(empty_database) == before


@pytest.mark.parametrize(
    ("thing", "named"),
    [
        ("CREATE VIEW report AS SELECT * FROM pattern_sync.runs", "view report"),
        ("CREATE VIEW report AS SELECT pattern_sync.figure(1) AS one", "view report"),
        ("CREATE MATERIALIZED VIEW report AS SELECT * FROM pattern_sync.runs", "materialized view report"),
        ("CREATE VIEW a AS SELECT * FROM pattern_sync.runs; CREATE VIEW b AS SELECT * FROM a", "view a, view b"),
        ("CREATE TABLE pattern_sync.notes (words text)", "table pattern_sync.notes"),
        ("CREATE VIEW pattern_sync.report AS SELECT 1 AS one", "view pattern_sync.report"),
        ("CREATE SEQUENCE pattern_sync.numbers", "sequence pattern_sync.numbers"),
        ("CREATE TYPE pattern_sync.mood AS ENUM ('good')", "type pattern_sync.mood"),
        (
            "CREATE FUNCTION pattern_sync.own() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "function pattern_sync.own()",
        ),
        (
            "CREATE FUNCTION uses() RETURNS bool BEGIN ATOMIC SELECT count(*) > 1 FROM pattern_sync.runs; END",
            "function uses()",
        ),
        (
            "CREATE TABLE mine (run bigint REFERENCES pattern_sync.runs)",
            "constraint mine_run_fkey on table mine",
        ),
        (
            "CREATE TABLE mine (figure numeric DEFAULT pattern_sync.figure(1))",
            "default value for column figure of table mine",
        ),
        (
            "CREATE TABLE mine (); CREATE TRIGGER told AFTER TRUNCATE ON mine EXECUTE FUNCTION {told}",
            "trigger told on table mine",
        ),
    ],
)
def test_uninstall_names_foreign_objects_and_drops_them_only_on_request(
    database: TestDatabase, thing: str, named: str
) -> None:
    database.execute(thing.format(told="pattern_sync.announce_entries()"))
    before = dump(database)
    for dry_run in (False, True):
        with pytest.raises(SchemaError) as refusal:
            installer(database).uninstall(dry_run=dry_run)
        assert f"would go with it: {named}. Nothing was removed." in str(refusal.value)
    assert dump(database) == before
    assert installer(database).uninstall(cascade=True) != []
    assert installer(database).uninstall() == []


def test_objects_that_depend_on_ours_are_not_reported_as_foreign(database: TestDatabase) -> None:
    database.execute("CREATE TABLE child () INHERITS (operation_patterns)")
    abouts(database)
    database.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA pattern_sync GRANT SELECT ON TABLES TO PUBLIC")
    assert installer(database).uninstall() != []
