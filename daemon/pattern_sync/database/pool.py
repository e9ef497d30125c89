"""Connections for the event loop: host by host, with deadlines and a server that takes writes."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Self

import asyncpg

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.faults import translated
from pattern_sync.database.statements import Statement
from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable, PoolerInTheWay

CONNECT_SECONDS = 5.0  # for each host; asyncpg's own timeout covers all hosts of a URL together
CLOSE_SECONDS = 5.0
STATEMENT_CACHE_SIZE = 100
# With these a peer that vanished is noticed within about six seconds; asyncpg sets none of them.
_KEEPALIVE = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 5_000}


async def connect(
    address: DatabaseAddress,
    statements: Mapping[str, Statement],
    application_name: str,
    statement_cache_size: int = STATEMENT_CACHE_SIZE,
) -> "asyncpg.Connection[asyncpg.Record]":
    """Return a connection to the first host that takes writes.

    Raises DatabaseUnavailable with what was tried, or AccessRefused where a server said no.
    """
    tried = []
    for host, port in address.hosts:
        try:
            connection = await _connect_host(address, host, port, application_name, statement_cache_size)
            refusal = await _why_not_writable(connection, statements)
        except DatabaseUnavailable as fault:
            tried.append(f"{host}:{port}: {fault}")
            continue
        except AccessRefused as fault:
            raise AccessRefused(f"{host}:{port}: {fault}") from fault
        if refusal is None:
            return connection
        connection.terminate()
        tried.append(f"{host}:{port}: {refusal}")
    raise DatabaseUnavailable("; ".join(tried))


async def _connect_host(
    address: DatabaseAddress, host: str, port: int, application_name: str, statement_cache_size: int
) -> "asyncpg.Connection[asyncpg.Record]":
    with translated():
        connection = await asyncpg.connect(
            address.url,
            host=host,
            port=port,
            timeout=CONNECT_SECONDS,
            statement_cache_size=statement_cache_size,
            max_cached_statement_lifetime=0,  # a daemon that is idle for minutes is still to answer at once
            server_settings={"application_name": application_name},
        )
    _keep_alive(connection)
    return connection


async def _why_not_writable(
    connection: "asyncpg.Connection[asyncpg.Record]", statements: Mapping[str, Statement]
) -> str | None:
    # In a transaction, as a pooler may otherwise prepare the statement on one server and run it on another.
    with translated():
        async with connection.transaction():
            state = await connection.fetchrow(statements["server_state"].sql, timeout=CONNECT_SECONDS)
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


class Pool:
    """A few connections, each statement with a deadline; what fails is thrown away, never reused."""

    def __init__(self, address: DatabaseAddress, statements: Mapping[str, Statement]) -> None:
        self._address = address
        self._statements = statements
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._behind_pooler = False

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(
            min_size=0,
            max_size=6,
            max_inactive_connection_lifetime=60.0,
            connect=self._connect,
            reset=_keep_as_it_is,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pool is not None:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._pool.close()
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                self._pool.terminate()

    async def fetch(self, name: str, *arguments: object, deadline_seconds: float) -> Sequence[asyncpg.Record]:
        """Run one named statement in its own transaction and return its rows."""
        sql = self._statements[name].sql
        async with self._acquire() as connection:
            if not self._behind_pooler:
                return await connection.fetch(sql, *arguments, timeout=deadline_seconds)
            async with connection.transaction():  # keeps the statement and what it prepares on one server
                return await connection.fetch(sql, *arguments, timeout=deadline_seconds)

    async def stream(
        self, name: str, *arguments: object, batch_size: int, deadline_seconds: float
    ) -> AsyncGenerator[Sequence[asyncpg.Record], None]:
        """Yield the rows of one named statement in batches, all of one snapshot."""
        async with self._acquire() as connection, connection.transaction(readonly=True):
            cursor = await connection.cursor(self._statements[name].sql, *arguments, timeout=deadline_seconds)
            while rows := await cursor.fetch(batch_size, timeout=deadline_seconds):
                yield rows

    async def adapt_to_pooler(self) -> None:
        """From now on prepare nothing that has to outlive a transaction."""
        if not self._behind_pooler:
            self._behind_pooler = True
            await self.expire()

    async def expire(self) -> None:
        """Stop using the connections that are open: the server behind them may be another one now."""
        if self._pool is not None:
            await self._pool.expire_connections()

    @contextlib.asynccontextmanager
    async def _acquire(self) -> AsyncGenerator["asyncpg.pool.PoolConnectionProxy[asyncpg.Record]", None]:
        if self._pool is None:
            raise RuntimeError("The pool is used outside its context.")
        try:
            with translated():
                connection = await self._pool.acquire(timeout=CONNECT_SECONDS * len(self._address.hosts) + 1)
                try:
                    yield connection
                except (TimeoutError, OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
                    # A graceful close of a dead socket would wait for it.
                    connection.terminate()
                    raise
                except asyncpg.ReadOnlySQLTransactionError:
                    await self.expire()
                    raise
                finally:
                    # A release that fails has dropped the connection; its error must not take a cancellation's place.
                    with contextlib.suppress(TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                        await self._pool.release(connection, timeout=CLOSE_SECONDS)
        except PoolerInTheWay:
            await self.adapt_to_pooler()
            raise

    async def _connect(self, *_: object, **__: object) -> "asyncpg.Connection[asyncpg.Record]":
        cache_size = 0 if self._behind_pooler else STATEMENT_CACHE_SIZE
        return await connect(self._address, self._statements, "pattern-sync", cache_size)


async def _keep_as_it_is(_: object) -> None:
    """Save a round trip after each statement: no session state is ever changed."""
