"""The log: which facts become which lines."""

from collections.abc import Callable
from dataclasses import fields

from pattern_sync.domain import facts
from pattern_sync.domain.messages import MessageState
from pattern_sync.domain.outcomes import Outcome, signatures_of
from pattern_sync.domain.reception import Mode
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind, leading
from pattern_sync.observability.lines import Line
from pattern_sync.observability.paced import SHOWN_SIGNATURES, Failures, Latest, Pace, Refusals, Repetitions
from pattern_sync.observability.standing import Standing
from pattern_sync.observability.words import UPGRADE, queue_is_full, remedies, shown_faults
from pattern_sync.observability.writer import LogWriter

# Facts whose fields are the line's.
_PLAIN: dict[type[facts.Fact], Line] = {
    facts.StartedInOutage: Line.DAEMON_WAITING,
    facts.DaemonStopping: Line.DAEMON_STOPPING,
    facts.DrainTimedOut: Line.DAEMON_UNFINISHED,
    facts.DaemonStopped: Line.DAEMON_STOPPED,
    facts.SettingsReloaded: Line.SETTINGS_RELOADED,
    facts.ReloadRefused: Line.SETTINGS_REFUSED,
    facts.ReloadDeferred: Line.SETTINGS_DEFERRED,
    facts.SettingsUnread: Line.SETTINGS_UNREAD,
    facts.ServiceHanging: Line.SERVICE_HANGING,
    facts.EmbeddedServerRestarted: Line.EMBEDDED_RESTARTED,
    facts.ManagerUnreachable: Line.MANAGER_UNREACHABLE,
    facts.DatabaseReached: Line.DATABASE_REACHED,
    facts.DatabaseLost: Line.DATABASE_LOST,
    facts.DatabaseBack: Line.DATABASE_BACK,
    facts.FilterPublished: Line.FILTER_PUBLISHED,
    facts.ListenerListening: Line.LISTENER_LISTENING,
    facts.ListenerLost: Line.LISTENER_LOST,
    facts.TriggersSound: Line.TRIGGERS_SOUND,
    facts.TriggersUnseen: Line.TRIGGERS_UNSEEN,
    facts.TriggersSeen: Line.TRIGGERS_SEEN,
    facts.TriggersMended: Line.TRIGGERS_MENDED,
    facts.TriggersNotMended: Line.TRIGGERS_NOT_MENDED,
    facts.NotificationQueueDrained: Line.NOTIFICATION_QUEUE_DRAINED,
    facts.TableRebuilt: Line.TABLE_REBUILT,
    facts.EntriesRefreshed: Line.ENTRIES_REFRESHED,
    facts.HttpServing: Line.HTTP_SERVING,
    facts.HttpWaiting: Line.HTTP_WAITING,
    facts.PagesStale: Line.PAGES_STALE,
    facts.PagesCurrent: Line.PAGES_CURRENT,
    facts.TellingStopped: Line.TELLING_STOPPED,
    facts.TellingResumed: Line.TELLING_RESUMED,
    facts.ResultsStopped: Line.RESULTS_STOPPED,
    facts.ResultsResumed: Line.RESULTS_RESUMED,
    facts.RuleDecided: Line.RULE_DECIDED,
    facts.RulePaused: Line.RULE_PAUSED,
    facts.RulingStopped: Line.RULING_STOPPED,
    facts.RulingResumed: Line.RULING_RESUMED,
    facts.ModelLearned: Line.MODEL_LEARNED,
    facts.ModelIgnored: Line.MODEL_IGNORED,
    facts.LikelihoodsShown: Line.LIKELIHOODS_SHOWN,
    facts.LikelihoodsHidden: Line.LIKELIHOODS_HIDDEN,
    facts.LearningStopped: Line.LEARNING_STOPPED,
    facts.LearningResumed: Line.LEARNING_RESUMED,
}
_MESSAGES = {
    MessageState.SENT: Line.MESSAGE_SENT,
    MessageState.OPEN: Line.MESSAGE_FAILED,
    MessageState.DEAD: Line.MESSAGE_DEAD,
}
_FAILED_REQUESTS = {
    facts.RequestFault.REFUSED: Line.REQUEST_REFUSED,
    facts.RequestFault.UNAVAILABLE: Line.REQUEST_UNAVAILABLE,
    facts.RequestFault.UNUSABLE: Line.REQUEST_UNUSABLE,
}
# Of what a client has sent: its headers may be long.
SHOWN_CHARACTERS = 300
# Scans of these kinds are worth a line even if they found nothing to do.
_ALWAYS_NEWS = (ScanKind.CATCH_UP, ScanKind.SWEEP, ScanKind.SETTINGS)


class Log:
    """Writes a line for each change, and for work that was done.

    `now` is a monotonic clock in seconds, `mode` how the daemon learns of changes, this fact included.
    """

    def __init__(
        self, write: LogWriter, now: Callable[[], float], interval_seconds: float, mode: Callable[[], Mode]
    ) -> None:
        self._write = write
        self._mode = mode
        self._failures = Failures(write, Pace(now, interval_seconds))
        self._refusals = Refusals(write, Pace(now, interval_seconds))
        self._crowded = Repetitions(write, Line.HTTP_CROWDED, Pace(now, interval_seconds))
        self._out_of_files = Repetitions(write, Line.HTTP_OUT_OF_FILES, Pace(now, interval_seconds))
        self._live_refused = Repetitions(write, Line.LIVE_REFUSED, Pace(now, interval_seconds))
        self._wrong_tokens = Repetitions(write, Line.TOKEN_WRONG, Pace(now, interval_seconds))
        self._filter = Latest(write, Pace(now, interval_seconds))
        self._standing = Standing()
        self._reminders = Pace(now, interval_seconds)
        self._ignored_total = 0

    def __call__(self, fact: facts.Fact) -> None:
        """Take a fact."""
        self._write_about(fact)
        self._standing.take(fact)
        if isinstance(fact, facts.ScanFinished) and ScanKind.SWEEP in fact.kinds:
            self._remind()
        # Facts come every few seconds: what became due meanwhile is written soon.
        self._filter.flush()
        self._failures.flush()
        self._refusals.flush()
        for repeated in (self._crowded, self._out_of_files, self._live_refused, self._wrong_tokens):
            repeated.flush()

    def _write_about(self, fact: facts.Fact) -> None:
        if line := _PLAIN.get(type(fact)):
            self._write(line, **_fields_of(fact))
        else:
            self._take(fact)

    def _remind(self) -> None:
        """Write again what is still wrong: the log that had the first line may be gone by now."""
        if self._reminders.passes():
            for fact in self._standing:
                if isinstance(fact, facts.FilterForeign):
                    self._filter.forget()
                self._write_about(fact)

    def _adjusted(self, line: Line, signatures: tuple[str, ...], **more: str | None) -> None:
        if signatures:
            self._write(line, count=len(signatures), signatures=list(signatures[:SHOWN_SIGNATURES]), **more)

    def _take(self, fact: facts.Fact) -> None:
        match fact:
            case facts.ConfidenceAdjusted(adjusted, refused, reason):
                self._adjusted(Line.CONFIDENCE_ADJUSTED, adjusted)
                self._adjusted(Line.CONFIDENCE_REFUSED, refused, reason=reason)
            case facts.DaemonReady():
                self._write(Line.DAEMON_READY, mode=self._mode().value)
            case facts.PatternsReconciled():
                self._reconciled(fact)
            case facts.ScanFinished(kinds, result):
                self._scanned(leading(kinds), result)
            case facts.QuarantineRetried():
                self._retried(fact)
            case facts.SweepSettled(recovered, total) if recovered:
                self._write(Line.PATTERN_RECOVERED, patterns=recovered, so_far=total)
            case _:
                self._take_about_clients(fact)

    def _take_about_clients(self, fact: facts.Fact) -> None:
        match fact:
            case facts.HttpCrowded():
                self._crowded.add()
            case facts.LiveRefused(reason, request_id):
                self._live_refused.add(reason=reason[:SHOWN_CHARACTERS], request_id=request_id)
            case facts.TokenRefused(address):
                self._wrong_tokens.add(address=address)
            case facts.HttpOutOfFiles(reason):
                self._out_of_files.add(reason=reason)
            case facts.MessageEnded() if line := _MESSAGES.get(fact.state):
                self._write(line, **{**_fields_of(fact), "kind": fact.kind.value, "state": fact.state.value})
            case facts.RequestFailed(fault, method, path, reason, request_id):
                line = _FAILED_REQUESTS[fault]
                self._write(line, method=method, path=path, reason=reason, request_id=request_id)
            case _:
                self._take_about_database(fact)

    def _take_about_database(self, fact: facts.Fact) -> None:
        match fact:
            case facts.NotificationIgnored(shown):
                self._ignored(shown)
            case facts.TriggersFaulty(faults, silenced):
                line = Line.TRIGGERS_SILENT if silenced else Line.TRIGGERS_FAULTY
                self._write(line, faults=shown_faults(faults), remedy=" ".join(remedies(faults)))
            case facts.FilterForeign():
                filters = {"in_force": str(fact.in_force), "own": str(fact.own)}
                self._filter.update(Line.FILTER_FOREIGN, **_publication_of(fact), **filters)
            case facts.FilterOwn():
                self._filter.update(Line.FILTER_OWN, filter=str(fact.filter))
            case facts.NotificationQueueFull(usage, blocker_pid):
                self._write(Line.NOTIFICATION_QUEUE_FULL, reason=queue_is_full(usage, blocker_pid))
            case facts.SchemaRead(version, own_version) if version > own_version:
                self._write(Line.SCHEMA_NEWER, version=version, own_version=own_version, remedy=UPGRADE)
            case facts.IndexMissing(index):
                self._write(Line.INDEX_MISSING, relation=index.relation, without_it=index.cost, remedy=index.command)
            case _:
                return

    def _reconciled(self, fact: facts.PatternsReconciled) -> None:
        self._failures.add([item for item in fact.outcomes if item.outcome is Outcome.FAILED])
        if queued := signatures_of(fact.outcomes, Outcome.QUEUED):
            self._write(
                Line.PATTERN_QUEUED,
                patterns=len(queued),
                refreshed=sum(item.outcome is Outcome.REFRESHED for item in fact.outcomes),
                milliseconds=round(fact.milliseconds, 1),
                signatures=queued[:SHOWN_SIGNATURES],
            )

    def _scanned(self, kind: ScanKind, result: SyncResult) -> None:
        did_something = result.synced_count or result.refreshed_count or result.error_count
        if not did_something and kind not in _ALWAYS_NEWS:
            return
        # Only the log has the errors of a manual scan in full: over HTTP, its caller gets the signatures.
        errors = list(result.errors) if kind is ScanKind.MANUAL else list(result.errors[:1])
        self._write(
            Line.SCAN_FAILED if result.error_count else Line.SCAN_FINISHED,
            kind=kind.value,
            queued=result.synced_count,
            refreshed=result.refreshed_count,
            skipped=result.skipped_count,
            failed=result.error_count,
            milliseconds=round(result.sync_duration_ms, 1),
            signatures=list(result.synced_pattern_ids[:SHOWN_SIGNATURES]),
            **({"errors": errors} if errors else {}),
        )

    def _retried(self, fact: facts.QuarantineRetried) -> None:
        retried = fact.retried
        self._refusals.update(retried.refused, retried.reasons)
        if retried.queued_signatures:
            self._write(
                Line.QUARANTINE_RELEASED,
                patterns=len(retried.queued_signatures),
                still_refused=retried.refused,
                signatures=list(retried.queued_signatures[:SHOWN_SIGNATURES]),
            )

    def _ignored(self, shown: str) -> None:
        self._ignored_total += 1
        if str(self._ignored_total).strip("0") == "1":  # the 1st, 10th, 100th and so on
            self._write(Line.NOTIFICATION_IGNORED, payload=shown, so_far=self._ignored_total)


def _publication_of(fact: facts.FilterForeign) -> dict[str, object]:
    if fact.publication is None:
        return {}
    published_by = fact.publication.published_by or "unknown"
    return {"published_by": published_by, "published_at": fact.publication.published_at.isoformat()}


def _fields_of(fact: facts.Fact) -> dict[str, object]:
    """Return the fields of a fact as a line shows them; what does not apply is left out."""
    values = {field.name: getattr(fact, field.name) for field in fields(fact)}  # type: ignore[arg-type] # all are dataclasses
    return {name: _shown(value) for name, value in values.items() if value is not None}


def _shown(value: object) -> object:
    match value:
        case float():
            return round(value, 1)
        case tuple():
            return list(value)
        case bool() | int() | str():
            return value
        case _:
            return str(value)
