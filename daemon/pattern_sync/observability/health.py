"""How the daemon is, for probes and for people: from what the services told, without asking the database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pattern_sync.domain.runs import RunKind
from pattern_sync.observability.state import DaemonState, Mode


class Condition(StrEnum):
    """From best to worst; what is degraded still does its work, only slower."""

    OK = "ok"
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Health:
    """Every part with what it last did; `reasons` is empty exactly where all is well."""

    status: Condition
    reasons: tuple[str, ...]
    version: str
    started_at: datetime
    database: Condition
    database_lost_at: datetime | None
    listener: Mode
    listener_since: datetime
    last_notification_at: datetime | None
    last_catch_up_at: datetime | None
    last_sweep_at: datetime | None
    next_sweep_at: datetime | None
    queue_depth: int
    queued_total: int
    failed_total: int
    refused: int
    recovered_total: int
    last_recovered_at: datetime | None


class HealthReporter:
    """Turns the daemon's state into a report.

    `now` is the state's monotonic clock, `wall_clock` a person's; `queue_depth` counts announced patterns that wait,
    `stalled` names services that hang. Reasons hold no word of the driver's, which may tell users, hosts or addresses.
    """

    def __init__(
        self,
        state: DaemonState,
        version: str,
        now: Callable[[], float],
        wall_clock: Callable[[], datetime],
        queue_depth: Callable[[], int],
        stalled: Callable[[], list[str]],
    ) -> None:
        self._state = state
        self._version = version
        # Once: the same moment must not move from report to report.
        self._epoch = wall_clock() - timedelta(seconds=now())
        self._queue_depth = queue_depth
        self._stalled = stalled

    def report(self) -> Health:
        """Return how everything is now."""
        state = self._state
        unavailable = self._why_unavailable()
        degraded = self._why_degraded()
        lost = state.database_lost_at
        return Health(
            status=Condition.UNAVAILABLE if unavailable else Condition.DEGRADED if degraded else Condition.OK,
            reasons=(*unavailable, *degraded),
            version=self._version,
            started_at=self._moment(state.started_at),
            database=Condition.OK if lost is None else Condition.UNAVAILABLE,
            database_lost_at=None if lost is None else self._moment(lost),
            listener=state.mode,
            listener_since=self._moment(state.mode_since),
            last_notification_at=self._moment_of(state.last_notification_at),
            last_catch_up_at=self._moment_of(state.last_run_at.get(RunKind.CATCH_UP)),
            last_sweep_at=self._moment_of(state.last_run_at.get(RunKind.SWEEP)),
            next_sweep_at=self._moment_of(state.next_sweep_at),
            queue_depth=self._queue_depth(),
            queued_total=state.queued_total,
            failed_total=state.failed_total,
            refused=state.refused.count,
            recovered_total=state.recovery.total,
            last_recovered_at=self._moment_of(state.recovery.last_at),
        )

    def _why_unavailable(self) -> tuple[str, ...]:
        if self._state.database_lost_at is not None:
            return ("The database cannot be used; the daemon tries again, its log says why.",)
        if not self._state.last_run_at:
            return ("The first catch-up is not done yet.",)
        return ()

    def _why_degraded(self) -> tuple[str, ...]:
        reasons = []
        if self._state.mode is Mode.POLLING:
            reasons.append("Notifications do not arrive; the daemon polls instead, its log says why.")
        reasons += self._state.silence.reasons()
        if found := self._state.recovery.in_last_sweep:
            reasons.append(
                f"The last sweep found {found:,} patterns that no notification had announced; sweeps come every minute."
            )
        if refused := self._state.refused.count:
            reasons.append(
                f"{refused:,} patterns that qualify could not be queued; the log and `pattern-sync status` name them."
            )
        if self._state.pages_cut_off:
            reasons.append("The review pages are not kept up to date; the daemon's log says why.")
        if stalled := self._stalled():
            reasons.append(f"Hanging: {', '.join(stalled)}.")
        return tuple(reasons)

    def _moment(self, at: float) -> datetime:
        return self._epoch + timedelta(seconds=at)

    def _moment_of(self, at: float | None) -> datetime | None:
        return None if at is None else self._moment(at)
