"""Reloads: SIGHUP reads the settings anew and puts a changed filter in force."""

import asyncio
from collections.abc import Awaitable, Callable

from pattern_sync.config import Reread
from pattern_sync.domain.errors import PatternSyncError
from pattern_sync.domain.facts import Emit, ReloadDeferred, ReloadRefused, SettingsReloaded, SettingsUnread
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.runtime.readiness import Readiness
from pattern_sync.services.activity import Activity
from pattern_sync.services.waiting import wait_for


class FilterPublisher:
    """Puts the filter that is wanted in force; in an outage, as soon as it is over. The latest one wins."""

    name = "filter-publisher"

    def __init__(
        self, wanted: SyncFilter, publish: Callable[[SyncFilter], Awaitable[bool]], emit: Emit, activity: Activity
    ) -> None:
        self.wanted = wanted
        self._publish = publish
        self._emit = emit
        self._activity = activity
        self._is_due = asyncio.Event()
        self._in_force = asyncio.Event()

    async def run(self) -> None:
        """Publish whenever another filter is wanted, until cancelled."""
        while True:
            await self._is_due.wait()
            await self.run_once()

    async def run_once(self) -> None:
        """Publish what is wanted."""
        self._is_due.clear()
        async with self._activity.working(put_back=self._is_due.set):
            wanted = self.wanted
            changed = await self._publish(wanted)
            self._emit(SettingsReloaded(str(wanted), changed))
            if wanted is self.wanted:
                self._in_force.set()

    def want(self, wanted: SyncFilter) -> None:
        """Have another filter published."""
        self.wanted = wanted
        self._in_force.clear()
        self._is_due.set()

    async def published(self, seconds: float) -> bool:
        """Wait until what is wanted was published, at most so long; return whether it was."""
        return await wait_for(self._in_force, seconds)


class Reloader:
    """Reads the settings when SIGHUP asks for it; a settings file that is wrong changes nothing.

    Neither the service manager nor the next reload waits for a database that is away.
    """

    name = "reloader"

    def __init__(
        self,
        requested: asyncio.Event,
        read: Callable[[], Reread],
        publisher: FilterPublisher,
        readiness: Readiness,
        is_lost: Callable[[], bool],
        emit: Emit,
        patience_seconds: float,
    ) -> None:
        self._requested = requested
        self._read = read
        self._publisher = publisher
        self._readiness = readiness
        self._is_lost = is_lost
        self._emit = emit
        self._patience_seconds = patience_seconds

    async def run(self) -> None:
        """Reload whenever that is requested, until cancelled."""
        while True:
            await self._requested.wait()
            self._requested.clear()
            with self._readiness.reloading():
                await self.run_once()

    async def run_once(self) -> None:
        """Reload once."""
        try:
            reread = self._read()
        except PatternSyncError as fault:
            self._emit(ReloadRefused(str(fault)))
            return
        for reason in reread.unread:
            self._emit(SettingsUnread(reason))
        self._publisher.want(reread.filter)
        if not await self._publisher.published(0.0 if self._is_lost() else self._patience_seconds):
            self._emit(ReloadDeferred(str(reread.filter)))
