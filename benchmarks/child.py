"""The child's side of processes.Child."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

Options = dict[str, Any]


def options() -> Options:
    read: Options = json.loads(sys.stdin.readline())
    return read


async def serve(answer: Callable[[str], Awaitable[object]]) -> None:
    """Report that all is set up, then answer orders until the input ends."""
    print("ready", flush=True)
    while order := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await answer(order.strip())), flush=True)
