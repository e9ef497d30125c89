"""Waiting for an event or for some work, but not for ever."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress


def staggered(seconds: float, random: Callable[[], float]) -> float:
    """Return up to a tenth less, so that replicas drift apart; `random` returns 0 to 1."""
    return seconds * (1 - 0.1 * random())


async def wait_for(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, at most so long; return whether it is set."""
    if event.is_set():
        return True
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


async def done_unless(event: asyncio.Event, work: Coroutine[None, None, object], seconds: float | None = None) -> bool:
    """Do some work, and cancel it when an event is set or it takes too long; return whether it was done.

    Raises what the work raises, in an ExceptionGroup.
    """
    async with asyncio.TaskGroup() as group:
        doing = group.create_task(work)
        watching = group.create_task(event.wait())
        await asyncio.wait({doing, watching}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        is_done = doing.done()
        doing.cancel()
        watching.cancel()
    return is_done
