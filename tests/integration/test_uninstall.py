"""Uninstalling: exactly what was added is removed."""

import pytest

from tests.support.application import abouts, adopt, dump, installer
from tests.support.database import TestDatabase
from tests.support.paths import reconcile


@pytest.mark.parametrize("schema", [None, "work"], ids=["public", "a schema of its own"])
def test_uninstall_leaves_the_database_as_it_was(empty_database: TestDatabase, schema: str | None) -> None:
    adopt(empty_database, schema)
    parameters = f"options=-csearch_path%3D{schema}" if schema else ""
    before = dump(empty_database)
    assert installer(empty_database, parameters).migrate() != []
    assert dump(empty_database) != before
    assert len(installer(empty_database, parameters).uninstall()) == 1
    assert dump(empty_database) == before


def test_rows_and_entries_written_meanwhile_stay(database: TestDatabase) -> None:
    database.add_patterns(3, "p")
    reconcile(database)
    installer(database).uninstall()
    assert database.queue() == {"p:1", "p:2", "p:3"}
    database.add_pattern("unannounced")


def test_a_dry_run_of_uninstall_removes_nothing(database: TestDatabase) -> None:
    before = dump(database)
    steps = installer(database).uninstall(dry_run=True)
    assert "DROP SCHEMA" in steps[0].sql
    assert dump(database) == before


def test_uninstall_without_an_installation_does_nothing(empty_database: TestDatabase) -> None:
    assert installer(empty_database).uninstall() == []


def test_it_can_be_installed_again(database: TestDatabase) -> None:
    before = dump(database, "--schema-only")
    installer(database).uninstall()
    assert abouts(database)[-1] == "create the triggers on pattern_review_history"
    assert dump(database, "--schema-only") == before
