"""The pattern that this product was ordered for, with the occurrences that stand behind its claim."""

from datetime import UTC, datetime, timedelta

from pattern_sync.domain.evidence import Evidence, Flag
from tests.support.database import TestDatabase

SIGNATURE = "sdlc:full:all"
WORKFLOWS = 24
LAST_SEEN = datetime(2025, 11, 20, 18, 24, tzinfo=UTC)
SPAN = timedelta(hours=18, minutes=24)
OBSERVED, BY_EVIDENCE = 56.45, 2_208.74
# Of a pattern of which nothing is recorded.
NO_EVIDENCE = Evidence(
    recorded=False,
    workflows=0,
    first_seen=None,
    last_seen=None,
    days_seen=0.0,
    occurrences_a_day=None,
    savings_observed=None,
    savings_by_evidence=None,
    flags=(
        Flag("nothing-recorded", "Claimed, not shown: no occurrence is recorded. Not every detector records them."),
    ),
)


def add_seed(database: TestDatabase, *, entered: bool = True) -> int:
    """Insert the pattern, its 24 workflows within 19 hours, and its entry; return the pattern's row id."""
    row_id = database.add_pattern(SIGNATURE, avg_cost_with_llm=2.4757, avg_cost_with_tool=0.1238)
    add_occurrences(database, row_id, WORKFLOWS, LAST_SEEN - SPAN, LAST_SEEN)
    if entered:
        database.add_entry(
            SIGNATURE,
            confidence_score=0.85,
            occurrence_count=78_167,
            estimated_savings_usd=183_844.06,
            tool_sequence="sdlc",
        )
    return row_id


def add_occurrences(database: TestDatabase, row_id: int, workflows: int, first: datetime, last: datetime) -> None:
    """Insert one occurrence of each of some workflows, evenly between two times."""
    step = (last - first) / max(1, workflows - 1)
    for number in range(workflows):
        database.execute(
            "INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at) VALUES (%s, %s, %s)",
            row_id,
            f"wf-{number}",
            last if number == workflows - 1 else first + step * number,
        )
