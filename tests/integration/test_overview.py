"""What `status`, `explain` and the statistics read."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.rows.queue import run_argument
from pattern_sync.database.statements import load_statements
from pattern_sync.domain.errors import SchemaMissing
from pattern_sync.domain.results import SyncResult
from pattern_sync.service import PatternSyncService
from tests.support.database import TestDatabase

FILTER: tuple[object, ...] = (70.0, 5, 1000.0, [], [], None, None)


def fetch(database: TestDatabase, name: str, *arguments: object) -> list[dict[str, object]]:
    with BlockingDatabase.connect(DatabaseAddress.parse(database.url)) as connection:
        return connection.fetch(name, *arguments)


def explained(database: TestDatabase, signature: str) -> tuple[object, ...]:
    row = fetch(database, "explain", *FILTER, signature)[0]
    return tuple(row[name] for name in ("pattern_exists", "rejected", "entry_status", "written_by_us"))


def test_the_overview_shows_remembered_rejections_and_entries_that_we_wrote(database: TestDatabase) -> None:
    database.add_pattern("rejected")
    database.execute("INSERT INTO pattern_sync.rejections VALUES ('rejected')")
    assert explained(database, "rejected") == (True, True, None, False)
    database.add_entry("ours")
    database.execute("INSERT INTO pattern_sync.written (pattern_id) VALUES ('ours')")
    assert explained(database, "ours") == (False, False, "pending", True)
    database.add_entry("theirs", "auto-approved")
    assert explained(database, "theirs") == (False, False, "auto-approved", False)


def test_a_duplicate_signature_is_explained_by_its_best_row(database: TestDatabase) -> None:
    database.execute("ALTER TABLE operation_patterns DROP CONSTRAINT operation_patterns_pattern_signature_key")
    for savings in (10, 90_000, 20):
        database.add_pattern("twice", potential_monthly_savings=savings)
    assert [row["savings"] for row in fetch(database, "explain", *FILTER, "twice")] == [90_000.0]


def test_the_statistics_count_patterns_and_entries_separately(database: TestDatabase) -> None:
    database.add_pattern("queued")
    database.add_pattern("missing")
    database.add_pattern("small", confidence_score=1)
    database.add_pattern("candidate", automation_status="candidate")
    for entry in ("queued", "of another program"):
        database.add_entry(entry)
    counted = fetch(database, "statistics")[0]
    assert counted == {
        "patterns_in_source": 4,
        "patterns_in_review": 2,
        "pending_sync": 2,
        "qualifying": 2,
        "qualifying_missing": 1,
    }


def test_the_statistics_never_use_a_nested_loop_whatever_the_planner_estimates(database: TestDatabase) -> None:
    # Analysed when nearly empty, and filled since.
    database.execute("DROP INDEX IF EXISTS pattern_approvals_pending_idx")
    database.execute("ANALYZE")
    database.add_patterns(3_000)
    database.execute(
        "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
        " tool_sequence) SELECT pattern_signature, 'pending', 1, 1, 1, 'x' FROM operation_patterns"
    )
    database.execute(
        "UPDATE pg_class SET relpages = 1000, reltuples = 0"
        " WHERE relname IN ('operation_patterns', 'pattern_approvals')"
    )
    plan = database.execute("EXPLAIN (FORMAT JSON) " + load_statements()["statistics"].sql)[0]["QUERY PLAN"]
    joins = json.dumps(plan)
    assert '"Join Type": "Full"' in joins
    assert "Hash Join" in joins or "Merge Join" in joins


def test_refusals_are_named_up_to_five_and_counted(database: TestDatabase) -> None:
    for number in range(8):
        database.execute(
            "INSERT INTO pattern_sync.refusals (pattern_id, row_id, reason, sqlstate, refused_at, retry_at)"
            " VALUES (%s, %s, %s, '23514', %s, now())",
            f"p{number}",
            number,
            f"check {number}",
            datetime.now(UTC) + timedelta(seconds=number),
        )
    overview = PatternSyncService(database.url).overview()
    assert overview.refused == 8
    assert [(item.pattern_id, item.reason) for item in overview.refusals][:2] == [("p7", "check 7"), ("p6", "check 6")]
    assert len(overview.refusals) == 5


def test_recovered_counts_of_sweeps_are_summed_and_are_no_kind_of_scan(database: TestDatabase) -> None:
    for patterns in (12, 3):
        fetch(database, "record_run", run_argument("recovered", SyncResult(synced_count=patterns)))
    fetch(database, "record_run", run_argument("sweep", SyncResult(synced_count=3)))
    overview = PatternSyncService(database.url).overview()
    assert overview.recovered.patterns == 15
    assert overview.recovered.last_at is not None
    assert [run.kind for run in overview.runs] == ["sweep"]


def test_missing_indexes_on_large_tables_are_named_until_they_exist(database: TestDatabase) -> None:
    database.execute("DROP INDEX IF EXISTS operation_patterns_worth_idx, pattern_approvals_pending_idx")
    database.execute("ALTER TABLE operation_patterns DROP CONSTRAINT operation_patterns_pattern_signature_key")
    database.execute("ALTER TABLE pattern_occurrences DROP CONSTRAINT pattern_occurrences_pattern_id_workflow_id_key")
    assert PatternSyncService(database.url).overview().missing_indexes == ()  # small tables need no index
    for table in ("operation_patterns", "pattern_occurrences", "pattern_approvals"):
        database.execute(f"ALTER TABLE {table} SET (fillfactor = 10)")  # a long row fills a page
    long = "repeat('x', 900)"
    database.execute(
        "INSERT INTO operation_patterns (pattern_signature, pattern_type, typical_input_pattern)"
        f" SELECT i, 'x', {long} FROM generate_series(1, 13000) AS i"
    )
    database.execute("ALTER TABLE pattern_occurrences ALTER workflow_id TYPE text")
    database.execute(
        "INSERT INTO pattern_occurrences (pattern_id, workflow_id)"
        f" SELECT (SELECT min(id) FROM operation_patterns), {long} || i FROM generate_series(1, 1500) AS i"
    )
    database.execute(
        "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
        f" tool_sequence) SELECT 'e' || i, 'approved', 1, 1, 1, {long} FROM generate_series(1, 3000) AS i"
    )
    missing = PatternSyncService(database.url).overview().missing_indexes
    assert [index.relation for index in missing] == [
        "operation_patterns",
        "operation_patterns",
        "pattern_approvals",
        "pattern_occurrences",
    ]
    assert missing[3].cost.startswith(
        "the entries show no example sessions and no evidence, as each search would read all "
    )
    for index in missing:
        database.execute(index.command)
    assert PatternSyncService(database.url).overview().missing_indexes == ()


def test_without_a_filter_the_overview_shows_none_and_an_explanation_is_refused(database: TestDatabase) -> None:
    database.add_pattern("a")
    database.execute("DELETE FROM pattern_sync.settings")
    service = PatternSyncService(database.url)
    overview = service.overview()
    assert overview.filter is None
    assert overview.statistics.patterns_in_source == 1
    assert "pattern_sync.settings has no row, so there is no filter" in overview.trigger_faults
    with pytest.raises(SchemaMissing, match="pattern-sync migrate"):
        service.explain("a")
