"""People who decide at the same time, and concurrent reconciles."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.domain.outcomes import Outcome
from tests.support.database import TestDatabase
from tests.support.paths import UNCAPPED, daemon_everything, reconcile, service_everything


def test_an_entry_that_a_person_has_locked_is_skipped_and_reconciled_later(database: TestDatabase) -> None:
    database.add_patterns(3, "p")
    reconcile(database)
    database.execute("UPDATE operation_patterns SET occurrence_count = 42")
    with database.another_connection(autocommit=False) as person:
        person.execute("SELECT FROM pattern_approvals WHERE pattern_id = 'p:2' FOR UPDATE")
        started = time.monotonic()
        outcomes = reconcile(database)
        assert time.monotonic() - started < 4, "the reconcile did not wait for the lock"
        assert outcomes == {"p:1": Outcome.REFRESHED, "p:2": Outcome.UNCHANGED, "p:3": Outcome.REFRESHED}
        person.rollback()
    assert reconcile(database)["p:2"] is Outcome.REFRESHED


def test_a_decision_that_commits_during_a_reconcile_stands(database: TestDatabase) -> None:
    database.add_pattern("a")
    reconcile(database)
    with database.another_connection(autocommit=False) as person:
        person.execute("UPDATE pattern_approvals SET status = 'rejected', approval_notes = 'no' WHERE pattern_id = 'a'")
        database.execute("UPDATE operation_patterns SET occurrence_count = 42")
        assert reconcile(database) == {"a": Outcome.UNCHANGED}
        person.commit()
    assert reconcile(database) == {"a": Outcome.DECIDED}
    entry = database.entry("a")
    assert entry is not None
    assert (entry["status"], entry["approval_notes"], entry["occurrence_count"]) == ("rejected", "no", 78_167)


def test_concurrent_reconciles_queue_each_pattern_once_and_never_deadlock(database: TestDatabase) -> None:
    database.add_patterns(1_500)
    paths = [daemon_everything, service_everything] * 3
    with ThreadPoolExecutor(len(paths)) as pool:
        results = list(pool.map(lambda path: path(database, UNCAPPED), paths))
    assert database.count("pattern_approvals") == 1_500
    assert sum(result.synced_count for result in results) == 1_500, "each one was queued by exactly one of them"
    assert all(result.error_count == 0 for result in results)
    assert all(result.total_candidates == 1_500 for result in results)


def test_concurrent_reconciles_beside_a_busy_detector_end_at_its_last_figures(database: TestDatabase) -> None:
    database.add_patterns(200)
    reconcile(database)

    def observe() -> None:
        with database.another_connection() as detector:
            for _ in range(20):
                detector.execute("UPDATE operation_patterns SET occurrence_count = occurrence_count + 1")

    with ThreadPoolExecutor(5) as pool:
        detector = pool.submit(observe)
        runs = [pool.submit(service_everything, database, UNCAPPED) for _ in range(4)]
        detector.result()
        assert all(run.result().error_count == 0 for run in runs)
    service_everything(database, UNCAPPED)
    behind = database.execute(
        "SELECT a.pattern_id FROM pattern_approvals AS a"
        " JOIN operation_patterns AS p ON p.pattern_signature = a.pattern_id"
        " WHERE a.occurrence_count <> p.occurrence_count"
    )
    assert behind == []


def test_many_threads_can_share_a_service(database: TestDatabase) -> None:
    database.add_patterns(50)
    service = PatternSyncService(database.url)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: service.sync_patterns(UNCAPPED), range(4)))
    assert sum(result.synced_count for result in results) == 50


@pytest.mark.parametrize("column_type", ["real", "double precision", "numeric", "numeric(12, 2)", "numeric(12, 0)"])
def test_an_unchanged_entry_is_not_rewritten_whatever_type_its_figures_have(
    database: TestDatabase, column_type: str
) -> None:
    database.execute(f"ALTER TABLE pattern_approvals ALTER estimated_savings_usd TYPE {column_type}")
    database.execute(f"ALTER TABLE pattern_approvals ALTER confidence_score TYPE {column_type}")
    database.add_pattern("money", potential_monthly_savings=183_844.0612, confidence_score=85.55)
    service = PatternSyncService(database.url)
    assert service.sync_patterns().synced_count == 1
    assert service.sync_patterns().refreshed_count == 0
    database.execute("UPDATE operation_patterns SET potential_monthly_savings = 199999.75")
    assert [service.sync_patterns().refreshed_count for _ in range(2)] == [1, 0]
