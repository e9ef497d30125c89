"""The retrier: a lane of its own for what was refused, so that nothing else waits behind it."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from pattern_sync.domain.facts import Emit, QuarantineRetried
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import Retried
from pattern_sync.services.activity import Activity
from pattern_sync.services.timings import Timings
from pattern_sync.sync.in_force import FilterInForce

# However many are refused, trying them again must not become anybody's work.
LARGEST_SHARE_OF_TIME = 0.05
# A few at first; when all of them go through, whatever refused them is mended, and the others follow at once.
FEW = 50
MANY = 4_000


class Reconciler(Protocol):
    """What the retrier needs."""

    async def retry_refused(self, sync_filter: SyncFilter, most: int) -> Retried: ...


class Retrier:
    """Tries patterns in the quarantine again when their time has come, at a bounded share of time.

    `quarantined` is set when this daemon has put something into it; `now` is a monotonic clock in seconds.
    """

    name = "retrier"

    def __init__(
        self,
        reconciler: Reconciler,
        in_force: FilterInForce,
        quarantined: asyncio.Event,
        emit: Emit,
        activity: Activity,
        now: Callable[[], float],
        timings: Timings,
    ) -> None:
        self._reconciler = reconciler
        self._in_force = in_force
        self._quarantined = quarantined
        self._emit = emit
        self._activity = activity
        self._now = now
        self._timings = timings
        self._most = FEW
        self._refused = 0

    async def run(self) -> None:
        """Retry until cancelled."""
        while True:
            started = self._now()
            async with self._activity.working():
                await self.run_once()
            if not self._activity.in_outage:
                await self._pause(self._now() - started)

    async def run_once(self) -> None:
        """Try those again that are due. Raises PassingFault."""
        self._quarantined.clear()
        retried = await self._reconciler.retry_refused(self._in_force.value, self._most)
        self._refused = retried.refused
        all_went_through = retried.tried > 0 and retried.failed == 0
        self._most = min(self._most * 4, MANY) if all_went_through else FEW
        self._emit(QuarantineRetried(retried))

    async def _pause(self, took_seconds: float) -> None:
        if self._most > FEW and self._refused:
            return
        idle_seconds = self._timings.quarantine_idle_seconds
        if not self._refused and not await self._activity.wait_for(self._quarantined, idle_seconds):
            return
        await self._activity.wait(max(self._timings.quarantine_seconds, took_seconds / LARGEST_SHARE_OF_TIME))
