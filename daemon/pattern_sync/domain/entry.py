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


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """An entry of the queue; confidence is 0 to 1, savings are USD a month, times have a zone.

    The names of the fields are a contract with the application's own review panel.
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


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of the queue: right after the entry with this impact and id."""

    impact: float
    pattern_id: str


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
