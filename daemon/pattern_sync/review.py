"""What people do with the queue: list, show, decide, comment, ask why."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pattern_sync.domain.conflicts import despite_conflicts
from pattern_sync.domain.decision import Decision, check_comment, check_reviewer
from pattern_sync.domain.entry import HistoryItem, Place, QueueCounts, QueueEntry, Status, is_by_a_rule
from pattern_sync.domain.errors import AlreadyDecided, DecisionRefused, StatementFailed, UnknownPattern
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.text import is_storable


class ReviewStore(Protocol):
    """What the review needs of the database.

    `decide` returns False where the status was not the one to replace, `comment` where there is no entry; both return
    None where the application's own trigger, rule or policy kept out what was to be written.
    """

    async def list_entries(self, status: Status, after: Place | None, limit: int) -> list[QueueEntry]: ...
    async def find_entries(self, signatures: Sequence[str]) -> list[QueueEntry]: ...
    async def count_entries(self) -> QueueCounts: ...
    async def history(self, signature: str) -> list[HistoryItem]: ...
    async def decide(self, signature: str, decision: Decision) -> bool | None: ...
    async def comment(self, signature: str, reviewer: str, comment: str) -> bool | None: ...
    async def explain(self, signature: str) -> Explanation: ...


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Some entries, and the place after which the next ones come; None where these are the last."""

    entries: tuple[QueueEntry, ...]
    next: Place | None


class Review:
    """The review queue as people work on it; like the reconciler it awaits nothing but its store.

    Every method that takes a signature raises UnknownPattern where the queue has no such entry.
    """

    def __init__(self, store: ReviewStore) -> None:
        self._store = store

    async def page(self, status: Status, after: Place | None, limit: int) -> EntryPage:
        """Return entries of one status, best impact first."""
        found = await self._store.list_entries(status, after, limit + 1)
        entries = tuple(found[:limit])
        more = len(found) > limit
        return EntryPage(entries, Place(entries[-1].impact_score, entries[-1].pattern_id) if more else None)

    async def counts(self) -> QueueCounts:
        """Return how many entries there are in each status."""
        return await self._store.count_entries()

    async def entry(self, signature: str) -> QueueEntry:
        """Return one entry."""
        found = await self._store.find_entries([signature]) if is_storable(signature) else []
        if not found:
            raise _unknown(signature)
        return found[0]

    async def history(self, signature: str) -> list[HistoryItem]:
        """Return the decisions and comments on one pattern, oldest first."""
        await self.entry(signature)
        return await self._store.history(signature)

    async def explain(self, signature: str) -> Explanation:
        """Return why a pattern is in the queue or is not; it need not be in the queue to be known."""
        explanation = await self.explanation(signature)
        if explanation.outcome is None:
            raise UnknownPattern(f"There is no pattern {signature!r}, neither among the patterns nor in the queue.")
        return explanation

    async def explanation(self, signature: str) -> Explanation:
        """Return what is known of a name, be it nothing: the one method that does not raise UnknownPattern."""
        known = is_storable(signature)
        return await self._store.explain(signature) if known else Explanation.of_nothing(signature)

    async def decide(self, signature: str, decision: Decision) -> QueueEntry:
        """Approve or reject, and return the entry.

        Raises AlreadyDecided where somebody was faster, DecisionRefused where the database keeps the decision out.
        """
        decided = is_storable(signature) and await _kept(
            f"decision on {signature!r}", lambda: self._store.decide(signature, decision)
        )
        entry = await self.entry(signature)
        if not decided:
            raise AlreadyDecided(_standing(entry, decision), entry)
        return entry

    async def comment(self, signature: str, comment: str, reviewer: str | None) -> str:
        """Note a comment and return the name under which it was noted. Raises InvalidInput, DecisionRefused."""
        name = check_reviewer(reviewer)
        checked = check_comment(comment)
        noted = is_storable(signature) and await _kept(
            f"comment on {signature!r}", lambda: self._store.comment(signature, name, checked)
        )
        if not noted:
            raise _unknown(signature)
        return name


async def _kept(what: str, attempt: Callable[[], Awaitable[bool | None]]) -> bool:
    try:
        kept = await despite_conflicts(attempt)
    except StatementFailed as fault:
        raise DecisionRefused(f"The database refused the {what}; nothing was written.", str(fault)) from fault
    if kept is None:
        raise DecisionRefused(f"The application's own trigger or policy kept the {what} out; nothing was written.")
    return kept


def _unknown(signature: str) -> UnknownPattern:
    return UnknownPattern(f"There is no pattern {signature!r} in the review queue.")


def _standing(entry: QueueEntry, decision: Decision) -> str:
    if entry.status == Status.PENDING:
        return f"{entry.pattern_id!r} is pending, not {decision.replaces}: there is no such decision to replace."
    when = f" on {entry.reviewed_at:%Y-%m-%d at %H:%M:%S %Z}" if entry.reviewed_at else ""
    nobody = "a rule" if is_by_a_rule(entry.status) else "an unknown reviewer"
    return f"{entry.pattern_id!r} was {entry.status} by {entry.reviewed_by or nobody}{when}."
