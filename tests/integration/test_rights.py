"""The rights that the daemon's role lacks, each with the statement that grants it, in a lived-in database."""

import re
from collections.abc import Iterator, Mapping, Sequence

import psycopg
import pytest
from psycopg.rows import dict_row

from pattern_sync.database.statements import load_statements
from tests.support.application import abouts, adopt
from tests.support.database import TestDatabase
from tests.support.lived_in import documented_rights

# Each makes the planner evaluate the conditions in a different order.
PLANNERS: Mapping[str, Mapping[str, str]] = {
    "its own choice": {},
    "no nested loops": {"enable_nestloop": "off"},
    "no hash joins": {"enable_hashjoin": "off"},
    "no merge joins": {"enable_mergejoin": "off"},
    "nested loops only": {"enable_hashjoin": "off", "enable_mergejoin": "off"},
    "hash joins only": {"enable_nestloop": "off", "enable_mergejoin": "off"},
    "merge joins only": {"enable_nestloop": "off", "enable_hashjoin": "off"},
    "no index": {"enable_indexscan": "off", "enable_bitmapscan": "off", "enable_indexonlyscan": "off"},
    "in parallel": {"parallel_setup_cost": "0", "parallel_tuple_cost": "0", "min_parallel_table_scan_size": "0"},
}
# The documented grants, one for each statement.
NEEDED = {
    "GRANT SELECT ON operation_patterns TO {role};",
    "GRANT SELECT ON pattern_occurrences TO {role};",
    "GRANT SELECT ON pattern_approvals TO {role};",
    "GRANT INSERT ON pattern_approvals TO {role};",
    "GRANT UPDATE ON pattern_approvals TO {role};",
    "GRANT SELECT ON pattern_review_history TO {role};",
    "GRANT INSERT ON pattern_review_history TO {role};",
    "GRANT UPDATE (automation_status) ON operation_patterns TO {role};",
    "GRANT UPDATE (reviewed_by) ON operation_patterns TO {role};",
    "GRANT UPDATE (reviewed_at) ON operation_patterns TO {role};",
    "GRANT UPDATE (review_notes) ON operation_patterns TO {role};",
    "GRANT USAGE ON SEQUENCE pattern_approvals_id_seq TO {role};",
    "GRANT USAGE ON SEQUENCE pattern_review_history_id_seq TO {role};",
    "GRANT SELECT ON pattern_sync.migrations TO {role};",
    "GRANT UPDATE ON pattern_sync.settings TO {role};",
    *(
        f"GRANT {privilege} ON pattern_sync.{table} TO {{role}};"
        for table in (
            *("runs", "written", "refusals", "rejections", "marks"),
            *("traits", "batches", "batch_items", "decisions", "snoozes", "answers"),
            *("messages", "told", "channels"),
            *("detected_sessions", "reported_events", "routines"),
            *("recorded_savings", "savings_by_day", "savings_kept", "adjustments"),
            *("rules", "rule_log"),
            *("models", "predictions"),
        )
        for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE")
        if (table, privilege) != ("runs", "UPDATE")
    ),
}


@pytest.fixture
def lived(empty_database: TestDatabase) -> TestDatabase:
    """Return an adopted application among forty other tables, with statistics of the catalogs."""
    adopt(empty_database)
    abouts(empty_database)
    for number in range(40):
        empty_database.execute(f"CREATE TABLE neighbour_{number} (id SERIAL PRIMARY KEY, words TEXT UNIQUE)")
    empty_database.execute("VACUUM ANALYZE pg_class, pg_depend, pg_attribute, pg_namespace, pg_trigger")
    return empty_database


def missing_rights(
    database: TestDatabase, role: str | None = None, settings: Mapping[str, str] | None = None
) -> Sequence[str]:
    with psycopg.connect(database.url, cursor_factory=psycopg.RawCursor, row_factory=dict_row) as connection:
        if role:
            connection.execute(f"SET ROLE {role}".encode())
        for name, value in (settings or {}).items():
            connection.execute(f"SET {name} = {value}".encode())
        rows = connection.execute(load_statements()["missing_rights"].sql.encode()).fetchall()
        return sorted(str(row["remedy"]) for row in rows)


def expected(role: str) -> Sequence[str]:
    return sorted(remedy.format(role=role) for remedy in NEEDED)


@pytest.mark.parametrize("planner", PLANNERS)
def test_missing_rights_are_found_whatever_order_the_plan_evaluates_conditions_in(
    lived: TestDatabase, planner: str
) -> None:
    assert missing_rights(lived, settings=PLANNERS[planner]) == []
    with lived.role() as role:
        assert missing_rights(lived, role, PLANNERS[planner]) == expected(role)


def documented_remedies(role: str) -> Iterator[str]:
    """Yield the documented grants as the daemon's remedies have them: each right by itself."""
    for right in documented_rights():
        privileges, _, things = right.partition(" ON ")
        columns = re.fullmatch(r"UPDATE \((.+)\)", privileges)
        each = [f"UPDATE ({name})" for name in columns[1].split(", ")] if columns else privileges.split(", ")
        kind = "SEQUENCE " if things.startswith("SEQUENCE ") else ""
        for thing in things.removeprefix(kind).split(", "):
            yield from (f"GRANT {privilege} ON {kind}{thing} TO {role};" for privilege in each)


def test_the_documented_grants_are_exactly_what_the_daemon_needs(lived: TestDatabase) -> None:
    lived.execute("REVOKE SELECT ON pattern_sync.settings FROM PUBLIC")  # PUBLIC has it, unless it was lost
    with lived.role() as role:
        assert missing_rights(lived, role) == sorted(documented_remedies(role))
    with lived.role(*documented_rights()) as role:
        assert missing_rights(lived, role) == []


def test_each_remedy_grants_the_missing_right(lived: TestDatabase) -> None:
    with lived.role() as role:
        for remedy in missing_rights(lived, role):
            lived.execute(remedy)
        assert missing_rights(lived, role) == []


def test_our_schema_without_usage_is_reported_and_no_error(lived: TestDatabase) -> None:
    with lived.role() as role:
        lived.execute("REVOKE USAGE ON SCHEMA pattern_sync FROM PUBLIC")
        assert f"GRANT USAGE ON SCHEMA pattern_sync TO {role};" in missing_rights(lived, role)


def test_the_applications_schema_without_usage_is_reported(lived: TestDatabase) -> None:
    with lived.role() as role:
        lived.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
        assert f"GRANT USAGE ON SCHEMA public TO {role};" in missing_rights(lived, role)


@pytest.mark.parametrize("table", ["pattern_occurrences", "pattern_review_history"])
def test_a_missing_table_needs_no_right(lived: TestDatabase, table: str) -> None:
    lived.execute(f"DROP TABLE {table}")
    with lived.role() as role:
        assert missing_rights(lived, role) == [remedy for remedy in expected(role) if table not in remedy]


def test_a_table_that_an_older_schema_lacks_is_no_error(lived: TestDatabase) -> None:
    lived.execute(
        "DROP TABLE pattern_sync.written, pattern_sync.refusals, pattern_sync.rejections, pattern_sync.marks,"
        " pattern_sync.traits, pattern_sync.batch_items, pattern_sync.batches, pattern_sync.decisions,"
        " pattern_sync.snoozes, pattern_sync.answers, pattern_sync.messages, pattern_sync.told, pattern_sync.channels,"
        " pattern_sync.detected_sessions, pattern_sync.reported_events, pattern_sync.routines,"
        " pattern_sync.recorded_savings, pattern_sync.savings_by_day, pattern_sync.savings_kept,"
        " pattern_sync.adjustments, pattern_sync.rules, pattern_sync.rule_log,"
        " pattern_sync.models, pattern_sync.predictions"
    )
    assert missing_rights(lived) == []


def test_the_rights_on_a_view_are_checked_like_those_on_a_table(lived: TestDatabase) -> None:
    lived.execute("ALTER TABLE pattern_occurrences RENAME TO held_elsewhere")
    lived.execute("CREATE VIEW pattern_occurrences AS SELECT * FROM held_elsewhere")
    with lived.role() as role:
        assert missing_rights(lived, role) == expected(role)


@pytest.mark.parametrize(
    "table", ["operation_patterns", "pattern_occurrences", "pattern_approvals", "pattern_review_history"]
)
def test_row_security_that_would_hide_rows_is_reported(lived: TestDatabase, table: str) -> None:
    lived.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    assert missing_rights(lived) == []
    with lived.role(f"ALL ON {table}") as role:
        for settings in ({}, {"row_security": "off"}):
            assert f"ALTER ROLE {role} BYPASSRLS;" in missing_rights(lived, role, settings)
        lived.execute(f"ALTER ROLE {role} BYPASSRLS")
        assert f"ALTER ROLE {role} BYPASSRLS;" not in missing_rights(lived, role)


def test_functions_that_were_closed_are_reported_in_one_grant(lived: TestDatabase) -> None:
    lived.execute("REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA pattern_sync FROM PUBLIC")
    with lived.role(*documented_rights()) as role:
        remedy = f"GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pattern_sync TO {role};"
        assert missing_rights(lived, role) == [remedy]
        lived.execute(remedy)
        assert missing_rights(lived, role) == []


def test_a_function_of_somebody_else_in_our_schema_is_no_business_of_ours(lived: TestDatabase) -> None:
    with lived.role(*documented_rights()) as role:
        lived.execute("CREATE FUNCTION pattern_sync.my_report() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
        lived.execute("ALTER FUNCTION pattern_sync.my_report() OWNER TO pg_monitor")
        lived.execute("REVOKE EXECUTE ON FUNCTION pattern_sync.my_report() FROM PUBLIC")
        assert missing_rights(lived, role) == []
        lived.execute("REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA pattern_sync FROM PUBLIC")
        (remedy,) = missing_rights(lived, role)
        assert "my_report" not in remedy
        assert "install_trigger" not in remedy
        lived.execute(remedy)
        assert missing_rights(lived, role) == []
        lived.execute("DROP FUNCTION pattern_sync.my_report()")


def test_a_trigger_that_somebody_calls_by_our_name_asks_for_no_right(lived: TestDatabase) -> None:
    with lived.role(*documented_rights()) as role, psycopg.connect(lived.url, autocommit=True) as hostile:
        hostile.execute("SET ROLE pg_monitor")
        hostile.execute("CREATE TEMPORARY TABLE bait (id integer)")
        hostile.execute(
            "CREATE TRIGGER pattern_sync_announce BEFORE UPDATE ON bait FOR EACH ROW"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        )
        assert missing_rights(lived, role) == []
