"""Evidence of every combination of odd figures, against the rules written once more in Python."""

import itertools
import json
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.support.database import TestDatabase

NOW = datetime.now(UTC)
COSTS = (None, 0, -1, Decimal("0.0010"), Decimal("0.1238"), Decimal("2.4757"))
SAVINGS = (None, 0, -5, Decimal("7.0557"), Decimal("183844.06"))
COUNTS = (None, -3, 3, 9, 10, 78_167)
OPERATIONS = ('["Read"]', "[null, 7]")
# Days before now: of no occurrence, of one, and of three each.
SEEN: tuple[tuple[float, ...], ...] = (
    (),
    (1.0,),
    (0.3, 0.1, 0.0),
    (0.5, 0.2, 0.0),
    (29.0, 9.0, 0.0),
    (60.0, 45.0, 40.0),
)
INSERT = (
    "INSERT INTO operation_patterns (pattern_signature, pattern_type, avg_cost_with_llm, avg_cost_with_tool,"
    " potential_monthly_savings, occurrence_count, typical_operations)"
    " SELECT each ->> 0, 'x', (each ->> 1)::numeric, (each ->> 2)::numeric, (each ->> 3)::numeric,"
    " (each ->> 4)::integer, (each ->> 5)::jsonb FROM jsonb_array_elements(%s::jsonb) AS each"
)
OCCURRED = (
    "INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at)"
    " SELECT p.id, 'wf-' || each.place, %s::timestamptz - each.days * interval '1 day'"
    " FROM operation_patterns AS p, unnest(%s::float8[]) WITH ORDINALITY AS each (days, place)"
    " WHERE p.pattern_signature LIKE %s"
)


def as_decimal(cost: Decimal | int | None) -> Decimal | None:
    return None if cost is None else Decimal(cost)


def flags_of(
    before: Decimal | None,
    after: Decimal | None,
    savings: Decimal,
    count: int,
    operations: str | None,
    seen: tuple[float, ...],
) -> list[str]:
    """Return the flags by the rules as they are documented."""
    days = seen[0] - seen[-1] if seen else None
    found = []
    if seen and count > 3 * len(seen):
        found.append("counted-twice")
    if days is not None and days < 7:
        found.append("short-span")
    each = before - after if seen and before is not None and after is not None and before > 0 else None
    if each is not None and each > 0 and savings > 0 and days is not None and not 25 <= days <= 36:  # noqa: SIM102
        if abs(each * count - savings) <= savings / 50:
            found.append("all-time")
    if before is not None and after is not None and before >= Decimal("0.02") and 0 < after < before:
        share = (after / before * 20).to_integral_value(ROUND_HALF_UP) / 20
        if abs(share * before - after) <= Decimal("0.00005"):
            found.append("assumed-cost")
    if operations != '["Read"]':
        found.append("no-steps")
    if seen and seen[-1] > 30:
        found.append("gone-quiet")
    return found if seen else [*found, "nothing-recorded"]


def figures_of(
    before: Decimal | None, after: Decimal | None, seen: tuple[float, ...]
) -> tuple[float | None, float | None]:
    """Return the savings observed and by evidence."""
    if before is None or after is None or before <= 0 or not seen:
        return None, None
    observed = (before - after) * len(seen)
    days = Decimal(repr(seen[0] - seen[-1]))
    cents = Decimal("0.01")
    shown = float((observed / days * 30).quantize(cents, ROUND_HALF_UP)) if days >= Decimal("0.5") else None
    return float(observed.quantize(cents, ROUND_HALF_UP)), shown


def test_every_combination_of_figures_has_the_evidence_that_the_rules_give(database: TestDatabase) -> None:
    expected: dict[str, Any] = {}
    for place, seen in enumerate(SEEN):
        rows = []
        for number, combination in enumerate(itertools.product(COSTS, COSTS, SAVINGS, COUNTS, OPERATIONS)):
            signature = f"c{place}:{number}"
            before, after, savings, count, operations = combination
            rows.append([signature, *combination])
            costs = (as_decimal(before), as_decimal(after))
            expected[signature] = (
                flags_of(*costs, Decimal(savings or 0), count or 0, operations, seen),
                *figures_of(*costs, seen),
                len(seen),
            )
        database.execute(INSERT, json.dumps(rows, default=str))
        database.execute(OCCURRED, NOW, list(seen), f"c{place}:%")
    found = database.execute(
        "SELECT * FROM pattern_sync.evidence(ARRAY(SELECT pattern_signature::text FROM operation_patterns"
        " WHERE pattern_signature LIKE 'c%'), NULL)"
    )
    assert len(found) == len(expected) == 6 * 6 * 5 * 6 * 2 * len(SEEN)
    differing = {}
    for row in found:
        told = (row["flags"], row["savings_observed"], row["savings_by_evidence"], row["workflows"])
        if told != expected[row["signature"]]:
            differing[row["signature"]] = (told, expected[row["signature"]])
    assert not differing, list(differing.items())[:5]
