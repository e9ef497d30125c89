"""Clients of the live updates: pages that read everything, crowds of them, and one that never reads."""

import asyncio
import base64
import json
import os
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_asynchronously
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.support.waiting import PATIENCE_SECONDS

SUBPROTOCOL = Subprotocol("pattern-sync.v1")
# Simultaneous handshakes: more would only queue up in the daemon.
_AT_ONCE = 50

Document = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Received:
    at: float  # of the monotonic clock, which all processes of a machine share
    document: Document

    def __repr__(self) -> str:
        told: list[Document] = self.document.get("changes") or self.document.get("entries") or []
        return f"<{self.document['type']} at {self.at:.2f}: {[each['pattern_id'] for each in told][:20]}>"


def live_url(http_url: str) -> str:
    return http_url.replace("http", "ws", 1) + "/api/v1/ws/patterns"


def subprotocols(token: str | None = None) -> list[Subprotocol]:
    """Return the subprotocols that a browser offers: it can send a token nowhere else."""
    if token is None:
        return [SUBPROTOCOL]
    return [SUBPROTOCOL, Subprotocol("bearer." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("="))]


class Page:
    """An open page: a thread reads every message and records when it came.

    `on_message` is called in that thread for each message, so that it runs between two of them.
    """

    def __init__(
        self, http_url: str, *, token: str | None = None, on_message: Callable[[Document], None] = lambda _: None
    ) -> None:
        self._open = connect(live_url(http_url), subprotocols=subprotocols(token), max_size=None, proxy=None)
        self._connection = self._open.__enter__()
        self._on_message = on_message
        self._received: list[Received] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.__exit__(None, None, None)
        self._reader.join(PATIENCE_SECONDS)

    @property
    def close_code(self) -> int | None:
        """Why the connection was closed; None while it is open."""
        return self._connection.close_code

    def received(self) -> list[Received]:
        with self._news:
            return list(self._received)

    def documents(self, kind: str | None = None) -> list[Document]:
        return [each.document for each in self.received() if kind in (None, each.document["type"])]

    def wait_for(
        self,
        wanted: Callable[[Document], object],
        *,
        since: int = 0,
        seconds: float = PATIENCE_SECONDS,
        what: str = "message",
    ) -> Received:
        """Wait for the first such message after the first `since` ones."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                for each in self._received[since:]:
                    if wanted(each.document):
                        return each
                left = deadline - time.monotonic()
                assert left > 0, f"no such {what} in {seconds:g} s; it got: {self._received[since:]}"
                self._news.wait(left)

    def wait_for_type(self, kind: str, *, since: int = 0, seconds: float = PATIENCE_SECONDS) -> Received:
        return self.wait_for(lambda document: document["type"] == kind, since=since, seconds=seconds, what=kind)

    def wait_for_change(
        self, pattern_id: str, *changes: str, since: int = 0, seconds: float = PATIENCE_SECONDS
    ) -> tuple[Received, Document]:
        """Wait until one of these changes of an entry is sent; return the message, and the change within it."""

        def find(document: Document) -> Document | None:
            told: list[Document] = document.get("changes", [])
            return next((each for each in told if each["pattern_id"] == pattern_id and each["change"] in changes), None)

        received = self.wait_for(find, since=since, seconds=seconds, what=f"{changes} of {pattern_id!r}")
        found = find(received.document)
        assert found is not None
        return received, found

    def wait_until_closed(self, seconds: float = PATIENCE_SECONDS) -> int | None:
        self._reader.join(seconds)
        assert not self._reader.is_alive(), f"the connection was still open after {seconds:g} s"
        return self.close_code

    def _read(self) -> None:
        with suppress(ConnectionClosed):
            for text in self._connection:
                received = Received(time.monotonic(), json.loads(text))
                self._on_message(received.document)
                with self._news:
                    self._received.append(received)
                    self._news.notify_all()


def first_state(page: Page) -> Document:
    """Wait for the first message of all, which has to be a state."""
    document = page.wait_for(lambda _: True).document
    assert document["type"] == "state", document
    return document


class MutePage:
    """Opens the socket and never reads: the daemon's messages fill the buffers."""

    def __init__(self, http_url: str, *, buffer_bytes: int = 4096) -> None:
        target = urlsplit(http_url)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        self._socket.settimeout(PATIENCE_SECONDS)
        self._socket.connect((target.hostname, target.port))
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /api/v1/ws/patterns HTTP/1.1\r\nHost: {target.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            byte = self._socket.recv(1)
            assert byte, f"the daemon closed after {answer!r}"
            answer += byte
        assert answer.startswith(b"HTTP/1.1 101 "), answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def read_to_the_end(self, seconds: float) -> int:
        """Read everything until the daemon has closed; return how many bytes had been waiting."""
        deadline = time.monotonic() + seconds
        waiting = 0
        with suppress(ConnectionResetError):
            while data := self._socket.recv(1_048_576):
                waiting += len(data)
                assert time.monotonic() < deadline, f"after {waiting:,} bytes it was still open"
        return waiting


class Crowd:
    """Many pages, in the event loop of their test."""

    def __init__(self, connections: list[ClientConnection]) -> None:
        self._connections = connections

    async def states(self) -> list[Document]:
        """Read one message on each page."""
        return [json.loads(text) for text in await asyncio.gather(*(each.recv() for each in self._connections))]

    async def until_each_got(self, text: str) -> list[float]:
        """Read until each page has got a message with this text; return when each did."""

        async def until_got(connection: ClientConnection) -> float:
            while text not in str(await connection.recv()):
                pass
            return time.monotonic()

        return await asyncio.gather(*(until_got(each) for each in self._connections))


@asynccontextmanager
async def crowd_of(count: int, http_url: str) -> AsyncGenerator[Crowd, None]:
    """Open many pages, and close them at the end."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def open_page() -> ClientConnection:
        opening = connect_asynchronously(
            live_url(http_url), subprotocols=subprotocols(), max_size=None, compression=None, proxy=None
        )
        async with turn:
            return await stack.enter_async_context(opening)

    async with AsyncExitStack() as stack:
        yield Crowd(await asyncio.gather(*(open_page() for _ in range(count))))
