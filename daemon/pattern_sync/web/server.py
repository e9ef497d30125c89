"""The HTTP server as a service of the daemon, which handles signals, faults and the order of a stop itself."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.domain.facts import Emit, HttpCrowded, HttpServing, HttpWaiting
from pattern_sync.services.waiting import wait_for
from pattern_sync.web.connections import ConnectionLimit, HttpConnection, LiveConnection
from pattern_sync.web.listening import AddressUnavailable, ListenAddress, raise_file_limit, unresolved, url_of

# At a stop, requests in progress may take this long. WebSockets are closed at once, and their clients reconnect.
GRACEFUL_SECONDS = 3
PING_SECONDS = 20.0
# A name server that does not answer holds up neither the queue nor a stop for longer.
LOOKUP_SECONDS = 2.0
# asyncio accepts so many connections in one go before it serves the first. The kernel's queue, BACKLOG, is longer.
ACCEPTED_AT_ONCE = 32
BACKLOG = 1_024


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the daemon."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and set the kernel's queue, which asyncio would make as short as what it accepts in one go."""
        await super().startup(sockets)
        for each in sockets or []:
            each.listen(BACKLOG)


class HttpServer:
    """Serves an application as soon as its port is free, until it is closed."""

    name = "http-server"

    def __init__(self, app: ASGIApp, host: str, port: int, emit: Emit, retry_seconds: float) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._emit = emit
        self._retry_seconds = retry_seconds
        self._reported: str | None = None
        self._listener: socket.socket | None = None
        self._server: _Server | None = None
        self._closed = asyncio.Event()
        logging.getLogger("uvicorn.error").addFilter(_only_bugs)

    async def open(self) -> None:
        """Listen, if the port is free. Raises InvalidSettings if waiting would not help."""
        try:
            await self._listen()
        except AddressUnavailable as fault:
            self._report_waiting(str(fault))

    def close(self) -> None:
        """Finish the requests in progress, and end."""
        self._closed.set()
        if self._server is not None:
            self._server.should_exit = True

    async def run(self) -> None:
        """Serve until closed."""
        while self._listener is None and not self._closed.is_set():
            if not await wait_for(self._closed, self._retry_seconds):
                await self._open_again()
        if self._listener is None:
            return
        if self._closed.is_set():
            self._listener.close()
            return
        self._server = _Server(self._config())
        await self._server.serve(sockets=[self._listener])

    async def _open_again(self) -> None:
        try:
            await self._listen()
        except (AddressUnavailable, InvalidSettings) as fault:
            self._report_waiting(str(fault))

    async def _listen(self) -> None:
        address = await self._resolved()
        # In a thread: the search for the port's holder reads all open files of all processes.
        self._listener = await asyncio.to_thread(address.listen)
        self._emit(HttpServing(url_of(self._listener)))

    async def _resolved(self) -> ListenAddress:
        """Return the address of the name by now. Raises AddressUnavailable, also for a lookup that hangs."""
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                return await asyncio.to_thread(ListenAddress.resolve, self._host, self._port)
        except TimeoutError:
            raise unresolved(self._host, "the name server does not answer") from None

    def _report_waiting(self, reason: str) -> None:
        if reason != self._reported:
            self._reported = reason
            self._emit(HttpWaiting(reason))

    def _config(self) -> uvicorn.Config:
        limit = ConnectionLimit(raise_file_limit(), lambda: self._emit(HttpCrowded()))
        return uvicorn.Config(
            self._app,
            http=partial(HttpConnection, limit),  # type: ignore[arg-type] # it is only called
            ws=LiveConnection,
            ws_max_size=4096,  # messages of clients are not used
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            ws_per_message_deflate=False,  # it would cost processor time and memory for each client
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=ACCEPTED_AT_ONCE,
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
        )


def _only_bugs(record: logging.LogRecord) -> bool:
    # uvicorn's other records are about mistakes of clients, who could fill the log with them.
    return record.getMessage().startswith("Exception in ASGI application")
