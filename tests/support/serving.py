"""A server on a port of this machine that holds one conversation a connection, and counts both ends of it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol, cast

Hold = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Served(Protocol):
    """Where a server listens, and how many connections have begun and ended."""

    port: int
    connections: int
    ended: int


@asynccontextmanager
async def serving(hold: Hold, got: Served, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """Serve until the block ends; whoever is still connected then is cut off."""
    conversations = set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.add(cast("asyncio.Task[None]", asyncio.current_task()))
        got.connections += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await hold(reader, writer)
        finally:
            got.ended += 1
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        got.port = server.sockets[0].getsockname()[1]
        yield
    finally:
        server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
