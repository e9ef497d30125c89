"""Run coroutines in tests, under a deadline."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.support.waiting import PATIENCE_SECONDS

Result = TypeVar("Result")


def run(coroutine: Coroutine[Any, Any, Result], seconds: float = PATIENCE_SECONDS) -> Result:
    """Run a coroutine to its end; one that hangs fails the test."""

    async def limited() -> Result:
        async with asyncio.timeout(seconds):
            return await coroutine

    return asyncio.run(limited())


async def settle(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Let other tasks run until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is other code's, which sets no event
            await asyncio.sleep(0)
