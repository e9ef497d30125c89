"""What people do with single entries: list, show, decide, comment, explain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pattern_sync.domain.batches import DecidedItem, ItemOutcome, Seen
from pattern_sync.domain.decision import ACTIONS, Decision, ReviewAction, check_comment, check_reviewer
from pattern_sync.domain.entry import Found, HistoryItem, Place, QueueCounts, QueueEntry, Status, is_by_a_rule
from pattern_sync.domain.errors import AlreadyDecided, UnknownPattern
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.facts import Emit
from pattern_sync.domain.listing import Listing
from pattern_sync.domain.text import is_storable
from pattern_sync.review.writing import acting, after_writing, refusal, written


class ReviewStore(Protocol):
    """What the review needs from the database.

    `comment` returns False if there is no entry, None if a trigger, rule or policy of the application silently kept it
    out.
    """

    async def list_entries(self, listing: Listing, limit: int) -> list[Found]: ...
    async def count_listed(self, listing: Listing) -> int | None: ...
    async def find_entries(self, signatures: Sequence[str]) -> list[QueueEntry]: ...
    async def count_entries(self) -> QueueCounts: ...
    async def history(self, signature: str) -> list[HistoryItem]: ...
    async def decide_many(
        self, signatures: Sequence[str], decision: Decision, seen: Seen, *, waits: bool, dry_run: bool
    ) -> tuple[int | None, list[tuple[DecidedItem, float]]]: ...
    async def comment(self, signature: str, reviewer: str, comment: str) -> bool | None: ...
    async def explain(self, signature: str) -> Explanation: ...


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries, and the place after which the next page begins; None on the last page."""

    entries: tuple[QueueEntry, ...]
    next: Place | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decided entry, and the batch that undoes the decision; None if another program has made it."""

    entry: QueueEntry
    batch_id: int | None


class Review:
    """The review queue as people work on it.

    Like the reconciler, it awaits nothing but its store: the blocking API runs it without an event loop. Every method
    that takes a signature, except `explanation`, raises UnknownPattern if the queue has no such entry.
    """

    def __init__(self, store: ReviewStore, emit: Emit = lambda _fact: None) -> None:
        self._store = store
        self._emit = emit

    async def page(self, listing: Listing, limit: int) -> EntryPage:
        """Return a page of a list. Raises NotReadyYet."""
        found = await self._store.list_entries(listing, limit + 1)
        entries = tuple(each.entry for each in found[:limit] if each.entry is not None)
        return EntryPage(entries, found[limit - 1].place if len(found) > limit else None)

    async def total(self, listing: Listing) -> int | None:
        """Return how many entries a list has in all; None if that cannot be said yet."""
        return await self._store.count_listed(listing)

    async def counts(self) -> QueueCounts:
        """Return the number of entries in each status."""
        return await self._store.count_entries()

    async def entry(self, signature: str) -> QueueEntry:
        """Return one entry."""
        found = await self._store.find_entries([signature]) if is_storable(signature) else []
        if not found:
            raise unknown(signature)
        return found[0]

    async def history(self, signature: str) -> list[HistoryItem]:
        """Return the decisions and comments on one pattern, oldest first."""
        await self.entry(signature)
        return await self._store.history(signature)

    async def explain(self, signature: str) -> Explanation:
        """Return why a pattern is or is not in the queue. Raises UnknownPattern if neither exists."""
        explanation = await self.explanation(signature)
        if explanation.outcome is None:
            raise UnknownPattern(f"There is no pattern {signature!r}, neither in operation_patterns nor in the queue.")
        return explanation

    async def explanation(self, signature: str) -> Explanation:
        """Return what is known about a signature, even if that is nothing."""
        storable = is_storable(signature)
        return await self._store.explain(signature) if storable else Explanation.of_nothing(signature)

    async def decide(self, signature: str, decision: Decision) -> QueueEntry:
        """Approve or reject, and return the entry; raises as `decide_noting` does."""
        return (await self.decide_noting(signature, decision)).entry

    async def decide_noting(self, signature: str, decision: Decision, seen: Seen | None = None) -> Decided:
        """Approve or reject, and return the entry and the batch of one. A decision that stands already is no error.

        Raises AlreadyDecided if the status is not the one to replace, DecisionRefused if the decision is refused.
        """
        with acting(self._emit, ACTIONS[decision.verdict]):
            batch_id, item = await self._decide(signature, decision, seen or Seen())
            with after_writing():
                entry = await self.entry(signature)
            if item is None or item.outcome not in (ItemOutcome.DECIDED, ItemOutcome.ALREADY):
                raise AlreadyDecided(_standing(entry, decision), entry)
            return Decided(entry, batch_id)

    async def _decide(self, signature: str, decision: Decision, seen: Seen) -> tuple[int | None, DecidedItem | None]:
        if not is_storable(signature):
            return None, None
        what = f"decision on {signature!r}"
        batch_id, found = await written(
            what, lambda: self._store.decide_many([signature], decision, seen, waits=True, dry_run=False)
        )
        item = found[0][0]
        if item.outcome in (ItemOutcome.REFUSED, ItemOutcome.BUSY):
            raise refusal(what, item.detail)
        return batch_id, item

    async def comment(self, signature: str, comment: str, reviewer: str | None) -> str:
        """Add a comment and return the reviewer's name. Raises InvalidInput, DecisionRefused."""
        name = check_reviewer(reviewer)
        checked = check_comment(comment)
        with acting(self._emit, ReviewAction.COMMENT):
            noted = is_storable(signature) and await written(
                f"comment on {signature!r}", lambda: self._store.comment(signature, name, checked)
            )
            if not noted:
                raise unknown(signature)
            return name


def unknown(signature: str) -> UnknownPattern:
    """Return the fault of a signature that the queue does not have."""
    return UnknownPattern(f"There is no pattern {signature!r} in the review queue.")


def _standing(entry: QueueEntry, decision: Decision) -> str:
    if entry.status == Status.PENDING:
        return f"{entry.pattern_id!r} is pending, not {decision.replaces}; there is no decision to replace."
    when = f" on {entry.reviewed_at:%Y-%m-%d at %H:%M:%S %Z}" if entry.reviewed_at else ""
    nobody = "a rule" if is_by_a_rule(entry.status) else "an unknown reviewer"
    return f"{entry.pattern_id!r} was {entry.status} by {entry.reviewed_by or nobody}{when}."
