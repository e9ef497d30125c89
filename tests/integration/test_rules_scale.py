"""Rules over a large history: 100,000 decided entries beside 100,000 pending ones."""

import json
import time

import pytest

from tests.support.application import adopt, installer
from tests.support.database import TestDatabase
from tests.support.waiting import show

pytestmark = [pytest.mark.slow, pytest.mark.timing]
DECISIONS = 100_000
FILL_QUEUE = (
    "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
    " tool_sequence, reviewed_by, reviewed_at)"
    " SELECT 'test:k' || n % 200 || ':' || n,"
    "  CASE WHEN n % 2 = 0 THEN 'pending' WHEN n % 10 = 1 THEN 'rejected' ELSE 'approved' END,"
    "  0.7 + (n % 30) / 100.0, 5 + n % 500, n % 20000, 'Read→Edit→Bash', 'ann', now() - n % 300 * interval '1 day'"
    f" FROM generate_series(1, {2 * DECISIONS}) AS n"
)
# As deciding records it.
FILL_RECORD = (
    "INSERT INTO pattern_sync.decisions (batch_id, pattern_id, decision, reviewer, decided_at, replaced, shown)"
    " SELECT row_number() OVER (), a.pattern_id, a.status, 'ann', now(), 'pending', jsonb_build_object("
    "  'figures', jsonb_build_object('confidence', a.confidence_score, 'occurrences', a.occurrence_count,"
    "   'savings', a.estimated_savings_usd, 'impact', 1),"
    "  'traits', jsonb_build_object('kind', t.kind, 'target', t.target, 'shape', t.shape),"
    "  'evidence', jsonb_build_object('workflows', 0, 'days_seen', 0, 'claimed_savings', 1, 'savings_observed', NULL),"
    "  'flags', t.flags, 'position', NULL, 'seconds', NULL)"
    " FROM pattern_approvals AS a JOIN pattern_sync.traits AS t ON t.pattern_id = a.pattern_id"
    " WHERE a.status <> 'pending'"
)
# What the least statement takes that compares two figures of every decision.
FLOORS = {
    "before the record": (
        "SELECT count(*) FROM pattern_approvals WHERE status <> 'pending' AND confidence_score::text::numeric >= 0.8"
        " AND estimated_savings_usd::text::numeric <= 5000"
    ),
    "recorded": (
        "SELECT count(*) FROM pattern_sync.decisions WHERE (shown #>> '{figures,confidence}')::numeric >= 0.8"
        " AND (shown #>> '{figures,savings}')::numeric <= 5000"
    ),
}
MOST_TO_FLOOR = 25
RULE = {
    "verdict": "approve", "min_confidence": 80, "max_savings": 5000, "wait_hours": 24, "per_day": 20, "agreement": 0.95,
    "check_share": 0.1, "only_kinds": [], "exclude_kinds": [], "needs_tools": [], "without_tools": [],
    "allow_flags": ["nothing-recorded", "no-steps"],
}  # fmt: skip


@pytest.fixture(params=["newborn", "adopted"])
def large(request: pytest.FixtureRequest, empty_database: TestDatabase) -> TestDatabase:
    if request.param == "adopted":
        adopt(empty_database)
    installer(empty_database).migrate()
    empty_database.execute("DELETE FROM pattern_approvals")
    empty_database.execute("SET session_replication_role = replica")
    empty_database.execute(FILL_QUEUE)
    empty_database.execute("RESET session_replication_role")
    empty_database.execute("SELECT pattern_sync.keep_traits(NULL, NULL)")
    empty_database.execute("SET max_parallel_workers_per_gather = 0")
    return empty_database


def milliseconds(database: TestDatabase, statement: str, *arguments: object) -> float:
    took = []
    for _ in range(5):
        started = time.monotonic()
        database.execute(statement, *arguments)
        took.append((time.monotonic() - started) * 1000)
    return min(took)


@pytest.mark.parametrize("analysed", [True, False])
def test_a_trial_costs_little_more_than_a_look_at_the_decisions(large: TestDatabase, *, analysed: bool) -> None:
    rule = json.dumps(RULE)
    for kind, floor in FLOORS.items():
        if kind == "recorded":
            large.execute(FILL_RECORD)
        if analysed:
            large.execute("ANALYZE")
        (row,) = large.execute("SELECT * FROM pattern_sync.measure_rule(%s, NULL)", rule)
        assert (row["decided"], row["fitting"], row["agreed"]) == (DECISIONS, 16_665, 13_332)
        least, judged, measured = (
            milliseconds(large, floor),
            milliseconds(large, "SELECT count(*) FROM pattern_sync.disagreements(%s, NULL, 20)", rule),
            milliseconds(large, "SELECT * FROM pattern_sync.measure_rule(%s, NULL)", rule),
        )
        show(f"{kind}: floor {least:.0f} ms, judged in {judged:.0f} ms, with all counts {measured:.0f} ms")
        assert judged < MOST_TO_FLOOR * least
    reach = milliseconds(large, "SELECT * FROM pattern_sync.reach_of(%s)", rule)
    large.execute("SELECT pattern_sync.set_rule('cheap', 0, %s, 'ann')", rule)
    large.execute("SELECT pattern_sync.switch_rule('cheap', 1, 'watching', 'ann')")
    started = time.monotonic()
    large.execute("SELECT pattern_sync.mark_entries('cheap', 1, 5000)")
    marked = (time.monotonic() - started) * 1000
    large.execute("SELECT pattern_sync.mark_entries('cheap', 1, 100000)")
    again = milliseconds(large, "SELECT pattern_sync.mark_entries('cheap', 1, 5000)")
    show(f"reach of all {reach:.0f} ms; 5,000 marked in {marked:.0f} ms; looked once more in {again:.0f} ms")
    assert large.execute("SELECT pattern_sync.mark_entries('cheap', 1, 5000) AS seen") == [{"seen": []}]
