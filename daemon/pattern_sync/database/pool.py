"""A few connections for short statements, each with a deadline."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Self

import asyncpg

from pattern_sync.database.connector import STATEMENT_CACHE_SIZE, Connector
from pattern_sync.database.faults import translated
from pattern_sync.database.in_flight import InFlight
from pattern_sync.database.naming import session_name
from pattern_sync.database.rows.queue import ids_argument
from pattern_sync.database.session_settings import known_to
from pattern_sync.domain.errors import DatabaseUnavailable, OutcomeUnknown, PlanOutdated, PoolerInTheWay
from pattern_sync.services.liveness import working

# Six for the services, three for a manual sync, and the lanes.
MOST_CONNECTIONS = 16
PEOPLES_CONNECTIONS = 3
PAGES_CONNECTIONS = 2  # to read what is broadcast, and to notify the other daemons
# Long enough to count a large table, short enough for a person.
LANE_SECONDS = 10.0
CLOSE_SECONDS = 5.0
CANCEL_SECONDS = 1.0
SETTLE_SECONDS = 5.0
# During a stop: a server that answers has answered by then, and nobody waits for one that does not.
HURRIED_CONNECT_SECONDS = 0.5


class Pool:
    """A few connections, each statement with a deadline; a connection that fails is dropped, never reused."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._statements = connector.statements
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._in_flight = InFlight()
        self._lanes: dict[str, Lane] = {}
        self._behind_pooler = False
        # Whether some session did not take our settings: each transaction then sets them for itself.
        self._unsettled = False
        self._longest_seconds = connector.longest_seconds
        self._connecting: set[asyncio.Timeout] = set()

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(
            min_size=0,
            max_size=MOST_CONNECTIONS,
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
        """Run one named statement in its own transaction and return its rows.

        Raises OutcomeUnknown if there is no answer, DatabaseUnavailable if it was not executed.
        """
        sql = self._statements[name].sql
        # The calling service does not count as hung until the statement's deadline has passed.
        with working(self._connector.longest_seconds + deadline_seconds + CLOSE_SECONDS):
            return await self._fetch(sql, arguments, deadline_seconds)

    async def _fetch(self, sql: str, arguments: Sequence[object], deadline_seconds: float) -> Sequence[asyncpg.Record]:
        async with self._acquire() as connection:
            if not (self._behind_pooler or self._unsettled):
                return await connection.fetch(sql, *arguments, timeout=deadline_seconds)
            # A transaction keeps the statement, its preparation and our settings on one server session.
            async with connection.transaction(isolation="read_committed"):
                await self._settle(connection)
                return await connection.fetch(sql, *arguments, timeout=deadline_seconds)

    @property
    def in_transactions(self) -> bool:
        """Return whether each statement runs in its own transaction, because sessions are shared with other clients."""
        return self._behind_pooler or self._unsettled

    def lane(self, name: str, connections: int, deadline_seconds: float = LANE_SECONDS) -> "Lane":
        """Return a new share of the pool; each of its statements has the deadline."""
        self._lanes[name] = Lane(self, connections, deadline_seconds)
        return self._lanes[name]

    def connections(self) -> dict[tuple[str, str], int]:
        """Return how many connections are in use, by lane, and how many are idle, for any lane."""
        opened = 0 if self._pool is None else self._pool.get_size()
        idle = 0 if self._pool is None else self._pool.get_idle_size()
        lanes = {name: lane.in_use for name, lane in self._lanes.items()}
        # A lane counts a statement that still waits for its connection.
        lanes["services"] = max(0, opened - idle - sum(lanes.values()))
        return {**{(name, "in_use"): number for name, number in lanes.items()}, ("any", "idle"): idle}

    async def adapt_to_pooler(self) -> None:
        """Stop preparing statements that would have to outlive a transaction."""
        if not self._behind_pooler:
            self._behind_pooler = True
            await self.expire()

    async def leave_pooler_mode(self) -> None:
        """Rely on sessions again: notifications arrive, so no pooler shares them."""
        if self._behind_pooler:
            self._behind_pooler = False
            await self.expire()

    async def expire(self) -> None:
        """Stop using the open connections: the server behind them may have changed."""
        self._unsettled = False  # the next connect checks again
        if self._pool is not None:
            await self._pool.expire_connections()

    async def give_up_unanswered(self) -> None:
        """Drop connections whose server process does nothing, as over a link that lost a request or its answer.

        Otherwise a long scan would wait for its whole deadline. A pooler hides which process works for us.
        """
        if (long_ones := self._in_flight.long_ones()) and not self.in_transactions:
            rows = await self.fetch("unanswered", ids_argument(long_ones), deadline_seconds=SETTLE_SECONDS)
            self._in_flight.give_up([row["pid"] for row in rows])

    def hurry(self) -> None:
        """Wait no longer for hosts that do not answer, from now on: the daemon stops."""
        self._longest_seconds = min(self._longest_seconds, HURRIED_CONNECT_SECONDS)
        latest = asyncio.get_running_loop().time() + self._longest_seconds
        for deadline in self._connecting:
            if not deadline.expired():
                deadline.reschedule(min(latest, deadline.when() or latest))

    @contextlib.asynccontextmanager
    async def _acquire(self) -> AsyncGenerator["asyncpg.pool.PoolConnectionProxy[asyncpg.Record]", None]:
        if self._pool is None:
            raise RuntimeError("The pool is used outside its context.")
        acquired = False
        try:
            with translated():
                connection = await self._connected(self._pool)
                acquired = True
                patience_seconds = CLOSE_SECONDS
                try:
                    with self._in_flight.using(connection):
                        yield connection
                except TimeoutError:
                    # asyncpg asks the server to cancel the statement, so that it is not executed later after all. Over
                    # a dead link the request gets no answer, and the other connections may have died with this one:
                    # each of them would cost a deadline.
                    patience_seconds = CANCEL_SECONDS
                    await self.expire()
                    raise
                except asyncio.CancelledError:
                    patience_seconds = CANCEL_SECONDS
                    raise
                except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
                    # A graceful close would wait for a dead socket.
                    connection.terminate()
                    raise
                except asyncpg.ReadOnlySQLTransactionError:
                    await self.expire()
                    raise
                finally:
                    # A release that fails has dropped the connection; its error must not replace a cancellation.
                    with contextlib.suppress(TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                        await self._pool.release(connection, timeout=patience_seconds)
        except PoolerInTheWay:
            await self.adapt_to_pooler()
            raise
        except PlanOutdated:
            # Somebody altered a table. Only new sessions drop what was prepared, also by functions on the server.
            await self.expire()
            raise
        except DatabaseUnavailable as fault:
            if acquired and not _is_reported(fault):
                raise OutcomeUnknown(str(fault), sqlstate=fault.sqlstate) from fault
            raise

    async def _connected(
        self, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]":
        # Not acquire(timeout=…): it starts a task each time, a fifth of the time from commit to entry.
        async with asyncio.timeout(self._longest_seconds) as deadline:
            self._connecting.add(deadline)
            try:
                return await pool.acquire()
            finally:
                self._connecting.discard(deadline)

    async def _connect(self, *_: object, **__: object) -> "asyncpg.Connection[asyncpg.Record]":
        cache_size = 0 if self._behind_pooler else STATEMENT_CACHE_SIZE
        opened = await self._connector.open(session_name(), statement_cache_size=cache_size)
        self._unsettled |= not opened.settled
        return opened.connection

    async def _settle(self, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]") -> None:
        names, values = known_to(connection.get_server_version().major)
        await connection.fetch(self._statements["settle"].sql, names, values, True, timeout=SETTLE_SECONDS)


class Lane:
    """A share of the pool, so that requests that wait for a lock do not hold up anything outside their lane."""

    def __init__(self, pool: Pool, connections: int, deadline_seconds: float = LANE_SECONDS) -> None:
        self._pool = pool
        self._deadline_seconds = deadline_seconds
        self._free = asyncio.Semaphore(connections)
        self.in_use = 0

    async def fetch(self, name: str, *arguments: object) -> list[dict[str, object]]:
        """Run one named statement. Raises DatabaseUnavailable if it, or the wait for a turn, takes too long."""
        with translated():
            async with asyncio.timeout(self._deadline_seconds):
                await self._free.acquire()
        self.in_use += 1
        try:
            rows = await self._pool.fetch(name, *arguments, deadline_seconds=self._deadline_seconds)
        finally:
            self.in_use -= 1
            self._free.release()
        return [dict(row) for row in rows]


def _is_reported(fault: DatabaseUnavailable) -> bool:
    # What the server reports was rolled back. asyncpg itself gives a lost connection an SQLSTATE of class 08.
    return fault.sqlstate is not None and not fault.sqlstate.startswith("08")


async def _keep_as_it_is(_: object) -> None:
    """Save a round trip after each statement: the session state never changes."""
