"""What to do when two transactions were in each other's way."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from pattern_sync.domain.errors import TransactionConflict

MOST_CONFLICTS = 5

Done = TypeVar("Done")


async def despite_conflicts(attempt: Callable[[], Awaitable[Done]]) -> Done:
    """Try again what a deadlock, a serialization failure or a lock not had in time has undone; raises the last one."""
    for _ in range(MOST_CONFLICTS):
        with suppress(TransactionConflict):
            return await attempt()
    return await attempt()
