"""Installing: into an empty database, beside an existing application, twice, with the printed script."""

import re

import psycopg
import pytest

from pattern_sync import PatternSyncService, SyncFilter
from pattern_sync.database.definitions import load_definitions
from pattern_sync.database.planning import full_script
from tests.support.application import abouts, adopt, dump, installer
from tests.support.database import TestDatabase, snapshot
from tests.support.notifications import listening
from tests.support.paths import UNCAPPED, reconcile

APPLICATION = (
    "operation_patterns",
    "pattern_occurrences",
    "cost_savings_log",
    "pattern_approvals",
    "pattern_review_history",
)

TRIGGERS = [
    "create the triggers on operation_patterns",
    "create the triggers on pattern_approvals",
    "create the triggers on pattern_review_history",
]


def works(database: TestDatabase) -> None:
    with listening(database) as listener:
        pattern_id = database.add_pattern("sdlc:full:all")
        assert listener.received() == [str(pattern_id)]
    PatternSyncService(database.url).sync_patterns(UNCAPPED)
    assert "sdlc:full:all" in database.queue()


def test_an_empty_database_gets_the_tables_and_everything_works(empty_database: TestDatabase) -> None:
    done = abouts(empty_database)
    assert done[0] == "create the application's tables"
    assert done[-3:] == TRIGGERS
    works(empty_database)


def test_an_application_is_adopted_unchanged_and_everything_works(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    before = dump(empty_database)
    rows = snapshot(empty_database, APPLICATION)
    assert abouts(empty_database) == [
        "apply migrations/0001_bookkeeping.sql",
        "apply migrations/0002_review.sql",
        "apply migrations/0003_lived_in.sql",
        "apply migrations/0004_additive.sql",
        "apply migrations/0005_deciding.sql",
        "apply migrations/0006_telling.sql",
        "apply migrations/0007_detecting.sql",
        "apply migrations/0008_roi.sql",
        "apply migrations/0009_rules.sql",
        "apply migrations/0010_model.sql",
        "create the functions",
        *TRIGGERS,
    ]
    assert snapshot(empty_database, APPLICATION) == rows
    after = dump(empty_database, "--exclude-schema=pattern_sync").splitlines()
    ours = [
        line for line in after if re.match(r"CREATE TRIGGER pattern_sync_|.* ENABLE ALWAYS TRIGGER pattern_sync_", line)
    ]
    assert [line for line in after if line not in ours] == before.splitlines()
    assert len(ours) == 12, "six triggers, each of which fires always"
    works(empty_database)


def test_figures_of_an_adopted_application_are_compared_in_its_own_types(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    abouts(empty_database)
    # REAL and NUMERIC(10, 4): none of these figures has the same value in both.
    for number, (confidence, savings) in enumerate([(70.1, 1000.1), (100 / 3, 183_844.06), (99.99999, 999_999.9999)]):
        empty_database.add_pattern(f"p{number}", confidence_score=confidence, potential_monthly_savings=savings)
    wanted = SyncFilter.everything()
    assert PatternSyncService(empty_database.url).sync_patterns(wanted).synced_count == 4
    before = snapshot(empty_database, APPLICATION)
    result = PatternSyncService(empty_database.url).sync_patterns(wanted)
    assert (result.refreshed_count, result.skipped_count) == (0, 4)
    assert snapshot(empty_database, APPLICATION) == before


@pytest.mark.parametrize("adopted", [False, True], ids=["created", "adopted"])
def test_a_second_migrate_does_nothing(empty_database: TestDatabase, *, adopted: bool) -> None:
    if adopted:
        adopt(empty_database)
    abouts(empty_database)
    before = dump(empty_database)
    assert installer(empty_database).plan() == []
    assert abouts(empty_database) == []
    assert dump(empty_database) == before


def assert_complete_but_for_the_fingerprint(database: TestDatabase) -> None:
    # A script that a person ran leaves no record, so migrate creates the functions once more, and then never again.
    assert abouts(database) == ["create the functions"]
    assert abouts(database) == []


def test_functions_of_an_older_release_are_replaced(database: TestDatabase) -> None:
    database.execute("UPDATE pattern_sync.migrations SET functions_md5 = 'an older one'")
    database.execute("DROP FUNCTION pattern_sync.request()")
    assert abouts(database) == ["create the functions"]
    database.execute("SELECT pattern_sync.request()")
    assert abouts(database) == []


@pytest.mark.parametrize("adopted", [False, True], ids=["created", "adopted"])
def test_a_dry_run_shows_every_step_and_changes_nothing(empty_database: TestDatabase, *, adopted: bool) -> None:
    if adopted:
        adopt(empty_database)
    before = dump(empty_database)
    steps = installer(empty_database).plan()
    assert dump(empty_database) == before
    with empty_database.another_connection() as by_hand:
        for step in steps:
            by_hand.execute(step.sql.encode())
    assert_complete_but_for_the_fingerprint(empty_database)


def test_an_older_version_is_upgraded_and_its_daemon_keeps_its_rights(database: TestDatabase) -> None:
    newer = "pattern_sync.written, pattern_sync.refusals, pattern_sync.rejections, pattern_sync.marks"
    newest = "pattern_sync.traits, pattern_sync.batch_items, pattern_sync.batches, pattern_sync.decisions"
    newer = f"{newer}, {newest}, pattern_sync.snoozes, pattern_sync.answers"
    newer = f"{newer}, pattern_sync.messages, pattern_sync.told, pattern_sync.channels"
    newer = f"{newer}, pattern_sync.detected_sessions, pattern_sync.reported_events, pattern_sync.routines"
    newer = f"{newer}, pattern_sync.recorded_savings, pattern_sync.savings_by_day, pattern_sync.savings_kept"
    newer = f"{newer}, pattern_sync.adjustments"
    newer = f"{newer}, pattern_sync.rules, pattern_sync.rule_log"
    newer = f"{newer}, pattern_sync.models, pattern_sync.predictions"
    database.execute(f"DROP TABLE {newer}; DELETE FROM pattern_sync.migrations WHERE version > 2")
    database.execute("ALTER TABLE pattern_sync.migrations DROP COLUMN extended_to")
    rights = ("SELECT, INSERT, DELETE ON pattern_sync.runs", "SELECT ON pattern_sync.migrations")
    with database.role(*rights, "UPDATE ON pattern_sync.settings") as role:
        assert abouts(database) == [
            "apply migrations/0003_lived_in.sql",
            "apply migrations/0004_additive.sql",
            "apply migrations/0005_deciding.sql",
            "apply migrations/0006_telling.sql",
            "apply migrations/0007_detecting.sql",
            "apply migrations/0008_roi.sql",
            "apply migrations/0009_rules.sql",
            "apply migrations/0010_model.sql",
            "create the functions",
            f"grant the rights on what is new to the daemon's role {role}",
        ]
        may = database.execute("SELECT has_table_privilege(%s, 'pattern_sync.written', 'DELETE') AS may", role)
        assert may == [{"may": True}]
        assert abouts(database) == []


def test_a_dry_run_of_an_upgrade_shows_the_triggers_that_it_will_create(database: TestDatabase) -> None:
    database.execute("DELETE FROM pattern_sync.migrations WHERE version > 1")
    database.execute("DROP TRIGGER pattern_sync_inserted ON pattern_approvals")
    # As in the first release, which had no trigger on the queue.
    database.execute(
        "CREATE OR REPLACE FUNCTION pattern_sync.tables_without_trigger() RETURNS SETOF regclass"
        " LANGUAGE sql STABLE AS 'SELECT NULL::regclass WHERE false'"
    )
    planned = [step.about for step in installer(database).plan()]
    assert planned[-2:] == ["create the functions", "create the triggers that are missing"]
    made = [step.about for step in installer(database).migrate()]
    assert made[-1] == "create the triggers on pattern_approvals"


@pytest.mark.parametrize("adopted", [False, True], ids=["created", "adopted"])
def test_the_printed_script_installs_the_same_as_migrate(
    empty_database: TestDatabase, database: TestDatabase, *, adopted: bool
) -> None:
    if adopted:
        adopt(empty_database)
    with empty_database.another_connection(autocommit=False) as by_hand:
        by_hand.execute("SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)")
        for step in full_script(load_definitions(), with_application_tables=not adopted):
            by_hand.execute(step.sql.encode())
        by_hand.commit()
    assert_complete_but_for_the_fingerprint(empty_database)
    works(empty_database)
    if not adopted:
        assert dump(empty_database, "--schema-only") == dump(database, "--schema-only")


def test_the_application_may_still_change_its_tables(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    abouts(empty_database)
    empty_database.add_pattern("a")
    reconcile(empty_database)
    for change in (
        "ALTER TABLE operation_patterns ALTER confidence_score TYPE numeric(6, 3)",
        "ALTER TABLE operation_patterns ALTER occurrence_count TYPE bigint",
        "ALTER TABLE operation_patterns ALTER potential_monthly_savings TYPE double precision",
        "ALTER TABLE operation_patterns ALTER pattern_signature TYPE text",
        "ALTER TABLE operation_patterns ALTER typical_input_pattern TYPE varchar(9000)",
        "ALTER TABLE pattern_approvals ALTER confidence_score TYPE double precision",
        "ALTER TABLE pattern_approvals ALTER estimated_savings_usd TYPE numeric(12, 2)",
        "ALTER TABLE operation_patterns ADD COLUMN more text",
    ):
        empty_database.execute(change)
    empty_database.add_pattern("b")
    assert PatternSyncService(empty_database.url).sync_patterns(UNCAPPED).synced_count == 1


def test_the_application_may_still_drop_its_tables(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    abouts(empty_database)
    for table in ("pattern_confidence_history", "pattern_executions", *reversed(APPLICATION)):
        empty_database.execute(f"DROP TABLE {table}")


def test_an_application_in_a_schema_of_its_own_is_adopted_there(empty_database: TestDatabase) -> None:
    adopt(empty_database, "work")
    installer(empty_database, "options=-csearch_path%3Dwork").migrate()
    with psycopg.connect(empty_database.url, autocommit=True) as elsewhere:
        elsewhere.execute("LISTEN pattern_sync")
        # A detector that names the schema and has a different search_path.
        elsewhere.execute(
            "INSERT INTO work.operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
            " potential_monthly_savings) VALUES ('a', 'x', 90, 9, 9999)"
        )
        assert [notify.payload for notify in elsewhere.notifies(timeout=10, stop_after=1)] == ["2"]
        assert elsewhere.execute("SELECT pattern_sync.request('a')").fetchone() == (True,)
