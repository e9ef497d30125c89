"""Every statement on lived-in data under every kind of plan: the same results, and no quadratic cost."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import tuple_row

from pattern_sync.database.statements import Statement, load_statements
from tests.conftest import cloned
from tests.integration.test_statements import EXPECTED, FILTER, OWN_SAMPLES
from tests.support.database import TestDatabase
from tests.support.lived_in import LivedInDatabase
from tests.support.plans import Node, quadratic_parts

Session = psycopg.Connection[tuple[object, ...]]
Rows = Sequence[tuple[object, ...]]
Open = Callable[[], LivedInDatabase]
Answers = Mapping[str, tuple[Rows, object]]

# The gateways' arguments, by type; the filter is the default one.
ANY: Mapping[str, object] = {
    "text": "lived:test:50",
    "bool": False,
    "int8": 300,
    "int4": 300,
    "float8": 1.5,
    "float8[]": [70.0, 80.0],
    "timestamptz": datetime(2020, 1, 1, tzinfo=UTC),
    "text[]": ["lived:test:50", "lived:test:100", "foreign:5", "nowhere"],
}
SPECIAL: Mapping[str, tuple[object, ...]] = {
    **OWN_SAMPLES,
    "reconcile": (70.0, 5, 1000.0, [], [], 30_000.0, 0, f"{{{','.join(map(str, range(1, 4_001)))}}}"),
    "queue_missing": (70.0, 5, 1000.0, [], [], 30_000.0, 0, 300, False, 0, 1, 0.0, False, None, []),
    "refresh_stale": (70.0, 5, 1000.0, [], [], 30_000.0, 0, 0, 4_000),
    "set_search_path": ("public",),
    "listed": (None, '{"min_savings": 1}', "hide", None, "savings", False, None, None, 0, 200),
    "count_listed": ("pending", '{"words": ["test"]}', "hide", None),
    "keep_traits": (None, None),
    "listed_ids": (None, None, "show", None, "name", False, None, None, 0, 200),
    "sum_listed": (None, None, "show", None),
    "groups": (None, None, "show", None, "flag", 200),
    "decide_many": (
        [f"lived:test:{number}" for number in range(0, 20_000, 10)],
        *["rejected"] * 3,
        *("ann", "no", "pending", "{}", False, False),
    ),
    "note_occurrence": (300, "a workflow"),
    "rate_pattern": (300, 90.0, 5_000.0),
}
# Their order is promised.
ORDERED = frozenset(
    {"entries", "listed", "history", "preview_missing", "reconcile", "application_schemas", "last_runs"}
)
# Columns that differ without a meaning: time passes, and sequences advance even when a transaction is rolled back.
FRESH = {
    "explain": ("age_days",),
    "observe_first": ("id",),
    "decide_many": ("batch_id",),
    "queue_missing": ("begun",),
    "connection_limits": ("used", "left_over"),
    "savings_sources": ("now",),
}
WRITTEN = (
    "SELECT (SELECT pg_catalog.array_agg(t ORDER BY t) FROM ("
    "  SELECT pg_catalog.concat_ws('|', a.pattern_id, a.status, a.confidence_score, a.occurrence_count,"
    "   a.estimated_savings_usd, a.tool_sequence, a.pattern_context, a.example_sessions, a.reviewed_by) AS t"
    "  FROM pattern_approvals AS a WHERE a.xmin = pg_current_xact_id()::xid) AS w),"
    " (SELECT pg_catalog.array_agg(t ORDER BY t) FROM ("
    "  SELECT pg_catalog.concat_ws('|', p.pattern_signature, p.automation_status, p.reviewed_by, p.occurrence_count,"
    "   p.confidence_score) AS t FROM operation_patterns AS p WHERE p.xmin = pg_current_xact_id()::xid) AS w),"
    " (SELECT pg_catalog.count(*) FROM pattern_review_history)"
)
PLANNERS: Mapping[str, Mapping[str, str]] = {
    "no nested loops": {"enable_nestloop": "off"},
    "no hash joins": {"enable_hashjoin": "off", "enable_hashagg": "off"},
    "no merge joins": {"enable_mergejoin": "off", "enable_sort": "off"},
    "nested loops only": {"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_material": "off"},
    "no index": {"enable_indexscan": "off", "enable_indexonlyscan": "off", "enable_bitmapscan": "off"},
    "no sequential scan": {"enable_seqscan": "off", "enable_hashjoin": "off"},
    "generic plans": {"plan_cache_mode": "force_generic_plan"},
    "custom plans": {"plan_cache_mode": "force_custom_plan"},
    "joins as written": {"join_collapse_limit": "1", "from_collapse_limit": "1", "geqo": "off"},
    "genetic joins": {"geqo_threshold": "2"},
    "parallel": {
        "max_parallel_workers_per_gather": "4",
        "parallel_setup_cost": "0",
        "parallel_tuple_cost": "0",
        "min_parallel_table_scan_size": "0",
        "min_parallel_index_scan_size": "0",
        "debug_parallel_query": "on",
    },
}
# Everything qualifies here: 20,000 patterns, of which 4,900 have an entry.
ALL_QUALIFY = (
    "UPDATE operation_patterns SET potential_monthly_savings = 1000 + id % 9001, confidence_score = 70 + id % 30,"
    " occurrence_count = 5 + id % 977, automation_status = 'detected'"
)
PENDING = "UPDATE pattern_approvals SET status = CASE id % 2 WHEN 0 THEN 'pending' ELSE 'approved' END"
REMEMBERED = (
    "INSERT INTO pattern_sync.written (pattern_id, confidence, occurrences, savings)"
    " SELECT pattern_signature, confidence_score, occurrence_count - 1, potential_monthly_savings"
    " FROM operation_patterns ON CONFLICT DO NOTHING"
)
TABLES = (
    "SELECT oid FROM pg_class WHERE relkind = 'r' AND (relnamespace = 'pattern_sync'::regnamespace OR oid IN"
    " ('operation_patterns'::regclass, 'pattern_approvals'::regclass, 'pattern_occurrences'::regclass,"
    " 'pattern_review_history'::regclass))"
)
FORGET = f"DELETE FROM pg_statistic WHERE starelid IN ({TABLES})"
STATISTICS: Mapping[str, Sequence[str]] = {
    "present": (ALL_QUALIFY, PENDING, REMEMBERED, "ANALYZE"),
    "of when nothing qualified and nothing was pending": (
        "UPDATE pattern_approvals SET status = 'approved'",
        "UPDATE operation_patterns SET potential_monthly_savings = 0, confidence_score = 0",
        "ANALYZE",
        ALL_QUALIFY,
        PENDING,
        REMEMBERED,
    ),
    "absent": (
        ALL_QUALIFY,
        PENDING,
        REMEMBERED,
        FORGET,
        f"UPDATE pg_class SET reltuples = -1, relpages = 0, relallvisible = 0 WHERE oid IN ({TABLES})",
    ),
    "of when the tables had been emptied": (
        ALL_QUALIFY,
        PENDING,
        REMEMBERED,
        FORGET,
        f"UPDATE pg_class SET reltuples = 0, relpages = 1000, relallvisible = 0 WHERE oid IN ({TABLES})",
    ),
    "of a hundred times as many": (
        ALL_QUALIFY,
        PENDING,
        REMEMBERED,
        "ANALYZE",
        f"UPDATE pg_class SET reltuples = reltuples * 100 WHERE oid IN ({TABLES})",
    ),
}
# Far more than any statement takes, and far less than the product of the two tables would.
SECONDS = 4.0
# The plans forced here look expensive enough for JIT, which the daemon's sessions switch off.
GIVEN_UP = {"statement_timeout": "6s", "jit": "off"}
AUTO_EXPLAIN = {
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_verbose": "on",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
}


@lru_cache
def statements() -> Mapping[str, Statement]:
    return load_statements()


@lru_cache
def owners() -> frozenset[str]:
    """Return the statements of the owner and the detector, not of the daemon."""
    folder = files("pattern_sync.database.statements")
    texts = [
        (folder / name).read_text(encoding="utf-8") for name in ("migration.sql", "simulation.sql", "detecting.sql")
    ]
    return frozenset({"mend", *(name for name in statements() if any(f"-- name: {name}\n" in text for text in texts))})


def meaningful(name: str) -> tuple[object, ...]:
    """Return arguments with which a statement has work to do here."""
    kinds = EXPECTED[name][0]
    if name in SPECIAL and kinds[: len(FILTER)] == FILTER:
        # Without a cap, this would measure the application's own triggers.
        return tuple(ANY[kind] if value is None else value for kind, value in zip(kinds, SPECIAL[name], strict=True))
    if name in SPECIAL:
        return SPECIAL[name]
    if kinds[: len(FILTER)] == FILTER:
        return (70.0, 5, 1000.0, [], [], 30_000.0, 0, *(ANY[kind] for kind in kinds[len(FILTER) :]))
    return tuple(ANY[kind] for kind in kinds)


@contextmanager
def sessions(database: LivedInDatabase, settings: Mapping[str, str]) -> Iterator[Callable[[str], Session]]:
    """Yield the session for a statement: the daemon's, or the owner's."""
    with ExitStack() as stack:
        opened = [
            stack.enter_context(psycopg.connect(url, cursor_factory=psycopg.RawCursor, row_factory=tuple_row))
            for url in (database.daemon_url, database.owner_url)
        ]
        for session in opened:
            session.autocommit = True
            for setting, value in {**GIVEN_UP, **settings}.items():
                session.execute("SELECT set_config($1, $2, false)", (known(session, setting), value))
            session.autocommit = False
        yield lambda name: opened[name in owners()]


def known(session: Session, setting: str) -> str:
    older = setting == "debug_parallel_query" and session.info.server_version < 160_000
    return "force_parallel_mode" if older else setting


def answer(session: Session, name: str) -> tuple[Rows, object]:
    """Run a statement and roll it back; return its rows and what it wrote."""
    begun = datetime.now().astimezone()
    try:
        cursor = session.execute(statements()[name].sql.encode(), meaningful(name), prepare=True)
        columns = [column.name for column in cursor.description or ()]
        rows = [
            tuple(
                "fresh" if is_fresh(name, column, value, begun) else value
                for column, value in zip(columns, row, strict=True)
            )
            for row in (cursor.fetchall() if columns else ())
        ]
        written = session.execute(WRITTEN).fetchall() if name not in owners() and has_written(session) else None
        return (rows if name in ORDERED else sorted(rows, key=repr)), written
    except psycopg.errors.QueryCanceled as fault:
        return ((str(fault),),), None
    finally:
        session.rollback()


def has_written(session: Session) -> bool:
    """Return whether there is anything to look for, which takes as long as most statements."""
    return session.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").fetchall() == [(True,)]


def is_fresh(name: str, column: str, value: object, begun: datetime) -> bool:
    return column in FRESH.get(name, ()) or (
        isinstance(value, datetime) and value.tzinfo is not None and value >= begun
    )


def answers(database: LivedInDatabase, settings: Mapping[str, str]) -> dict[str, tuple[Rows, object]]:
    with sessions(database, settings) as session_for:
        return {name: answer(session_for(name), name) for name in statements()}


@pytest.fixture(scope="module")
def database_with(
    server_url: str, admin: "psycopg.Connection[dict[str, object]]", lived_in_template: LivedInDatabase
) -> Iterator[Callable[[str], LivedInDatabase]]:
    """Return the databases of all tests here, by the state of their statistics; every test rolls back its changes."""
    with ExitStack() as stack:

        @lru_cache
        def opened(state: str) -> LivedInDatabase:
            database = stack.enter_context(cloned(server_url, admin, lived_in_template))
            with psycopg.connect(database.url, autocommit=True) as session:
                session.execute("SET session_replication_role = replica")
                for change in STATISTICS.get(state, ()):
                    session.execute(change.encode())
            return database

        yield opened


@pytest.fixture(scope="module")
def usual_answers(
    database_with: Callable[[str], LivedInDatabase],
) -> Callable[[str], dict[str, tuple[Rows, object]]]:
    @lru_cache
    def of(state: str) -> dict[str, tuple[Rows, object]]:
        return answers(database_with(state), {})

    return of


def differing(found: Answers, usual: Answers, names: Iterable[str]) -> dict[str, object]:
    """Return the statements whose results differ, each with the first rows that only one of the two has."""
    return {name: only_in_one(found[name][0], usual[name][0]) for name in names if found[name] != usual[name]}


def only_in_one(rows: Rows, others: Rows) -> object:
    here, there = ([row for row in one if row not in other][:2] for one, other in ((rows, others), (others, rows)))
    return {"only here": here, "only there": there} if here or there else "written otherwise, or in another order"


@pytest.mark.parametrize("planner", PLANNERS)
def test_the_answers_are_the_same_whatever_the_plan(
    database_with: Callable[[str], LivedInDatabase],
    usual_answers: Callable[[str], dict[str, tuple[Rows, object]]],
    planner: str,
) -> None:
    found = answers(database_with("as it is"), PLANNERS[planner])
    usual = usual_answers("as it is")
    assert differing(found, usual, statements()) == {}


@pytest.mark.parametrize("state", [state for state in STATISTICS if state != "present"])
def test_the_answers_are_the_same_whatever_the_statistics(
    database_with: Callable[[str], LivedInDatabase],
    usual_answers: Callable[[str], dict[str, tuple[Rows, object]]],
    state: str,
) -> None:
    found = answers(database_with(state), {})
    usual = usual_answers("present")
    # The fingerprint contains transaction ids, and each state has a database of its own.
    names = [name for name in statements() if name not in {"queue_fingerprint", "own_schema"}]
    assert differing(found, usual, names) == {}


@pytest.mark.parametrize("planner", ["generic plans", "custom plans"])
@pytest.mark.parametrize("state", STATISTICS)
def test_no_statement_is_quadratic(database_with: Callable[[str], LivedInDatabase], state: str, planner: str) -> None:
    found: dict[str, list[str]] = {}
    with sessions(database_with(state), PLANNERS[planner]) as session_for:
        for name in statements():
            session = session_for(name)
            parts = quadratic_parts(plan_of(session, name)) if can_be_explained(name) else []
            session.rollback()
            begun = time.monotonic()
            answer(session, name)
            took = time.monotonic() - begun
            if parts or took > SECONDS:
                found[name] = [*parts, f"{took:.1f} s"]
    assert not found, json.dumps(found, indent=1)


def can_be_explained(name: str) -> bool:
    return not statements()[name].sql.startswith("CALL")


def plan_of(session: Session, name: str) -> Node:
    """Return the plan of a prepared statement, so that plan_cache_mode counts."""
    session.execute("DEALLOCATE ALL")
    session.execute(f"PREPARE asked AS {statements()[name].sql}".encode())
    arguments = sql.SQL(", ").join(sql.Literal(argument) for argument in meaningful(name))
    call = sql.SQL("asked({})").format(arguments) if meaningful(name) else sql.SQL("asked")
    ((explained,),) = session.execute(sql.SQL("EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE {}").format(call)).fetchall()
    assert isinstance(explained, list)
    plan: Node = explained[0]["Plan"]
    return plan


@pytest.mark.parametrize("state", STATISTICS)
def test_no_statement_within_a_function_is_quadratic(
    database_with: Callable[[str], LivedInDatabase], state: str
) -> None:
    database = database_with(state)
    found: dict[str, list[str]] = {}
    with psycopg.connect(database.url, cursor_factory=psycopg.RawCursor, row_factory=tuple_row) as session:
        seen = explain_everything(session, database.roles.daemon)
        for name in set(statements()) - owners():
            seen.clear()
            answer(session, name)
            for text in seen:
                explained = json.loads(text)
                if parts := quadratic_parts(explained["Plan"]):
                    found[name] = [*parts, explained["Query Text"]]
    assert not found, json.dumps(found, indent=1)


def explain_everything(session: Session, role: str) -> list[str]:
    """Have a session of a role log the plan of every statement; return the log file."""
    try:
        session.execute("LOAD 'auto_explain'")
    except psycopg.errors.UndefinedFile:
        session.rollback()
        pytest.skip("this server lacks the module auto_explain")
    for setting, value in {**AUTO_EXPLAIN, **GIVEN_UP}.items():
        session.execute("SELECT set_config($1, $2, false)", (setting, value))
    session.execute(f"SET SESSION AUTHORIZATION {role}".encode())
    session.commit()
    seen: list[str] = []
    session.add_notice_handler(
        lambda notice: (
            seen.append(notice.message_primary.partition("plan:")[2])
            if notice.message_primary and "plan:" in notice.message_primary
            else None
        )
    )
    return seen


def test_a_batch_costs_an_old_session_as_little_as_a_new_one(database: TestDatabase) -> None:
    """After five executions PostgreSQL may choose a generic plan, which ignores the number of row ids."""
    database.add_patterns(5_000)
    took = []
    with database.another_connection(autocommit=False) as session:
        for _ in range(8):
            started = time.monotonic()
            queued = session.execute(
                "SELECT pg_catalog.cardinality(pattern_sync.insert_entries(70, 5, 1000, '{}', '{}',"
                " ARRAY(SELECT id::bigint FROM operation_patterns), true)) AS n"
            ).fetchall()
            took.append(time.monotonic() - started)
            assert queued == [{"n": 5_000}]
            session.rollback()
    assert min(took[5:]) < 5 * min(took[:5]), took
