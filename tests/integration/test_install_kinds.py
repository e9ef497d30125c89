"""Which relations may have the names of the application's tables, and in how many schemas."""

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.domain.errors import UnfitApplication
from tests.support.application import abouts, adopt, dump, installer
from tests.support.database import TestDatabase
from tests.support.notifications import listening
from tests.support.paths import UNCAPPED

ELSEWHERE = "CREATE SCHEMA elsewhere; ALTER TABLE {table} SET SCHEMA elsewhere;"
FOREIGN = (
    "CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER far FOREIGN DATA WRAPPER nowhere;"
    "CREATE FOREIGN TABLE {table} ({columns}) SERVER far"
)


@pytest.mark.parametrize("table", ["operation_patterns", "pattern_approvals", "pattern_review_history"])
@pytest.mark.parametrize("kind", ["view", "materialized view", "foreign table"])
def test_a_relation_that_cannot_have_triggers_is_refused_by_name_and_kind(
    empty_database: TestDatabase, table: str, kind: str
) -> None:
    adopt(empty_database)
    columns = empty_database.execute(
        "SELECT string_agg(format('%%I %%s', attname, format_type(atttypid, atttypmod)), ', ') AS listed"
        " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        table,
    )[0]["listed"]
    empty_database.execute(ELSEWHERE.format(table=table))
    if kind == "foreign table":
        empty_database.execute(FOREIGN.format(table=table, columns=columns))
    else:
        empty_database.execute(f"CREATE {kind} {table} AS SELECT * FROM elsewhere.{table}")
    before = dump(empty_database)
    for attempt in (installer(empty_database).migrate, installer(empty_database).plan):
        with pytest.raises(UnfitApplication, match=f"{table} is a {kind}, which cannot have the triggers"):
            attempt()
    assert dump(empty_database) == before


def test_occurrences_may_be_a_view(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    empty_database.execute(ELSEWHERE.format(table="pattern_occurrences"))
    empty_database.execute("CREATE VIEW pattern_occurrences AS SELECT * FROM elsewhere.pattern_occurrences")
    abouts(empty_database)
    pattern_id = empty_database.add_pattern("a")
    empty_database.execute(
        "INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at) VALUES (%s, 'wf', now())", pattern_id
    )
    PatternSyncService(empty_database.url).sync_patterns(UNCAPPED)
    entry = empty_database.entry("a")
    assert entry is not None
    assert entry["example_sessions"] == '["wf"]'


def partition(database: TestDatabase, table: str, key: str) -> None:
    """Turn a table that no other references into a partitioned one with two partitions."""
    for other in ("pattern_occurrences", "cost_savings_log", "pattern_executions", "pattern_confidence_history"):
        database.execute(f"DROP TABLE IF EXISTS {other} CASCADE")
    database.execute("CREATE TABLE pattern_occurrences (id int, pattern_id int, workflow_id text, detected_at date)")
    database.execute(
        f"ALTER TABLE {table} RENAME TO former;"
        f"CREATE TABLE {table} (LIKE former INCLUDING DEFAULTS, UNIQUE ({key})) PARTITION BY HASH ({key});"
        f"CREATE TABLE {table}_0 PARTITION OF {table} FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
        f"CREATE TABLE {table}_1 PARTITION OF {table} FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
        "ALTER TABLE former RENAME TO former_table"
    )


def test_partitioned_patterns_are_announced_and_queued(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    partition(empty_database, "operation_patterns", "id")
    assert "create the triggers on operation_patterns" in abouts(empty_database)
    with listening(empty_database) as listener:
        first = empty_database.add_pattern("a")
        assert listener.received() == [str(first)]
        # A detector that names the partition: PostgreSQL has cloned the parent's row trigger to it.
        empty_database.execute(
            "UPDATE operation_patterns_0 SET pattern_signature = 'renamed'; UPDATE operation_patterns_1"
            " SET pattern_signature = 'renamed'"
        )
        assert listener.received() == [str(first)]
    assert PatternSyncService(empty_database.url).sync_patterns(UNCAPPED).synced_count == 1
    assert abouts(empty_database) == []


def test_a_partitioned_queue_works_and_its_missing_page_notifications_are_reported(
    empty_database: TestDatabase,
) -> None:
    adopt(empty_database)
    empty_database.execute("ALTER TABLE pattern_review_history DROP CONSTRAINT pattern_review_history_pattern_id_fkey")
    partition(empty_database, "pattern_approvals", "pattern_id")
    assert "create the triggers on pattern_approvals" in abouts(empty_database)
    assert any("pattern_approvals is partitioned" in remark for remark in installer(empty_database).remarks())
    with empty_database.another_connection() as page:
        page.execute("LISTEN pattern_sync_queue")
        empty_database.add_entry("by hand")
        assert ["by hand" in notify.payload for notify in page.notifies(timeout=10, stop_after=1)] == [True]
    service = PatternSyncService(empty_database.url)
    empty_database.add_pattern("a")
    assert service.sync_patterns(UNCAPPED).synced_count == 1
    empty_database.execute("UPDATE operation_patterns SET occurrence_count = 99 WHERE pattern_signature = 'a'")
    assert service.sync_patterns(UNCAPPED).refreshed_count == 1
    service.approve("a", "good", reviewer="ann")
    assert abouts(empty_database) == []


def test_a_name_that_is_taken_by_a_type_is_refused_without_a_traceback(empty_database: TestDatabase) -> None:
    empty_database.execute("CREATE TYPE pattern_approvals AS ENUM ('a')")
    with pytest.raises(UnfitApplication, match=r"create the application's tables: .*pattern_approvals.*Nothing was"):
        installer(empty_database).migrate()
    assert empty_database.execute("SELECT relname FROM pg_class WHERE relname = 'operation_patterns'") == []


def test_a_second_application_in_the_same_database_is_refused(empty_database: TestDatabase) -> None:
    adopt(empty_database, "first")
    adopt(empty_database, "second")
    assert installer(empty_database, "options=-csearch_path%3Dfirst").migrate() != []
    before = dump(empty_database)
    second = installer(empty_database, "options=-csearch_path%3Dsecond")
    for attempt in (second.migrate, second.plan):
        with pytest.raises(UnfitApplication, match="served already: the tables in schema first"):
            attempt()
    assert dump(empty_database) == before
    assert installer(empty_database, "options=-csearch_path%3Dfirst").migrate() == []
    # If the triggers were lost as well, the functions' search_path shows it.
    for table in ("operation_patterns", "pattern_approvals", "pattern_review_history"):
        for trigger in empty_database.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE 'pattern_sync%%'",
            f"first.{table}",
        ):
            empty_database.execute(f"DROP TRIGGER {trigger['tgname']} ON first.{table}")
    with pytest.raises(UnfitApplication, match="served already: the tables in schema first"):
        second.migrate()
    assert installer(empty_database, "options=-csearch_path%3Dfirst").migrate() != []


def test_migrate_follows_an_application_that_moved_to_another_schema(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    abouts(empty_database)
    empty_database.execute("CREATE SCHEMA work")
    for table in (
        "operation_patterns",
        "pattern_occurrences",
        "cost_savings_log",
        "pattern_approvals",
        "pattern_review_history",
    ):
        empty_database.execute(f"ALTER TABLE {table} SET SCHEMA work")
    (done,) = installer(empty_database, "options=-csearch_path%3Dwork").migrate()
    assert done.about.startswith("create the functions")
    empty_database.execute("SELECT pattern_sync.request('old')")
    assert installer(empty_database, "options=-csearch_path%3Dwork").migrate() == []
