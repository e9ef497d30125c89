"""What happens without being asked: the sweep, the refresh of stale figures, polling while nobody tells us anything."""

from collections.abc import Callable

from pattern_sync.domain.errors import PassingFault
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.runs import RunKind
from pattern_sync.observability.state import DaemonState
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.liveness import Life
from pattern_sync.sync.reconciler import Reconciler
from pattern_sync.sync.workers import FilterInForce

# The figures of a pending entry may be five seconds old.
REFRESH_SECONDS = 4.0
POLL_SECONDS = 3.0
# As long as sweeps find what nobody announced.
RECOVERING_SECONDS = 60.0
# How soon it is noticed that the last one did.
_STEP_SECONDS = 10.0
# What looks at everything every few seconds must not become the database's main work.
LARGEST_SHARE_OF_TIME = 0.1
# What took that long was not work alone, and a stale figure must not wait for as long again and again.
LONGEST_PAUSE_SECONDS = 60.0


class Sweeper:
    """Asks for a look at everything, by default once an hour: the safety net under everything else."""

    NAME = "sweeper"

    def __init__(
        self,
        intake: Intake,
        interval_seconds: float,
        random: Callable[[], float],
        state: DaemonState,
        life: Life,
    ) -> None:
        self._intake = intake
        self._interval_seconds = interval_seconds
        self._random = random
        self._state = state
        self._life = life

    async def run(self) -> None:
        """Sweep until cancelled, each time up to a tenth earlier, so that replicas drift apart."""
        while True:
            await self._wait(self._interval_seconds * (1 - 0.1 * self._random()))
            self.run_once()

    async def _wait(self, seconds: float) -> None:
        """Wait for the next sweep, for a minute at most where the last one found what nobody had announced."""
        self._state.sweep_planned(seconds)
        waited = 0.0
        while waited < seconds:
            if self._state.recovery.in_last_sweep and seconds > RECOVERING_SECONDS:
                seconds = max(waited, RECOVERING_SECONDS)
                self._state.sweep_planned(seconds - waited)
            step = min(_STEP_SECONDS, seconds - waited)
            await self._life.pause(step)
            waited += step

    def run_once(self) -> None:
        """Ask for one sweep."""
        self._intake.add_everything(RunKind.SWEEP)


class Refresher:
    """Brings pending entries up to the figures of their patterns, whose updates are not announced."""

    NAME = "refresher"

    def __init__(self, reconciler: Reconciler, in_force: FilterInForce, state: DaemonState, life: Life) -> None:
        self._reconciler = reconciler
        self._in_force = in_force
        self._state = state
        self._life = life

    async def run(self) -> None:
        """Refresh until cancelled."""
        while True:
            with self._life.working():
                result = await self.run_once()
            took = result.sync_duration_ms / 1000 if result else 0.0
            await self._life.pause(min(max(REFRESH_SECONDS, took / LARGEST_SHARE_OF_TIME), LONGEST_PAUSE_SECONDS))

    async def run_once(self) -> SyncResult | None:
        """Refresh what is stale now; None in an outage, which the other services report and wait out."""
        try:
            result = await self._reconciler.refresh_stale(self._in_force.value)
        except PassingFault as fault:
            self._state.database_lost(str(fault))
            return None
        self._state.database_back()
        self._state.refreshed(result)
        return result


class Poller:
    """Looks at everything every few seconds while the listener hears nothing, or nobody tells it anything."""

    NAME = "poller"

    def __init__(self, intake: Intake, state: DaemonState, life: Life) -> None:
        self._intake = intake
        self._state = state
        self._life = life

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await self._life.pause(max(POLL_SECONDS, self._state.last_run_seconds / LARGEST_SHARE_OF_TIME))
            self.run_once()

    def run_once(self) -> None:
        """Ask for a look at everything unless every change is told."""
        if self._state.must_poll:
            self._intake.add_everything(RunKind.POLL)
