"""A receiver of HTTP requests that answers as a test wants, byte by byte if need be."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; names of headers are in lower case."""

    line: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """What a receiver got, and where it listens."""

    port: int = 0
    connections: int = 0
    ended: int = 0
    requests: list[Request] = field(default_factory=list)


@asynccontextmanager
async def receiver(
    respond: Respond | bytes, tls: ssl.SSLContext | None = None, *, read_first: bool = True
) -> AsyncIterator[Receiver]:
    """Serve on a port of this machine: each request gets the bytes, or whatever the function writes."""
    got = Receiver()

    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(cast("asyncio.Task[None]", asyncio.current_task()))
        got.connections += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                if read_first:
                    got.requests.append(await _read(reader))
                if isinstance(respond, bytes):
                    writer.write(respond)
                    await writer.drain()
                else:
                    await respond(writer)
                await reader.read()
        finally:
            got.ended += 1
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        got.port = server.sockets[0].getsockname()[1]
        yield got
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Request:
    line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
    assert len(headers) == len(rest), "a header came twice"
    return Request(line, headers, await reader.readexactly(int(headers["content-length"])))


def response(status: str, headers: str = "", body: str = "") -> bytes:
    """Return a response with a body, to a request after which the connection ends."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()
