"""What people do with the queue: list, show, decide, comment, explain."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from pattern_sync.domain.conflicts import despite_conflicts
from pattern_sync.domain.decision import (
    Decision,
    ReviewAction,
    ReviewResult,
    Verdict,
    check_comment,
    check_reviewer,
)
from pattern_sync.domain.entry import HistoryItem, Place, QueueCounts, QueueEntry, Status, is_by_a_rule
from pattern_sync.domain.errors import (
    AlreadyDecided,
    DatabaseUnavailable,
    DecisionRefused,
    OutcomeUnknown,
    PatternSyncError,
    StatementFailed,
    UnknownPattern,
)
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.facts import Emit, ReviewActed
from pattern_sync.domain.text import is_storable

_ACTIONS = {Verdict.APPROVED: ReviewAction.APPROVE, Verdict.REJECTED: ReviewAction.REJECT}
_RESULTS: dict[type[PatternSyncError], ReviewResult] = {
    AlreadyDecided: ReviewResult.CONFLICT,
    DecisionRefused: ReviewResult.REFUSED,
    UnknownPattern: ReviewResult.UNKNOWN,
}


class ReviewStore(Protocol):
    """What the review needs from the database.

    `decide` returns False if the status is not the one to replace, `comment` returns False if there is no entry. Both
    return None if a trigger, rule or policy of the application silently kept the write out.
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
    """Entries, and the place after which the next page begins; None on the last page."""

    entries: tuple[QueueEntry, ...]
    next: Place | None


class Review:
    """The review queue as people work on it.

    Like the reconciler, it awaits nothing but its store: the blocking API runs it without an event loop. Every method
    that takes a signature, except `explanation`, raises UnknownPattern if the queue has no such entry.
    """

    def __init__(self, store: ReviewStore, emit: Emit = lambda _fact: None) -> None:
        self._store = store
        self._emit = emit

    async def page(self, status: Status, after: Place | None, limit: int) -> EntryPage:
        """Return entries of one status, best impact first."""
        found = await self._store.list_entries(status, after, limit + 1)
        entries = tuple(found[:limit])
        more = len(found) > limit
        return EntryPage(entries, Place(entries[-1].impact_score, entries[-1].pattern_id) if more else None)

    async def counts(self) -> QueueCounts:
        """Return the number of entries in each status."""
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
        """Approve or reject, and return the entry.

        Raises AlreadyDecided if the status is not the one to replace, DecisionRefused if the decision is refused.
        """
        with self._acting(_ACTIONS[decision.verdict]):
            decided = is_storable(signature) and await _write(
                f"decision on {signature!r}", lambda: self._store.decide(signature, decision)
            )
            try:
                entry = await self.entry(signature)
            except DatabaseUnavailable as fault:
                # Whoever hears that the database is lost believes that nothing was written.
                raise OutcomeUnknown(str(fault)) from fault
            if not decided:
                raise AlreadyDecided(_standing(entry, decision), entry)
            return entry

    async def comment(self, signature: str, comment: str, reviewer: str | None) -> str:
        """Add a comment and return the reviewer's name. Raises InvalidInput, DecisionRefused."""
        name = check_reviewer(reviewer)
        checked = check_comment(comment)
        with self._acting(ReviewAction.COMMENT):
            written = is_storable(signature) and await _write(
                f"comment on {signature!r}", lambda: self._store.comment(signature, name, checked)
            )
            if not written:
                raise _unknown(signature)
            return name

    @contextmanager
    def _acting(self, action: ReviewAction) -> Iterator[None]:
        result = ReviewResult.FAILED
        try:
            yield
            result = ReviewResult.DONE
        except (AlreadyDecided, DecisionRefused, UnknownPattern) as fault:
            result = _RESULTS[type(fault)]
            raise
        finally:
            self._emit(ReviewActed(action, result))


async def _write(what: str, attempt: Callable[[], Awaitable[bool | None]]) -> bool:
    try:
        written = await despite_conflicts(attempt)
    except StatementFailed as fault:
        raise DecisionRefused(f"The database refused the {what}; nothing was written.", str(fault)) from fault
    if written is None:
        raise DecisionRefused(f"A trigger or policy of the application refused the {what}; nothing was written.")
    return written


def _unknown(signature: str) -> UnknownPattern:
    return UnknownPattern(f"There is no pattern {signature!r} in the review queue.")


def _standing(entry: QueueEntry, decision: Decision) -> str:
    if entry.status == Status.PENDING:
        return f"{entry.pattern_id!r} is pending, not {decision.replaces}; there is no decision to replace."
    when = f" on {entry.reviewed_at:%Y-%m-%d at %H:%M:%S %Z}" if entry.reviewed_at else ""
    nobody = "a rule" if is_by_a_rule(entry.status) else "an unknown reviewer"
    return f"{entry.pattern_id!r} was {entry.status} by {entry.reviewed_by or nobody}{when}."
