"""What keeps the process itself in order: readiness, reloads, the watchdog, the embedded server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from pattern_sync.domain.errors import DatabaseUnavailable, EmbeddedServerError, PatternSyncError
from pattern_sync.domain.facts import (
    DaemonReady,
    EmbeddedServerRestarted,
    Emit,
    ReloadRefused,
    ServiceHanging,
    SettingsReloaded,
)
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.embedded import EmbeddedServer, Supervision
from pattern_sync.observability.systemd import ServiceManager
from pattern_sync.services.activity import Activity

# A start of the embedded server may have to recover what it was doing when it died.
EMBEDDED_START_SECONDS = 300.0


class Readiness:
    """Whether the first catch-up is done: only from then on is there a READY=1, and only a reload brings another."""

    def __init__(self, emit: Emit, manager: ServiceManager) -> None:
        self._emit = emit
        self._manager = manager
        self._is_reached = False

    def reached(self) -> None:
        """Record that a catch-up is done; only the first one is news."""
        if not self._is_reached:
            self._is_reached = True
            self._emit(DaemonReady())
            self._manager.ready()

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Report a reload to the service manager, from begin to end; one during the start is part of the start."""
        is_reported = self._is_reached
        if is_reported:
            self._manager.reloading()
        yield
        if is_reported:
            self._manager.ready()


class Reloader:
    """Publishes the filter anew when SIGHUP asks for it; a settings file that is wrong changes nothing."""

    name = "reloader"

    def __init__(
        self,
        requested: asyncio.Event,
        read_filter: Callable[[], SyncFilter],
        publish: Callable[[SyncFilter], Awaitable[bool]],
        readiness: Readiness,
        emit: Emit,
        activity: Activity,
    ) -> None:
        self._requested = requested
        self._read_filter = read_filter
        self._publish = publish
        self._readiness = readiness
        self._emit = emit
        self._activity = activity

    async def run(self) -> None:
        """Reload whenever that is requested, until cancelled."""
        while True:
            await self._requested.wait()
            self._requested.clear()
            with self._readiness.reloading():
                await self.run_once()

    async def run_once(self) -> None:
        """Reload once; in an outage, as soon as it is over."""
        try:
            wanted = self._read_filter()
        except PatternSyncError as fault:
            self._emit(ReloadRefused(str(fault)))
            return
        is_published = False
        while not is_published:
            async with self._activity.working():
                changed = await self._publish(wanted)
                self._emit(SettingsReloaded(str(wanted), changed))
                is_published = True


class Watchdog:
    """Feeds the service manager's watchdog as long as no service hangs."""

    name = "watchdog"

    def __init__(
        self,
        hanging: Callable[[], list[str]],
        emit: Emit,
        manager: ServiceManager,
        activity: Activity,
        period_seconds: float,
    ) -> None:
        self._hanging = hanging
        self._emit = emit
        self._manager = manager
        self._activity = activity
        self._period_seconds = period_seconds

    async def run(self) -> None:
        """Feed until cancelled."""
        period_seconds = self._period_seconds
        if self._manager.watchdog_seconds is not None:
            period_seconds = min(period_seconds, self._manager.watchdog_seconds / 3)
        while True:
            self.run_once()
            await self._activity.wait(period_seconds)

    def run_once(self) -> None:
        """Feed once, unless a service hangs."""
        if hanging := self._hanging():
            self._emit(ServiceHanging(tuple(hanging)))
        else:
            self._manager.feed_watchdog()


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
