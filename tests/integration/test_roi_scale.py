"""Results of a large installation: 1,000,000 recorded runs of 500 approved patterns."""

import time

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.accounting.keeper import MOST_RUNS
from tests.support.application import adopt, installer
from tests.support.database import TestDatabase
from tests.support.waiting import show

pytestmark = [pytest.mark.slow, pytest.mark.timing]
RUNS, PATTERNS = 1_000_000, 500
# What the least statement takes that adds up every row.
FLOOR = "SELECT sum(cost_saved_usd) FROM (SELECT pattern_id, sum(cost_saved_usd::numeric) AS cost_saved_usd"
FLOOR += " FROM cost_savings_log GROUP BY pattern_id, workflow_id OFFSET 0) AS each"
FILL_PATTERNS = (
    "INSERT INTO operation_patterns (pattern_signature, pattern_type) SELECT 'test:kind' || i % 40 || ':' || i, 'test'"
    f" FROM generate_series(1, {PATTERNS}) AS i"
)
FILL_QUEUE = (
    "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
    " tool_sequence, reviewed_at) SELECT pattern_signature, 'approved', 0.9, 5, 30 * id, 'Read',"
    " now() - '300 days'::interval FROM operation_patterns WHERE pattern_signature LIKE 'test:kind%'"
)
FILL_LOG = (
    "INSERT INTO cost_savings_log (optimization_type, workflow_id, pattern_id, cost_saved_usd, saved_at)"
    " SELECT 'pattern_offload', 'wf-' || i, (SELECT max(id) FROM operation_patterns) - i % 500, (i % 300) / 100.0,"
    f" now() - make_interval(secs => i * 7919::bigint % (300 * 86400)) FROM generate_series(1, {RUNS}) AS i"
)
DIRECT_TO_FLOOR, ANSWER_SECONDS = 12, 3.0


@pytest.mark.parametrize("adopted", [False, True])
def test_a_million_runs_are_answered_for_in_seconds(empty_database: TestDatabase, *, adopted: bool) -> None:
    if adopted:
        adopt(empty_database)
    installer(empty_database).migrate()
    for statement in (FILL_PATTERNS, FILL_QUEUE, FILL_LOG):
        empty_database.execute(statement)

    def seconds(statement: str) -> float:
        started = time.monotonic()
        empty_database.execute(statement)
        return time.monotonic() - started

    floor = seconds(FLOOR)
    direct = seconds("SELECT count(*) FROM pattern_sync.savings()")
    keeping = seconds(f"SELECT pattern_sync.keep_savings({MOST_RUNS})")
    keeping_again = seconds(f"SELECT pattern_sync.keep_savings({MOST_RUNS})")
    kept = seconds("SELECT count(*) FROM pattern_sync.savings()")
    started = time.monotonic()
    found = PatternSyncService(empty_database.url).roi()
    answered = time.monotonic() - started
    show(
        f"floor {floor:.2f} s, direct {direct:.2f} s, keeping {keeping:.2f} s, again {keeping_again:.2f} s,"
        f" kept {kept:.3f} s, the whole answer {answered:.2f} s"
    )
    assert (found.totals.runs, found.totals.measured) == (RUNS, PATTERNS)
    assert direct <= DIRECT_TO_FLOOR * floor
    assert kept <= 0.25 * direct
    assert answered <= ANSWER_SECONDS
