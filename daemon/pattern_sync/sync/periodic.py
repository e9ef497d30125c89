"""The services that nothing wakes: sweeps, refreshing stale figures, and polling while notifications are missing."""

from collections.abc import Callable

from pattern_sync.domain.facts import Emit, EntriesRefreshed, SweepPlanned
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.services.activity import Activity
from pattern_sync.services.waiting import staggered
from pattern_sync.sync.in_force import FilterInForce
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.reception import Reception
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.recovery import Recovery

# What reads the whole table every few seconds must not become the database's main work.
LARGEST_SHARE_OF_TIME = 0.1
# A refresh that took so long was not work alone, and a stale figure must not wait for as long again and again.
LONGEST_PAUSE_SECONDS = 60.0


class Sweeper:
    """Requests a scan, by default once an hour: the safety net under everything else."""

    name = "sweeper"

    def __init__(
        self,
        intake: Intake,
        recovery: Recovery,
        interval_seconds: float,
        random: Callable[[], float],
        emit: Emit,
        activity: Activity,
        now: Callable[[], float],
        recovering_seconds: float,
    ) -> None:
        self._intake = intake
        self._recovery = recovery
        self._interval_seconds = interval_seconds
        self._random = random
        self._emit = emit
        self._activity = activity
        self._now = now
        self._recovering_seconds = recovering_seconds

    async def run(self) -> None:
        """Sweep until cancelled, each time up to a tenth earlier, so that replicas drift apart."""
        while True:
            await self._wait(staggered(self._interval_seconds, self._random))
            self.run_once()

    def run_once(self) -> None:
        """Request one sweep."""
        self._intake.add_everything(ScanKind.SWEEP)

    async def _wait(self, seconds: float) -> None:
        """Wait for the next sweep: for a minute at most where the last one found what was not notified."""
        started = self._now()
        self._emit(SweepPlanned(seconds))
        if await self._activity.wait_for(self._recovery.found, seconds):
            left_seconds = max(0.0, min(seconds, self._recovering_seconds) - (self._now() - started))
            self._emit(SweepPlanned(left_seconds))
            await self._activity.wait(left_seconds)


class Refresher:
    """Brings pending entries up to the figures of their patterns, whose updates are not notified."""

    name = "refresher"

    def __init__(
        self,
        reconciler: Reconciler,
        in_force: FilterInForce,
        emit: Emit,
        activity: Activity,
        refresh_seconds: float,
    ) -> None:
        self._reconciler = reconciler
        self._in_force = in_force
        self._emit = emit
        self._activity = activity
        self._refresh_seconds = refresh_seconds

    async def run(self) -> None:
        """Refresh until cancelled."""
        while True:
            took_seconds = 0.0
            async with self._activity.working():
                took_seconds = (await self.run_once()).sync_duration_ms / 1000
            if not self._activity.in_outage:
                pause_seconds = max(self._refresh_seconds, took_seconds / LARGEST_SHARE_OF_TIME)
                await self._activity.wait(min(pause_seconds, LONGEST_PAUSE_SECONDS))

    async def run_once(self) -> SyncResult:
        """Refresh what is stale now. Raises PassingFault."""
        result = await self._reconciler.refresh_stale(self._in_force.value)
        if result.refreshed_count:
            self._emit(EntriesRefreshed(result.refreshed_count, result.sync_duration_ms))
        return result


class Poller:
    """Requests a scan every few seconds while notifications are missing, the first one as soon as they are.

    `now` is a monotonic clock in seconds.
    """

    name = "poller"

    def __init__(
        self,
        intake: Intake,
        reception: Reception,
        activity: Activity,
        now: Callable[[], float],
        poll_seconds: float,
    ) -> None:
        self._intake = intake
        self._reception = reception
        self._activity = activity
        self._now = now
        self._poll_seconds = poll_seconds
        self._requested_at: float | None = None

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await self._activity.wait(self._poll_seconds)
            self.run_once()

    def run_once(self) -> None:
        """Request a scan if one is due, unless every change is notified and heard."""
        if not self._reception.must_poll:
            self._requested_at = None
        elif self._requested_at is None or self._now() - self._requested_at >= self._pause_seconds():
            self._requested_at = self._now()
            self._intake.add_everything(ScanKind.POLL)

    def _pause_seconds(self) -> float:
        # A scan that was held up, by a lock for instance, is no reason to be deaf for ten times as long.
        paced_seconds = self._intake.last_scan_seconds * (1 + 1 / LARGEST_SHARE_OF_TIME)
        return min(max(self._poll_seconds, paced_seconds), LONGEST_PAUSE_SECONDS)
