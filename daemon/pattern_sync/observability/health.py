"""Health: how the daemon is, for probes and for people, without asking the database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pattern_sync.domain.messages import MessageState
from pattern_sync.domain.reception import Audience, Mode
from pattern_sync.domain.scans import ScanKind
from pattern_sync.observability.view import View
from pattern_sync.observability.words import queue_is_full, remedies, shown_faults


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
    schema_version: int | None
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
    """Renders the view as a report.

    `now` is the view's monotonic clock, `wall_clock` a person's; `queue_depth` counts patterns that wait, `hanging`
    names services. Reasons hold no word of the driver's, which may name users, hosts or addresses.
    """

    def __init__(
        self,
        view: View,
        version: str,
        now: Callable[[], float],
        wall_clock: Callable[[], datetime],
        queue_depth: Callable[[], int],
        hanging: Callable[[], list[str]],
    ) -> None:
        self._view = view
        self._version = version
        # Once: the same moment must not move from report to report.
        self._epoch = wall_clock() - timedelta(seconds=now())
        self._queue_depth = queue_depth
        self._hanging = hanging

    def report(self) -> Health:
        """Return how everything is now."""
        view = self._view
        unavailable = self._why_unavailable()
        degraded = self._why_degraded()
        lost_at = view.database_lost_at
        return Health(
            status=Condition.UNAVAILABLE if unavailable else Condition.DEGRADED if degraded else Condition.OK,
            reasons=(*unavailable, *degraded),
            version=self._version,
            schema_version=view.schema_version,
            started_at=self._moment(view.started_at),
            database=Condition.OK if lost_at is None else Condition.UNAVAILABLE,
            database_lost_at=self._moment_of(lost_at),
            listener=view.mode,
            listener_since=self._moment(view.mode_since),
            last_notification_at=self._moment_of(view.last_notification_at),
            last_catch_up_at=self._moment_of(view.last_scan_at.get(ScanKind.CATCH_UP)),
            last_sweep_at=self._moment_of(view.last_scan_at.get(ScanKind.SWEEP)),
            next_sweep_at=self._moment_of(view.next_sweep_at),
            queue_depth=self._queue_depth(),
            queued_total=view.queued_total,
            failed_total=view.failed_total,
            refused=view.refused,
            recovered_total=view.recovered_total,
            last_recovered_at=self._moment_of(view.last_recovered_at),
        )

    def _why_unavailable(self) -> tuple[str, ...]:
        if self._view.database_lost_at is not None:
            return ("The database is unavailable; the daemon tries again. Its log has the reason.",)
        if not self._view.last_scan_at:
            return ("The first catch-up is not finished yet.",)
        return ()

    def _why_degraded(self) -> tuple[str, ...]:
        view = self._view
        reasons = []
        if view.mode is Mode.POLLING:
            reasons.append("Notifications do not arrive; the daemon polls instead. Its log has the reason.")
        reasons += self._why_silent()
        if view.foreign_filter is not None:
            reasons.append(
                f"Another filter is in force ({view.foreign_filter.in_force}) than this daemon's own"
                f" ({view.foreign_filter.own}). Give all daemons the same settings, and reload those that were changed."
                " The log names who published it."
            )
        if found := view.recovered_in_last_sweep:
            reasons.append(
                f"The last sweep found {found:,} patterns that no notification had announced; sweeps come every minute."
            )
        if view.refused:
            reasons.append(
                f"{view.refused:,} patterns that qualify could not be queued; the log and `pattern-sync status` name"
                " them."
            )
        if view.pages_are_stale:
            reasons.append("The review pages are not kept up to date. The daemon's log has the reason.")
        reasons += self._why_untold()
        reasons += self._why_undecided()
        if hanging := self._hanging():
            reasons.append(f"Hanging: {', '.join(hanging)}.")
        return tuple(reasons)

    def _why_untold(self) -> list[str]:
        view = self._view
        reasons = [
            f"Nothing is sent to {host} any more: {reason}. Correct the setting, or mend the receiver and run:"
            " pattern-sync notify test"
            for host, reason in view.channels_off.items()
        ]
        if dead := sum(count for (_, state), count in view.messages.items() if state is MessageState.DEAD):
            reasons.append(f"{dead:,} messages to people were given up. Run: pattern-sync notify list --state dead")
        if view.telling_is_stopped:
            reasons.append("Messages to people cannot be prepared. The daemon's log has the reason.")
        if view.results_are_stopped:
            reasons.append("Results are not kept up to date. The daemon's log has the reason.")
        if view.learning_is_stopped:
            reasons.append("Nothing can be learned from decisions. The daemon's log has the reason.")
        return reasons

    def _why_undecided(self) -> list[str]:
        view = self._view
        reasons = [
            f"Rule {name} is paused: {because}. Look at it with: pattern-sync rules show {name}"
            for name, because in view.paused_rules.items()
        ]
        if view.ruling_is_stopped:
            reasons.append("Rules can neither mark nor decide. The daemon's log has the reason.")
        return reasons

    def _why_silent(self) -> list[str]:
        view = self._view
        reasons = []
        for audience, whom in ((Audience.DAEMONS, "daemons"), (Audience.PAGES, "review pages")):
            if faults := [fault for fault in view.trigger_faults if fault.silenced is audience]:
                shown, run = "; ".join(shown_faults(faults)), " ".join(remedies(faults))
                reasons.append(f"The {whom} are not notified of some changes: {shown}. Run: {run}")
        if view.full_queue is not None:
            full = queue_is_full(view.full_queue.usage, view.full_queue.blocker_pid)
            reasons.append(f"{full}. The daemon polls instead.")
        if view.triggers_are_unseen:
            reasons.append("The triggers cannot be checked; the daemon polls instead. Its log has the reason.")
        return reasons

    def _moment(self, at: float) -> datetime:
        return self._epoch + timedelta(seconds=at)

    def _moment_of(self, at: float | None) -> datetime | None:
        return None if at is None else self._moment(at)
