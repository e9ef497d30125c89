"""One HTTP/1.1 POST: no proxy, no redirect, a bounded answer."""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import h11

from pattern_sync.delivery.connecting import connected
from pattern_sync.delivery.faults import Undelivered, tls_complaint, words_of
from pattern_sync.domain.http_endpoint import HttpEndpoint

_READ_BYTES = 16_384
# Of an answer's head with everything that may come before it.
_MOST_HEAD_BYTES = 65_536
# The rest is read and dropped for a moment: some receivers stop working on a request whose sender has gone.
_MOST_BODY_BYTES = 65_536
_BODY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The begin of a response."""

    status_code: int
    retry_after: str | None


async def post(
    endpoint: HttpEndpoint, headers: Mapping[str, str], body: bytes, tls: ssl.SSLContext | None, deadline: float
) -> Answer:
    """Send a body and return the answer; `deadline` is the loop's time. Raises Undelivered and TimeoutError."""
    async with asyncio.timeout_at(deadline):
        reader, writer = await _opened(endpoint, tls)
    try:
        async with asyncio.timeout_at(deadline):
            writer.write(_request(connection := h11.Connection(h11.CLIENT), endpoint, headers, body))
            answer = await _answer(connection, reader, endpoint.host)
        with suppress(TimeoutError, OSError, h11.RemoteProtocolError):
            async with asyncio.timeout_at(min(deadline, asyncio.get_running_loop().time() + _BODY_SECONDS)):
                await _drop_rest(connection, reader)
        return answer
    finally:
        # Closing in good order would wait for the other end.
        writer.transport.abort()


async def _opened(
    endpoint: HttpEndpoint, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    sock = await connected(endpoint.host, endpoint.port)
    try:
        name = endpoint.host if tls is not None else None
        return await asyncio.open_connection(sock=sock, ssl=tls, server_hostname=name)
    except OSError as fault:
        sock.close()
        raise Undelivered(tls_complaint(endpoint.host, endpoint.port, fault)) from None
    except BaseException:
        sock.close()
        raise


def _request(connection: h11.Connection, endpoint: HttpEndpoint, headers: Mapping[str, str], body: bytes) -> bytes:
    request = h11.Request(
        method="POST",
        target=endpoint.target,
        headers=[
            ("Host", endpoint.authority),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            *headers.items(),
        ],
    )
    parts = (request, h11.Data(data=body), h11.EndOfMessage())
    return b"".join(connection.send(part) or b"" for part in parts)


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader, host: str) -> Answer:
    """Read the head of a response. Raises Undelivered."""
    read_bytes = 0
    try:
        while not isinstance(event := connection.next_event(), h11.Response):
            if event is h11.NEED_DATA:
                data = await reader.read(_READ_BYTES)
                if not data:
                    raise Undelivered(f"{host} closed the connection without an answer")
                read_bytes += len(data)
                connection.receive_data(data)
            if read_bytes > _MOST_HEAD_BYTES:
                raise Undelivered(f"{host} sent {read_bytes:,} bytes and no answer")
    except h11.RemoteProtocolError:
        # Its text may repeat what was sent.
        raise Undelivered(f"{host} gave no answer in HTTP/1.1, or one that is too long") from None
    except OSError as fault:
        raise Undelivered(f"{host} broke the connection: {words_of(fault)}") from None
    waits = [value for name, value in event.headers if name == b"retry-after"]
    return Answer(event.status_code, waits[0].decode("ascii", "replace") if waits else None)


async def _drop_rest(connection: h11.Connection, reader: asyncio.StreamReader) -> None:
    dropped_bytes = 0
    while dropped_bytes < _MOST_BODY_BYTES:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(_READ_BYTES)
            dropped_bytes += len(data)
            connection.receive_data(data)
        elif not isinstance(event, h11.Data):
            return
