"""The queue as people see it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pattern_sync.domain.evidence import Evidence


class Status(StrEnum):
    """The status of a queue entry."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    AUTO_APPROVED = "auto-approved"
    AUTO_REJECTED = "auto-rejected"


# The tables are the application's: they may know other words than ours.
EntryStatus = Status | str


class HistoryAction(StrEnum):
    """What a row of the history records; `flagged` is an undone decision."""

    APPROVED = "approved"
    REJECTED = "rejected"
    FLAGGED = "flagged"
    COMMENTED = "commented"


def is_by_a_rule(status: str) -> bool:
    """Return whether a rule of the application, not a person, made the decision."""
    return status in {Status.AUTO_APPROVED, Status.AUTO_REJECTED}


@dataclass(frozen=True, slots=True)
class Snooze:
    """Until when an entry is to be left alone: a time, or until its savings have doubled, or whichever comes first."""

    until: datetime | None
    until_doubled: bool
    by: str
    since: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class EntryMark:
    """The status that a rule would give a pending entry at `due_at`, unless somebody objects; None: it only watches."""

    rule: str
    version: int
    status: Status
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A queue entry; confidence is 0 to 1, savings are USD a month, times have a zone.

    In `approval_notes`, `REJECTED: ` precedes a rejection's reason, as the application expects. `from_pattern` is false
    for a foreign entry: another program wrote it, and no pattern stands behind it. `likelihood`, 0 to 1, is that of an
    approval, None while the model has not proved itself; `folded` marks a likely reject. `mark` is what a rule would
    decide. The field names are a contract with the application's review panel; `pattern_id` is the signature.
    """

    pattern_id: str
    tool_sequence: str
    status: EntryStatus
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
    evidence: Evidence
    snooze: Snooze | None
    mark: EntryMark | None
    likelihood: float | None
    folded: bool
    from_pattern: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a list: right after the entry with this rank in its order, and this signature."""

    rank: float
    signature: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a list found at a place; None if the entry was deleted, or has another status by now."""

    place: Place
    entry: QueueEntry | None


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """The number of queue entries in each status, and what the pending ones save in USD a month.

    `claimed_usd` is what the detector claims, `shown_usd` what is recorded; None if nothing is, or that is not known.
    """

    pending: int
    approved: int
    rejected: int
    auto_approved: int
    auto_rejected: int
    total: int
    claimed_usd: float
    shown_usd: float | None


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """A decision or a comment, as recorded."""

    action: HistoryAction | str
    reviewer: str
    notes: str | None
    created_at: datetime | None
