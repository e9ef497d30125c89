"""From the detector's commit to the reviewer's queue, through a real daemon."""

import statistics
import time

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.services.timings import Timings
from tests.support.daemon import running_daemon, starting_daemon
from tests.support.database import TestDatabase, snapshot
from tests.support.waiting import eventually, show

pytestmark = pytest.mark.lived_in_too

QUICK = Timings(refresh_seconds=0.4, watch_seconds=0.4)


def test_patterns_committed_before_the_start_are_queued_before_the_daemon_is_ready(
    database: TestDatabase,
) -> None:
    database.add_patterns(50, "before")
    database.add_pattern("short", confidence_score=10)
    with starting_daemon(database.daemon_url) as daemon:
        daemon.wait_for("daemon.ready")
        assert database.count("pattern_approvals") == 50
        assert daemon.lines("scan.finished", kind="catch-up")[0]["queued"] == 50
        assert database.entry("short") is None


def test_a_committed_pattern_is_in_the_queue_a_moment_later(database: TestDatabase) -> None:
    with running_daemon(database.daemon_url) as daemon:
        took = []
        for number in range(20):
            signature = f"sdlc:full:{number}"
            database.add_pattern(signature)
            took.append(eventually(lambda name=signature: database.entry(name), what=signature))  # type: ignore[misc]
        show(f"commit to entry seen: median {statistics.median(took) * 1000:.1f} ms, worst {max(took) * 1000:.1f} ms")
        # Typical is a few milliseconds; a poll or a sweep would need seconds.
        assert statistics.median(took) < 0.5
        assert not daemon.lines(kind="sweep")
    entry = database.entry("sdlc:full:0")
    assert entry is not None
    assert (entry["status"], entry["confidence_score"], entry["occurrence_count"]) == ("pending", 0.85, 78_167)


def test_a_pattern_is_queued_when_an_update_makes_it_qualify(database: TestDatabase) -> None:
    with running_daemon(database.daemon_url):
        database.add_pattern("late", confidence_score=10)
        database.add_pattern("other")
        eventually(lambda: database.entry("other"))
        assert database.entry("late") is None
        database.execute("UPDATE operation_patterns SET confidence_score = 90 WHERE pattern_signature = 'late'")
        assert eventually(lambda: database.entry("late")) < 2


def test_a_pending_entry_follows_its_patterns_figures_within_seconds(database: TestDatabase) -> None:
    with running_daemon(database.daemon_url):
        database.add_pattern("busy")
        eventually(lambda: database.entry("busy"))
        database.execute("UPDATE operation_patterns SET occurrence_count = 99000, potential_monthly_savings = 1")
        took = eventually(lambda: (database.entry("busy") or {})["occurrence_count"] == 99_000)
        show(f"figures refreshed after {took:.1f} s")
        assert took < 10
        entry = database.entry("busy")
        assert entry is not None
        assert entry["estimated_savings_usd"] == 1


def test_a_decided_entry_is_never_touched_by_a_running_daemon(database: TestDatabase) -> None:
    with running_daemon(database.daemon_url, timings=QUICK):
        for signature in ("decided", "witness"):
            database.add_pattern(signature)
            eventually(lambda name=signature: database.entry(name))  # type: ignore[misc]
        database.decide("decided")
        before = database.entry("decided")
        database.execute("UPDATE operation_patterns SET occurrence_count = 99000")
        # The refresh that reaches the witness has read the decided one, too.
        eventually(lambda: (database.entry("witness") or {})["occurrence_count"] == 99_000)
        database.execute("SELECT pattern_sync.request('decided')")
        database.add_pattern("after")
        eventually(lambda: database.entry("after"))
        assert database.entry("decided") == before


def test_two_daemons_queue_each_pattern_once(database: TestDatabase) -> None:
    with running_daemon(database.daemon_url) as first, running_daemon(database.daemon_url) as second:
        for number in range(30):
            database.add_pattern(f"single:{number}")
        database.add_patterns(1_000, "bulk")
        eventually(lambda: database.count("pattern_approvals") == 1_030)
        quiet = snapshot(database, ["pattern_approvals"])
        listening = database.execute(
            "SELECT count(*) AS n FROM pg_stat_activity"
            " WHERE application_name ~ '^pattern-sync .*listener$' AND datname = current_database()"
        )
        assert listening[0]["n"] == 2
        for daemon in (first, second):
            daemon.stop()
        assert snapshot(database, ["pattern_approvals"]) == quiet
        reported = sum(line["patterns"] for each in (first, second) for line in each.lines("pattern.queued"))
        reported += sum(line["queued"] for each in (first, second) for line in each.lines(kind="request"))
        assert reported == 1_030


def test_an_idle_daemon_writes_nothing(database: TestDatabase) -> None:
    database.add_patterns(20)
    with running_daemon(database.daemon_url, timings=QUICK):
        before = snapshot(database, ["pattern_approvals", "operation_patterns", "pattern_sync.settings"])
        time.sleep(5 * QUICK.refresh_seconds)  # the test is for the absence of a write
        assert snapshot(database, ["pattern_approvals", "operation_patterns", "pattern_sync.settings"]) == before


def test_a_pattern_written_before_and_committed_after_a_wider_filter_is_queued(database: TestDatabase) -> None:
    """The writer's trigger used the old filter, and the scan for the new one could not see the uncommitted row."""
    with running_daemon(database.daemon_url, timings=QUICK) as daemon:
        with database.another_connection(autocommit=False) as detector:
            detector.execute(
                b"INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
                b" potential_monthly_savings) VALUES ('late', 'sdlc', 50, 9, 5000)"
            )
            database.execute("UPDATE pattern_sync.settings SET min_confidence = 40")
            daemon.wait_for("scan.finished", kind="settings")
            detector.commit()
        took = eventually(lambda: database.entry("late"), what="late")
        show(f"queued {took:.1f} s after the commit")


def test_a_deleted_entry_whose_pattern_still_qualifies_is_queued_again(database: TestDatabase) -> None:
    database.add_pattern("deleted")
    database.add_pattern("rejected")
    with running_daemon(database.daemon_url, timings=QUICK):
        PatternSyncService(database.url).reject("rejected", "not worth it")
        database.execute("DELETE FROM pattern_approvals")
        eventually(lambda: database.queue() == {"deleted"}, what="deleted")
