"""A lane of its own for what was refused, so that nothing else waits behind it."""

from collections.abc import Callable
from typing import Protocol

from pattern_sync.domain.errors import PassingFault
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import Retried
from pattern_sync.sync.liveness import Life
from pattern_sync.sync.workers import FilterInForce

# While something is refused, its time comes after 5 seconds at the earliest.
PERIOD_SECONDS = 2.0
# What another daemon has put into the quarantine is shown here after this long.
IDLE_SECONDS = 30.0
# However many are refused, trying them again must not become anybody's work.
LARGEST_SHARE_OF_TIME = 0.05
# A few at first; when all of them go through, whatever refused them is mended, and the others follow at once.
FEW = 50
MANY = 4_000


class Reconciler(Protocol):
    """What the retrier asks for."""

    async def retry_refused(self, sync_filter: SyncFilter, most: int) -> Retried: ...


class Retrier:
    """Tries patterns in the quarantine again when their time has come, at a bounded share of time.

    `failures_total` tells that this daemon has put something into it, `now` is a monotonic clock in seconds.
    """

    NAME = "retrier"

    def __init__(
        self,
        reconciler: Reconciler,
        in_force: FilterInForce,
        on_retried: Callable[[Retried], None],
        failures_total: Callable[[], int],
        life: Life,
        now: Callable[[], float],
    ) -> None:
        self._reconciler = reconciler
        self._in_force = in_force
        self._on_retried = on_retried
        self._failures_total = failures_total
        self._life = life
        self._now = now
        self._most = FEW
        self._refused = 0

    async def run(self) -> None:
        """Retry until cancelled."""
        while True:
            started = self._now()
            with self._life.working():
                await self.run_once()
            await self._pause(self._now() - started)

    async def run_once(self) -> None:
        """Try those again that are due; in an outage, which the other services report, nothing."""
        try:
            retried = await self._reconciler.retry_refused(self._in_force.value, self._most)
        except PassingFault:
            return
        self._refused = retried.refused
        all_went_through = retried.tried > 0 and retried.failed == 0
        self._most = min(self._most * 4, MANY) if all_went_through else FEW
        self._on_retried(retried)

    async def _pause(self, took_seconds: float) -> None:
        if self._most > FEW and self._refused:
            return
        if self._refused:
            await self._life.pause(max(PERIOD_SECONDS, took_seconds / LARGEST_SHARE_OF_TIME))
            return
        waited_seconds, before = 0.0, self._failures_total()
        while waited_seconds < IDLE_SECONDS and self._failures_total() == before:
            await self._life.pause(PERIOD_SECONDS)
            waited_seconds += PERIOD_SECONDS
