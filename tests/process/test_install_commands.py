"""What the commands that install and remove print."""

from tests.support.application import adopt
from tests.support.command import run_command
from tests.support.database import TestDatabase


def test_migrate_reports_what_an_older_application_lacks(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    empty_database.execute("DROP TABLE pattern_occurrences, pattern_review_history")
    planned = run_command("migrate", "--dry-run", PATTERN_SYNC_DATABASE_URL=empty_database.url)
    assert planned.code == 0
    assert "CREATE TABLE pattern_review_history" in planned.out
    assert "-- Note: There is no table pattern_occurrences" in planned.out
    done = run_command("migrate", PATTERN_SYNC_DATABASE_URL=empty_database.url)
    assert done.code == 0
    assert "create pattern_review_history, which uninstall keeps: done" in done.out
    again = run_command("migrate", PATTERN_SYNC_DATABASE_URL=empty_database.url)
    assert again.out.startswith("Nothing to do: the schema is up to date.\nNote: There is no table pattern_occurrences")


def test_migrate_on_a_publisher_requires_confirmation_that_the_subscribers_are_ready(
    empty_database: TestDatabase,
) -> None:
    adopt(empty_database)
    empty_database.execute("CREATE PUBLICATION whole FOR ALL TABLES")
    refused = run_command("migrate", PATTERN_SYNC_DATABASE_URL=empty_database.url)
    assert refused.code == 4
    assert "pattern-sync migrate --replicated" in refused.err
    assert run_command("migrate", "--replicated", PATTERN_SYNC_DATABASE_URL=empty_database.url).code == 0


def test_uninstall_names_foreign_objects_and_drops_them_only_when_asked(database: TestDatabase) -> None:
    database.execute("CREATE VIEW report AS SELECT * FROM pattern_sync.runs")
    refused = run_command("uninstall", PATTERN_SYNC_DATABASE_URL=database.url)
    assert refused.code == 4
    assert "view report" in refused.err
    assert run_command("uninstall", "--cascade", PATTERN_SYNC_DATABASE_URL=database.url).code == 0
