"""Retry a transaction that conflicted with another."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from pattern_sync.domain.errors import TransactionConflict

MOST_CONFLICTS = 5

Done = TypeVar("Done")


async def despite_conflicts(attempt: Callable[[], Awaitable[Done]]) -> Done:
    """Retry after a deadlock, a serialization failure or a lock timeout. Raises the last TransactionConflict."""
    for _ in range(MOST_CONFLICTS):
        with suppress(TransactionConflict):
            return await attempt()
    return await attempt()
