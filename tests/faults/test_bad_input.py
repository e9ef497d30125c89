"""Poison rows, floods, forgeries and locks: none of these stops the daemon or the detector."""

import time

from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import eventually, show

POISON = "ALTER TABLE pattern_approvals ADD CONSTRAINT no_poison CHECK (pattern_id !~ 'poison')"
FAILED = "pattern.failed"


def test_a_poison_row_is_logged_once_per_attempt_and_queued_when_its_cause_is_gone(database: TestDatabase) -> None:
    database.execute(POISON)
    with running_daemon(database.url) as daemon:
        # One statement, so that good and poisonous rows meet in one batch.
        database.execute(
            "INSERT INTO operation_patterns"
            " (pattern_signature, pattern_type, confidence_score, occurrence_count, potential_monthly_savings)"
            " SELECT CASE WHEN i = 13 THEN 'poison' ELSE 'good:' || i END, 'sdlc', 90, 100, 5000"
            " FROM generate_series(1, 40) AS i"
        )
        eventually(lambda: len(database.queue()) == 39)
        failure = daemon.wait_for(FAILED)
        assert failure["signatures"] == ["poison"]
        assert "no_poison" in failure["first_error"]
        database.execute("ALTER TABLE pattern_approvals DROP CONSTRAINT no_poison")
        took = eventually(lambda: database.entry("poison"))
        show(f"poison row queued {took:.1f} s after its cause was removed")
        assert len(daemon.lines(FAILED)) == 1


def test_a_flood_of_garbage_and_of_forged_ids_is_survived(database: TestDatabase) -> None:
    with running_daemon(database.url, fresh=True) as daemon:
        before = daemon.resident_kilobytes()
        database.execute(
            "SELECT pg_notify('pattern_sync', 'garbage ' || i || ' ☃') FROM generate_series(1, 20000) AS i"
        )
        database.execute("SELECT pg_notify('pattern_sync', (10000000 + i)::text) FROM generate_series(1, 20000) AS i")
        database.execute("SELECT pg_notify('pattern_sync', repeat('9', 7000)), pg_notify('pattern_sync', '')")
        database.add_pattern("real")
        took = eventually(lambda: database.entry("real"))
        grown = (daemon.resident_kilobytes() - before) / 1024
        show(f"behind 40,000 false notifications: queued in {took:.2f} s, memory grew by {grown:.1f} MB")
        assert took < 10
        assert grown < 40
        ignored = daemon.lines("notification.ignored")
        assert [line["so_far"] for line in ignored] == [1, 10, 100, 1_000, 10_000]
        database.add_pattern("prompt")
        assert eventually(lambda: database.entry("prompt")) < 2


def test_a_notification_of_a_deleted_pattern_changes_nothing(database: TestDatabase) -> None:
    with running_daemon(database.url) as daemon:
        gone = database.add_pattern("gone", confidence_score=1)
        database.execute("DELETE FROM operation_patterns WHERE id = %s", gone)
        database.execute("SELECT pg_notify('pattern_sync', %s)", str(gone))
        database.add_pattern("real")
        eventually(lambda: database.entry("real"))
        assert database.queue() == {"real"}
        assert not [line for line in daemon.lines() if line["level"] != "info"]


def test_a_pattern_that_is_deleted_keeps_its_pending_entry(database: TestDatabase) -> None:
    with running_daemon(database.url):
        database.add_pattern("gone")
        before = eventually(lambda: database.entry("gone")) and database.entry("gone")
        database.execute("DELETE FROM operation_patterns")
        database.execute("SELECT pattern_sync.request()")
        database.add_pattern("real")
        eventually(lambda: database.entry("real"))
        assert database.entry("gone") == before


def test_a_locked_queue_delays_the_daemon_but_not_the_detector(database: TestDatabase) -> None:
    with running_daemon(database.url) as daemon, database.another_connection(autocommit=False) as blocker:
        blocker.execute("LOCK TABLE pattern_approvals IN ACCESS EXCLUSIVE MODE")
        locked = time.monotonic()
        database.add_pattern("during")
        waited = time.monotonic() - locked
        show(f"the detector's insert took {waited:.2f} s beside a locked queue")
        assert waited < 2
        # Longer than the daemon's deadline for a statement, which therefore has to fail and be retried.
        time.sleep(max(0.0, 8 - (time.monotonic() - locked)))
        blocker.rollback()
        took = eventually(lambda: database.entry("during"))
        show(f"queued {took:.2f} s after the lock was gone")
        assert took < 10
        database.add_pattern("after")
        assert eventually(lambda: database.entry("after")) < 5
        assert len(daemon.lines("daemon.ready")) == 1


def test_an_entry_that_a_person_is_deciding_does_not_delay_other_entries(database: TestDatabase) -> None:
    with running_daemon(database.url), database.another_connection(autocommit=False) as person:
        database.add_pattern("being decided")
        eventually(lambda: database.entry("being decided"))
        person.execute("UPDATE pattern_approvals SET status = 'approved', reviewed_by = 'ann'")
        database.execute("UPDATE operation_patterns SET occurrence_count = 5")
        database.execute("SELECT pattern_sync.request('being decided')")
        database.add_pattern("other")
        assert eventually(lambda: database.entry("other")) < 5
        person.commit()
        entry = database.entry("being decided")
        assert entry is not None
        assert (entry["status"], entry["occurrence_count"]) == ("approved", 78_167)
