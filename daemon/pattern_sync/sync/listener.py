"""Keeps one LISTEN session alive for ever, and says what it heard."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import DatabaseUnavailable, PassingFault, PoolerInTheWay
from pattern_sync.domain.notification import Request, UnknownPayload, parse_payload
from pattern_sync.domain.runs import RunKind
from pattern_sync.observability.state import DaemonState
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.liveness import Life

HEARTBEAT_INTERVAL_SECONDS = 3.0
ROUND_TRIP_INTERVAL_SECONDS = 60.0
# A pooler does not go away by itself, and polling finds everything meanwhile; but what looks like one may have been a
# link that stood still for a moment.
DEAF_BASE_SECONDS = 5.0
DEAF_CAP_SECONDS = 300.0
_DEAF = (
    "LISTEN is accepted but no notification comes back, as behind a transaction-mode pooler;"
    " point PATTERN_SYNC_DATABASE_URL at the server itself"
)


class Session(Protocol):
    """A connection that listens; its methods raise PassingFault, and each has deadlines of its own."""

    lost: asyncio.Event

    async def heartbeat(self) -> None: ...
    async def round_trip(self) -> bool: ...
    def terminate(self) -> None: ...


class Listener:
    """Connects, listens, catches up, proves the session every few seconds, and starts over."""

    NAME = "listener"

    def __init__(
        self,
        open_session: Callable[[Callable[[str], None]], Awaitable[Session]],
        intake: Intake,
        state: DaemonState,
        backoff: Backoff,
        deaf_backoff: Backoff,
        life: Life,
    ) -> None:
        self._open_session = open_session
        self._intake = intake
        self._state = state
        self._backoff = backoff
        self._deaf_backoff = deaf_backoff
        self._life = life

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            heard = await self.run_once()
            backoff = self._backoff if heard else self._deaf_backoff
            await self._life.pause(backoff.next_delay_seconds())

    async def run_once(self) -> bool:
        """Live one session, from connecting to losing it; False where it was deaf."""
        try:
            with self._life.working():
                session = await self._open_session(self._on_payload)
        except PoolerInTheWay:
            return self._deaf()
        except PassingFault as fault:
            self._state.polling(str(fault))
            return True
        try:
            # LISTEN is in force, and only now may the rows be read: what commits from here on is announced.
            self._intake.add_everything(RunKind.CATCH_UP)
            return await self._prove_until_lost(session)
        except PoolerInTheWay:
            return self._deaf()
        except PassingFault as fault:
            self._state.polling(str(fault))
            return True
        finally:
            session.terminate()

    async def _prove_until_lost(self, session: Session) -> bool:
        beats_until_round_trip = 0
        while True:
            with self._life.working():
                await session.heartbeat()
                if beats_until_round_trip == 0:
                    if not await session.round_trip():
                        return self._deaf()
                    beats_until_round_trip = int(ROUND_TRIP_INTERVAL_SECONDS / HEARTBEAT_INTERVAL_SECONDS)
            beats_until_round_trip -= 1
            self._backoff.reset()
            self._deaf_backoff.reset()
            self._state.listening()
            await self._wait_for_loss(session)

    def _deaf(self) -> bool:
        self._state.polling(_DEAF)
        return False

    async def _wait_for_loss(self, session: Session) -> None:
        try:
            async with asyncio.timeout(HEARTBEAT_INTERVAL_SECONDS):
                await session.lost.wait()
        except TimeoutError:
            return
        raise DatabaseUnavailable("the connection was lost")

    def _on_payload(self, payload: str) -> None:
        self._state.notified()
        match parse_payload(payload):
            case int(pattern_id):
                self._intake.add([pattern_id])
            case Request.EVERYTHING:
                self._state.recovery.everything_announced()
                self._intake.add_everything(RunKind.REQUEST)
            case Request.SETTINGS:
                self._intake.add_everything(RunKind.SETTINGS)
            case UnknownPayload(shown):
                self._state.unknown_payload(shown)
