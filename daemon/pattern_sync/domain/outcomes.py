"""What a reconcile did with one pattern."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pattern_sync.domain.identity import RowId


class Outcome(StrEnum):
    """What the database reports that it did with one pattern."""

    QUEUED = "queued"
    REFRESHED = "refreshed"
    UNCHANGED = "unchanged"
    DECIDED = "decided"
    SHORT = "short"
    FAILED = "failed"
    GONE = "gone"
    # Somebody has locked the entry. Not an outcome yet: the pattern is reconciled again a moment later.
    HELD = "held"
    # Not reached: the transaction ended early, so that others do not wait for it. Requested again at once.
    UNTRIED = "untried"


WRITTEN = frozenset({Outcome.QUEUED, Outcome.REFRESHED})


@dataclass(frozen=True, slots=True)
class PatternOutcome:
    """What was done with one pattern; `error` is the database's message if it failed."""

    row_id: RowId
    signature: str
    outcome: Outcome
    error: str | None = None


def signatures_of(outcomes: Iterable[PatternOutcome], outcome: Outcome) -> list[str]:
    """Return the signatures of the patterns with one outcome."""
    return [item.signature for item in outcomes if item.outcome is outcome]
