"""The event loop's threads: results and faults arrive, and a call that hangs holds up no end."""

import asyncio
import subprocess
import sys
import time

import pytest

from pattern_sync.runtime.threads import UnjoinedThreads
from tests.support.asynchronous import run

HANGS = """
import asyncio, contextlib, time
from pattern_sync.runtime.threads import UnjoinedThreads

async def main():
    asyncio.get_running_loop().set_default_executor(UnjoinedThreads())
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.to_thread(time.sleep, 300), 0.1)

asyncio.run(main())
"""


def test_a_result_and_a_fault_arrive() -> None:
    async def check() -> None:
        asyncio.get_running_loop().set_default_executor(UnjoinedThreads())
        assert await asyncio.to_thread(int, "7") == 7
        with pytest.raises(ValueError, match="seven"):
            await asyncio.to_thread(int, "seven")

    run(check())


def test_a_call_that_hangs_holds_up_neither_another_call_nor_the_end_of_the_process() -> None:
    async def check() -> None:
        asyncio.get_running_loop().set_default_executor(UnjoinedThreads())
        waits = [asyncio.create_task(asyncio.to_thread(time.sleep, 2)) for _ in range(100)]
        await asyncio.sleep(0)
        begun = time.monotonic()
        await asyncio.to_thread(int, "7")
        assert time.monotonic() - begun < 2
        for each in waits:
            each.cancel()

    run(check())
    subprocess.run([sys.executable, "-c", HANGS], check=True, timeout=60)
