"""The parameters of decisions, and their results."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from pattern_sync.database.rows import Row, to_json
from pattern_sync.domain.batches import DecidedItem, ItemOutcome, Seen, UndoneItem, UndoOutcome
from pattern_sync.domain.decision import Decision
from pattern_sync.domain.entry import EntryMark, Snooze, Status


def decision_arguments(
    signatures: Sequence[str], decision: Decision, seen: Seen, *, waits: bool, dry_run: bool
) -> tuple[object, ...]:
    """Return the parameters of `decide_many`; what a person decides is status, action and mark alike."""
    verdict = decision.verdict
    shown = to_json({"positions": dict(seen.positions), "seconds": seen.seconds})
    words = (decision.reviewer, decision.notes, decision.replaces)
    return (list(signatures), verdict, verdict, verdict, *words, shown, waits, dry_run)


def to_decided(rows: Sequence[Row]) -> tuple[int | None, list[tuple[DecidedItem, float]]]:
    """Return the batch, and each entry's outcome with its claimed savings.

    A single decision that stands already has the batch in which it was made.
    """
    items = [
        DecidedItem(
            row["pattern_id"],
            ItemOutcome(row["outcome"]),
            row["status"],
            row["reviewed_by"],
            row["reviewed_at"],
            row["detail"],
        )
        for row in rows
    ]
    savings = [row["savings"] or 0.0 for row in rows]
    batches = [row["batch_id"] for row in rows if row["outcome"] == ItemOutcome.DECIDED or len(rows) == 1]
    return (batches[0] if batches else None), list(zip(items, savings, strict=True))


def to_undone(rows: Sequence[Row]) -> list[UndoneItem]:
    """Return the outcome of each decision of a batch."""
    return [UndoneItem(row["pattern_id"], UndoOutcome(row["outcome"]), row["detail"]) for row in rows]


def to_snooze(text: str | None) -> Snooze | None:
    """Return somebody's wish to see an entry later."""
    if text is None:
        return None
    found = json.loads(text)
    until = None if found["until"] is None else datetime.fromtimestamp(found["until"], UTC)
    since = datetime.fromtimestamp(found["since"], UTC)
    return Snooze(until, found["until_doubled"], found["by"], since, found["reason"])


def to_mark(text: str | None) -> EntryMark | None:
    """Return what a rule would decide."""
    if text is None:
        return None
    found = json.loads(text)
    due_at = None if found["due_at"] is None else datetime.fromtimestamp(found["due_at"], UTC)
    return EntryMark(found["rule"], found["version"], Status(found["status"]), due_at)
