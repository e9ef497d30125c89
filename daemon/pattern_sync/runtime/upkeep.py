"""What keeps the process itself in order: the watchdog, the embedded server."""

import asyncio
from collections.abc import Callable

from pattern_sync.domain.errors import DatabaseUnavailable, EmbeddedServerError
from pattern_sync.domain.facts import EmbeddedServerRestarted, Emit, ServiceHanging
from pattern_sync.embedded import EmbeddedServer, Supervision
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.runtime.readiness import Readiness
from pattern_sync.services.activity import Activity
from pattern_sync.services.timings import Timings

# A start of the embedded server may have to recover what it was doing when it died.
EMBEDDED_START_SECONDS = 300.0


class Watchdog:
    """Reports to the service manager as long as no service hangs: during the start too, whatever that waits for."""

    name = "watchdog"

    def __init__(
        self,
        hanging: Callable[[], list[str]],
        readiness: Readiness,
        emit: Emit,
        manager: ServiceManager,
        activity: Activity,
        timings: Timings,
    ) -> None:
        self._hanging = hanging
        self._readiness = readiness
        self._emit = emit
        self._manager = manager
        self._activity = activity
        self._timings = timings
        self._reported: list[str] = []

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            self.run_once()
            await self._activity.wait(self._period_seconds())

    def run_once(self) -> None:
        """Report once, unless a service hangs."""
        hanging = self._hanging()
        if hanging and hanging != self._reported:
            self._emit(ServiceHanging(tuple(hanging)))
        self._reported = hanging
        if not hanging:
            self._manager.feed_watchdog()
            if not self._readiness.is_reported:
                self._readiness.still_starting()

    def _period_seconds(self) -> float:
        period_seconds = self._timings.watchdog_seconds
        if self._manager.watchdog_seconds is not None:
            period_seconds = min(period_seconds, self._manager.watchdog_seconds / 3)
        if self._readiness.is_reported and not self._manager.keeps_messages:
            return period_seconds
        return min(period_seconds, self._timings.start_tick_seconds)


class EmbeddedSupervisor:
    """Starts the embedded server again when it ends, and takes it over when its owner goes."""

    name = "embedded-supervisor"

    def __init__(self, server: EmbeddedServer, emit: Emit, activity: Activity, supervision_seconds: float) -> None:
        self._server = server
        self._url = server.url
        self._emit = emit
        self._activity = activity
        self._supervision_seconds = supervision_seconds

    async def run(self) -> None:
        """Look after the server until cancelled."""
        while True:
            await self._activity.wait(self._supervision_seconds)
            async with self._activity.working(EMBEDDED_START_SECONDS):
                await self.run_once()

    async def run_once(self) -> None:
        """Look once. Raises DatabaseUnavailable where it does not start, EmbeddedServerError where it has moved."""
        try:
            found = await asyncio.to_thread(self._server.check)
        except EmbeddedServerError as fault:
            raise DatabaseUnavailable(str(fault)) from fault
        if found is not Supervision.RUNNING:
            self._emit(EmbeddedServerRestarted(found.value))
        if self._server.url != self._url:
            raise EmbeddedServerError("The embedded server had to move to another port; start again.")
