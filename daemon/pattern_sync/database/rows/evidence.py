"""The evidence of a pattern, from its JSON."""

import json
from datetime import datetime

from pattern_sync.domain.evidence import Evidence, Record


def to_evidence(text: str) -> Evidence:
    """Return the evidence of one pattern, as pattern_sync.evidence_by_signature gives it."""
    row = json.loads(text)
    carried = row.get("carried")
    return Record(
        readable=bool(row["readable"]),
        workflows=row["workflows"],
        first_seen=_time(row["first_seen"]),
        last_seen=_time(row["last_seen"]),
        days_seen=row["days_seen"],
        workflows_a_day=row["workflows_a_day"],
        claimed_occurrences=row["claimed_occurrences"] or 0,
        claimed_savings=row["claimed_savings"] or 0.0,
        cost_before=row["cost_before"],
        cost_after=row["cost_after"],
        savings_observed=row["savings_observed"],
        savings_by_evidence=row["savings_by_evidence"],
        flags=tuple(row["flags"]),
        carried=None if carried is None else (carried["claimed"], carried["queue"]),
    ).to_evidence()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
