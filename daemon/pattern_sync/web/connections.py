"""One client's connection: bounded in number, in what it may leave unsaid, and in what it may leave unread."""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

# For the head of a request; without a limit, whoever opens connections and says nothing keeps everybody else out. And
# for the rest of a body that nobody wants any more.
HEAD_SECONDS = 10.0


class Door:
    """Lets so many in: beyond that, who has longest said nothing makes room, or who comes is sent away.

    `on_full` is told each time.
    """

    def __init__(self, most: int, on_full: Callable[[], None]) -> None:
        self._most = most
        self._on_full = on_full
        self._silent: dict[HttpConnection, None] = {}

    def enter(self, newcomer: "HttpConnection") -> None:
        """Take a new connection in, at another one's cost where it is full."""
        self._silent[newcomer] = None
        if len(newcomer.connections) > self._most:
            self._on_full()
            longest_silent = next(iter(self._silent))
            self.heard(longest_silent)
            longest_silent.transport.abort()

    def heard(self, connection: "HttpConnection") -> None:
        """Note that a connection has said what it wants, or has gone."""
        self._silent.pop(connection, None)


class HttpConnection(H11Protocol):
    """Closes a connection on which a request's head does not come in time; uvicorn would wait for ever."""

    def __init__(self, door: Door, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **named)
        self._door = door
        self._impatience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._door.enter(self)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.heard(self)
        self._calm()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._door.heard(self)
        if self.conn.their_state is not h11.IDLE and not self._is_answered_early():
            self._calm()
        elif self._impatience is None:
            self._impatience = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _is_answered_early(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn leaves it out where a WebSocket begins
        return self.conn.their_state is h11.SEND_BODY and cycle is not None and cycle.response_complete

    def _calm(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None


class LiveConnection(WebSocketsSansIOProtocol):
    """Keeps nothing for a client that asks for answers and does not take them."""

    def handle_ping(self) -> None:
        """Answer, unless earlier answers still lie here: only the latest ping has a right to one."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        """Take a part of a message; parts without content are free of charge for a client, and must be for us."""
        if event.data or event.fin:
            super().handle_cont(event)
