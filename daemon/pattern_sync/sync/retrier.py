"""A lane of its own for what was refused, so that nothing else waits behind it."""

from collections.abc import Callable
from typing import Protocol

from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.results import Retried
from pattern_sync.sync.pulse import Pulse
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
    """Tries patterns in the quarantine again when their time has come, at a bounded share of time."""

    NAME = "retrier"

    def __init__(
        self,
        reconciler: Reconciler,
        in_force: FilterInForce,
        on_retried: Callable[[Retried], None],
        pulse: Pulse,
        now: Callable[[], float],
    ) -> None:
        self._reconciler = reconciler
        self._in_force = in_force
        self._on_retried = on_retried
        self._pulse = pulse
        self._now = now
        self._most = FEW
        self._refused = 0

    def note_refused(self) -> None:
        """Look after the quarantine from now on: something was put into it."""
        self._refused = max(self._refused, 1)

    async def run(self) -> None:
        """Retry until cancelled."""
        while True:
            started = self._now()
            await self.run_once()
            await self._pause(self._now() - started)

    async def run_once(self) -> None:
        """Try those again that are due; in an outage, which the other services report, nothing."""
        try:
            retried = await self._reconciler.retry_refused(self._in_force.value, self._most)
        except (DatabaseUnavailable, AccessRefused):
            return
        self._refused = retried.refused
        all_went_through = retried.tried > 0 and retried.failed == 0
        self._most = min(self._most * 4, MANY) if all_went_through else FEW
        self._on_retried(retried)

    async def _pause(self, took_seconds: float) -> None:
        if self._most > FEW and self._refused:
            return
        if not self._refused:
            # In steps, as something may be put into the quarantine meanwhile.
            waited = 0.0
            while waited < IDLE_SECONDS and not self._refused:
                await self._pulse.pause(self.NAME, PERIOD_SECONDS)
                waited += PERIOD_SECONDS
            return
        await self._pulse.pause(self.NAME, max(PERIOD_SECONDS, took_seconds / LARGEST_SHARE_OF_TIME))
