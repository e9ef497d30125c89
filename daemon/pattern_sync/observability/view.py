"""The daemon as its facts show it: what the status line, health and metrics render."""

from collections.abc import Callable

from pattern_sync.domain.facts import (
    DatabaseBack,
    DatabaseLost,
    Fact,
    FilterForeign,
    FilterOwn,
    HttpServing,
    HttpWaiting,
    ListenerListening,
    ListenerLost,
    NotificationQueueDrained,
    NotificationQueueFull,
    NotificationReceived,
    PagesCurrent,
    PagesStale,
    PatternsReconciled,
    QuarantineRetried,
    ScanFinished,
    SettingsReloaded,
    SweepPlanned,
    SweepSettled,
    TriggersFaulty,
    TriggersSeen,
    TriggersSound,
    TriggersUnseen,
)
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.domain.reception import Mode, TriggerFault
from pattern_sync.domain.scans import ScanKind


class View:
    """Folds facts. Moments are those of `now`, a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.started_at = now()
        self.mode = Mode.STARTING
        self.mode_since = now()
        self.database_lost_at: float | None = None
        self.why_database_lost = ""
        self.http_waits_for: str | None = None
        self.pages_are_stale = False
        self.trigger_faults: tuple[TriggerFault, ...] = ()
        self.triggers_are_unseen = False
        self.foreign_filter: FilterForeign | None = None
        self.full_queue: NotificationQueueFull | None = None
        self.last_notification_at: float | None = None
        self.last_scan_at: dict[ScanKind, float] = {}
        self.next_sweep_at: float | None = None
        self.queued_total = 0
        self.failed_total = 0
        self.refused = 0
        self.recovered_in_last_sweep = 0
        self.recovered_total = 0
        self.last_recovered_at: float | None = None

    def __call__(self, fact: Fact) -> None:
        """Take a fact."""
        match fact:
            case NotificationReceived():
                self.last_notification_at = self._now()
            case PatternsReconciled(outcomes):
                self.queued_total += sum(item.outcome is Outcome.QUEUED for item in outcomes)
                self.failed_total += sum(item.outcome is Outcome.FAILED for item in outcomes)
            case ScanFinished(kinds, result):
                # A manual sync is no proof that the daemon has caught up.
                self.last_scan_at.update(dict.fromkeys(kinds - {ScanKind.MANUAL}, self._now()))
                self.queued_total += result.synced_count
                self.failed_total += result.error_count
            case QuarantineRetried(retried):
                self.queued_total += len(retried.queued_signatures)
                self.refused = retried.refused
            case SweepPlanned(after_seconds):
                self.next_sweep_at = self._now() + after_seconds
            case SweepSettled(recovered, total, swept_at):
                self.recovered_in_last_sweep, self.recovered_total = recovered, total
                self.last_recovered_at = swept_at if recovered else self.last_recovered_at
            case _:
                self._take_condition(fact)

    def _take_condition(self, fact: Fact) -> None:
        match fact:
            case ListenerListening():
                self.mode, self.mode_since = Mode.LISTENING, self._now()
            case ListenerLost():
                self.mode, self.mode_since = Mode.POLLING, self._now()
            case DatabaseLost(reason):
                self.database_lost_at, self.why_database_lost = self._now(), reason
            case DatabaseBack():
                self.database_lost_at = None
            case PagesStale() | PagesCurrent():
                self.pages_are_stale = isinstance(fact, PagesStale)
            case FilterForeign():
                self.foreign_filter = fact
            case FilterOwn() | SettingsReloaded():
                self.foreign_filter = None
            case HttpWaiting(reason):
                self.http_waits_for = reason
            case HttpServing():
                self.http_waits_for = None
            case _:
                self._take_triggers(fact)

    def _take_triggers(self, fact: Fact) -> None:
        match fact:
            case TriggersFaulty(faults):
                self.trigger_faults = faults
            case TriggersSound():
                self.trigger_faults = ()
            case TriggersUnseen() | TriggersSeen():
                self.triggers_are_unseen = isinstance(fact, TriggersUnseen)
            case NotificationQueueFull() | NotificationQueueDrained():
                self.full_queue = fact if isinstance(fact, NotificationQueueFull) else None
            case _:
                return
