"""What a hostile role can do with our functions, tables and channels: make the daemon look, and nothing else."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import httpx
import psycopg
import pytest
from psycopg.rows import DictRow

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.services.timings import Timings
from tests.integration.test_deafness import look
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase, snapshot
from tests.support.waiting import eventually

# By the type of a parameter: what is hostile, and what would do harm if it were carried out.
HOSTILE: Mapping[str, Sequence[object]] = {
    "text": ["x", "approved", "'; DROP TABLE operation_patterns; --", "pattern_sync", "*", "\u202e", None],
    "text[]": [["x", "short"], ["'"] * 3, [], None],
    "bigint": [1, -1, 2**63 - 1, None],
    "bigint[]": [[1, 2, 3], None],
    "integer": [1, -1, None],
    "double precision": [0.0, float("nan"), float("inf"), None],
    "double precision[]": [[0.5, float("nan")], [], None],
    "numeric": [0, -1, None],
    "boolean": [True, None],
    "boolean[]": [[True, False], [], None],
    "jsonb": ['[{"pattern_id": "x"}]', "[]", None],
    "jsonb[]": [['{"pattern_id": "x"}', "[]"], ["{}", None], [], None],
    "regclass": ["pattern_approvals", "pg_class", None],
    "timestamp with time zone": ["infinity", None],
    "timestamp with time zone[]": [["infinity", None], [], None],
    "anyelement": [1],
}
KEPT = (
    *("operation_patterns", "pattern_approvals", "pattern_review_history"),
    *(f"pattern_sync.{table}" for table in ("migrations", "settings", "runs", "written", "refusals", "rejections")),
)
CALLABLE = (
    "SELECT p.oid::regproc::text AS name, p.prokind::text AS kind,"
    " ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes::oid[]) AS t) AS types"
    " FROM pg_proc AS p WHERE p.pronamespace = 'pattern_sync'::regnamespace AND p.prorettype <> 'trigger'::regtype"
    " ORDER BY p.oid"
)
RIGHTS = {
    "everybody": (),
    "a detector": ("SELECT, INSERT, UPDATE ON operation_patterns", "USAGE ON ALL SEQUENCES IN SCHEMA public"),
}
PAYLOADS = [
    *("", "*", "settings", "-1", "0", "9" * 20, "9" * 7_999, "garbage", "\u202e☃", "1; DROP TABLE operation_patterns"),
    *("[" * 7_999, '{"queued":' + "[" * 7_900, '{"removed": ["entry"]}', '{"decided": ["entry", "nowhere"]}'),
    *(json.dumps({"queued": ["x" * 7_900]}), '{"queued": [1, null, {}]}', '{"dropped": ["entry"]}', "null", "1e999"),
]


@pytest.fixture(params=RIGHTS)
def hostile(request: pytest.FixtureRequest, database: TestDatabase) -> Iterator[psycopg.Connection]:
    """Yield a session of a role that is told nothing and may do nothing, or exactly what a detector may."""
    database.add_pattern("x")
    database.add_pattern("short", confidence_score=1)
    database.add_entry("entry")
    with database.role(*RIGHTS[request.param]) as role, psycopg.connect(database.url, autocommit=True) as session:
        session.execute(f"SET ROLE {role}".encode())
        yield session
        session.close()


def call(session: psycopg.Connection, function: DictRow, arguments: Sequence[object]) -> None:
    # A literal takes whatever type a polymorphic parameter needs.
    marks = ", ".join("%s" if name == "anyelement" else f"%s::{name}" for name in function["types"])
    form = "CALL {}({})" if function["kind"] == "p" else "SELECT * FROM {}({})"
    with suppress(psycopg.Error):
        session.execute(form.format(function["name"], marks).encode(), arguments)


def test_no_function_changes_anything_for_a_hostile_role(database: TestDatabase, hostile: psycopg.Connection) -> None:
    before = snapshot(database, KEPT)
    functions = database.execute(CALLABLE)
    assert len(functions) > 30
    for function in functions:
        choices = [HOSTILE[name] for name in function["types"]]
        for number in range(max([1, *(len(each) for each in choices)])):
            call(hostile, function, [each[number % len(each)] for each in choices])
    assert not hostile.closed
    assert snapshot(database, KEPT) == before
    assert look(database).faults == ()


@pytest.mark.parametrize(
    "statement",
    [
        *(f"DELETE FROM {table}" for table in (*KEPT, "pattern_sync.marks")),
        *(f"SELECT FROM {table}" for table in KEPT if table not in ("operation_patterns", "pattern_sync.settings")),
        "SELECT FROM pattern_sync.marks",
        "INSERT INTO pattern_sync.marks VALUES ('pattern_sync', '*')",
        "UPDATE pattern_sync.settings SET min_confidence = 0",
        "CREATE FUNCTION pattern_sync.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION pattern_sync.announce() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "COMMENT ON FUNCTION pattern_sync.announce() IS 'published by somebody else.'",
        "ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce",
    ],
)
def test_what_is_ours_is_closed_to_a_hostile_role(hostile: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        hostile.execute(statement.encode())


def test_a_mark_holds_no_more_than_a_notification_and_a_flood_of_them_becomes_one(
    database: TestDatabase, hostile: psycopg.Connection
) -> None:
    look(database)
    hostile.execute("SELECT pattern_sync.mark('pattern_sync_queue', repeat('x', 10000000))")
    hostile.execute("SELECT pattern_sync.mark('elsewhere', 'x'), pattern_sync.mark('pattern_sync', NULL)")
    assert database.execute("SELECT channel, payload FROM pattern_sync.marks") == [
        {"channel": "pattern_sync_queue", "payload": "*"}
    ]
    hostile.execute("SELECT pattern_sync.mark('pattern_sync_queue', i::text) FROM generate_series(1, 1100) AS i")
    assert look(database).entries == ("*",)
    assert database.count("pattern_sync.marks") == 0


def flood(database: TestDatabase, count: int) -> None:
    """Leave marks as calls of pattern_sync.mark do, faster."""
    database.execute(
        "INSERT INTO pattern_sync.marks SELECT 'pattern_sync', i::text FROM generate_series(1, %s) AS i", count
    )


def test_one_look_takes_no_more_marks_than_a_daemon_keeps(database: TestDatabase) -> None:
    flood(database, 30_000)
    database.execute("INSERT INTO pattern_sync.marks SELECT 'pattern_sync', repeat('x', 7999)")
    assert len(look(database).patterns) == 10_001
    assert database.count("pattern_sync.marks") == 20_000
    database.execute("DELETE FROM pattern_sync.marks WHERE octet_length(payload) < 100")
    assert look(database).patterns == ("x" * 200,)


def test_marks_that_are_shed_become_one_for_everything_on_each_channel(database: TestDatabase) -> None:
    flood(database, 10_000)
    database.execute("INSERT INTO pattern_sync.marks VALUES ('pattern_sync_queue', 'x')")
    with BlockingDatabase.connect(DatabaseAddress.parse(database.url)) as connection:
        assert connection.fetch("shed_marks") == [{"shed": 10_001}]
    assert database.execute("SELECT channel, payload FROM pattern_sync.marks ORDER BY 1") == [
        {"channel": "pattern_sync", "payload": "*"},
        {"channel": "pattern_sync_queue", "payload": "*"},
    ]


@pytest.mark.timing
def test_a_daemon_that_meets_millions_of_marks_listens_and_takes_them_away(database: TestDatabase) -> None:
    flood(database, 2_000_000)
    with running_daemon(database.url, timings=Timings(watch_seconds=0.3)) as daemon:
        eventually(lambda: httpx.get(f"{daemon.http_url}/readyz").json()["status"] == "ok")
        database.add_pattern("real")
        eventually(lambda: database.entry("real"))
        eventually(lambda: database.count("pattern_sync.marks") == 0, 120)
        assert not daemon.lines("triggers.unseen")


def test_hostile_payloads_make_a_daemon_look_and_nothing_else(
    database: TestDatabase, hostile: psycopg.Connection
) -> None:
    with running_daemon(database.url) as daemon:
        eventually(lambda: database.entry("x"))
        before = snapshot(database, ("pattern_approvals", "pattern_sync.settings", "pattern_sync.rejections"))
        news = len(daemon.ready().lines("filter.published"))
        for channel in ("pattern_sync", "pattern_sync_queue", "pattern_sync_0123456789abcdef"):
            for payload in PAYLOADS:
                hostile.execute("SELECT pg_notify(%s, %s)", (channel, payload))
        for _ in range(100):
            hostile.execute("NOTIFY pattern_sync, 'settings'")
        database.add_pattern("real")
        eventually(lambda: database.entry("real"))
        database.execute("DELETE FROM pattern_approvals WHERE pattern_id = 'real'")
        after = snapshot(database, ("pattern_approvals", "pattern_sync.settings", "pattern_sync.rejections"))
        assert {table: [row for row in rows if "real" not in row] for table, rows in after.items()} == before
        assert len(daemon.lines("filter.published")) == news, "nothing was published"
        assert not [line for line in daemon.lines() if line["level"] in ("error", "critical")]
