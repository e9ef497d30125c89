"""New connections for the event loop: host by host, each with a deadline, to a server that takes writes."""

import socket
from collections.abc import Mapping

import asyncpg

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.faults import translated
from pattern_sync.database.statements import Statement
from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable

CONNECT_SECONDS = 5.0  # for each host; asyncpg's own timeout covers all hosts of a URL together
STATEMENT_CACHE_SIZE = 100
# With these a peer that vanished is noticed within about six seconds; asyncpg sets none of them.
_KEEPALIVE = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 5_000}


class Connector:
    """Connects to the first host that takes writes, starting with the one that did last time."""

    def __init__(self, address: DatabaseAddress, statements: Mapping[str, Statement]) -> None:
        self.statements = statements
        self._address = address
        self._hosts = list(address.hosts)

    @property
    def longest_seconds(self) -> float:
        """Return how long a connect may take when every host is a black hole."""
        return CONNECT_SECONDS * len(self._hosts) + 1

    async def connect(
        self, application_name: str, *, statement_cache_size: int = STATEMENT_CACHE_SIZE
    ) -> "asyncpg.Connection[asyncpg.Record]":
        """Return a connection. Raises DatabaseUnavailable with what was tried, AccessRefused where a server said no."""
        tried = []
        for host, port in tuple(self._hosts):
            try:
                connection = await self._connect_host(host, port, application_name, statement_cache_size)
                refusal = await self._why_not_writable(connection)
            except DatabaseUnavailable as fault:
                tried.append(f"{host}:{port}: {fault}")
                continue
            except AccessRefused as fault:
                raise AccessRefused(f"{host}:{port}: {fault}") from fault
            if refusal is None:
                # A dead host costs seconds; it is not to be asked first each time.
                self._hosts.sort(key=(host, port).__ne__)
                return connection
            connection.terminate()
            tried.append(f"{host}:{port}: {refusal}")
        raise DatabaseUnavailable("; ".join(tried))

    async def _connect_host(
        self, host: str, port: int, application_name: str, statement_cache_size: int
    ) -> "asyncpg.Connection[asyncpg.Record]":
        with translated():
            connection = await asyncpg.connect(
                self._address.url,
                host=host,
                port=port,
                timeout=CONNECT_SECONDS,
                statement_cache_size=statement_cache_size,
                max_cached_statement_lifetime=0,  # a daemon that is idle for minutes is still to answer at once
                server_settings={"application_name": application_name},
            )
        _keep_alive(connection)
        return connection

    async def _why_not_writable(self, connection: "asyncpg.Connection[asyncpg.Record]") -> str | None:
        # In a transaction, as a pooler may otherwise prepare the statement on one server and run it on another.
        with translated():
            async with connection.transaction():
                state = await connection.fetchrow(self.statements["server_state"].sql, timeout=CONNECT_SECONDS)
        if state is not None and state["in_recovery"]:
            return "a standby, which takes no writes"
        return "read-only (default_transaction_read_only is on)" if state is None or state["read_only"] else None


def _keep_alive(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    # asyncpg has no public way to its socket.
    transport = connection._transport  # type: ignore[attr-defined]  # noqa: SLF001
    peer = transport.get_extra_info("socket")
    if peer is None or peer.family not in (socket.AF_INET, socket.AF_INET6):
        return
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
