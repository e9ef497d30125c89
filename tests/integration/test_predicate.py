"""What qualifies: the one predicate, against a table of cases and against a model in Python."""

import json
import math
import re
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.database import TestDatabase

NAN, INF = math.nan, math.inf
D_NAN, D_INF = Decimal("NaN"), Decimal("Infinity")
ANY: tuple[object, ...] = (None, None, None, [], [])
HIGH: tuple[object, ...] = (70.0, 5, Decimal(1000), [], [])

CASES = [
    # confidence, occurrences, savings, type; the filter; the verdict
    ((85.0, 78_167, Decimal("183844.06"), "sdlc"), HIGH, True),
    ((70.0, 5, Decimal(1000), "sdlc"), HIGH, True),
    ((69.999, 5, Decimal(1000), "sdlc"), HIGH, False),
    ((70.0, 4, Decimal(1000), "sdlc"), HIGH, False),
    ((70.0, 5, Decimal("999.9999"), "sdlc"), HIGH, False),
    ((None, 5, Decimal(1000), "sdlc"), HIGH, False),
    ((70.0, None, Decimal(1000), "sdlc"), HIGH, False),
    ((70.0, 5, None, "sdlc"), HIGH, False),
    ((None, None, None, None), ANY, True),
    ((None, None, None, None), (0.0, 0, Decimal(0), [], []), True),
    ((-5.0, -1, Decimal(-5), ""), ANY, True),
    ((-5.0, -1, Decimal(-5), ""), (0.0, None, None, [], []), False),
    ((1e300, 2**31 - 1, Decimal("1e300"), "t"), HIGH, True),
    ((-1e300, 5, Decimal(1000), "t"), ANY, True),
    ((NAN, 5, Decimal(1000), "t"), ANY, False),
    ((INF, 5, Decimal(1000), "t"), ANY, False),
    ((-INF, 5, Decimal(1000), "t"), ANY, False),
    ((70.0, 5, D_NAN, "t"), ANY, False),
    ((70.0, 5, D_INF, "t"), ANY, False),
    ((70.0, 5, -D_INF, "t"), ANY, False),
    ((70.0, 5, D_NAN, "t"), HIGH, False),
    ((0.0, 0, Decimal(0), "sdlc"), (None, None, None, ["sdlc", "test"], []), True),
    ((0.0, 0, Decimal(0), "deploy"), (None, None, None, ["sdlc", "test"], []), False),
    ((0.0, 0, Decimal(0), None), (None, None, None, ["sdlc"], []), False),
    ((0.0, 0, Decimal(0), None), (None, None, None, [], ["sdlc"]), True),
    ((0.0, 0, Decimal(0), "sdlc"), (None, None, None, [], ["sdlc"]), False),
    ((0.0, 0, Decimal(0), "SDLC"), (None, None, None, [], ["sdlc"]), True),
]


def qualifies(database: TestDatabase, pattern: Sequence[object], wanted: Sequence[object]) -> object:
    return database.execute(
        "SELECT pattern_sync.qualifies(%s::float8, %s::bigint, %s::numeric, %s::text,"
        " %s::float8, %s::bigint, %s::numeric, %s::text[], %s::text[]) AS verdict",
        *pattern,
        *wanted,
    )[0]["verdict"]


def test_each_case_has_its_verdict(database: TestDatabase) -> None:
    wrong = [case for case in CASES if qualifies(database, case[0], case[1]) is not case[2]]
    assert wrong == []


@pytest.mark.parametrize(
    ("status", "eligible"),
    [("detected", True), (None, True), ("candidate", False), ("approved", False), ("deprecated", False), ("", False)],
)
def test_only_a_status_of_detected_or_null_is_eligible(
    database: TestDatabase, status: str | None, *, eligible: bool
) -> None:
    assert database.execute("SELECT pattern_sync.eligible(%s) AS verdict", status)[0]["verdict"] is eligible


@pytest.mark.parametrize(
    "query",
    [
        "SELECT p.id FROM operation_patterns AS p WHERE pattern_sync.is_candidate(p.*, 70, 5, 1000, '{a}', '{b}')",
        (
            "SELECT pattern_sync.is_candidate(p.*, s.min_confidence, s.min_occurrences, s.min_savings, s.only_types,"
            " s.exclude_types) FROM operation_patterns AS p LEFT JOIN pattern_sync.settings AS s ON true"
        ),
        (
            "SELECT pattern_sync.qualifies(p.confidence_score, p.occurrence_count, p.potential_monthly_savings, 'x',"
            " 70, 5, 1000, '{}', '{}'), pattern_sync.eligible(p.automation_status) FROM operation_patterns AS p"
        ),
        (
            "SELECT p.id FROM operation_patterns AS p LEFT JOIN pattern_sync.written AS w ON true"
            " CROSS JOIN LATERAL pattern_sync.moves(w.pattern_id, w.confidence, w.occurrences, w.savings,"
            " p.confidence_score, p.occurrence_count, p.potential_monthly_savings) AS m WHERE m.any_moved"
        ),
        "SELECT f.* FROM pattern_sync.new_entries(70, 5, 1000, '{}', '{}', '{1,2}', '{}') AS f",
        "SELECT pattern_sync.most_named(), a.id FROM pattern_approvals AS a",
    ],
)
@pytest.mark.lived_in_too
def test_each_rule_is_inlined_into_the_statement_that_uses_it(database: TestDatabase, query: str) -> None:
    plan = "\n".join(str(row["QUERY PLAN"]) for row in database.execute(f"EXPLAIN (VERBOSE, COSTS OFF) {query}"))
    assert not re.search(r"pattern_sync\.\w+\(", plan), plan


def test_a_candidate_is_found_by_the_index_on_its_figures(database: TestDatabase) -> None:
    database.execute("SET enable_seqscan = off")
    (plan,) = database.execute(
        "EXPLAIN (FORMAT JSON) SELECT p.id FROM operation_patterns AS p"
        " WHERE pattern_sync.is_candidate(p.*, 70, 5, 1000, '{}', '{}')"
    )[0].values()
    assert "operation_patterns_worth_idx" in json.dumps(plan)


def test_a_row_is_a_candidate_when_it_is_eligible_and_qualifies_whatever_its_type(database: TestDatabase) -> None:
    database.execute(
        "CREATE TEMPORARY TABLE wide (confidence_score float8, occurrence_count bigint,"
        " potential_monthly_savings numeric, pattern_type text, automation_status text)"
    )
    for pattern, wanted, verdict in CASES:
        for status, eligible in (("detected", True), (None, True), ("approved", False)):
            database.execute("TRUNCATE wide")
            database.execute("INSERT INTO wide VALUES (%s, %s, %s, %s, %s)", *pattern, status)
            (row,) = database.execute(
                "SELECT pattern_sync.is_candidate(w.*, %s::float8, %s::bigint, %s::numeric, %s::text[], %s::text[])"
                " AS verdict FROM wide AS w",
                *wanted,
            )
            assert row["verdict"] is (verdict and eligible), (pattern, wanted, status)


finite = st.floats(allow_nan=False, allow_infinity=False)
around_bounds = st.sampled_from([0.0, 69.9, 70.0, 70.1, -1.0, 100.0])
confidences = st.none() | around_bounds | finite | st.sampled_from([NAN, INF, -INF])
counts = st.none() | st.integers(0, 10) | st.integers(-(2**31), 2**31 - 1)
money = st.decimals(-(10**12), 10**12, places=4, allow_nan=False)
savings = st.none() | st.sampled_from([Decimal(999), Decimal(1000), D_NAN, D_INF, -D_INF]) | money
types = st.none() | st.sampled_from(["", "sdlc", "test"])
lists = st.lists(st.sampled_from(["sdlc", "test", "deploy"]), max_size=2)
filters = st.tuples(
    st.none() | around_bounds.filter(lambda x: x >= 0),
    st.none() | st.integers(0, 10),
    st.none() | st.sampled_from([Decimal(0), Decimal(1000)]) | money.filter(lambda x: x >= 0),
    lists,
    lists,
)


def model(
    pattern: tuple[float | None, int | None, Decimal | None, str | None],
    wanted: tuple[float | None, int | None, Decimal | None, list[str], list[str]],
) -> bool:
    confidence, occurrences, saved, kind = pattern
    min_confidence, min_occurrences, min_savings, only, exclude = wanted
    if not math.isfinite(confidence or 0) or not (saved or Decimal(0)).is_finite():
        return False
    return (
        (min_confidence is None or (confidence or 0) >= min_confidence)
        and (min_occurrences is None or (occurrences or 0) >= min_occurrences)
        and (min_savings is None or (saved or 0) >= min_savings)
        and (not only or (kind or "") in only)
        and (kind or "") not in exclude
    )


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=st.tuples(confidences, counts, savings, types), wanted=filters)
def test_the_predicate_agrees_with_the_model(
    database: TestDatabase,
    pattern: tuple[float | None, int | None, Decimal | None, str | None],
    wanted: tuple[float | None, int | None, Decimal | None, list[str], list[str]],
) -> None:
    assert qualifies(database, pattern, wanted) is model(pattern, wanted)
