"""A receiver of HTTP requests that answers as a test wants, byte by byte if need be."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.serving import serving

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

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if read_first:
            got.requests.append(await _read(reader))
        if isinstance(respond, bytes):
            writer.write(respond)
            await writer.drain()
        else:
            await respond(writer)
        await reader.read()

    async with serving(hold, got, tls):
        yield got


async def _read(reader: asyncio.StreamReader) -> Request:
    line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
    assert len(headers) == len(rest), "a header came twice"
    return Request(line, headers, await reader.readexactly(int(headers["content-length"])))


def response(status: str, headers: str = "", body: str = "") -> bytes:
    """Return a response with a body, to a request after which the connection ends."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()
