"""The LISTEN session: its own connection, never in a transaction, and proof that it works."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self

from pattern_sync.database.connector import Connector
from pattern_sync.database.faults import translated
from pattern_sync.database.naming import LISTENER, session_name
from pattern_sync.database.pool import Pool
from pattern_sync.database.statements import Statement
from pattern_sync.domain.errors import PoolerInTheWay, StandbyServer, StatementFailed

if TYPE_CHECKING:
    import asyncpg

CHANNEL = "pattern_sync"
QUEUE_CHANNEL = "pattern_sync_queue"
HEARTBEAT_SECONDS = 2.0
LONGEST_HEARTBEAT_SECONDS = 10.0
ROUND_TRIP_SECONDS = 3.0


class ListenSession:
    """A connection that receives the notifications."""

    def __init__(
        self,
        connection: "asyncpg.Connection[asyncpg.Record]",
        statements: Mapping[str, Statement],
        pool: Pool,
        ping_channel: str,
        on_payload: Mapping[str, Callable[[str], None]],
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._pool = pool
        self._ping_channel = ping_channel
        self._on_payload = on_payload
        self._pings: dict[str, asyncio.Event] = {}
        self._heartbeat_deadline: asyncio.Timeout | None = None
        self._heartbeat_at = 0.0
        self.lost = asyncio.Event()
        connection.add_termination_listener(lambda _: self.lost.set())

    @classmethod
    async def open(
        cls,
        connector: Connector,
        pool: Pool,
        ping_channel: str,
        on_payload: Mapping[str, Callable[[str], None]],
    ) -> Self:
        """Connect and LISTEN; from then on `on_payload` gets each notification of a commit, by channel."""
        connection = await connector.connect(session_name(LISTENER))
        session = cls(connection, connector.statements, pool, ping_channel, on_payload)
        try:
            with translated():
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    for channel in on_payload:
                        await connection.add_listener(channel, session._on_notification)
                    await connection.add_listener(session._ping_channel, session._on_ping)
        except BaseException:
            session.terminate()
            raise
        return session

    async def heartbeat(self) -> None:
        """Prove that the session is alive, listens, and is on a primary. Raises DatabaseUnavailable.

        This is also the moment at which other statements on a dead link are given up.
        """
        self._heartbeat_at = asyncio.get_running_loop().time()
        with translated():
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS) as self._heartbeat_deadline:
                    row = await self._connection.fetchrow(self._statements["heartbeat"].sql)
            finally:
                self._heartbeat_deadline = None
        if row is None or row["in_recovery"]:
            raise StandbyServer("the server has become a standby")
        if row["read_only"]:
            raise StandbyServer("the server has become read-only")
        if not row["listening"]:
            raise PoolerInTheWay("the session no longer listens, as behind a transaction-mode pooler")
        await self._pool.give_up_unanswered()

    async def round_trip(self) -> bool:
        """Send this session a notification over another connection; False if it does not arrive in time.

        Only this reveals a transaction pooler, which accepts LISTEN and delivers nothing. If the session sent it
        itself, it would prove nothing: a pooler passes on what arrives while the session's own statement runs.
        """
        payload = secrets.token_hex(8)
        arrived = self._pings[payload] = asyncio.Event()
        try:
            await self._pool.fetch("ping", self._ping_channel, payload, deadline_seconds=ROUND_TRIP_SECONDS)
            async with asyncio.timeout(ROUND_TRIP_SECONDS):
                await arrived.wait()
        except TimeoutError:
            await self._pool.adapt_to_pooler()
            return False
        except StatementFailed:
            # The notification queue is full, so nothing is proven. The watch reports it; the daemon polls meanwhile.
            return True
        finally:
            del self._pings[payload]
        await self._pool.leave_pooler_mode()
        return True

    def terminate(self) -> None:
        """Drop the connection at once: a graceful close over a dead link would wait for minutes."""
        self._connection.terminate()

    def _on_notification(self, *event: object) -> None:
        if self._heartbeat_deadline is not None and not self._heartbeat_deadline.expired():
            # A notification proves liveness, too: the heartbeat's answer may wait behind a flood of them. But only for
            # so long: over a link that is dead in one direction, notifications arrive and no answer ever does.
            latest = self._heartbeat_at + LONGEST_HEARTBEAT_SECONDS
            self._heartbeat_deadline.reschedule(min(asyncio.get_running_loop().time() + HEARTBEAT_SECONDS, latest))
        self._on_payload[str(event[2])](str(event[3]))

    def _on_ping(self, *event: object) -> None:
        if arrived := self._pings.get(str(event[3])):
            arrived.set()
