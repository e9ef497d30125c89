"""The HTTP server inside our own task group: signals, order of stop and faults are ours."""

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
from pattern_sync.web.connections import Door, HttpConnection, LiveConnection
from pattern_sync.web.listening import NotNow, Place, raise_file_limit, url_of

# What is being answered at a stop may take this long; live clients are told to come again at once.
GRACEFUL_SECONDS = 3
PING_SECONDS = 20.0
# asyncio accepts so many before it looks at the first of them; the kernel keeps more.
ACCEPTED_AT_ONCE = 32
BACKLOG = 1_024


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the daemon."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, with a longer queue in the kernel than asyncio takes in one go."""
        await super().startup(sockets)
        for each in sockets or []:
            each.listen(BACKLOG)


class HttpServer:
    """Serves an application from the moment its port is free until it is closed."""

    name = "http-server"

    def __init__(self, app: ASGIApp, host: str, port: int, emit: Emit, retry_seconds: float) -> None:
        self._app = app
        self._place = Place.find(host, port)
        self._emit = emit
        self._retry_seconds = retry_seconds
        self._waits_for: str | None = None
        self._listener: socket.socket | None = None
        self._server: _Server | None = None
        self._closed = asyncio.Event()
        logging.getLogger("uvicorn.error").addFilter(_only_bugs)

    def open(self) -> None:
        """Take the port, if it is free. Raises InvalidSettings where it cannot become so by waiting."""
        try:
            self._took(self._place.listen())
        except NotNow as fault:
            self._wait_for_port(str(fault))

    def close(self) -> None:
        """Finish what is being answered and end."""
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
            # Beside the loop: who has the port is looked for among all files of all processes.
            self._took(await asyncio.to_thread(self._place.listen))
        except (NotNow, InvalidSettings) as fault:
            self._wait_for_port(str(fault))

    def _took(self, listener: socket.socket) -> None:
        self._listener = listener
        self._emit(HttpServing(url_of(listener)))

    def _wait_for_port(self, reason: str) -> None:
        if reason != self._waits_for:
            self._waits_for = reason
            self._emit(HttpWaiting(reason))

    def _config(self) -> uvicorn.Config:
        door = Door(raise_file_limit(), lambda: self._emit(HttpCrowded()))
        return uvicorn.Config(
            self._app,
            http=partial(HttpConnection, door),  # type: ignore[arg-type] # it is only called
            ws=LiveConnection,
            ws_max_size=4096,  # nothing that a client says is of interest
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            ws_per_message_deflate=False,  # it would be done again for each client, and hold memory for each
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=ACCEPTED_AT_ONCE,
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
        )


def _only_bugs(record: logging.LogRecord) -> bool:
    # Everything else that uvicorn has to say is what clients do wrong: nobody may fill the log from outside.
    return record.getMessage().startswith("Exception in ASGI application")
