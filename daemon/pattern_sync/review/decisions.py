"""Decisions on many entries at once, their undo, and the record of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Protocol

from pattern_sync.domain.batches import (
    LARGEST_ID,
    UNDO_DAYS,
    Batch,
    DecidedItem,
    DecisionMany,
    ItemOutcome,
    LoggedDecision,
    Progress,
    Seen,
    Undone,
    UndoneItem,
    UndoOutcome,
    check_signatures,
)
from pattern_sync.domain.decision import ACTIONS, Decision, ReviewAction, ReviewResult, check_reviewer
from pattern_sync.domain.entry import QueueCounts, QueueEntry
from pattern_sync.domain.errors import InvalidInput, NotUndoable, UnknownBatch
from pattern_sync.domain.facts import Emit, ReviewActed
from pattern_sync.domain.moments import in_zone
from pattern_sync.domain.text import is_storable
from pattern_sync.review.writing import after_writing, failing, written

MOST_SHOWN = 5
_RESULTS: Mapping[str, ReviewResult] = {
    ItemOutcome.DECIDED: ReviewResult.DONE,
    ItemOutcome.ALREADY: ReviewResult.DONE,
    ItemOutcome.TAKEN: ReviewResult.CONFLICT,
    ItemOutcome.BUSY: ReviewResult.CONFLICT,
    ItemOutcome.MOVED: ReviewResult.CONFLICT,
    ItemOutcome.UNKNOWN: ReviewResult.UNKNOWN,
    ItemOutcome.REFUSED: ReviewResult.REFUSED,
    UndoOutcome.UNDONE: ReviewResult.DONE,
    UndoOutcome.TOUCHED: ReviewResult.CONFLICT,
    UndoOutcome.GONE_ON: ReviewResult.CONFLICT,
}


class DecisionStore(Protocol):
    """What decisions need from the database."""

    async def find_entries(self, signatures: Sequence[str]) -> list[QueueEntry]: ...
    async def count_entries(self) -> QueueCounts: ...
    async def decide_many(
        self, signatures: Sequence[str], decision: Decision, seen: Seen, *, waits: bool, dry_run: bool
    ) -> tuple[int | None, list[tuple[DecidedItem, float]]]: ...
    async def undo(self, batch_id: int, reviewer: str) -> list[UndoneItem]: ...
    async def batches(self, reviewer: str | None, batch_id: int | None, limit: int) -> list[Batch]: ...
    async def log(
        self, reviewer: str | None, since: datetime | None, limit: int, skipped: int
    ) -> list[LoggedDecision]: ...
    async def decided_since(self, since: datetime | None) -> dict[str, int]: ...


class Decisions:
    """Decides many entries at once, takes decisions back, and tells who decided what.

    Like the review, it awaits nothing but its store.
    """

    def __init__(self, store: DecisionStore, emit: Emit = lambda _fact: None) -> None:
        self._store = store
        self._emit = emit

    async def decide_many(
        self, signatures: Sequence[str], decision: Decision, seen: Seen | None = None, *, dry_run: bool = False
    ) -> DecisionMany:
        """Decide exactly these entries, with an outcome for each. Raises InvalidInput, DecisionRefused.

        One transaction decides all that can be decided; a dry run writes nothing.
        """
        listed = check_signatures(signatures)
        storable = [signature for signature in listed if is_storable(signature)]
        shown = (seen or Seen()).of(storable)
        with failing(self._emit, ACTIONS[decision.verdict]):
            batch_id, found = await written(
                "decisions",
                lambda: self._store.decide_many(storable, decision, shown, waits=False, dry_run=dry_run),
            )
        known = {item.pattern_id: item for item, _ in found}
        outcomes = tuple(known.get(signature) or _unknown(signature) for signature in listed)
        counts = dict(Counter(item.outcome for item in outcomes))
        if not dry_run:
            self._tell(ACTIONS[decision.verdict], counts)
        savings = {item.pattern_id: usd for item, usd in found if item.outcome is ItemOutcome.DECIDED}
        first = sorted(savings, key=lambda signature: (-savings[signature], signature))[:MOST_SHOWN]
        with nullcontext() if dry_run else after_writing():
            largest = await self._store.find_entries(first) if first else []
        largest.sort(key=lambda entry: (-entry.estimated_savings_usd, entry.pattern_id))
        return DecisionMany(batch_id, len(savings), counts, round(sum(savings.values()), 2), tuple(largest), outcomes)

    async def undo(self, batch_id: int, reviewer: str | None) -> Undone:
        """Take back the decisions of a batch that nobody has touched since.

        Raises UnknownBatch, NotUndoable if it is too old or undone already, DecisionRefused.
        """
        name = check_reviewer(reviewer)
        with failing(self._emit, ReviewAction.UNDO):
            if not 1 <= batch_id <= LARGEST_ID:
                raise _no_batch(batch_id)
            items = await written(f"undo of batch {batch_id}", lambda: self._store.undo(batch_id, name))
            if not items:
                raise await self._why_not(batch_id)
        undone = Undone.of(batch_id, items)
        self._tell(ReviewAction.UNDO, undone.counts)
        return undone

    async def batches(self, reviewer: str | None = None, limit: int = 20) -> list[Batch]:
        """Return the last batches, newest first. Raises InvalidInput for a name that cannot be stored."""
        return await self._store.batches(_recorded(reviewer), None, limit)

    async def log(
        self, reviewer: str | None = None, since: datetime | None = None, limit: int = 50, skipped: int = 0
    ) -> list[LoggedDecision]:
        """Return the last decisions after the skipped ones, newest first.

        Raises InvalidInput as `batches` does, and for a number to skip that no list can have.
        """
        if not 0 <= skipped <= LARGEST_ID:
            raise InvalidInput(f"offset is {skipped}; it has to be from 0 to {LARGEST_ID:,}.")
        return await self._store.log(_recorded(reviewer), since and in_zone(since, UTC), limit, skipped)

    async def progress(self, reviewer: str | None = None, since: datetime | None = None) -> Progress:
        """Return how many decisions were made today, or since a moment, and how many entries wait.

        Raises InvalidInput as `batches` does.
        """
        name = _recorded(reviewer)
        by_reviewer = await self._store.decided_since(since and in_zone(since, UTC))
        counts = await self._store.count_entries()
        decided = sum(by_reviewer.values()) if name is None else by_reviewer.get(name, 0)
        return Progress(decided, counts.pending, by_reviewer)

    async def _why_not(self, batch_id: int) -> UnknownBatch | NotUndoable:
        found = await self._store.batches(None, batch_id, 1)
        if not found:
            return _no_batch(batch_id)
        batch = found[0]
        if batch.undone_at is not None and not batch.undoable:
            return NotUndoable(
                f"Batch {batch_id} was undone by {batch.undone_by} on {batch.undone_at:%Y-%m-%d at %H:%M:%S %Z}."
            )
        return NotUndoable(
            f"Batch {batch_id} was decided on {batch.decided_at:%Y-%m-%d at %H:%M:%S %Z}; a decision can be undone for"
            f" {UNDO_DAYS} days. Make a new one that replaces its status."
        )

    def _tell(self, action: ReviewAction, counts: Mapping[ItemOutcome, int] | Mapping[UndoOutcome, int]) -> None:
        for outcome, count in counts.items():
            self._emit(ReviewActed(action, _RESULTS[outcome], count))


def _recorded(reviewer: str | None) -> str | None:
    """Return a name as it is on record: without blanks around it."""
    if reviewer is None:
        return None
    if not is_storable(reviewer):
        raise InvalidInput(
            "reviewer holds a character that no name on record can have (NUL, or half of a surrogate pair)."
        )
    return reviewer.strip()


def _no_batch(batch_id: int) -> UnknownBatch:
    return UnknownBatch(f"There is no batch {batch_id}; `review batches` lists those of the last 30 days.")


def _unknown(signature: str) -> DecidedItem:
    return DecidedItem(signature, ItemOutcome.UNKNOWN, None, None, None, None)
