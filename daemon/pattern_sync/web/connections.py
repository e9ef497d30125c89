"""Client connections: how many there may be, how long a request may take, and how much may stay unread."""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets import http11
from websockets.frames import Frame

# For the head of a request: without a deadline, idle connections would keep everybody else out. Also for the rest of a
# body whose request was already answered.
HEAD_SECONDS = 10.0
# uvicorn's limit for the whole head of a request. The head of a WebSocket is read once more, line by line, by a library
# whose own limit is what some sign-on proxies' cookies exceed.
http11.MAX_LINE_LENGTH = 65_536


class ConnectionLimit:
    """Keeps at most `most` connections open, by aborting the oldest one that has not sent a request.

    That can be the new one itself. `on_full` is called each time.
    """

    def __init__(self, most: int, on_full: Callable[[], None]) -> None:
        self._most = most
        self._on_full = on_full
        self._silent: dict[HttpConnection, None] = {}  # without a request so far, oldest first

    def add(self, connection: "HttpConnection") -> None:
        """Count a new connection, and abort a silent one if there are too many now."""
        self._silent[connection] = None
        if len(connection.connections) > self._most:
            self._on_full()
            oldest = next(iter(self._silent))
            self.spare(oldest)
            oldest.transport.abort()

    def spare(self, connection: "HttpConnection") -> None:
        """Do not abort this connection: it has sent a request, or is closed."""
        self._silent.pop(connection, None)


class HttpConnection(H11Protocol):
    """Closes a connection if the head of a request does not arrive in time; uvicorn would wait for ever."""

    def __init__(self, limit: ConnectionLimit, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **named)
        self._limit = limit
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._limit.add(self)
        self._set_deadline()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit.spare(self)
        self._cancel_deadline()
        super().connection_lost(exc)

    def _set_deadline(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._limit.spare(self)
        if self.conn.their_state is not h11.IDLE and not self._is_answered_early():
            self._cancel_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _is_answered_early(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn sets none if a WebSocket begins
        return self.conn.their_state is h11.SEND_BODY and cycle is not None and cycle.response_complete

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class LiveConnection(WebSocketsSansIOProtocol):
    """A WebSocket that begins or ends in time, and on which pings or empty fragments cannot pile up memory."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._end_unless_begun)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse(self.conn.handshake_exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        super().connection_lost(exc)

    def handle_ping(self) -> None:
        """Answer, unless earlier answers are still unread: the protocol requires one for the latest ping only."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        """Keep a fragment of a message, unless it is empty: the size limit would never stop a flood of empty ones."""
        if event.data or event.fin:
            super().handle_cont(event)

    def _refuse(self, fault: Exception) -> None:
        # The head was good enough for HTTP and is not for a WebSocket. uvicorn sends nothing then, and waits for ever.
        prepared = b"".join(self.conn.data_to_send())
        self.transport.write(prepared or self.conn.reject(400, f"{fault}\n").serialize())
        self.transport.close()

    def _end_unless_begun(self) -> None:
        if not self.handshake_complete:
            self.transport.abort()
