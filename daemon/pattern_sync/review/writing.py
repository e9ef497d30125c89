"""What every write of a person has in common: retries, refusals in words, and a fact of what came of it."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pattern_sync.domain.conflicts import despite_conflicts
from pattern_sync.domain.decision import ReviewAction, ReviewResult
from pattern_sync.domain.errors import (
    AlreadyDecided,
    DatabaseUnavailable,
    DecisionRefused,
    NotSnoozable,
    NotUndoable,
    OutcomeUnknown,
    StatementFailed,
    UnknownBatch,
    UnknownPattern,
)
from pattern_sync.domain.facts import Emit, ReviewActed

_RESULTS: dict[type[BaseException], ReviewResult] = {
    AlreadyDecided: ReviewResult.CONFLICT,
    NotUndoable: ReviewResult.CONFLICT,
    NotSnoozable: ReviewResult.CONFLICT,
    DecisionRefused: ReviewResult.REFUSED,
    UnknownPattern: ReviewResult.UNKNOWN,
    UnknownBatch: ReviewResult.UNKNOWN,
}

Written = TypeVar("Written")


@contextmanager
def failing(emit: Emit, action: ReviewAction) -> Iterator[None]:
    """Emit that the block failed, if it did; what came of its many entries is emitted by the caller."""
    try:
        yield
    except BaseException as fault:
        emit(ReviewActed(action, _RESULTS.get(type(fault), ReviewResult.FAILED)))
        raise


@contextmanager
def acting(emit: Emit, action: ReviewAction) -> Iterator[None]:
    """Emit what came of the block, which does one thing with one entry."""
    with failing(emit, action):
        yield
    emit(ReviewActed(action, ReviewResult.DONE))


@contextmanager
def after_writing() -> Iterator[None]:
    """Raise OutcomeUnknown if the database is lost in the block, which reads back what was written before it.

    Whoever hears that the database is lost believes that nothing was written.
    """
    try:
        yield
    except DatabaseUnavailable as fault:
        raise OutcomeUnknown(str(fault)) from fault


async def written(what: str, attempt: Callable[[], Awaitable[Written | None]]) -> Written:
    """Return what the attempt returns, retried after conflicts. Raises DecisionRefused, also if that is None."""
    try:
        found = await despite_conflicts(attempt)
    except StatementFailed as fault:
        raise refusal(what, str(fault)) from fault
    if found is None:
        raise refusal(what, None)
    return found


def refusal(what: str, words: str | None) -> DecisionRefused:
    """Return the refusal in a sentence, and the server's words; None if it was silent."""
    if words is None:
        return DecisionRefused(f"A trigger or policy of the application refused the {what}; nothing was written.")
    return DecisionRefused(f"The database refused the {what}; nothing was written.", words)
