"""Decisions that were made together, and what became of each."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pattern_sync.domain.entry import EntryStatus, QueueEntry
from pattern_sync.domain.errors import InvalidInput

MOST_TOGETHER = 10_000
LONGEST_SECONDS = 7 * 86_400.0
LAST_PLACE = 1_000_000_000
UNDO_DAYS = 7
# A bigint; anything larger is no batch's.
LARGEST_ID = 2**63 - 1


class ItemOutcome(StrEnum):
    """What became of one entry of a decision on many."""

    DECIDED = "decided"
    ALREADY = "already"  # this very decision stands
    TAKEN = "taken"  # somebody else has decided
    BUSY = "busy"  # somebody has locked the entry or its pattern
    MOVED = "moved"  # it has another status than the one to be replaced
    UNKNOWN = "unknown"  # there is no such entry
    REFUSED = "refused"  # by the application or the database


class UndoOutcome(StrEnum):
    """What became of one decision of a batch that is undone."""

    UNDONE = "undone"
    TOUCHED = "touched"  # it is not the batch's decision any more
    GONE_ON = "gone-on"  # somebody has taken the pattern further
    BUSY = "busy"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the reviewer saw beside the figures: the place of each entry in the list, and for how long."""

    positions: Mapping[str, int] = field(default_factory=dict)
    seconds: float | None = None

    def __post_init__(self) -> None:
        for signature, place in self.positions.items():
            if not 1 <= place <= LAST_PLACE:
                raise InvalidInput(
                    f"positions: the place of {signature!r} is {place}; it has to be from 1 to {LAST_PLACE:,}."
                )
        if self.seconds is not None and not 0 <= self.seconds <= LONGEST_SECONDS:
            raise InvalidInput(f"seconds is {self.seconds:g}; send between 0 and {LONGEST_SECONDS:,.0f}, or nothing.")

    def of(self, signatures: Iterable[str]) -> "Seen":
        """Return what the reviewer saw of these entries only."""
        listed = set(signatures)
        return Seen({name: place for name, place in self.positions.items() if name in listed}, self.seconds)


@dataclass(frozen=True, slots=True)
class DecidedItem:
    """The outcome of one entry, and how it stands now; `detail` is in the server's words."""

    pattern_id: str
    outcome: ItemOutcome
    status: EntryStatus | None
    reviewed_by: str | None
    reviewed_at: datetime | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class DecisionMany:
    """What came of a decision on many entries; `batch_id` names it for undo, None if nothing was decided.

    `savings_usd` and `largest` are of what was decided, or would be by a dry run.
    """

    batch_id: int | None
    decided: int
    counts: Mapping[ItemOutcome, int]
    savings_usd: float
    largest: tuple[QueueEntry, ...]
    outcomes: tuple[DecidedItem, ...]


@dataclass(frozen=True, slots=True)
class UndoneItem:
    """The outcome of one decision of a batch; `detail` is in the server's words."""

    pattern_id: str
    outcome: UndoOutcome
    detail: str | None


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of an undo: each decision of the batch that was not undone before."""

    batch_id: int
    undone: int
    counts: Mapping[UndoOutcome, int]
    outcomes: tuple[UndoneItem, ...]

    @classmethod
    def of(cls, batch_id: int, items: Iterable[UndoneItem]) -> "Undone":
        """Return the outcomes with their counts."""
        outcomes = tuple(items)
        counts = dict(Counter(item.outcome for item in outcomes))
        return cls(batch_id, counts.get(UndoOutcome.UNDONE, 0), counts, outcomes)


@dataclass(frozen=True, slots=True)
class Batch:
    """Decisions that were made together; `items` are all of them, `undoable` says whether some can be undone now."""

    id: int
    decision: EntryStatus
    reviewer: str
    reason: str | None
    decided_at: datetime
    items: int
    undone_at: datetime | None
    undone_by: str | None
    undoable: bool


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """One decision of the record; `reason` is None once its batch is forgotten."""

    pattern_id: str
    decision: EntryStatus
    reviewer: str
    decided_at: datetime
    replaced: EntryStatus | None
    reason: str | None
    batch_id: int | None
    undone_at: datetime | None
    savings_usd: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How many decisions were made today, and how many entries wait."""

    decided_today: int
    pending: int
    by_reviewer: Mapping[str, int]


def check_signatures(signatures: Iterable[str]) -> list[str]:
    """Return the signatures in the given order, each once. Raises InvalidInput."""
    listed = list(dict.fromkeys(signatures))
    if not listed:
        raise InvalidInput("pattern_ids is empty; name at least one pattern.")
    if len(listed) > MOST_TOGETHER:
        raise InvalidInput(
            f"pattern_ids names {len(listed):,} patterns; at most {MOST_TOGETHER:,} can be decided together. Send the"
            " rest in another request."
        )
    return listed
