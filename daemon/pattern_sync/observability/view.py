"""The daemon as its facts show it: what the status line, health and metrics render."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from pattern_sync.domain.facts import (
    DatabaseBack,
    DatabaseLost,
    Fact,
    FilterForeign,
    FilterOwn,
    FilterPublished,
    GateJudged,
    HttpServing,
    HttpWaiting,
    LearningResumed,
    LearningStopped,
    ListenerListening,
    ListenerLost,
    MessagesCounted,
    ModelIgnored,
    NotificationQueueDrained,
    NotificationQueueFull,
    NotificationReceived,
    PagesCurrent,
    PagesStale,
    PatternsReconciled,
    PendingCounted,
    QuarantineRetried,
    ReloadDeferred,
    ReloadRefused,
    ResultsResumed,
    ResultsStopped,
    RulesCounted,
    RulingResumed,
    RulingStopped,
    ScanFinished,
    SchemaRead,
    SessionProven,
    SettingsReloaded,
    SweepPlanned,
    SweepSettled,
    TellingResumed,
    TellingStopped,
    TriggersChecked,
    TriggersFaulty,
    TriggersSeen,
    TriggersSound,
    TriggersUnseen,
)
from pattern_sync.domain.notification import Channel
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.domain.reception import Audience, Mode, TriggerFault
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind

if TYPE_CHECKING:
    from pattern_sync.domain.messages import MessageState
    from pattern_sync.domain.rules import RuleState
    from pattern_sync.domain.statistics import PendingEntries


class View:
    """Folds facts. Moments are those of `now`, a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.started_at = now()
        self.mode = Mode.STARTING
        self.mode_since = now()
        self.database_was_reached = False
        self.database_lost_at: float | None = None
        self.why_database_lost = ""
        self.schema_version: int | None = None
        self.http_waits_for: str | None = None
        self.pages_are_stale = False
        self.messages: Mapping[tuple[str, MessageState], int] = {}
        self.channels_off: Mapping[str, str] = {}
        self.telling_is_stopped = False
        self.results_are_stopped = False
        self.rules: Mapping[RuleState, int] = {}
        self.paused_rules: Mapping[str, str] = {}
        self.ruling_is_stopped = False
        self.learning_is_stopped = False
        self.gate: GateJudged | None = None
        self.why_reload_refused: str | None = None
        self.filter_is_deferred = False
        self.trigger_faults: tuple[TriggerFault, ...] = ()
        self.triggers_are_unseen = False
        self.foreign_filter: FilterForeign | None = None
        self.full_queue: NotificationQueueFull | None = None
        self.queue_usage: float | None = None
        self.last_notification_at: float | None = None
        self.last_heartbeat_at: float | None = None
        self.last_scan_at: dict[ScanKind, float] = {}
        self.next_sweep_at: float | None = None
        self.queued_total = 0
        self.failed_total = 0
        self.refused = 0
        self.recovered_in_last_sweep = 0
        self.recovered_total = 0
        self.last_recovered_at: float | None = None
        self.qualifying_missing: int | None = None
        self.pending: PendingEntries | None = None

    @property
    def effective_mode(self) -> Mode:
        """Return how the daemon learns of changes: where the database does not announce them, it polls."""
        silenced = any(fault.silenced is Audience.DAEMONS for fault in self.trigger_faults)
        must_poll = silenced or self.triggers_are_unseen or self.full_queue is not None
        return Mode.POLLING if must_poll else self.mode

    def __call__(self, fact: Fact) -> None:
        """Take a fact."""
        match fact:
            case NotificationReceived(Channel.PATTERNS):
                self.last_notification_at = self._now()
            case PatternsReconciled(outcomes):
                self.queued_total += sum(item.outcome is Outcome.QUEUED for item in outcomes)
                self.failed_total += sum(item.outcome is Outcome.FAILED for item in outcomes)
            case ScanFinished(kinds, result):
                self.queued_total += result.synced_count
                self.failed_total += result.error_count
                # A manual sync has a filter of its own, and is no proof that the daemon has caught up.
                if own_kinds := kinds - {ScanKind.MANUAL}:
                    self._scanned(own_kinds, result)
            case QuarantineRetried(retried):
                self.queued_total += len(retried.queued_signatures)
                self.refused = retried.refused
            case SweepPlanned(after_seconds):
                self.next_sweep_at = self._now() + after_seconds
            case SweepSettled(recovered, total, swept_at):
                self.recovered_in_last_sweep, self.recovered_total = recovered, total
                self.last_recovered_at = swept_at if recovered else self.last_recovered_at
            case PendingCounted(pending):
                self.pending = pending
            case _:
                self._take_condition(fact)

    def _scanned(self, kinds: Collection[ScanKind], result: SyncResult) -> None:
        self.last_scan_at.update(dict.fromkeys(kinds, self._now()))
        self.qualifying_missing = result.error_count + result.remaining_count

    def _take_condition(self, fact: Fact) -> None:
        match fact:
            case ListenerListening():
                self.mode, self.mode_since = Mode.LISTENING, self._now()
            case ListenerLost():
                self.mode, self.mode_since = Mode.POLLING, self._now()
            case SessionProven():
                self.last_heartbeat_at = self._now()
            case PagesStale() | PagesCurrent():
                self.pages_are_stale = isinstance(fact, PagesStale)
            case HttpWaiting(reason):
                self.http_waits_for = reason
            case HttpServing():
                self.http_waits_for = None
            case _:
                self._take_aside(fact)

    def _take_aside(self, fact: Fact) -> None:
        """Take what goes on beside the queue."""
        match fact:
            case MessagesCounted(counts, off):
                self.messages = {(channel, state): number for channel, state, number in counts}
                self.channels_off = dict(off)
            case TellingStopped() | TellingResumed():
                self.telling_is_stopped = isinstance(fact, TellingStopped)
            case ResultsStopped() | ResultsResumed():
                self.results_are_stopped = isinstance(fact, ResultsStopped)
            case LearningStopped() | LearningResumed():
                self.learning_is_stopped = isinstance(fact, LearningStopped)
            case GateJudged():
                self.gate = fact
            case ModelIgnored():
                self.gate = None
            case _:
                self._take_rules(fact)

    def _take_rules(self, fact: Fact) -> None:
        match fact:
            case RulesCounted(states, paused):
                self.rules, self.paused_rules = dict(states), dict(paused)
            case RulingStopped() | RulingResumed():
                self.ruling_is_stopped = isinstance(fact, RulingStopped)
            case _:
                self._take_database(fact)

    def _take_database(self, fact: Fact) -> None:
        match fact:
            case FilterPublished():
                self.database_was_reached = True
            case DatabaseLost(reason):
                self.database_lost_at, self.why_database_lost = self._now(), reason
            case DatabaseBack():
                self.database_lost_at = None
            case SchemaRead(version):
                self.schema_version = version
            case _:
                self._take_settings(fact)

    def _take_settings(self, fact: Fact) -> None:
        match fact:
            case FilterForeign():
                self.foreign_filter = fact
            case FilterOwn():
                self.foreign_filter = None
            case ReloadRefused(reason):
                self.why_reload_refused = reason
            case ReloadDeferred():
                self.why_reload_refused, self.filter_is_deferred = None, True
            case SettingsReloaded():
                self.foreign_filter = None
                if not self.filter_is_deferred:  # otherwise of an earlier reload than the one that was refused
                    self.why_reload_refused = None
                self.filter_is_deferred = False
            case _:
                self._take_triggers(fact)

    def _take_triggers(self, fact: Fact) -> None:
        match fact:
            case TriggersChecked(queue_usage):
                self.queue_usage = queue_usage
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
