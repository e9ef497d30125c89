"""Scans of all patterns: dry runs, caps, the order, and the record."""

import pytest

from pattern_sync import PatternSyncService, SyncFilter
from tests.support.database import TestDatabase, snapshot
from tests.support.paths import UNCAPPED, Everything, daemon_everything, service_everything

pytestmark = pytest.mark.lived_in_too
TABLES = (
    "operation_patterns",
    "pattern_occurrences",
    "pattern_approvals",
    "pattern_review_history",
    "cost_savings_log",
    "pattern_sync.runs",
    "pattern_sync.settings",
    "pattern_sync.migrations",
)


@pytest.fixture(params=[daemon_everything, service_everything], ids=["daemon", "service"])
def everything(request: pytest.FixtureRequest) -> Everything:
    path: Everything = request.param
    return path


@pytest.fixture
def service(database: TestDatabase) -> PatternSyncService:
    return PatternSyncService(database.daemon_url)


def populate(database: TestDatabase) -> None:
    """Write 60 high-priority patterns, 30 for the manual default and 150 others; 4 are queued, one of them stale."""
    database.add_patterns(60, "high")
    database.add_patterns(30, "manual", confidence_score=65, occurrence_count=2, potential_monthly_savings=1)
    database.add_patterns(150, "low", confidence_score=5, occurrence_count=1, potential_monthly_savings=0)
    database.add_patterns(9, "taken", automation_status="active")
    ids = ", ".join(f"'high:{number}'" for number in range(1, 5))
    database.execute(
        "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
        " tool_sequence) SELECT pattern_signature, CASE pattern_signature WHEN 'high:1' THEN 'rejected' ELSE 'pending'"
        " END, 0.85, CASE pattern_signature WHEN 'high:2' THEN 1 ELSE 78167 END, 183844.06, 'x'"
        f" FROM operation_patterns WHERE pattern_signature IN ({ids})"
    )


def test_a_dry_run_writes_nothing_and_counts_what_a_run_would_do(
    database: TestDatabase, service: PatternSyncService
) -> None:
    populate(database)
    before = snapshot(database, TABLES)
    results = [
        service.sync_high_priority_patterns(dry_run=True),
        service.sync_patterns(dry_run=True),
        service.sync_all_patterns(dry_run=True),
    ]
    assert snapshot(database, TABLES) == before
    counted = [(r.synced_count, r.skipped_count, r.error_count, r.remaining_count) for r in results]
    assert counted == [(20, 4, 0, 36), (50, 4, 0, 36), (200, 4, 0, 36)]
    assert [r.total_candidates for r in results] == [60, 90, 240]
    assert all(r.refreshed_count == 1 and r.dry_run for r in results)


@pytest.mark.parametrize("name", ["sync_high_priority_patterns", "sync_patterns", "sync_all_patterns"])
def test_a_scan_does_what_its_dry_run_counted(database: TestDatabase, service: PatternSyncService, name: str) -> None:
    populate(database)
    counted = getattr(service, name)(dry_run=True).to_dict()
    done = getattr(service, name)().to_dict()
    timeless = {"sync_duration_ms": 0, "dry_run": False}
    assert {**counted, **timeless} == {**done, **timeless}
    assert database.count("pattern_approvals") == 4 + done["synced_count"]


@pytest.mark.parametrize(("most", "synced"), [(1, 1), (7, 7), (56, 56), (500, 56), (None, 56)])
def test_the_cap_counts_new_entries_only_and_the_total_adds_up(
    database: TestDatabase, everything: Everything, most: int | None, synced: int
) -> None:
    populate(database)
    result = everything(database, SyncFilter.high_priority(max_patterns=most))
    assert (result.synced_count, result.skipped_count, result.remaining_count) == (synced, 4, 56 - synced)
    assert result.total_candidates == 60
    assert database.count("pattern_approvals") == 4 + synced


def test_the_cap_takes_the_best_impact_first(database: TestDatabase, everything: Everything) -> None:
    database.add_pattern("much saved", confidence_score=70, occurrence_count=10, potential_monthly_savings=9000)
    database.add_pattern("often seen", confidence_score=70, occurrence_count=1000, potential_monthly_savings=1000)
    database.add_pattern("very sure", confidence_score=100, occurrence_count=10, potential_monthly_savings=1000)
    result = everything(database, SyncFilter.high_priority(max_patterns=2))
    assert result.synced_pattern_ids == ("often seen", "much saved")
    assert database.queue() == {"often seen", "much saved"}


def test_more_than_one_batch_is_queued_completely(database: TestDatabase, everything: Everything) -> None:
    database.add_patterns(4_500)
    result = everything(database, UNCAPPED)
    assert (result.synced_count, len(result.synced_pattern_ids)) == (4_500, 200)
    assert database.count("pattern_approvals") == 4_500
    database.execute("UPDATE operation_patterns SET occurrence_count = 9")
    assert everything(database, UNCAPPED).refreshed_count == 4_500


def test_types_select_patterns(database: TestDatabase, everything: Everything) -> None:
    for kind in ("sdlc", "test", "deploy"):
        database.add_pattern(f"{kind}:x", pattern_type=kind)
    everything(database, SyncFilter(only_types=("sdlc", "test")))
    assert database.queue() == {"sdlc:x", "test:x"}
    everything(database, SyncFilter(exclude_types=("sdlc",)))
    assert database.queue() == {"sdlc:x", "test:x", "deploy:x"}


def test_a_manual_sync_is_recorded_and_reports_its_progress(
    database: TestDatabase, service: PatternSyncService
) -> None:
    populate(database)
    progress: list[tuple[int, int]] = []
    result = service.sync_patterns(UNCAPPED, on_progress=lambda done, of: progress.append((done, of)))
    assert progress == [(56, 56)]
    runs = service.overview().runs
    assert [(run.kind, run.synced, run.skipped, run.refreshed, run.total_candidates) for run in runs] == [
        ("manual", 56, 4, 1, 60)
    ]
    assert runs[0].duration_ms == result.sync_duration_ms


def test_the_record_of_scans_is_pruned(database: TestDatabase, service: PatternSyncService) -> None:
    database.execute(
        "INSERT INTO pattern_sync.runs (kind, duration_ms, total_candidates, synced, refreshed, skipped, errors,"
        " remaining) SELECT 'sweep', 1, 0, 0, 0, 0, 0, 0 FROM generate_series(1, 500)"
    )
    service.sync_patterns()
    assert database.count("pattern_sync.runs") == 200
