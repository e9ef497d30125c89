"""What cannot be adopted is refused by name, before anything is changed."""

import pytest

from pattern_sync import PatternSyncError, PatternSyncService
from pattern_sync.domain.errors import SchemaMissing, SchemaOutdated, SchemaTooNew, UnfitApplication
from tests.support.application import adopt, dump, installer
from tests.support.database import TestDatabase


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("ALTER TABLE operation_patterns DROP COLUMN confidence_score", "column operation_patterns.confidence_score"),
        ("ALTER TABLE operation_patterns RENAME id TO row_id", "column operation_patterns.id"),
        ("ALTER TABLE pattern_approvals DROP COLUMN example_sessions", "column pattern_approvals.example_sessions"),
        ("DROP TABLE pattern_approvals CASCADE", "table pattern_approvals"),
        ("DROP TABLE operation_patterns CASCADE", "table operation_patterns"),
        (
            "ALTER TABLE pattern_approvals DROP CONSTRAINT pattern_approvals_pattern_id_key CASCADE",
            "unique key on pattern_approvals (pattern_id)",
        ),
    ],
)
def test_an_application_that_lacks_something_is_refused_with_the_missing_name(
    empty_database: TestDatabase, damage: str, named: str
) -> None:
    adopt(empty_database)
    empty_database.execute(damage)
    before = dump(empty_database)
    for attempt in (installer(empty_database).migrate, installer(empty_database).plan):
        with pytest.raises(UnfitApplication) as refusal:
            attempt()
        assert named in str(refusal.value)
        assert "Nothing was changed" in str(refusal.value)
    assert dump(empty_database) == before


def test_all_missing_things_are_named_at_once(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    empty_database.execute("ALTER TABLE operation_patterns DROP COLUMN confidence_score, DROP COLUMN occurrence_count")
    with pytest.raises(
        UnfitApplication, match=r"confidence_score.*occurrence_count|occurrence_count.*confidence_score"
    ):
        installer(empty_database).migrate()


def test_an_application_outside_the_search_path_is_named_and_not_created_twice(empty_database: TestDatabase) -> None:
    adopt(empty_database, "work")
    before = dump(empty_database)
    with pytest.raises(UnfitApplication) as refusal:
        installer(empty_database).migrate()
    assert "schema work" in str(refusal.value)
    assert "options=-csearch_path%3Dwork" in str(refusal.value)
    assert dump(empty_database) == before


def test_a_search_path_that_leads_nowhere_is_refused(empty_database: TestDatabase) -> None:
    with pytest.raises(UnfitApplication, match="search_path"):
        installer(empty_database, "options=-csearch_path%3Dnowhere").migrate()


def test_a_newer_schema_is_left_alone(database: TestDatabase) -> None:
    database.execute("INSERT INTO pattern_sync.migrations (version) VALUES (9999)")
    before = dump(database)
    for attempt in (
        installer(database).migrate,
        installer(database).plan,
        PatternSyncService(database.url).get_sync_statistics,
    ):
        with pytest.raises(SchemaTooNew, match="9999"):
            attempt()
    assert dump(database) == before


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ("DROP SCHEMA pattern_sync CASCADE", SchemaMissing),
        ("DELETE FROM pattern_sync.migrations", SchemaMissing),
        ("DELETE FROM pattern_sync.migrations WHERE version > 2", SchemaOutdated),
        ("UPDATE pattern_sync.migrations SET extended_to = NULL", SchemaOutdated),
        ("ALTER TABLE pattern_sync.migrations DROP COLUMN extended_to", SchemaOutdated),
        ("DROP TABLE pattern_sync.migrations", SchemaMissing),
    ],
)
def test_a_missing_or_older_schema_is_reported_with_the_remedy(
    database: TestDatabase, damage: str, fault: type[PatternSyncError]
) -> None:
    database.execute(damage)
    service = PatternSyncService(database.url)
    for call in (service.sync_patterns, service.get_sync_statistics, service.overview, service.list_entries):
        with pytest.raises(fault, match="pattern-sync migrate"):
            call()
