"""How much one client may occupy, over a transport in memory."""

import asyncio
from typing import cast

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from pattern_sync.web import connections as module
from pattern_sync.web.connections import ConnectionLimit, HttpConnection, LiveConnection
from tests.support.asynchronous import run, settle

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
HANDSHAKE = UPGRADE + b"\r\n"
PING = b"\x89\xfd\0\0\0\0" + b"p" * 125
BEGIN, EMPTY_PART = b"\x01\x80\0\0\0\0", b"\0\x80\0\0\0\0"


class Transport(asyncio.Transport):
    """Keeps what is written, and calls connection_lost in the next round of the loop, as asyncio does."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False
        self.protocol: asyncio.BaseProtocol | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            asyncio.get_running_loop().call_soon(self._lost)
        self.closed = True

    def _lost(self) -> None:
        cast("asyncio.Protocol", self.protocol).connection_lost(None)

    def abort(self) -> None:
        self.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


async def accepting(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await asyncio.Event().wait()


async def waiting(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


async def answering(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


class Server:
    def __init__(self, app: ASGIApp, *, most: int = 100) -> None:
        self.config = uvicorn.Config(app, ws=LiveConnection, log_config=None, lifespan="off")
        self.state = ServerState()
        self.full = 0
        self.limit = ConnectionLimit(most, self._on_full)

    def _on_full(self) -> None:
        self.full += 1

    def connect(self) -> tuple[HttpConnection, Transport]:
        connection, transport = HttpConnection(self.limit, self.config, self.state, {}), Transport()
        transport.protocol = connection
        connection.connection_made(transport)
        return connection, transport


async def live_connection() -> tuple[LiveConnection, Transport]:
    connection, transport = Server(accepting).connect()
    connection.data_received(HANDSHAKE)
    await settle(lambda: transport.written.startswith(b"HTTP/1.1 101"))
    live = cast("LiveConnection", transport.protocol)
    live.stop_keepalive()
    return live, transport


def test_only_the_latest_ping_of_a_client_that_reads_nothing_is_answered() -> None:
    async def check() -> None:
        live, transport = await live_connection()
        live.data_received(PING)
        answered = len(transport.written)
        assert transport.written.endswith(b"p" * 125)
        live.pause_writing()
        for _ in range(1_000):
            live.data_received(PING)
        assert len(transport.written) == answered
        assert live.conn.data_to_send() == []
        live.resume_writing()
        live.data_received(PING)
        assert len(transport.written) == answered + 127, "only the latest ping needs an answer"

    run(check())


def test_an_endless_message_of_empty_fragments_is_not_buffered() -> None:
    async def check() -> None:
        live, _ = await live_connection()
        live.data_received(BEGIN)
        live.data_received(EMPTY_PART * 10_000)
        assert len(live.frames) <= 1

    run(check())


def test_a_full_server_closes_the_longest_silent_connection() -> None:
    async def check() -> None:
        server = Server(waiting, most=3)
        asking, asking_transport = server.connect()
        asking.data_received(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
        silent = [server.connect()[1] for _ in range(2)]
        assert server.full == 0
        newcomers = [server.connect()[1] for _ in range(3)]
        await settle(lambda: len(server.state.connections) == 3)
        assert server.full == 3
        assert [transport.closed for transport in (*silent, *newcomers)] == [True, True, True, False, False]
        assert not asking_transport.closed
        for task in server.state.tasks:
            task.cancel()

    run(check())


def test_a_full_server_of_busy_connections_refuses_a_new_one() -> None:
    async def check() -> None:
        server = Server(waiting, most=1)
        asking, transport = server.connect()
        asking.data_received(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        _, late = server.connect()
        await settle(lambda: len(server.state.connections) == 1)
        assert late.closed
        assert not transport.closed
        for task in server.state.tasks:
            task.cancel()

    run(check())


def test_the_wait_for_the_rest_of_a_refused_body_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.05)

    async def check() -> None:
        connection, transport = Server(answering).connect()
        connection.data_received(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n")
        await settle(lambda: b"401" in transport.written)
        while not transport.closed:
            connection.data_received(b"x")  # a byte now and then keeps resetting uvicorn's own timeout
            await asyncio.sleep(0.005)

    run(check(), seconds=2)


def test_a_websocket_may_have_as_long_a_cookie_as_any_request() -> None:
    async def check() -> None:
        connection, transport = Server(accepting).connect()
        connection.data_received(UPGRADE + b"Cookie: " + b"c" * 60_000 + b"\r\n\r\n")
        await settle(lambda: transport.written.startswith(b"HTTP/1.1 101"))
        cast("LiveConnection", transport.protocol).stop_keepalive()

    run(check())


@pytest.mark.parametrize(
    "head",
    [
        UPGRADE + b"X-Many: 1\r\n" * 130 + b"\r\n",
        UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n",
        UPGRADE.replace(b"GET", b"POST") + b"\r\n",
    ],
    ids=["too many lines", "a body", "no GET"],
)
def test_the_head_of_a_websocket_that_cannot_be_read_is_refused_at_once(head: bytes) -> None:
    async def check() -> None:
        server = Server(accepting)
        connection, transport = server.connect()
        connection.data_received(head)
        await settle(lambda: not server.state.connections)
        assert transport.written.startswith(b"HTTP/1.1 4")

    run(check())


def test_a_websocket_that_does_not_begin_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.05)

    async def check() -> None:
        server = Server(waiting)
        connection, transport = server.connect()
        connection.data_received(HANDSHAKE)
        await settle(lambda: transport.closed)
        for task in server.state.tasks:
            task.cancel()

    run(check(), seconds=2)


def test_a_websocket_that_has_begun_has_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.02)

    async def check() -> None:
        _, transport = await live_connection()
        await asyncio.sleep(0.1)
        assert not transport.closed

    run(check())
