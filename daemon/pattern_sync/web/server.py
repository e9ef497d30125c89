"""The HTTP server inside our own task group: signals, order of stop and faults are ours."""

import asyncio
import logging
import resource
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager

import h11
import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from pattern_sync.domain.errors import InvalidSettings

# What is being answered at a stop may take this long; live clients are told to come again at once.
GRACEFUL_SECONDS = 3
# By default a process may have 1,024 files open: too few for 500 pages that all load at once.
WANTED_FILES = 8_192
OTHER_FILES = 100  # of the database, the log and Python itself
PING_SECONDS = 20.0
# For the head of a request; without a limit, whoever opens connections and says nothing keeps everybody else out.
HEAD_SECONDS = 10.0
# A client that takes nothing for this long is dropped by the kernel, with what was buffered for it.
_KEEPALIVE = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}


class _Protocol(H11Protocol):
    """Closes a connection on which a request's head does not come in time; uvicorn would wait for ever."""

    _impatience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._calm()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._calm()
        elif self._impatience is None:
            self._impatience = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _calm(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the daemon."""
        yield


@asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int) -> AsyncGenerator[str, None]:
    """Serve for as long as the context is open; yields the URL. Raises InvalidSettings where it cannot listen there."""
    listener = _listen(host, port)
    server = _Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            ws="websockets-sansio",
            ws_max_size=4096,  # nothing that a client says is of interest
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            ws_per_message_deflate=False,  # it would be done again for each client, and hold memory for each
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_raise_file_limit() - OTHER_FILES,
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
        )
    )
    logging.getLogger("uvicorn.error").addFilter(_only_bugs)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_serve(server, listener), name="http server")
        url = _url(listener)
        structlog.stdlib.get_logger("pattern_sync").info("serving", url=url)
        try:
            yield url
        finally:
            server.should_exit = True
            await asyncio.wait({task})  # in here, or the group would cut off whoever is connected


def _only_bugs(record: logging.LogRecord) -> bool:
    # Everything else that uvicorn has to say is what clients do wrong: nobody may fill the log from outside.
    return record.getMessage().startswith("Exception in ASGI application")


def _raise_file_limit() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return WANTED_FILES
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


async def _serve(server: _Server, listener: socket.socket) -> None:
    await server.serve(sockets=[listener])
    if not server.should_exit:
        raise RuntimeError("The HTTP server ended, which it must not.")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(
            address,
            family=family,
            backlog=256,
            dualstack_ipv6=family == socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as fault:
        raise InvalidSettings(
            f"Nobody can listen on {host}, port {port}: {fault.strerror}. Is another daemon running here? Set"
            " PATTERN_SYNC_HTTP_PORT to another port (0: any that is free), PATTERN_SYNC_HTTP_HOST to an address of"
            " this machine."
        ) from None
    # asyncio leaves it out for a socket of ours; every answer but the first would wait 40 ms for the client's ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)  # accepted sockets inherit it
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
