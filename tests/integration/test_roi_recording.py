"""Recording what runs have saved: into the application's tables or, where there are none, ours; nothing gets lost."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from pattern_sync import DatabaseUnavailable, Execution, InvalidInput, PatternSyncService, UnknownPattern
from pattern_sync.domain.errors import NotRecordable, StatementFailed
from pattern_sync.domain.roi import Part, Standing
from tests.support.application import adopt, installer
from tests.support.books import PYTEST, Books
from tests.support.database import TestDatabase

RUN = Execution(PYTEST, 1.5, 30.0, 0.25, 1.0, success=True, workflow_id=17)
FAILED = Execution(PYTEST, 1.5, 30.0, 0.25, 1.0, success=False, workflow_id=18, error_message="é")
Prepare = Callable[[TestDatabase], None]


def newborn(database: TestDatabase) -> None:
    installer(database).migrate()


def adopted(database: TestDatabase) -> None:
    adopt(database)
    installer(database).migrate()


def old(database: TestDatabase) -> None:
    """Adopt an application that has no table of runs."""
    adopt(database)
    database.execute("DROP TABLE cost_savings_log, pattern_executions, pattern_confidence_history")
    installer(database).migrate()


@pytest.mark.parametrize(
    ("prepare", "log", "executions"),
    [
        (newborn, "cost_savings_log", "pattern_sync.recorded_savings"),
        (adopted, "cost_savings_log", "pattern_executions"),
        (old, "pattern_sync.recorded_savings", "pattern_sync.recorded_savings"),
    ],
)
def test_whatever_tables_there_are_a_run_is_recorded_and_counted(
    empty_database: TestDatabase, prepare: Prepare, log: str, executions: str
) -> None:
    prepare(empty_database)
    service = PatternSyncService(empty_database.url)
    Books(empty_database).approve(days_ago=20)
    receipt = service.record_savings(PYTEST, "0.41", "wf-1", baseline_tokens=900, actual_tokens=100, notes="é")
    assert (receipt.usd, receipt.table) == (Decimal("0.41"), log.removeprefix("pattern_sync."))
    assert empty_database.count(log) == 1
    earlier = datetime.now(UTC) - timedelta(days=3)
    empty_database.execute("SELECT pattern_sync.saved(%s, usd => -0.20, workflow => 'wf-2', at => %s)", PYTEST, earlier)
    before = empty_database.count(executions)
    assert service.record_execution(RUN) > 0
    assert service.record_execution(FAILED) > 0
    assert empty_database.count(executions) == before + 2
    found = service.roi_of(PYTEST)
    # Both executions are of a day that the log has, whose workflows have other names.
    assert (found.saved_usd, found.runs, found.tried, found.success_rate) == (0.21, 2, 2, 0.5)


def test_an_execution_alone_saves_what_it_cost_less(empty_database: TestDatabase) -> None:
    newborn(empty_database)
    service = PatternSyncService(empty_database.url)
    Books(empty_database).approve(days_ago=20)
    service.record_execution(RUN)
    service.record_execution(FAILED)
    found = service.roi_of(PYTEST)
    assert (found.saved_usd, found.runs, found.sources) == (0.5, 2, ("recorded_savings",))
    assert found.standing is Standing.TOO_EARLY


def test_a_pattern_that_does_not_exist_is_named_and_nothing_is_written(database: TestDatabase) -> None:
    service = PatternSyncService(database.url)
    with pytest.raises(UnknownPattern, match="There is no pattern 'nope' in operation_patterns"):
        service.record_savings("nope", 1, "wf-1")
    database.add_pattern(PYTEST)
    with pytest.raises(UnknownPattern, match="The queue has no entry for"):
        service.record_execution(RUN)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="no pattern has the signature 'nope'"):
        database.execute("SELECT pattern_sync.saved('nope', usd => 1, workflow => 'wf-1')")
    assert database.count("cost_savings_log") == database.count("pattern_sync.recorded_savings") == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("'p', usd => 'NaN', workflow => 'w'", "usd is NaN; it must be a number of USD"),
        ("'p', usd => 1e12, workflow => 'w'", "usd is 1000000000000; it must be"),
        ("'p', usd => NULL, workflow => 'w'", "usd is <NULL>; it must be"),
        ("'p', usd => 1, workflow => ''", "workflow must name the run"),
        ("'p', usd => 1, workflow => NULL", "workflow must name the run"),
        ("'p', usd => 1, workflow => 'w', at => 'infinity'", "at is infinity; it must be a time that has come"),
    ],
)
def test_bad_input_in_sql_is_refused_with_its_value(database: TestDatabase, call: str, words: str) -> None:
    database.add_pattern("p")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=words):
        database.execute(f"SELECT pattern_sync.saved({call})")


def test_bad_input_in_python_is_refused_before_anything_is_asked(database: TestDatabase) -> None:
    service = PatternSyncService(database.url)
    database.add_pattern("p")
    with pytest.raises(InvalidInput, match="usd is lots"):
        service.record_savings("p", "lots", "wf-1")
    with pytest.raises(NotRecordable, match="has not come"):
        service.record_savings("p", 1, "wf-1", saved_at=datetime.now(UTC) + timedelta(days=1))


def test_a_role_without_the_right_is_told_the_grant(empty_database: TestDatabase) -> None:
    adopted(empty_database)
    empty_database.add_pattern(PYTEST)
    rights = ("SELECT ON operation_patterns", "USAGE ON SCHEMA pattern_sync", "SELECT ON cost_savings_log")
    with empty_database.role(*rights) as role, empty_database.another_connection() as session:
        session.execute(f"SET ROLE {role}".encode())
        with pytest.raises(psycopg.Error, match=f"GRANT INSERT ON cost_savings_log TO {role}; GRANT USAGE ON SEQUENCE"):
            session.execute(b"SELECT pattern_sync.saved('test:pytest:backend', usd => 1, workflow => 'w')")
        empty_database.execute(f"GRANT INSERT ON cost_savings_log TO {role}")
        empty_database.execute(f"GRANT USAGE ON SEQUENCE cost_savings_log_id_seq TO {role}")
        session.execute(b"SELECT pattern_sync.saved('test:pytest:backend', usd => 1, workflow => 'w')")
    assert empty_database.count("cost_savings_log") == 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("ALTER TABLE cost_savings_log DROP COLUMN saved_at", "it lacks saved_at"),
        ("ALTER TABLE cost_savings_log ALTER saved_at TYPE text", "its saved_at is no time"),
        ("ALTER TABLE cost_savings_log RENAME TO elsewhere", "it is missing"),
    ],
)
def test_a_log_that_cannot_be_read_is_named_and_the_rest_is_told(
    empty_database: TestDatabase, change: str, fault: str
) -> None:
    adopted(empty_database)
    books = Books(empty_database)
    books.approve()
    books.execute(PYTEST, 1.0, 0.5, workflow=1)
    empty_database.execute(change)
    found = PatternSyncService(empty_database.url).roi()
    assert {source.name: source.fault for source in found.sources} == {
        "cost_savings_log": fault,
        "pattern_executions": None,
    }
    assert found.totals.saved_usd == 0.5


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE cost_savings_log ALTER pattern_id TYPE text, DROP CONSTRAINT cost_savings_log_pattern_id_fkey",
        "ALTER TABLE cost_savings_log ALTER cost_saved_usd TYPE text",
        "ALTER TABLE cost_savings_log ALTER saved_at TYPE timestamptz, ALTER workflow_id TYPE varchar(255)",
        "ALTER TABLE cost_savings_log DROP COLUMN tool_call_id, DROP COLUMN notes",
        "ALTER TABLE cost_savings_log RENAME TO held; CREATE VIEW cost_savings_log AS SELECT * FROM held",
        (
            "ALTER TABLE pattern_executions ALTER success TYPE integer USING success::integer,"
            " ALTER workflow_id TYPE text, ALTER actual_cost TYPE text"
        ),
    ],
)
def test_odd_types_of_the_application_are_read_as_they_are(empty_database: TestDatabase, change: str) -> None:
    adopted(empty_database)
    books = Books(empty_database)
    row_id = books.approve()
    books.log(row_id, 0.1, "wf-1")
    books.execute(PYTEST, 1.0, 0.25, workflow=1, days_ago=2)
    books.execute(PYTEST, 1.0, 0.25, workflow=2, days_ago=2, success=False)
    empty_database.execute(change)
    assert books.of() == {"logged": 1, "executed": 2, "tried": 2, "failed": 1, "saved": Decimal("0.6")}


def test_what_a_trigger_keeps_out_in_silence_is_told(database: TestDatabase) -> None:
    database.add_pattern(PYTEST)
    database.execute(
        "CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER drop_it BEFORE INSERT ON cost_savings_log FOR EACH ROW EXECUTE FUNCTION drop_it()"
    )
    with pytest.raises(StatementFailed, match="own trigger or rule kept it out"):
        PatternSyncService(database.url).record_savings(PYTEST, 1, "wf-1")


def test_a_write_does_not_change_the_queue_or_the_source(empty_database: TestDatabase) -> None:
    adopted(empty_database)
    books = Books(empty_database)
    books.log(books.approve(estimate=100), 5, "wf-1")
    watched = "SELECT (SELECT array_agg(a.* ORDER BY id) FROM pattern_approvals a)::text AS queue,"
    watched += " (SELECT array_agg(p.* ORDER BY id) FROM operation_patterns p)::text AS source"
    before = empty_database.execute(watched)
    service = PatternSyncService(empty_database.url)
    service.roi()
    assert service.roi_of(PYTEST).estimated_usd == 100
    service.record_savings(PYTEST, 1, "wf-2")
    assert empty_database.execute(watched) == before


def test_nobody_waits_for_long_where_the_application_has_locked_its_log(database: TestDatabase) -> None:
    Books(database).approve()
    with psycopg.connect(database.url) as rewriting:
        rewriting.execute("LOCK TABLE cost_savings_log IN ACCESS EXCLUSIVE MODE")
        for statement in ("SELECT * FROM pattern_sync.savings()", "SELECT pattern_sync.keep_savings(0)"):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                database.execute(statement)
        with pytest.raises(DatabaseUnavailable):
            PatternSyncService(database.url).roi()
    assert PatternSyncService(database.url).roi().totals.patterns == 1


def test_uninstall_leaves_nothing_of_it(empty_database: TestDatabase) -> None:
    old(empty_database)
    Books(empty_database).approve()
    PatternSyncService(empty_database.url).record_savings(PYTEST, 1, "wf-1")
    installer(empty_database).uninstall()
    left = empty_database.execute("SELECT to_regclass('pattern_sync.recorded_savings') AS there")
    assert left[0]["there"] is None


def test_an_approval_turns_what_comes_later_into_savings(database: TestDatabase) -> None:
    books = Books(database)
    row_id = books.approve(status="pending", reviewed_at=None)
    books.log(row_id, 2, "wf-1", days_ago=1)
    service = PatternSyncService(database.url)
    assert {aside.part for aside in service.roi().asides} == {Part.UNDECIDED}
    service.approve(PYTEST)
    service.record_savings(PYTEST, 3, "wf-2")
    found = service.roi_of(PYTEST)
    assert (found.saved_usd, found.baseline_usd, found.baseline_runs) == (3.0, 2.0, 1)
