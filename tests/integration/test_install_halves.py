"""Every half-installed state of our own schema: migrate repairs it, and reports each step."""

import pytest

from pattern_sync.database.definitions import load_definitions, split_statements
from tests.support.application import abouts, adopt, dump, installer
from tests.support.database import TestDatabase
from tests.support.notifications import listening
from tests.support.paths import UNCAPPED, service_everything

TABLES = load_definitions().own_tables
ALL_TABLES = ", ".join(f"pattern_sync.{table}" for table in TABLES)

HALVES = {
    "the filter was lost": ("DELETE FROM pattern_sync.settings", "restore the lost filter"),
    "the record of versions was lost": ("DELETE FROM pattern_sync.migrations", "mend migrations/0001_bookkeeping.sql"),
    "its newest rows were lost": (
        "DELETE FROM pattern_sync.migrations WHERE version > 1",
        "mend migrations/0003_lived_in.sql",
    ),
    "all rows were lost, as by a restore of the schema only": (
        f"TRUNCATE {ALL_TABLES}",
        "mend migrations/0001_bookkeeping.sql",
    ),
    "all tables were lost": (f"DROP TABLE {ALL_TABLES} CASCADE", "mend migrations/0001_bookkeeping.sql: migrations, "),
    "all but the schema was lost": (
        "DROP SCHEMA pattern_sync CASCADE; CREATE SCHEMA pattern_sync",
        "create the triggers on operation_patterns",
    ),
    "a function was lost": ("DROP FUNCTION pattern_sync.request(text)", "function pattern_sync.request(text)"),
    "a function was changed": (
        "CREATE OR REPLACE FUNCTION pattern_sync.request() RETURNS void LANGUAGE sql AS ''",
        "function pattern_sync.request()",
    ),
    "a function that announces was lost, and the triggers with it": (
        "DROP FUNCTION pattern_sync.announce() CASCADE",
        "create the triggers on operation_patterns",
    ),
    "everybody lost the schema": (
        "REVOKE USAGE ON SCHEMA pattern_sync FROM PUBLIC",
        "what everybody may do with the schema pattern_sync",
    ),
    "everybody lost the filter": (
        "REVOKE SELECT ON pattern_sync.settings FROM PUBLIC",
        "what everybody may do with pattern_sync.settings",
    ),
    "everybody got a function that is the owner's": (
        "GRANT EXECUTE ON FUNCTION pattern_sync.install_trigger(regclass) TO PUBLIC",
        "function pattern_sync.install_trigger(regclass)",
    ),
    "a trigger of our own was lost": (
        "DROP TRIGGER announce_settings ON pattern_sync.settings",
        "trigger announce_settings on pattern_sync.settings",
    ),
    "a trigger was lost": (
        "DROP TRIGGER pattern_sync_announce ON operation_patterns",
        "create the triggers on operation_patterns",
    ),
    "a trigger was disabled": (
        "ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce",
        "create the triggers on operation_patterns",
    ),
    "several triggers were disabled": (
        "ALTER TABLE pattern_approvals DISABLE TRIGGER pattern_sync_deleted, DISABLE TRIGGER pattern_sync_inserted",
        "create the triggers on pattern_approvals",
    ),
    **{
        f"the table {table} was lost": (f"DROP TABLE pattern_sync.{table} CASCADE", f": {table}")
        for table in TABLES
        if table != "migrations"
    },
}


@pytest.mark.parametrize("half", HALVES)
def test_a_half_installed_state_is_reported_and_repaired(database: TestDatabase, half: str) -> None:
    damage, expected = HALVES[half]
    before = dump(database, "--schema-only")
    database.execute(damage)
    damaged = dump(database)
    assert installer(database).plan() != []
    assert dump(database) == damaged
    assert any(expected in about for about in abouts(database)), expected
    assert abouts(database) == []
    assert installer(database).plan() == []
    # The only difference left is the order of creation.
    assert sorted(dump(database, "--schema-only").splitlines()) == sorted(before.splitlines())
    with listening(database) as listener:
        pattern_id = database.add_pattern("a")
        assert listener.received() == [str(pattern_id)]
    assert service_everything(database, UNCAPPED).synced_count == 1
    versions = database.execute("SELECT version, extended_to FROM pattern_sync.migrations ORDER BY version")
    assert [(row["version"], row["extended_to"]) for row in versions] == [(1, None), (2, None), (3, 10)]


def test_the_filter_in_force_survives_a_repair(database: TestDatabase) -> None:
    database.execute("UPDATE pattern_sync.settings SET min_savings = 5")
    assert abouts(database) == [], "the trigger's constants are no half-state"
    database.execute("DROP TABLE pattern_sync.written; DELETE FROM pattern_sync.migrations")
    abouts(database)
    assert database.execute("SELECT min_savings::int AS m FROM pattern_sync.settings") == [{"m": 5}]
    with listening(database) as listener:
        pattern_id = database.add_pattern("a", potential_monthly_savings=10)
        assert listener.received() == [str(pattern_id)]


def test_the_statements_of_a_migration_are_all_of_its_file() -> None:
    for migration in load_definitions().migrations:
        assert "\n".join(split_statements(migration.sql)) + "\n" == migration.sql
        assert "CREATE" not in migration.remainder([], applied=False)


def test_an_application_without_a_history_keeps_the_one_that_migrate_creates(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    empty_database.execute("DROP TABLE pattern_review_history")
    assert next(step.about for step in installer(empty_database).plan()).startswith("create pattern_review_history")
    assert abouts(empty_database)[0] == "create pattern_review_history, which uninstall keeps"
    assert abouts(empty_database) == []
    installer(empty_database).uninstall()
    assert empty_database.count("pattern_review_history") == 0
    assert len(abouts(empty_database)) > 0


def test_migrate_reports_that_occurrences_are_missing(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    assert installer(empty_database).remarks() == []
    empty_database.execute("DROP TABLE pattern_occurrences, cost_savings_log")
    assert abouts(empty_database) != []
    (remark,) = installer(empty_database).remarks()
    assert remark.startswith("There is no table pattern_occurrences, so ")
