"""What people see of the queue."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """Where an entry of the queue stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    AUTO_APPROVED = "auto-approved"
    AUTO_REJECTED = "auto-rejected"


def is_by_a_rule(status: str) -> bool:
    """Return whether a status tells of a decision that no person made, but a rule of the application's."""
    return status in {Status.AUTO_APPROVED, Status.AUTO_REJECTED}


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """An entry of the queue; confidence is 0 to 1, savings are USD a month, times have a zone.

    A rejection's reason stands behind `REJECTED: ` in `approval_notes`, as the application's own readers expect it.
    `from_pattern` is false where another program wrote the entry and no pattern stands behind it.
    The names of the fields are a contract with the application's own review panel; `pattern_id` is the signature.
    """

    pattern_id: str
    tool_sequence: str
    status: str
    confidence_score: float
    occurrence_count: int
    estimated_savings_usd: float
    impact_score: float
    pattern_context: str | None
    example_sessions: tuple[str, ...]
    reviewed_by: str | None
    reviewed_at: datetime | None
    approval_notes: str | None
    created_at: datetime | None
    from_pattern: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of the queue: right after the entry with this impact and id."""

    impact: float
    signature: str


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many entries the queue has in each status."""

    pending: int
    approved: int
    rejected: int
    auto_approved: int
    auto_rejected: int
    total: int


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """A decision or a comment, as it was made."""

    action: str
    reviewer: str
    notes: str | None
    created_at: datetime | None
