"""What keeps the process itself in order: readiness, reloads, the watchdog, the embedded server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog

from pattern_sync.domain.errors import EmbeddedServerError, PassingFault, PatternSyncError
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.embedded import EmbeddedServer, Supervision
from pattern_sync.observability.state import DaemonState
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.sync.liveness import Life, Liveness
from pattern_sync.sync.outage import Outage

WATCHDOG_SECONDS = 10.0
SUPERVISION_SECONDS = 0.5
# A start of the embedded server may have to recover what it was doing when it died.
EMBEDDED_START_SECONDS = 300.0


class Readiness:
    """Whether the first catch-up is done: only from then on is there a READY=1, and only a reload brings another."""

    def __init__(self, manager: ServiceManager) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._manager = manager
        self._is_reached = False

    def reached(self) -> None:
        """Say that a catch-up is done; only the first one is news."""
        if not self._is_reached:
            self._is_reached = True
            self._log.info("ready")
            self._manager.ready()

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Tell the service manager of a reload, from begin to end; one during the start is part of the start."""
        told = self._is_reached
        if told:
            self._manager.reloading()
        yield
        if told:
            self._manager.ready()


class Reloader:
    """Publishes the filter anew when SIGHUP asks for it; a settings file that is wrong changes nothing."""

    NAME = "reloader"

    def __init__(
        self,
        asked: asyncio.Event,
        read_filter: Callable[[], SyncFilter],
        publish: Callable[[SyncFilter], Awaitable[bool]],
        readiness: Readiness,
        outage: Outage,
        life: Life,
    ) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._asked = asked
        self._read_filter = read_filter
        self._publish = publish
        self._readiness = readiness
        self._outage = outage
        self._life = life

    async def run(self) -> None:
        """Wait for the signal, again and again."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            with self._readiness.reloading(), self._life.working():
                await self.run_once()

    async def run_once(self) -> None:
        """Reload once; in an outage, as soon as it is over."""
        try:
            wanted = self._read_filter()
        except PatternSyncError as fault:
            self._log.error("reload refused, the filter stays as it was", reason=str(fault))
            return
        while True:
            try:
                changed = await self._publish(wanted)
            except PassingFault as fault:
                await self._outage.wait_out(fault)
            else:
                self._outage.over()
                self._log.info("reloaded", filter=str(wanted), changed=changed)
                return


class Watchdog:
    """Feeds systemd's watchdog as long as every service gets somewhere."""

    NAME = "watchdog"

    def __init__(self, liveness: Liveness, manager: ServiceManager, life: Life) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._liveness = liveness
        self._manager = manager
        self._life = life

    async def run(self) -> None:
        """Feed until cancelled."""
        limit = self._manager.watchdog_seconds
        period = WATCHDOG_SECONDS if limit is None else min(WATCHDOG_SECONDS, limit / 3)
        while True:
            self.run_once()
            await self._life.pause(period)

    def run_once(self) -> None:
        """Feed once, unless a service hangs."""
        if stalled := self._liveness.stalled():
            self._log.error("a service hangs; the watchdog is not fed", services=stalled)
        else:
            self._manager.feed_watchdog()


class EmbeddedSupervisor:
    """Starts the embedded server again when it ends, and takes it over when its owner goes."""

    NAME = "embedded supervisor"

    def __init__(self, server: EmbeddedServer, state: DaemonState, life: Life) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._server = server
        self._url = server.url
        self._state = state
        self._life = life

    async def run(self) -> None:
        """Look after the server until cancelled."""
        while True:
            await self._life.pause(SUPERVISION_SECONDS)
            with self._life.working(EMBEDDED_START_SECONDS):
                await self.run_once()

    async def run_once(self) -> None:
        """Look once. Raises EmbeddedServerError where the server is somewhere else now."""
        try:
            found = await asyncio.to_thread(self._server.check)
        except EmbeddedServerError as fault:
            self._state.database_lost(str(fault))
            return
        if found is not Supervision.RUNNING:
            self._log.warning("the embedded server was started again", reason=found.value)
        if self._server.url != self._url:
            raise EmbeddedServerError("The embedded server had to move to another port; start again.")
