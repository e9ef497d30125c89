"""What the trigger announces, received by an independent listener."""

from collections.abc import Iterator

import pytest

from tests.support.database import QUALIFYING, TestDatabase
from tests.support.notifications import Listener, listening
from tests.support.paths import reconcile

MOST_ANNOUNCED = 300


@pytest.fixture
def listener(database: TestDatabase) -> Iterator[Listener]:
    with listening(database) as listener:
        yield listener


def test_an_insert_that_qualifies_is_announced_by_its_row_id(database: TestDatabase, listener: Listener) -> None:
    ids = [database.add_pattern(name) for name in ("a", "b")]
    assert listener.received() == [str(item) for item in ids]


def test_an_update_that_makes_a_pattern_qualify_is_announced(database: TestDatabase, listener: Listener) -> None:
    pattern_id = database.add_pattern("a", confidence_score=10, occurrence_count=1, potential_monthly_savings=0)
    database.execute("UPDATE operation_patterns SET occurrence_count = 99")
    database.execute("UPDATE operation_patterns SET potential_monthly_savings = 5000")
    assert listener.received() == []
    database.execute("UPDATE operation_patterns SET confidence_score = 90")
    assert listener.received() == [str(pattern_id)]


def test_an_upsert_is_announced_on_insert_and_on_update(database: TestDatabase, listener: Listener) -> None:
    updated = database.add_pattern("a", confidence_score=10)
    upsert = (
        "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
        " potential_monthly_savings) VALUES (%s, 'sdlc', 90, 9, 9999)"
        " ON CONFLICT (pattern_signature) DO UPDATE SET confidence_score = 90 RETURNING id"
    )
    inserted, found = (database.execute(upsert, signature)[0]["id"] for signature in ("b", "a"))
    assert found == updated
    assert listener.received() == [str(inserted), str(updated)]


def test_a_pattern_that_qualified_before_is_not_announced_again(database: TestDatabase, listener: Listener) -> None:
    pattern_id = database.add_pattern("busy")
    database.execute("UPDATE operation_patterns SET occurrence_count = occurrence_count + 1, last_seen = now()")
    assert listener.received() == [str(pattern_id)]
    database.execute("UPDATE operation_patterns SET pattern_signature = 'renamed'")
    assert listener.received() == [str(pattern_id)]


def test_rows_that_are_copied_in_are_announced(database: TestDatabase, listener: Listener) -> None:
    columns = ("pattern_signature", *QUALIFYING)
    with (
        database.another_connection() as detector,
        detector.cursor().copy(f"COPY operation_patterns ({', '.join(columns)}) FROM STDIN".encode()) as copy,
    ):
        for number in range(5):
            copy.write_row((f"copied:{number}", *QUALIFYING.values()))
    assert len(listener.received()) == 5


def test_a_row_counts_as_other_triggers_left_it(database: TestDatabase, listener: Listener) -> None:
    database.execute(
        "CREATE FUNCTION rate() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.confidence_score = NEW.occurrence_count; RETURN NEW; END $$"
    )
    database.execute(
        "CREATE TRIGGER rate BEFORE INSERT OR UPDATE ON operation_patterns FOR EACH ROW EXECUTE FUNCTION rate()"
    )
    database.add_pattern("silenced", confidence_score=90, occurrence_count=5)
    pattern_id = database.add_pattern("raised", confidence_score=0, occurrence_count=50)
    database.execute("UPDATE operation_patterns SET occurrence_count = 90 WHERE pattern_signature = 'raised'")
    assert listener.received() == [str(pattern_id)], (
        "announced once its confidence was 90 %, whichever column was named"
    )


def test_a_huge_statement_becomes_three_hundred_and_one_notifications(
    database: TestDatabase, listener: Listener
) -> None:
    database.add_patterns(100_000)
    received = listener.received()
    assert len(received) == MOST_ANNOUNCED + 1
    assert received[-1] == "*"
    assert "*" not in received[:-1]


def test_notifications_are_counted_per_transaction_and_not_per_session(
    database: TestDatabase, listener: Listener
) -> None:
    with database.another_connection(autocommit=False) as detector:
        for number in range(3):
            insert = "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score,"
            insert += " occurrence_count, potential_monthly_savings) SELECT %s || i, 'x', 90, 9, 9999"
            insert += " FROM generate_series(1, 200) AS i"
            detector.execute(insert.encode(), [f"{number}:"])
        detector.commit()
        assert len(listener.received()) == MOST_ANNOUNCED + 1
        detector.execute(insert.encode(), ["again:"])
        detector.commit()
    assert len(listener.received()) == 200


def test_rolled_back_rows_are_not_announced_and_not_counted(database: TestDatabase, listener: Listener) -> None:
    insert = (
        b"INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
        b" potential_monthly_savings) SELECT %s || i, 'x', 90, 9, 9999 FROM generate_series(1, %s) AS i"
    )
    with database.another_connection(autocommit=False) as detector:
        detector.execute("SAVEPOINT before")
        detector.execute(insert, ["undone", 5_000])
        detector.execute("ROLLBACK TO SAVEPOINT before")
        detector.execute(insert, ["kept", 3])
        detector.commit()
        detector.execute(insert, ["given up", 3])
        detector.rollback()
    received = listener.received()
    assert len(received) == 3
    assert "*" not in received


@pytest.mark.parametrize(
    "columns",
    [
        {"confidence_score": 69.9},
        {"occurrence_count": 4},
        {"potential_monthly_savings": 999},
        {"confidence_score": None},
        {"confidence_score": "NaN"},
        {"automation_status": "candidate"},
        {"automation_status": "deprecated"},
    ],
)
def test_a_row_that_does_not_qualify_is_not_announced(
    database: TestDatabase, listener: Listener, columns: dict[str, object]
) -> None:
    database.add_pattern("a", **columns)
    database.execute("UPDATE operation_patterns SET last_seen = now()")
    assert listener.received() == []


@pytest.mark.parametrize("status", ["pending", "approved", "rejected", "auto-rejected"])
def test_a_row_that_has_an_entry_is_not_announced(database: TestDatabase, listener: Listener, status: str) -> None:
    database.add_pattern("a")
    reconcile(database)
    database.decide("a", status)
    listener.received()
    database.execute("UPDATE operation_patterns SET occurrence_count = occurrence_count + 1")
    assert listener.received() == []


def test_a_deleted_row_is_not_announced(database: TestDatabase, listener: Listener) -> None:
    database.add_pattern("a")
    listener.received()
    database.execute("DELETE FROM operation_patterns")
    assert listener.received() == []


def test_the_trigger_uses_the_bounds_in_force_and_a_change_is_announced(
    database: TestDatabase, listener: Listener
) -> None:
    database.execute("UPDATE pattern_sync.settings SET min_confidence = 10, exclude_types = '{deploy}'")
    assert listener.received() == ["settings"]
    pattern_id = database.add_pattern("a", confidence_score=10)
    database.add_pattern("b", confidence_score=9.9)
    database.add_pattern("c", pattern_type="deploy")
    assert listener.received() == [str(pattern_id)]
    database.execute("UPDATE pattern_sync.settings SET min_confidence = NULL, min_occurrences = NULL")
    database.execute("UPDATE pattern_sync.settings SET min_savings = NULL, exclude_types = '{}'")
    listener.received()
    database.execute("INSERT INTO operation_patterns (pattern_signature, pattern_type) VALUES ('d', 'x')")
    assert len(listener.received()) == 1


def test_a_pattern_or_everything_can_be_requested(database: TestDatabase, listener: Listener) -> None:
    pattern_id = database.add_pattern("it's", confidence_score=0)
    assert database.execute("SELECT pattern_sync.request(%s) AS found", "it's") == [{"found": True}]
    assert database.execute("SELECT pattern_sync.request(%s) AS found", "unknown") == [{"found": False}]
    database.execute("SELECT pattern_sync.request()")
    assert listener.received() == [str(pattern_id), "*"]


def test_an_unchanged_filter_is_not_announced(database: TestDatabase, listener: Listener) -> None:
    database.execute("UPDATE pattern_sync.settings SET min_savings = 5 WHERE min_savings = 5")
    assert listener.received() == []
    database.execute("UPDATE pattern_sync.settings SET min_savings = 5")
    assert listener.received() == ["settings"]
