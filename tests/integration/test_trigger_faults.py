"""Writers first: whatever is broken on our side, the detector's statement succeeds, and soon."""

import time

import pytest

from tests.support.database import TestDatabase
from tests.support.notifications import listening

# Ten times what a lock may cost a statement, for a busy machine.
SOON_SECONDS = 1.5

BROKEN = {
    "the settings are gone": "DROP TABLE pattern_sync.settings CASCADE",
    "the settings are empty": "DELETE FROM pattern_sync.settings",
    "the settings lack a column": "ALTER TABLE pattern_sync.settings DROP COLUMN min_savings",
    "the settings are forbidden": "REVOKE ALL ON pattern_sync.settings FROM PUBLIC",
    "the queue is gone": "DROP TABLE pattern_approvals CASCADE",
    "the queue has another column": "ALTER TABLE pattern_approvals RENAME pattern_id TO signature",
    "the predicate is gone": "DROP FUNCTION pattern_sync.qualifies",
    "the announcement is gone": "DROP FUNCTION pattern_sync.announce_pattern",
    "the notification is gone": "DROP FUNCTION pattern_sync.notify",
    "a function raises": "CREATE OR REPLACE FUNCTION pattern_sync.eligible(automation_status text) RETURNS boolean"
    " LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$",
    "a function divides by zero": "CREATE OR REPLACE FUNCTION pattern_sync.notify(payload text) RETURNS void"
    " LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 / 0; END $$",
    "a pattern lacks its type": "ALTER TABLE operation_patterns RENAME automation_status TO state",
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN.keys())
def test_no_damage_to_our_schema_makes_a_writer_fail(database: TestDatabase, damage: str) -> None:
    database.execute(damage)
    database.add_pattern("a")
    database.execute("UPDATE operation_patterns SET confidence_score = 99")
    assert database.execute("SELECT confidence_score AS score FROM operation_patterns") == [{"score": 99.0}]


def test_a_writer_does_not_wait_for_a_locked_queue_and_announces_everything(database: TestDatabase) -> None:
    with listening(database) as listener, database.another_connection(autocommit=False) as locker:
        locker.execute("LOCK TABLE pattern_approvals IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        database.add_pattern("a")
        assert time.monotonic() - started < SOON_SECONDS
        assert listener.received() == ["*"]


def test_a_bulk_writer_waits_for_a_locked_queue_once_and_not_per_row(database: TestDatabase) -> None:
    with listening(database) as listener, database.another_connection(autocommit=False) as locker:
        locker.execute("LOCK TABLE pattern_approvals IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        database.add_patterns(100)
        assert time.monotonic() - started < SOON_SECONDS
        assert listener.received() == ["*"]


def test_an_entry_that_a_person_has_locked_does_not_delay_the_detector(database: TestDatabase) -> None:
    database.add_pattern("a")
    database.execute(
        "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
        " tool_sequence) VALUES ('a', 'pending', 1, 1, 1, 'x')"
    )
    with database.another_connection(autocommit=False) as person:
        person.execute("UPDATE pattern_approvals SET status = 'approved'")
        started = time.monotonic()
        database.execute("UPDATE operation_patterns SET occurrence_count = occurrence_count + 1")
        assert time.monotonic() - started < SOON_SECONDS
