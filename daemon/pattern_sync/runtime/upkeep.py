"""What keeps the process itself in order: reloads, the watchdog, the embedded server."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from pattern_sync.database.embedded import EmbeddedServer, Supervision
from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable, EmbeddedServerError, PatternSyncError
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.observability.state import DaemonState
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.sync.outage import Outage
from pattern_sync.sync.pulse import Pulse

WATCHDOG_SECONDS = 10.0
SUPERVISION_SECONDS = 0.5


class Reloader:
    """Publishes the filter anew when SIGHUP asks for it; a settings file that is wrong changes nothing."""

    def __init__(
        self,
        asked: asyncio.Event,
        read_filter: Callable[[], SyncFilter],
        publish: Callable[[SyncFilter], Awaitable[bool]],
        manager: ServiceManager,
        outage: Outage,
    ) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._asked = asked
        self._read_filter = read_filter
        self._publish = publish
        self._manager = manager
        self._outage = outage

    async def run(self) -> None:
        """Wait for the signal, again and again."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            self._manager.reloading()
            await self.run_once()
            self._manager.ready()

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
            except (DatabaseUnavailable, AccessRefused) as fault:
                await self._outage.wait_out(fault)
            else:
                self._outage.over()
                self._log.info("reloaded", filter=str(wanted), changed=changed)
                return


class Watchdog:
    """Feeds systemd's watchdog as long as every service gets somewhere."""

    def __init__(self, pulse: Pulse, manager: ServiceManager) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._pulse = pulse
        self._manager = manager

    async def run(self) -> None:
        """Feed until cancelled."""
        limit = self._manager.watchdog_seconds
        period = WATCHDOG_SECONDS if limit is None else min(WATCHDOG_SECONDS, limit / 3)
        while True:
            self.run_once()
            await asyncio.sleep(period)

    def run_once(self) -> None:
        """Feed once, unless a service hangs."""
        if stalled := self._pulse.stalled():
            self._log.error("a service hangs; the watchdog is not fed", services=stalled)
        else:
            self._manager.feed_watchdog()


class EmbeddedSupervisor:
    """Starts the embedded server again when it ends, and takes it over when its owner goes."""

    def __init__(self, server: EmbeddedServer, state: DaemonState) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._server = server
        self._url = server.url
        self._state = state

    async def run(self) -> None:
        """Look after the server until cancelled."""
        while True:
            await asyncio.sleep(SUPERVISION_SECONDS)
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
