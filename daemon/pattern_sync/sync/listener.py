"""The listener: keeps one LISTEN session alive for ever, and marks what its notifications name."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import DatabaseUnavailable, NoAnswer, PassingFault, PoolerInTheWay, StandbyServer
from pattern_sync.domain.facts import Emit, SessionEnded, SessionProven
from pattern_sync.domain.reception import SessionEnd
from pattern_sync.domain.scans import ScanKind
from pattern_sync.services.activity import Activity
from pattern_sync.services.timings import Timings
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.payloads import Payloads
from pattern_sync.sync.reception import Reception

_DEAF = (
    "LISTEN is accepted, but no notification comes back, as behind a transaction-mode pooler;"
    " point PATTERN_SYNC_DATABASE_URL at the server itself"
)


class Session(Protocol):
    """A connection that listens; its methods raise PassingFault, and each has deadlines of its own."""

    lost: asyncio.Event

    async def heartbeat(self) -> None: ...
    async def round_trip(self) -> bool: ...
    def terminate(self) -> None: ...


class Listener:
    """Connects, listens, catches up, proves the session every few seconds, and starts over.

    `backoff` is for a session that was lost, `deaf_backoff` for one that hears nothing; `now` is a monotonic clock in
    seconds.
    """

    name = "listener"

    def __init__(
        self,
        open_session: Callable[[Callable[[str], None]], Awaitable[Session]],
        payloads: Payloads,
        intake: Intake,
        reception: Reception,
        backoff: Backoff,
        deaf_backoff: Backoff,
        emit: Emit,
        activity: Activity,
        now: Callable[[], float],
        timings: Timings,
    ) -> None:
        self._open_session = open_session
        self._payloads = payloads
        self._intake = intake
        self._reception = reception
        self._backoff = backoff
        self._deaf_backoff = deaf_backoff
        self._emit = emit
        self._activity = activity
        self._now = now
        self._timings = timings
        self._is_open = False

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self.run_once()
            except PoolerInTheWay as fault:
                self._emit(SessionEnded(self._end_of(fault)))
                self._reception.lost(_DEAF)
                await self._activity.wait(self._deaf_backoff.next_delay_seconds())
            except PassingFault as fault:
                self._emit(SessionEnded(self._end_of(fault)))
                self._reception.lost(str(fault))
                await self._activity.wait(self._backoff.next_delay_seconds())

    async def run_once(self) -> None:
        """Keep one session from connecting to losing it. Raises PassingFault; PoolerInTheWay where it hears nothing."""
        self._is_open = False
        with self._activity.liveness.working():
            session = await self._open_session(self._payloads.notified)
        self._is_open = True
        try:
            # LISTEN is in force. Only now may the rows be read: what commits from here on is notified.
            self._intake.add_everything(ScanKind.CATCH_UP)
            await self._prove_until_lost(session)
        finally:
            session.terminate()

    async def _prove_until_lost(self, session: Session) -> None:
        beats_until_round_trip = 0
        while True:
            round_trip_seconds = None
            with self._activity.liveness.working():
                heartbeat_seconds = await self._heartbeat(session)
                if beats_until_round_trip == 0:
                    round_trip_seconds = await self._round_trip(session)
                    beats_until_round_trip = int(self._timings.round_trip_seconds / self._timings.heartbeat_seconds)
            beats_until_round_trip -= 1
            self._emit(SessionProven(heartbeat_seconds, round_trip_seconds))
            self._backoff.reset()
            self._deaf_backoff.reset()
            self._reception.listening()
            if await self._activity.wait_for(session.lost, self._timings.heartbeat_seconds):
                raise DatabaseUnavailable("the connection was lost")

    async def _heartbeat(self, session: Session) -> float:
        started = self._now()
        await session.heartbeat()
        return self._now() - started

    async def _round_trip(self, session: Session) -> float:
        started = self._now()
        if not await session.round_trip():
            raise PoolerInTheWay
        return self._now() - started

    def _end_of(self, fault: PassingFault) -> SessionEnd:
        match fault:
            case PoolerInTheWay():
                return SessionEnd.DEAF
            case StandbyServer():
                return SessionEnd.STANDBY
            case NoAnswer():
                return SessionEnd.TIMEOUT
            case _:
                return SessionEnd.KILLED if self._is_open else SessionEnd.REFUSED
