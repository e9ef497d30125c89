"""Many open review pages, in a process of its own: when each of them got each entry."""

import asyncio
import re
import time
from collections import defaultdict
from contextlib import AsyncExitStack

from websockets.asyncio.client import ClientConnection, connect

from benchmarks import child

# Simultaneous handshakes: more would only queue up in the server.
AT_ONCE = 50
_ENTRY = re.compile(r'"pattern_id": ?"(live:\d+)"')


async def main(options: child.Options) -> None:
    heard: dict[str, list[int]] = defaultdict(list)
    anew = asyncio.Event()
    turn = asyncio.Semaphore(AT_ONCE)

    async def open_page() -> ClientConnection:
        opening = connect(options["url"], compression=None, proxy=None)
        async with turn:
            page = await stack.enter_async_context(opening)
            await page.recv()  # the first message of every server
            return page

    async def read(page: ClientConnection) -> None:
        async for text in page:
            at = time.monotonic_ns()
            for entry in _ENTRY.findall(str(text))[:1]:
                heard[entry].append(at)
            anew.set()

    async with AsyncExitStack() as stack:
        pages = await asyncio.gather(*(open_page() for _ in range(options["count"])))
        readers = [asyncio.create_task(read(page)) for page in pages]

        async def answer(order: str) -> object:
            async with asyncio.timeout(30):
                while sum(map(len, heard.values())) < int(order) * len(pages):
                    anew.clear()
                    await anew.wait()
            return heard

        await child.serve(answer)
        for reader in readers:
            reader.cancel()


if __name__ == "__main__":
    asyncio.run(main(child.options()))
