"""Evidence of a large installation: 1,000,000 occurrences of 5,000 pending patterns."""

import time
from statistics import median

import pytest

from tests.support.application import adopt, installer
from tests.support.database import TestDatabase
from tests.support.waiting import show

pytestmark = [pytest.mark.slow, pytest.mark.timing]
PATTERNS, OCCURRENCES, PAGE = 5_000, 1_000_000, 20
# What the least statement takes that looks at every occurrence. On an idle machine: 90 ms; evidence of all 200 to 300.
FLOOR = (
    "SELECT sum(workflows) AS found FROM (SELECT pattern_id, count(workflow_id) AS workflows, min(detected_at),"
    " max(detected_at) FROM pattern_occurrences GROUP BY pattern_id OFFSET 0) AS each"
)
ALL_TO_FLOOR, PAGE_TO_FLOOR = 8, 0.25
FILL_PATTERNS = (
    "INSERT INTO operation_patterns (pattern_signature, pattern_type, occurrence_count, avg_cost_with_llm,"
    " avg_cost_with_tool, potential_monthly_savings, confidence_score, typical_operations)"
    f" SELECT 'p:' || i, 'p', 200, 2.5, 0.3, 1000 + i, 85, '[\"Read\"]' FROM generate_series(1, {PATTERNS}) AS i"
)
# Scattered, as they are where many patterns are seen at once.
FILL_OCCURRENCES = (
    "INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at)"
    " SELECT (SELECT min(id) FROM operation_patterns WHERE pattern_signature LIKE 'p:%')"
    f" + (i * 7919::bigint) % {PATTERNS}, 'workflow-' || i, now() - i * interval '3 seconds'"
    f" FROM generate_series(1, {OCCURRENCES}) AS i"
)
FILL_QUEUE = (
    "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
    " tool_sequence) SELECT pattern_signature, 'pending', 0.85, 200, potential_monthly_savings, 'Read'"
    " FROM operation_patterns WHERE pattern_signature LIKE 'p:%'"
)


@pytest.fixture(params=["newborn", "adopted"])
def large(request: pytest.FixtureRequest, empty_database: TestDatabase) -> TestDatabase:
    if request.param == "adopted":
        adopt(empty_database)
    installer(empty_database).migrate()
    empty_database.execute("SET session_replication_role = replica")
    for statement in (FILL_PATTERNS, FILL_OCCURRENCES, FILL_QUEUE):
        empty_database.execute(statement)
    empty_database.execute("RESET session_replication_role")
    return empty_database


@pytest.mark.parametrize("analysed", [True, False])
def test_evidence_costs_little_more_than_a_look_at_the_occurrences(large: TestDatabase, *, analysed: bool) -> None:
    if analysed:
        large.execute("ANALYZE")

    def milliseconds(statement: str) -> float:
        took = []
        for _ in range(5):
            started = time.monotonic()
            large.execute(statement)
            took.append((time.monotonic() - started) * 1000)
        return median(took)

    large.execute("SET max_parallel_workers_per_gather = 0")
    asked = (
        "SELECT sum(e.workflows) AS found"
        " FROM pattern_sync.evidence(ARRAY(SELECT 'p:' || i FROM generate_series(1, {}) AS i), NULL) AS e"
    )
    assert large.execute(asked.format(PATTERNS)) == [{"found": OCCURRENCES}] == large.execute(FLOOR)
    floor, page, everything = (milliseconds(each) for each in (FLOOR, asked.format(PAGE), asked.format(PATTERNS)))
    show(f"floor {floor:.0f} ms, a page of {PAGE} {page:.1f} ms, all {PATTERNS:,} {everything:.0f} ms")
    assert page < PAGE_TO_FLOOR * floor
    assert everything < ALL_TO_FLOOR * floor
