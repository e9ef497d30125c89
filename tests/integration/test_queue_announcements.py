"""What the triggers on the queue and on its history announce, and that they never block a writer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pattern_sync.domain.notification import MOST_NAMED
from tests.support.application import abouts, adopt, installer
from tests.support.database import TestDatabase
from tests.support.notifications import Listener, listening
from tests.support.paths import UNCAPPED, service_everything

MOST_IN_A_PAYLOAD = 50
ENTRY_COLUMNS = "pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence"
INSERT = f"INSERT INTO pattern_approvals ({ENTRY_COLUMNS}) VALUES (%s, %s, 0.5, 1, 1, 'x')"
INSERT_MANY = (
    f"INSERT INTO pattern_approvals ({ENTRY_COLUMNS})"
    " SELECT %s || i, 'pending', 0.5, 1, 1, 'x' FROM generate_series(1, %s) AS i"
)
NOTE = "INSERT INTO pattern_review_history (pattern_id, action, reviewer) VALUES (%s, %s, 'ann')"


@pytest.fixture
def listener(database: TestDatabase) -> Iterator[Listener]:
    with listening_to_the_queue(database) as listener:
        yield listener


@contextmanager
def listening_to_the_queue(database: TestDatabase) -> Iterator[Listener]:
    """Listen on the queue's channel; the fences of Listener use the other channel, also in the order of the commits."""
    with database.another_connection() as connection:
        connection.execute("LISTEN pattern_sync_queue")
        yield Listener(connection, "pattern_sync_queue")


def named(payloads: list[str]) -> set[tuple[str, str]]:
    """Return every change and pattern that some payloads name, without the '*'."""
    parsed = [json.loads(payload) for payload in payloads if payload != "*"]
    return {(change, name) for each in parsed for change, names in each.items() for name in names}


@pytest.mark.parametrize(
    ("status", "payload"),
    [
        ("pending", '{"queued": ["a"]}'),
        ("approved", '{"decided": ["a"]}'),
        ("auto-approved", '{"decided": ["a"]}'),
        ("auto-rejected", '{"decided": ["a"]}'),
    ],
)
def test_a_new_entry_is_announced_as_queued_or_decided(
    database: TestDatabase, listener: Listener, status: str, payload: str
) -> None:
    database.execute(INSERT, "a", status)
    assert listener.received() == [payload]


@pytest.mark.parametrize(
    ("statement", "payload"),
    [
        ("UPDATE pattern_approvals SET occurrence_count = 2", '{"refreshed": ["a"]}'),
        ("UPDATE pattern_approvals SET occurrence_count = occurrence_count", '{"refreshed": ["a"]}'),
        ("UPDATE pattern_approvals SET status = 'approved', reviewed_by = 'ann'", '{"decided": ["a"]}'),
        ("UPDATE pattern_approvals SET status = 'auto-rejected'", '{"decided": ["a"]}'),
        ("DELETE FROM pattern_approvals", '{"removed": ["a"]}'),
        ("TRUNCATE pattern_approvals CASCADE", "*"),
        (
            "MERGE INTO pattern_approvals USING (VALUES (1)) AS v (i) ON pattern_id = 'a' WHEN MATCHED THEN DELETE",
            '{"removed": ["a"]}',
        ),
        (NOTE.replace("%s", "'a'", 1).replace("%s", "'commented'"), '{"commented": ["a"]}'),
        (NOTE.replace("%s", "'a'", 1).replace("%s", "'flagged'"), '{"commented": ["a"]}'),
        (NOTE.replace("%s", "'a'", 1).replace("%s", "'approved'"), '{"decided": ["a"]}'),
        (NOTE.replace("%s", "'a'", 1).replace("%s", "'rejected'"), '{"decided": ["a"]}'),
        ("SELECT pattern_sync.decide('a', 'approved', 'ann', NULL, 'pending')", '{"decided": ["a"]}'),
    ],
)
def test_a_change_of_one_entry_is_one_payload(
    database: TestDatabase, listener: Listener, statement: str, payload: str
) -> None:
    database.execute(INSERT, "a", "pending")
    listener.received()
    database.execute(statement)
    assert listener.received() == [payload]


def test_an_upsert_is_announced_on_insert_and_update_but_not_on_do_nothing(
    database: TestDatabase, listener: Listener
) -> None:
    upsert = INSERT + " ON CONFLICT (pattern_id) DO UPDATE SET occurrence_count = 2"
    database.execute(upsert, "a", "pending")
    database.execute(upsert, "a", "pending")
    database.execute(INSERT + " ON CONFLICT DO NOTHING", "a", "pending")
    assert listener.received() == ['{"queued": ["a"]}', '{"refreshed": ["a"]}']


def test_entries_that_are_copied_in_are_announced(database: TestDatabase, listener: Listener) -> None:
    statement = f"COPY pattern_approvals ({ENTRY_COLUMNS}) FROM STDIN".encode()
    with database.another_connection() as writer, writer.cursor().copy(statement) as copy:
        for name in ("a", "b"):
            copy.write_row((name, "pending", 0.5, 1, 1, "x"))
    assert listener.received() == ['{"queued": ["a", "b"]}']


def test_entries_that_a_manual_sync_queues_are_announced(database: TestDatabase, listener: Listener) -> None:
    database.add_pattern("a")
    listener.received()
    service_everything(database, UNCAPPED)
    assert listener.received() == ['{"queued": ["a"]}']


def test_a_statement_that_changes_entries_in_two_ways_announces_both(
    database: TestDatabase, listener: Listener
) -> None:
    for name in ("a", "b", "c"):
        database.execute(INSERT, name, "pending")
    listener.received()
    database.execute("UPDATE pattern_approvals SET status = CASE pattern_id WHEN 'b' THEN 'approved' ELSE status END")
    assert named(listener.received()) == {("refreshed", "a"), ("decided", "b"), ("refreshed", "c")}


@pytest.mark.parametrize("status", ["approved", "rejected", "auto-approved", "auto-rejected"])
def test_a_change_to_another_column_of_a_decided_entry_is_no_decision(
    database: TestDatabase, listener: Listener, status: str
) -> None:
    database.execute(INSERT, "a", status)
    listener.received()
    database.execute("UPDATE pattern_approvals SET confidence_score = 0.7")
    assert listener.received() == ['{"refreshed": ["a"]}']


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("pending", "rejected", "decided"),
        ("rejected", "approved", "decided"),
        ("auto-rejected", "rejected", "decided"),
        ("approved", "pending", "refreshed"),
    ],
)
def test_a_status_that_becomes_a_decision_is_announced_as_one(
    database: TestDatabase, listener: Listener, before: str, after: str, change: str
) -> None:
    database.execute(INSERT, "a", before)
    listener.received()
    database.execute("UPDATE pattern_approvals SET status = %s", after)
    assert listener.received() == [f'{{"{change}": ["a"]}}']


def test_a_renamed_entry_is_announced_as_removed_under_its_old_name(database: TestDatabase, listener: Listener) -> None:
    database.execute(INSERT, "old", "pending")
    listener.received()
    database.execute("UPDATE pattern_approvals SET pattern_id = 'new'")
    assert ("removed", "old") in named(listener.received())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pattern_approvals SET occurrence_count = 2 WHERE pattern_id = 'nobody'",
        "DELETE FROM pattern_approvals WHERE false",
        "INSERT INTO pattern_review_history (pattern_id, action, reviewer) SELECT '', 'flagged', '' WHERE false",
        "UPDATE pattern_review_history SET notes = 'x'",
    ],
)
def test_a_statement_that_touches_no_rows_announces_nothing(
    database: TestDatabase, listener: Listener, statement: str
) -> None:
    database.execute(INSERT, "a", "pending")
    listener.received()
    database.execute(statement)
    assert listener.received() == []


def test_rolled_back_changes_are_not_announced(database: TestDatabase, listener: Listener) -> None:
    with database.another_connection(autocommit=False) as writer:
        writer.execute("SAVEPOINT before")
        writer.execute(INSERT.encode(), ["undone", "pending"])
        writer.execute("ROLLBACK TO SAVEPOINT before")
        writer.execute(INSERT.encode(), ["kept", "pending"])
        assert listener.received() == []
        writer.commit()
    assert listener.received() == ['{"queued": ["kept"]}']


def test_the_daemon_and_the_database_name_the_same_number_of_entries(database: TestDatabase) -> None:
    assert database.execute("SELECT pattern_sync.most_named() AS most") == [{"most": MOST_NAMED}]


@pytest.mark.parametrize(
    ("rows", "everything"),
    [(1, False), (50, False), (51, False), (MOST_NAMED, False), (MOST_NAMED + 1, True), (60_000, True)],
)
def test_a_bulk_change_names_up_to_1000_entries_50_per_payload_and_beyond_that_everything(
    database: TestDatabase, listener: Listener, rows: int, *, everything: bool
) -> None:
    for statement, change in (
        (INSERT_MANY, "queued"),
        ("UPDATE pattern_approvals SET occurrence_count = 2", "refreshed"),
        ("DELETE FROM pattern_approvals", "removed"),
    ):
        database.execute(statement, *(["p", rows] if change == "queued" else []))
        received = listener.received()
        assert len(received) <= MOST_NAMED / MOST_IN_A_PAYLOAD + 1
        if everything:
            assert "*" in received
        else:
            assert len(received) == -(-rows // MOST_IN_A_PAYLOAD)
            assert named(received) == {(change, f"p{number + 1}") for number in range(rows)}
        assert all(len(json.loads(each)[change]) <= MOST_IN_A_PAYLOAD for each in received if each != "*")


@pytest.mark.parametrize("rows", [1_002, 1_500, 5_000])
def test_a_bulk_change_of_pending_and_decided_entries_announces_every_row(
    database: TestDatabase, listener: Listener, rows: int
) -> None:
    database.execute(INSERT_MANY, "p", rows)
    database.execute("UPDATE pattern_approvals SET status = 'approved' WHERE id % 2 = 0")
    listener.received()
    database.execute("UPDATE pattern_approvals SET occurrence_count = 2")
    received = listener.received()
    assert "*" in received or len(named(received)) == rows


@pytest.mark.parametrize("rows", [1, 60])
def test_a_signature_too_long_for_a_payload_is_announced_as_everything(
    database: TestDatabase, listener: Listener, rows: int
) -> None:
    database.execute(INSERT_MANY, "x" * 10_000, rows)
    assert set(listener.received()) == {"*"}
    database.execute("UPDATE pattern_approvals SET status = 'approved'")
    assert set(listener.received()) == {"*"}
    database.execute("DELETE FROM pattern_approvals")
    assert set(listener.received()) == {"*"}
    assert database.queue() == set()


@pytest.mark.parametrize("character", ["x", "é", "€", "😀", '"', "\\", "\x01"])
def test_the_length_of_a_payload_is_counted_in_encoded_bytes(
    database: TestDatabase, listener: Listener, character: str
) -> None:
    for length in (1_000, 1_900, 2_600, 3_900, 7_800, 8_000):
        name = character * length
        database.execute(INSERT, name, "pending")
        (received,) = listener.received()
        assert received == "*" or json.loads(received) == {"queued": [name]}, length
        assert received == "*" or len(received.encode()) < 8_000
        assert (received == "*") is (len(json.dumps([name], ensure_ascii=False).encode()) > 7_888), length


@pytest.mark.parametrize("name", ["it's", 'a"b\\c', "a/b?c#d%20e", "<script>", "новый 🎉", " ", "a\nb\tc", "{}", "*"])
def test_every_signature_arrives_unchanged(database: TestDatabase, listener: Listener, name: str) -> None:
    database.execute(INSERT, name, "pending")
    assert [json.loads(each) for each in listener.received()] == [{"queued": [name]}]


@pytest.fixture
def writer_role(database: TestDatabase) -> Iterator[str]:
    with database.role(
        "INSERT ON pattern_approvals, pattern_review_history",
        "SELECT (pattern_id), UPDATE (occurrence_count), DELETE ON pattern_approvals",
        "USAGE ON ALL SEQUENCES IN SCHEMA public",
    ) as role:
        yield role


def test_a_writer_without_rights_on_our_schema_writes_and_is_announced(
    database: TestDatabase, listener: Listener, writer_role: str
) -> None:
    with database.another_connection() as writer:
        writer.execute(f"SET ROLE {writer_role}".encode())
        writer.execute(INSERT.encode(), ["a", "pending"])
        writer.execute(NOTE.encode(), ["a", "commented"])
        writer.execute(b"UPDATE pattern_approvals SET occurrence_count = 2 WHERE pattern_id = 'a'")
        writer.execute(b"DELETE FROM pattern_approvals")
    assert listener.received() == [
        f'{{"{change}": ["a"]}}' for change in ("queued", "commented", "refreshed", "removed")
    ]


@pytest.mark.parametrize("search_path", ["''", "pg_catalog", "pg_temp, public"])
def test_a_writer_may_have_any_search_path(database: TestDatabase, listener: Listener, search_path: str) -> None:
    with database.another_connection() as writer:
        writer.execute(f"SET search_path = {search_path}".encode())
        writer.execute(INSERT.replace("pattern_approvals", "public.pattern_approvals").encode(), ["a", "pending"])
    assert listener.received() == ['{"queued": ["a"]}']


BROKEN = {
    "the way to send is gone": "DROP FUNCTION pattern_sync.send",
    "the way to send raises": "CREATE OR REPLACE FUNCTION pattern_sync.send(channel text, payload text) RETURNS void"
    " LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$",
    "the way to send is forbidden": "REVOKE EXECUTE ON FUNCTION pattern_sync.send FROM PUBLIC",
    "our schema is forbidden": "REVOKE USAGE ON SCHEMA pattern_sync FROM PUBLIC",
    "the function is forbidden": "REVOKE EXECUTE ON FUNCTION pattern_sync.announce_entries FROM PUBLIC",
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN.keys())
def test_no_damage_to_our_schema_makes_a_writer_of_the_queue_fail(
    database: TestDatabase, writer_role: str, damage: str
) -> None:
    database.execute(damage)
    with database.another_connection() as writer:
        writer.execute(f"SET ROLE {writer_role}".encode())
        writer.execute(INSERT.encode(), ["a", "pending"])
        writer.execute(INSERT_MANY.encode(), ["b", 2_000])
        writer.execute(NOTE.encode(), ["a", "commented"])
        writer.execute(b"UPDATE pattern_approvals SET occurrence_count = 2 WHERE pattern_id = 'a'")
        writer.execute(b"DELETE FROM pattern_approvals WHERE pattern_id <> 'a'")
    assert database.queue() == {"a"}
    assert database.count("pattern_review_history") == 1
    database.execute("TRUNCATE pattern_approvals CASCADE")
    assert database.queue() == set()


OWN_CHANGES = [
    "ALTER TABLE pattern_approvals ALTER confidence_score TYPE double precision",
    "ALTER TABLE pattern_approvals ALTER estimated_savings_usd TYPE numeric(12, 2)",
    "ALTER TABLE pattern_approvals ALTER occurrence_count TYPE bigint",
    "ALTER TABLE pattern_approvals ALTER pattern_id TYPE varchar(300)",
    "ALTER TABLE pattern_approvals ALTER status TYPE varchar(20)",
    "ALTER TABLE pattern_approvals ALTER created_at TYPE timestamptz",
    "ALTER TABLE pattern_approvals ALTER example_sessions TYPE jsonb USING example_sessions::jsonb",
    "ALTER TABLE pattern_approvals DROP COLUMN pattern_context",
    "ALTER TABLE pattern_approvals DROP COLUMN example_sessions",
    "ALTER TABLE pattern_approvals RENAME COLUMN approval_notes TO notes",
    "ALTER TABLE pattern_approvals ADD COLUMN team text DEFAULT 'none'",
    "ALTER TABLE pattern_review_history ALTER reviewer TYPE varchar(255)",
    "ALTER TABLE pattern_review_history ALTER created_at TYPE timestamptz",
    "ALTER TABLE pattern_review_history ALTER action TYPE varchar(20)",
    "ALTER TABLE pattern_review_history DROP COLUMN notes",
    "ALTER TABLE pattern_review_history RENAME COLUMN notes TO words",
    "ALTER TABLE pattern_review_history ADD COLUMN mood json DEFAULT '{}'",
]


@pytest.mark.parametrize("statement", OWN_CHANGES)
def test_the_application_may_change_its_tables_and_is_still_announced(
    database: TestDatabase, listener: Listener, statement: str
) -> None:
    database.execute(statement)
    database.execute(INSERT, "a", "pending")
    database.execute("UPDATE pattern_approvals SET status = 'approved'")
    database.execute(NOTE, "a", "commented")
    assert listener.received() == ['{"queued": ["a"]}', '{"decided": ["a"]}', '{"commented": ["a"]}']


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE pattern_approvals RENAME COLUMN pattern_id TO signature",
        "ALTER TABLE pattern_approvals RENAME COLUMN status TO state",
        "ALTER TABLE pattern_approvals DROP COLUMN status",
        "ALTER TABLE pattern_approvals RENAME TO approvals",
        "ALTER TABLE pattern_review_history RENAME COLUMN action TO verb",
        "ALTER TABLE pattern_review_history RENAME TO reviews",
        "DROP TABLE pattern_review_history",
        "DROP TABLE pattern_approvals CASCADE",
    ],
)
def test_the_application_may_even_drop_columns_or_tables_that_we_need(database: TestDatabase, statement: str) -> None:
    database.execute(INSERT, "a", "pending")
    database.execute(statement)
    for table in ("pattern_approvals", "approvals"):
        if database.execute("SELECT to_regclass(%s) AS found", table) == [{"found": table}]:
            database.execute(f"UPDATE {table} SET occurrence_count = 2")
            database.execute(f"DELETE FROM {table}")


def test_figures_and_times_that_json_cannot_hold_are_announced(database: TestDatabase, listener: Listener) -> None:
    database.execute(INSERT, "a", "pending")
    listener.received()
    database.execute("UPDATE pattern_approvals SET confidence_score = 'NaN', created_at = 'infinity'")
    assert listener.received() == ['{"refreshed": ["a"]}']


def test_uninstall_removes_the_triggers(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    triggers = "SELECT count(*) AS n FROM pg_trigger WHERE tgname LIKE 'pattern_sync%'"
    assert "create the triggers on pattern_approvals" in abouts(empty_database)
    assert empty_database.execute(triggers) == [{"n": 6}]
    installer(empty_database).uninstall()
    assert empty_database.execute(triggers) == [{"n": 0}]
    with listening_to_the_queue(empty_database) as listener:
        empty_database.execute(INSERT, "a", "pending")
        empty_database.execute("TRUNCATE pattern_approvals CASCADE")
        assert listener.received() == []


@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        ("DELETE FROM pattern_approvals", ["*"]),
        ("DELETE FROM pattern_approvals WHERE pattern_id = 'a'", ["*"]),
        ("TRUNCATE pattern_approvals CASCADE", ["*"]),
        ("DELETE FROM pattern_approvals WHERE false", []),
        ("UPDATE pattern_approvals SET status = 'approved'", []),
    ],
)
def test_a_deleted_entry_requests_a_reconcile_of_its_pattern(
    database: TestDatabase, statement: str, asked: list[str]
) -> None:
    for name in ("a", "b"):
        database.execute(INSERT, name, "pending")
    with listening(database) as daemons:
        database.execute(statement)
        assert daemons.received() == asked


def test_a_deletion_succeeds_even_when_its_request_cannot_be_sent(database: TestDatabase, listener: Listener) -> None:
    database.execute(INSERT, "a", "pending")
    listener.received()
    database.execute("DROP FUNCTION pattern_sync.notify(text)")
    database.execute("DELETE FROM pattern_approvals")
    assert listener.received() == ['{"removed": ["a"]}']


def test_changes_after_a_reconcile_in_the_same_transaction_are_announced(
    database: TestDatabase, listener: Listener
) -> None:
    database.add_pattern("a")
    with database.another_connection(autocommit=False) as somebody:
        somebody.execute(
            b"SELECT pattern_sync.reconcile(70, 5, 1000, '{}', '{}', ARRAY(SELECT id FROM operation_patterns))"
        )
        somebody.execute(b"UPDATE pattern_approvals SET status = 'approved'")
        somebody.commit()
    assert listener.received() == ['{"decided": ["a"]}']
