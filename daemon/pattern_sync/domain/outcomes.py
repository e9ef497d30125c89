"""What a reconcile did with one pattern."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """One of the results of DESIGN's table; the database computes all but FAILED."""

    QUEUED = "queued"
    REFRESHED = "refreshed"
    UNCHANGED = "unchanged"
    DECIDED = "decided"
    SHORT = "short"
    FAILED = "failed"
    GONE = "gone"


WRITTEN = frozenset({Outcome.QUEUED, Outcome.REFRESHED})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pattern to reconcile: its row id for the database, its signature for people."""

    pattern_id: int
    signature: str


@dataclass(frozen=True, slots=True)
class PatternOutcome:
    """What was done with one pattern; `error` is the database's own words where it failed."""

    pattern_id: int
    signature: str
    outcome: Outcome
    error: str | None = None


def signatures_of(outcomes: Iterable[PatternOutcome], outcome: Outcome) -> list[str]:
    """Return the patterns that came to one outcome."""
    return [item.signature for item in outcomes if item.outcome is outcome]
