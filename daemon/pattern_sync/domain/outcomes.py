"""What a reconcile did with one pattern."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pattern_sync.domain.identity import RowId


class Outcome(StrEnum):
    """What the database says it did with one pattern."""

    QUEUED = "queued"
    REFRESHED = "refreshed"
    UNCHANGED = "unchanged"
    DECIDED = "decided"
    SHORT = "short"
    FAILED = "failed"
    GONE = "gone"
    # Somebody has locked it: not an outcome yet, it is looked at again a moment later.
    HELD = "held"
    # Its turn has not come, as others must not wait for us: asked for again at once.
    UNTRIED = "untried"


WRITTEN = frozenset({Outcome.QUEUED, Outcome.REFRESHED})


@dataclass(frozen=True, slots=True)
class PatternOutcome:
    """What was done with one pattern; `error` is the database's own words where it failed."""

    row_id: RowId
    signature: str
    outcome: Outcome
    error: str | None = None


def signatures_of(outcomes: Iterable[PatternOutcome], outcome: Outcome) -> list[str]:
    """Return the patterns that came to one outcome."""
    return [item.signature for item in outcomes if item.outcome is outcome]
