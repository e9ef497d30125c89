"""What is recorded of a pattern, beside what is claimed; the flags, and where nothing can be read."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from pattern_sync.domain.evidence import RULES, Evidence
from pattern_sync.service import PatternSyncService
from tests.support.database import TestDatabase
from tests.support.seed import (
    BY_EVIDENCE,
    LAST_SEEN,
    NO_EVIDENCE,
    OBSERVED,
    SIGNATURE,
    SPAN,
    WORKFLOWS,
    add_occurrences,
    add_seed,
)
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.lived_in_too
NOW = datetime.now(UTC)
STEPS = ["Read", "Edit"]


def evidence(database: TestDatabase, signature: str) -> Evidence:
    """Return the evidence beside an entry, which is made if there is none."""
    if database.entry(signature) is None:
        database.add_entry(signature)
    entry, _ = PatternSyncService(database.url).get_entry(signature)
    return entry.evidence


def flags(database: TestDatabase, signature: str) -> list[str]:
    return [flag.name for flag in evidence(database, signature).flags]


def drop_the_key(database: TestDatabase) -> None:
    key = "pattern_occurrences_pattern_id_workflow_id_key"
    database.execute(f"ALTER TABLE pattern_occurrences DROP CONSTRAINT IF EXISTS {key}")
    database.execute("DROP INDEX IF EXISTS idx_pattern_occurrence_unique")


def test_the_pattern_that_this_was_ordered_for_shows_what_it_rests_on_to_the_cent(database: TestDatabase) -> None:
    add_seed(database)
    database.add_entry("another", estimated_savings_usd=184)
    found = evidence(database, SIGNATURE)
    assert (found.recorded, found.workflows) == (True, WORKFLOWS)
    assert (found.first_seen, found.last_seen) == (LAST_SEEN - SPAN, LAST_SEEN)
    assert round(found.days_seen, 2) == 0.77
    assert found.occurrences_a_day == pytest.approx(31.3, abs=0.01)
    assert (found.savings_observed, found.savings_by_evidence) == (OBSERVED, BY_EVIDENCE)
    assert {flag.name: flag.rule for flag in found.flags} == {
        "counted-twice": "78,167 occurrences are claimed; 24 distinct workflows are recorded: each was counted 3,257"
        " times.",
        "short-span": "The first and the last time that it was seen are 18.4 hours apart, less than a week.",
        "all-time": "The 183,844.06 USD a month are 78,167 occurrences x 2.3519 USD: all that were ever counted, in"
        " 18.4 hours.",
        "assumed-cost": "The cost after automation, 0.1238 USD, is 5 % of the 2.4757 USD before: it looks assumed, not"
        " measured.",
        "no-steps": "No steps are recorded: what stands for them is the name of its type.",
        "gone-quiet": "It was last seen on 2025-11-20, more than 30 days ago.",
        "carries-queue": "It claims 183,844.06 of the 184,028.06 USD a month that all pending entries claim: 99.9 %.",
    }


def test_a_detector_that_records_nothing_is_not_accused(database: TestDatabase) -> None:
    database.add_pattern(
        "silent", typical_operations=STEPS, avg_cost_with_llm=2.4757, avg_cost_with_tool=0.7, occurrence_count=9
    )
    assert evidence(database, "silent") == NO_EVIDENCE
    assert flags(database, "of another program") == ["nothing-recorded"]


@pytest.mark.parametrize(
    ("columns", "workflows", "days", "expected"),
    [
        ({}, 30, 29, []),
        ({"occurrence_count": 91}, 30, 29, ["counted-twice"]),
        ({"occurrence_count": 90}, 30, 29, []),
        ({}, 30, 6.99, ["short-span"]),
        ({}, 30, 7.01, []),
        ({"potential_monthly_savings": 132.6}, 30, 29, []),  # all there ever were, and they are a month's
        ({"potential_monthly_savings": 132.6}, 30, 60, ["all-time"]),
        ({"potential_monthly_savings": 132.6}, 30, 10, ["all-time"]),
        ({"potential_monthly_savings": 140}, 30, 60, []),
        ({"avg_cost_with_tool": 0.25}, 30, 29, ["assumed-cost"]),
        ({"avg_cost_with_tool": 0.2501}, 30, 29, []),
        ({"avg_cost_with_llm": 0.0019, "avg_cost_with_tool": 0.0001}, 30, 29, []),
        ({"avg_cost_with_tool": 0}, 30, 29, []),
        ({"typical_operations": []}, 30, 29, ["no-steps"]),
        ({"typical_operations": None}, 30, 29, ["no-steps"]),
        ({"typical_operations": {"name": "no list"}}, 30, 29, ["no-steps"]),
    ],
)
def test_each_flag_has_its_bound(
    database: TestDatabase, columns: dict[str, object], workflows: int, days: float, expected: list[str]
) -> None:
    usual = {
        "occurrence_count": 60,
        "typical_operations": STEPS,
        "avg_cost_with_llm": 2.5,
        "avg_cost_with_tool": 0.29,
        "potential_monthly_savings": 9000,
    }
    row_id = database.add_pattern("x", **{**usual, **columns})
    add_occurrences(database, row_id, workflows, NOW - timedelta(days=days), NOW)
    assert flags(database, "x") == expected


def test_what_was_not_seen_for_a_month_has_gone_quiet(database: TestDatabase) -> None:
    for name, days in (("quiet", 31), ("recent", 29)):
        row_id = database.add_pattern(name, typical_operations=STEPS, occurrence_count=30)
        add_occurrences(database, row_id, 30, NOW - timedelta(days=days + 50), NOW - timedelta(days=days))
    assert (flags(database, "quiet"), flags(database, "recent")) == (["gone-quiet"], [])


def test_one_entry_carries_the_queue_only_beside_others_and_while_it_is_pending(database: TestDatabase) -> None:
    assert flags(database, "alone") == ["nothing-recorded"]
    database.add_entry("small", estimated_savings_usd=11)
    assert flags(database, "alone") == ["carries-queue", "nothing-recorded"]
    assert flags(database, "small") == ["nothing-recorded"]
    database.add_entry("also small", estimated_savings_usd=1)
    assert flags(database, "alone") == ["nothing-recorded"]
    database.execute("UPDATE pattern_approvals SET status = 'approved' WHERE pattern_id <> 'small'")
    database.add_entry("tiny", estimated_savings_usd=1)
    assert flags(database, "alone") == ["nothing-recorded"]
    assert flags(database, "small") == ["carries-queue", "nothing-recorded"]


def sums(database: TestDatabase) -> tuple[float, float | None]:
    found = PatternSyncService(database.url).get_review_statistics()
    return found.claimed_usd, found.shown_usd


def keep_traits(database: TestDatabase) -> None:
    database.execute("SELECT pattern_sync.keep_traits(NULL, NULL)")


def test_the_sums_of_a_short_queue_are_right_however_old_its_traits_are(database: TestDatabase) -> None:
    add_seed(database)
    database.add_entry("small", estimated_savings_usd=100)
    assert sums(database) == (183_944.06, BY_EVIDENCE)
    keep_traits(database)
    assert sums(database) == (183_944.06, BY_EVIDENCE)
    late = database.add_pattern("late", avg_cost_with_llm=2, avg_cost_with_tool=1)
    add_occurrences(database, late, 6, NOW - timedelta(days=2), NOW)
    database.add_entry("late", estimated_savings_usd=50)
    assert sums(database) == (183_994.06, BY_EVIDENCE + 90)
    assert "carries-queue" in flags(database, SIGNATURE)
    database.execute("UPDATE pattern_approvals SET status = 'approved' WHERE pattern_id = %s", SIGNATURE)
    assert sums(database) == (150.0, 90.0)
    assert "carries-queue" not in flags(database, SIGNATURE)


def test_the_sums_of_a_long_queue_come_from_its_traits(database: TestDatabase) -> None:
    """Of 200,000 pending entries neither sum may be made for each page."""
    add_seed(database)
    database.execute(
        "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
        " tool_sequence) SELECT 'tiny:' || i, CASE WHEN i % 2 = 0 THEN 'pending' ELSE 'approved' END, 0.5, 1, 0.01, 'x'"
        " FROM generate_series(1, 2000) AS i"
    )
    assert "carries-queue" not in flags(database, SIGNATURE)
    assert sums(database) == (183_854.06, None)
    keep_traits(database)
    rule = next(flag.rule for flag in evidence(database, SIGNATURE).flags if flag.name == "carries-queue")
    assert rule == "It claims 183,844.06 of the 183,854.06 USD a month that all pending entries claim: 99.9 %."
    assert sums(database) == (183_854.06, BY_EVIDENCE)
    database.add_entry("half as much", estimated_savings_usd=90_000)
    keep_traits(database)
    assert "carries-queue" not in flags(database, SIGNATURE)


def test_nothing_is_extrapolated_from_less_than_half_a_day_or_without_a_cost(database: TestDatabase) -> None:
    costs = {"avg_cost_with_llm": 2, "avg_cost_with_tool": 0.5}
    for name, workflows, hours in (("one", 1, 0), ("brief", 3, 11.9), ("enough", 3, 12)):
        add_occurrences(database, database.add_pattern(name, **costs), workflows, NOW - timedelta(hours=hours), NOW)
    for name, columns in (
        ("free", {}),
        ("unknown", {"avg_cost_with_llm": None}),
        ("unknown after", {"avg_cost_with_llm": 2, "avg_cost_with_tool": None}),
        ("not a number", {"avg_cost_with_llm": "NaN"}),
    ):
        add_occurrences(database, database.add_pattern(name, **columns), 3, NOW - timedelta(hours=24), NOW)

    def savings(name: str) -> tuple[object, ...]:
        found = evidence(database, name)
        return found.workflows, found.savings_observed, found.savings_by_evidence

    assert savings("one") == (1, 1.5, None)
    assert savings("brief") == (3, 4.5, None)
    assert savings("enough") == (3, 4.5, 270.0)
    assert evidence(database, "enough").occurrences_a_day == 6
    for name in ("free", "unknown", "unknown after", "not a number"):
        assert savings(name) == (3, None, None)


def test_times_of_a_wrong_clock_are_left_out(database: TestDatabase) -> None:
    row_id = database.add_pattern("x")
    add_occurrences(database, row_id, 2, NOW - timedelta(days=2), NOW)
    for workflow, moment in enumerate(("infinity", "-infinity", "0044-03-15 BC", "20000-01-01", "2100-01-01", None)):
        database.execute(
            "INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at) VALUES (%s, %s, %s::timestamp)",
            row_id,
            f"odd-{workflow}",
            moment,
        )
    found = evidence(database, "x")
    assert (found.workflows, round(found.days_seen, 6)) == (8, 2.0)
    only_odd = database.add_pattern("only odd")
    database.execute(
        "INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at) VALUES (%s, 'x', NULL)", only_odd
    )
    found = evidence(database, "only odd")
    assert (found.recorded, found.first_seen, found.days_seen) == (True, None, 0.0)
    assert not {"short-span", "all-time", "gone-quiet"} & {flag.name for flag in found.flags}


def test_null_and_absurd_figures_are_no_fault(database: TestDatabase) -> None:
    database.execute("ALTER TABLE operation_patterns ALTER avg_cost_with_llm TYPE double precision")
    row_id = database.add_pattern(
        "odd",
        occurrence_count=None,
        potential_monthly_savings=None,
        confidence_score=None,
        automation_status=None,
        avg_cost_with_llm="Infinity",
    )
    add_occurrences(database, row_id, 3, NOW - timedelta(days=1), NOW)
    assert flags(database, "odd") == ["short-span", "no-steps"]


def test_a_workflow_counts_once_however_often_it_was_recorded(database: TestDatabase) -> None:
    row_id = add_seed(database)
    drop_the_key(database)
    database.execute("CREATE INDEX ON pattern_occurrences (pattern_id)")
    add_occurrences(database, row_id, WORKFLOWS, LAST_SEEN - SPAN, LAST_SEEN - SPAN / 2)
    assert database.execute("SELECT pattern_sync.workflows_are_unique() AS found") == [{"found": False}]
    found = evidence(database, SIGNATURE)
    assert (found.workflows, found.savings_by_evidence) == (WORKFLOWS, BY_EVIDENCE)


def test_a_large_table_without_an_index_is_not_read(database: TestDatabase) -> None:
    """Each page would read all of it."""
    row_id = add_seed(database)
    drop_the_key(database)
    database.execute(
        "INSERT INTO pattern_occurrences (pattern_id, workflow_id)"
        f" SELECT {row_id}, repeat('x', 200) || i FROM generate_series(1, 50000) AS i"
    )
    assert not evidence(database, SIGNATURE).recorded


@pytest.mark.parametrize(
    "damage",
    ["DROP TABLE pattern_occurrences", "ALTER TABLE pattern_occurrences RENAME TO hidden"],
)
def test_without_the_occurrences_the_entry_is_shown_and_says_why(database: TestDatabase, damage: str) -> None:
    add_seed(database)
    database.execute(damage)
    found = evidence(database, SIGNATURE)
    assert (found.recorded, found.savings_by_evidence) == (False, None)
    assert found.flags[-1].name == "nothing-recorded"
    assert "cannot be read here" in found.flags[-1].rule


def test_nobody_waits_for_a_lock_on_the_occurrences(database: TestDatabase) -> None:
    """As an ALTER TABLE or VACUUM FULL of the application takes it, for minutes."""
    add_seed(database)
    with database.another_connection(autocommit=False) as application:
        application.execute("LOCK TABLE pattern_occurrences")
        started = time.monotonic()
        found = evidence(database, SIGNATURE)
        listed = PatternSyncService(database.url).list_entries()
        took = time.monotonic() - started
        application.rollback()
    assert (found.recorded, found.flags[-1].name) == (False, "nothing-recorded")
    assert "locked" in found.flags[-1].rule
    assert [entry.pattern_id for entry in listed] == [SIGNATURE]
    assert took < PATIENCE_SECONDS / 3
    # What was kept in the meantime is not believed for long.
    assert PatternSyncService(database.url).list_entries()[0].evidence.savings_by_evidence == BY_EVIDENCE
    assert database.execute("SELECT evidence FROM pattern_sync.traits") == [{"evidence": BY_EVIDENCE}]


@pytest.mark.parametrize("column", ["avg_cost_with_llm", "avg_cost_with_tool"])
def test_without_the_columns_of_the_costs_workflows_still_count(database: TestDatabase, column: str) -> None:
    add_seed(database)
    assert evidence(database, SIGNATURE).savings_by_evidence == BY_EVIDENCE
    database.execute(f"ALTER TABLE operation_patterns DROP COLUMN {column} CASCADE")
    found = evidence(database, SIGNATURE)
    assert (found.workflows, found.savings_observed, found.savings_by_evidence) == (WORKFLOWS, None, None)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE operation_patterns ALTER avg_cost_with_llm TYPE real",
        "ALTER TABLE operation_patterns ALTER avg_cost_with_llm DROP DEFAULT, ALTER avg_cost_with_llm TYPE text",
        "ALTER TABLE operation_patterns ALTER avg_cost_with_tool TYPE double precision",
        "ALTER TABLE pattern_occurrences ALTER workflow_id TYPE bigint USING substring(workflow_id FROM 4)::bigint",
        "ALTER TABLE pattern_occurrences ALTER detected_at TYPE timestamptz USING detected_at::timestamptz",
        "ALTER TABLE pattern_occurrences ALTER detected_at TYPE timestamp",
        "ALTER TABLE operation_patterns ALTER typical_operations TYPE text",
    ],
)
def test_columns_may_have_other_types(database: TestDatabase, change: str) -> None:
    add_seed(database)
    database.execute("ALTER TABLE pattern_occurrences DROP CONSTRAINT IF EXISTS pattern_occurrences_pattern_id_fkey")
    database.execute(change)
    found = evidence(database, SIGNATURE)
    assert (found.savings_observed, found.savings_by_evidence) == (OBSERVED, BY_EVIDENCE)


def test_an_escape_that_jsonb_cannot_hold_costs_only_its_own_pattern_the_steps(database: TestDatabase) -> None:
    database.execute("ALTER TABLE operation_patterns ALTER typical_operations TYPE json")
    add_seed(database)
    database.execute("UPDATE operation_patterns SET typical_operations = '[\"a\\u0000b\"]'")
    found = evidence(database, SIGNATURE)
    assert found.savings_by_evidence == BY_EVIDENCE
    assert "no-steps" in [flag.name for flag in found.flags]


def test_money_is_no_number(database: TestDatabase) -> None:
    add_seed(database)
    database.execute(
        "ALTER TABLE operation_patterns ALTER avg_cost_with_llm DROP DEFAULT, ALTER avg_cost_with_llm TYPE money"
    )
    assert evidence(database, SIGNATURE).savings_by_evidence is None


def test_of_several_rows_with_one_signature_the_best_is_looked_at(database: TestDatabase) -> None:
    database.execute("ALTER TABLE operation_patterns DROP CONSTRAINT operation_patterns_pattern_signature_key CASCADE")
    add_seed(database)
    database.add_pattern(SIGNATURE, potential_monthly_savings=5)
    database.add_pattern(SIGNATURE, potential_monthly_savings=999_999, automation_status="active")
    assert evidence(database, SIGNATURE).savings_by_evidence == BY_EVIDENCE


def test_rows_that_are_known_show_the_same_and_no_other_row_does(database: TestDatabase) -> None:
    add_seed(database)
    database.add_pattern("another")
    asked = "SELECT * FROM pattern_sync.evidence(ARRAY[%s], {})"
    by_name = database.execute(asked.format("NULL"), SIGNATURE)
    ids = "ARRAY(SELECT id::bigint FROM operation_patterns WHERE pattern_signature IN (%s, 'another'))"
    assert database.execute(asked.format(ids), SIGNATURE, SIGNATURE) == by_name
    (of_none,) = database.execute(asked.format("'{}'"), SIGNATURE)
    assert (of_none["workflows"], of_none["flags"]) == (0, ["nothing-recorded"])


def test_every_flag_that_the_database_gives_has_words(database: TestDatabase) -> None:
    (source,) = database.execute("SELECT prosrc FROM pg_proc WHERE oid = to_regproc('pattern_sync.evidence')")
    assert [name for name in RULES if f"THEN '{name}'" in source["prosrc"]] == [
        name for name in RULES if name != "carries-queue"
    ]
