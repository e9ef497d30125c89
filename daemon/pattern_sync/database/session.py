"""The LISTEN session: its own connection, never in a transaction, and proof that it works."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.faults import translated
from pattern_sync.database.pool import connect
from pattern_sync.database.statements import Statement
from pattern_sync.domain.errors import DatabaseUnavailable

if TYPE_CHECKING:
    import asyncpg

CHANNEL = "pattern_sync"
HEARTBEAT_SECONDS = 2.0
ROUND_TRIP_SECONDS = 3.0


class ListenSession:
    """A connection that is told what the triggers announce."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", statements: Mapping[str, Statement]) -> None:
        self._connection = connection
        self._statements = statements
        self._ping_channel = f"pattern_sync_{secrets.token_hex(8)}"
        self._pings: dict[str, asyncio.Event] = {}
        self.lost = asyncio.Event()
        connection.add_termination_listener(lambda _: self.lost.set())

    @classmethod
    async def open(
        cls,
        address: DatabaseAddress,
        statements: Mapping[str, Statement],
        on_payload: Callable[[str], None],
    ) -> Self:
        """Connect and LISTEN; what commits after this returned is announced to `on_payload`."""
        connection = await connect(address, statements, "pattern-sync listener")
        session = cls(connection, statements)
        try:
            with translated():
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await connection.add_listener(CHANNEL, lambda *event: on_payload(str(event[3])))
                    await connection.add_listener(session._ping_channel, session._on_ping)
        except BaseException:
            session.terminate()
            raise
        return session

    async def heartbeat(self) -> None:
        """Prove that the session lives, listens and faces a primary. Raises DatabaseUnavailable."""
        with translated():
            row = await self._connection.fetchrow(self._statements["heartbeat"].sql, timeout=HEARTBEAT_SECONDS)
        if row is None or row["in_recovery"]:
            raise DatabaseUnavailable("the server has become a standby")
        if not row["listening"]:
            raise DatabaseUnavailable("the session no longer listens")

    async def round_trip(self) -> bool:
        """Send a notification to itself; False where it does not come back in time.

        Only this unmasks a transaction pooler, which accepts LISTEN and delivers nothing.
        """
        payload = secrets.token_hex(8)
        arrived = self._pings[payload] = asyncio.Event()
        try:
            with translated():
                await self._connection.execute(
                    self._statements["ping"].sql, self._ping_channel, payload, timeout=ROUND_TRIP_SECONDS
                )
            async with asyncio.timeout(ROUND_TRIP_SECONDS):
                await arrived.wait()
        except TimeoutError:
            return False
        finally:
            del self._pings[payload]
        return True

    def terminate(self) -> None:
        """Drop the connection without a farewell: on a dead link that would wait for minutes."""
        self._connection.terminate()

    def _on_ping(self, *event: object) -> None:
        if arrived := self._pings.get(str(event[3])):
            arrived.set()
