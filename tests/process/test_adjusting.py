"""Confidence from results, by a real daemon: off unless it is switched on, and not undone when the source moves."""

from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import eventually

NAME = "test:adjusted:all"


def record(database: TestDatabase) -> None:
    for number in range(10):
        database.execute(
            "SELECT pattern_sync.record_execution(%s, jsonb_build_object('success', true, 'actual_cost', 0.5,"
            " 'estimated_cost', 1, 'workflow_id', %s::int))",
            *(NAME, number),
        )


def confidence(database: TestDatabase) -> float:
    entry = database.entry(NAME)
    assert entry is not None
    return float(str(entry["confidence_score"]))


def test_a_daemon_adjusts_only_where_it_is_told_to_and_its_refresh_leaves_that_alone(database: TestDatabase) -> None:
    database.add_pattern(NAME, confidence_score=85.0)
    with running_daemon(database.url, PATTERN_SYNC_INTERVAL="1"):
        eventually(lambda: database.entry(NAME), what="the entry")
        record(database)
        database.execute("UPDATE operation_patterns SET confidence_score = 86")
        eventually(lambda: confidence(database) == 0.86, what="the refresh")
    assert database.count("pattern_sync.adjustments") == 0
    with running_daemon(database.url, PATTERN_SYNC_INTERVAL="1", PATTERN_SYNC_ADJUST_CONFIDENCE="true") as daemon:
        eventually(lambda: confidence(database) == 1.0, what="the adjustment")
        daemon.wait_for("confidence.adjusted")
        database.execute("UPDATE operation_patterns SET confidence_score = 90, occurrence_count = occurrence_count + 1")
        moved = "SELECT occurrences AS n FROM pattern_sync.written WHERE pattern_id = %s"
        eventually(
            lambda: (
                database.execute(moved, NAME)[0]["n"]
                == database.execute("SELECT occurrence_count AS n FROM operation_patterns")[0]["n"]
            ),
            what="the refresh",
        )
        assert confidence(database) == 1.0
    assert database.execute("SELECT confidence_score AS c FROM operation_patterns")[0]["c"] == 90
