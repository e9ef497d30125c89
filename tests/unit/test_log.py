"""Which facts the log shows: one line for each change, none for a repetition."""

import re
from collections.abc import Collection
from dataclasses import fields
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from pattern_sync.domain import facts
from pattern_sync.domain.decision import ReviewAction, ReviewResult
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.messages import MessageKind, MessageState
from pattern_sync.domain.notification import Channel, NotificationKind
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.reception import Audience, Mode, SessionEnd, TriggerFault
from pattern_sync.domain.results import Retried, SyncResult
from pattern_sync.domain.rules import RuleVerdict
from pattern_sync.domain.scans import ScanKind
from pattern_sync.domain.statistics import MissingIndex, PendingEntries, Publication
from pattern_sync.observability.lines import Line
from pattern_sync.observability.log import Log
from pattern_sync.observability.paced import SHOWN_SIGNATURES
from pattern_sync.observability.writer import LogWriter
from tests.support.fakes import Clock

INTERVAL_SECONDS = 60.0
FAULT = TriggerFault("operation_patterns", "the trigger is disabled", Audience.DAEMONS, mendable=True)
QUEUED, FAILED = (PatternOutcome(RowId(1), "a", outcome, "refused") for outcome in (Outcome.QUEUED, Outcome.FAILED))


def message_ended(state: MessageState) -> facts.MessageEnded:
    return facts.MessageEnded(7, "0f07", "chat.example", MessageKind.HIGH_VALUE, state, 1, "answered 503")


# One fact of each type, and the lines that it makes by itself; a fact without a line is shown elsewhere or counted.
LINES: list[tuple[facts.Fact, list[Line]]] = [
    (facts.DaemonReady(), [Line.DAEMON_READY]),
    (facts.StartedInOutage(20.0), [Line.DAEMON_WAITING]),
    (facts.DaemonStopping(3), [Line.DAEMON_STOPPING]),
    (facts.DrainTimedOut(3), [Line.DAEMON_UNFINISHED]),
    (facts.DaemonStopped(), [Line.DAEMON_STOPPED]),
    (facts.SettingsReloaded("all", changed=True), [Line.SETTINGS_RELOADED]),
    (facts.ReloadRefused("no"), [Line.SETTINGS_REFUSED]),
    (facts.ReloadDeferred("all"), [Line.SETTINGS_DEFERRED]),
    (facts.SettingsUnread("no file"), [Line.SETTINGS_UNREAD]),
    (facts.ServiceHanging(("sweeper",)), [Line.SERVICE_HANGING]),
    (facts.EmbeddedServerRestarted("it ended"), [Line.EMBEDDED_RESTARTED]),
    (facts.DatabaseReached("db:5432", "16.2", "work", "app", None), [Line.DATABASE_REACHED]),
    (facts.DatabaseLost("down"), [Line.DATABASE_LOST]),
    (facts.DatabaseBack(1.0), [Line.DATABASE_BACK]),
    (facts.SchemaRead(4, 4), []),
    (facts.SchemaRead(5, 4), [Line.SCHEMA_NEWER]),
    (facts.FilterForeign(SyncFilter(), SyncFilter(only_types=("a",)), None), [Line.FILTER_FOREIGN]),
    (facts.FilterOwn(SyncFilter()), [Line.FILTER_OWN]),
    (facts.FilterPublished(SyncFilter()), [Line.FILTER_PUBLISHED]),
    (facts.IndexMissing(MissingIndex("t", "slow", "CREATE INDEX")), [Line.INDEX_MISSING]),
    (facts.ListenerListening(None), [Line.LISTENER_LISTENING]),
    (facts.ListenerLost("down"), [Line.LISTENER_LOST]),
    (facts.NotificationReceived(Channel.PATTERNS, NotificationKind.PATTERN), []),
    (facts.SessionProven(0.001, None), []),
    (facts.SessionEnded(SessionEnd.KILLED), []),
    (facts.NotificationIgnored("'x'"), [Line.NOTIFICATION_IGNORED]),
    (facts.TriggersChecked(0.1), []),
    (facts.TriggersFaulty((FAULT,), silenced=True), [Line.TRIGGERS_SILENT]),
    (facts.TriggersFaulty((FAULT,), silenced=False), [Line.TRIGGERS_FAULTY]),
    (facts.TriggersSound(1.0), [Line.TRIGGERS_SOUND]),
    (facts.TriggersUnseen("no right"), [Line.TRIGGERS_UNSEEN]),
    (facts.TriggersSeen(), [Line.TRIGGERS_SEEN]),
    (facts.TriggersMended("t", ("missing",)), [Line.TRIGGERS_MENDED]),
    (facts.TriggersNotMended("t", "no right"), [Line.TRIGGERS_NOT_MENDED]),
    (facts.NotificationQueueFull(0.6, 77), [Line.NOTIFICATION_QUEUE_FULL]),
    (facts.NotificationQueueDrained(), [Line.NOTIFICATION_QUEUE_DRAINED]),
    (facts.TableRebuilt(), [Line.TABLE_REBUILT]),
    (facts.PatternsReconciled((QUEUED, FAILED), 1.0), [Line.PATTERN_QUEUED, Line.PATTERN_FAILED]),
    (facts.ScanFinished(frozenset({ScanKind.SWEEP}), SyncResult()), [Line.SCAN_FINISHED]),
    (facts.ScanFinished(frozenset({ScanKind.SWEEP}), SyncResult(error_count=1)), [Line.SCAN_FAILED]),
    (facts.PendingCounted(PendingEntries(1, 60.0)), []),
    (facts.SweepPlanned(1.0), []),
    (facts.SweepSettled(0, 0, 1.0), []),
    (facts.SweepSettled(2, 5, 1.0), [Line.PATTERN_RECOVERED]),
    (facts.CatchUpSettled(2), []),
    (facts.EntriesRefreshed(2, 1.0), [Line.ENTRIES_REFRESHED]),
    (
        facts.QuarantineRetried(Retried(2, 1, 1, ("b: no",), ("a",), ())),
        [Line.QUARANTINE_RELEASED, Line.QUARANTINE_FILLED],
    ),
    (facts.HttpServing("http://127.0.0.1:8002/"), [Line.HTTP_SERVING]),
    (facts.HttpWaiting("taken"), [Line.HTTP_WAITING]),
    (facts.HttpCrowded(), [Line.HTTP_CROWDED]),
    (facts.LiveRefused("no", "7f"), [Line.LIVE_REFUSED]),
    (facts.TokenRefused("192.0.2.1"), [Line.TOKEN_WRONG]),
    (facts.HttpOutOfFiles("Too many open files"), [Line.HTTP_OUT_OF_FILES]),
    (facts.RequestFailed(facts.RequestFault.REFUSED, "POST", "/", "no", "7f"), [Line.REQUEST_REFUSED]),
    (facts.RequestFailed(facts.RequestFault.UNAVAILABLE, "POST", "/", "no", "7f"), [Line.REQUEST_UNAVAILABLE]),
    (facts.RequestFailed(facts.RequestFault.UNUSABLE, "POST", "/", "no", "7f"), [Line.REQUEST_UNUSABLE]),
    (facts.RequestAnswered("/readyz", "200", 0.001), []),
    (facts.ReviewActed(ReviewAction.COMMENT, ReviewResult.DONE), []),
    (facts.PageTooSlow(), []),
    (facts.PagesStale("down"), [Line.PAGES_STALE]),
    (facts.PagesCurrent(1.0), [Line.PAGES_CURRENT]),
    (facts.ManagerUnreachable("gone"), [Line.MANAGER_UNREACHABLE]),
    (message_ended(MessageState.SENT), [Line.MESSAGE_SENT]),
    (message_ended(MessageState.OPEN), [Line.MESSAGE_FAILED]),
    (message_ended(MessageState.DEAD), [Line.MESSAGE_DEAD]),
    (facts.MessagesCounted((), ()), []),
    (facts.TellingStopped("down"), [Line.TELLING_STOPPED]),
    (facts.ResultsStopped("down"), [Line.RESULTS_STOPPED]),
    (facts.ResultsResumed(1.0), [Line.RESULTS_RESUMED]),
    (facts.ConfidenceAdjusted(("a",), ("b",), "no"), [Line.CONFIDENCE_ADJUSTED, Line.CONFIDENCE_REFUSED]),
    (facts.TellingResumed(1.0), [Line.TELLING_RESUMED]),
    (facts.RuleDecided("cheap", 3, RuleVerdict.APPROVE, 2, 17), [Line.RULE_DECIDED]),
    (facts.RulePaused("cheap", 3, "people took back 2"), [Line.RULE_PAUSED]),
    (facts.RulesCounted((), ()), []),
    (facts.RulingStopped("down"), [Line.RULING_STOPPED]),
    (facts.RulingResumed(1.0), [Line.RULING_RESUMED]),
    (facts.ModelLearned(1, 41), [Line.MODEL_LEARNED]),
    (facts.ModelIgnored(1, "edited"), [Line.MODEL_IGNORED]),
    (facts.GateJudged(2.1, True), []),
    (facts.LikelihoodsShown("better"), [Line.LIKELIHOODS_SHOWN]),
    (facts.LikelihoodsHidden("not better"), [Line.LIKELIHOODS_HIDDEN]),
    (facts.LearningStopped("down"), [Line.LEARNING_STOPPED]),
    (facts.LearningResumed(1.0), [Line.LEARNING_RESUMED]),
]
EVERY_FACT = [each for each in vars(facts).values() if isinstance(each, type) and facts.Fact in each.__bases__]
# Lines without a fact, and lines that need two facts.
WRITTEN_ELSEWHERE = {
    Line.CHECK_FAILED,
    Line.DAEMON_STARTING,
    Line.SETTINGS_DOUBTFUL,
    Line.DAEMON_FAILED,
    Line.LOG_LOST,
    Line.PROCESS_CRASHED,
    Line.QUARANTINE_EMPTIED,
    Line.OBSERVER_FAILED,
    Line.LOG_LOST,
}


class Recorder:
    def __init__(self) -> None:
        self.clock = Clock()
        self.log = Log(LogWriter(), self.clock, INTERVAL_SECONDS, lambda: Mode.LISTENING)

    def reconciled(self, *outcomes: PatternOutcome, milliseconds: float = 1.0) -> None:
        self.log(facts.PatternsReconciled(outcomes, milliseconds))

    def scanned(self, kind: ScanKind, result: SyncResult) -> None:
        self.log(facts.ScanFinished(frozenset({kind}), result))

    def refused(self, count: int, *reasons: str) -> None:
        self.log(facts.QuarantineRetried(Retried(count, count, count, reasons, (), ())))

    def nothing_happens(self) -> None:
        self.log(facts.NotificationReceived(Channel.PATTERNS, NotificationKind.PATTERN))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.mark.parametrize(
    "fact",
    [
        facts.HttpCrowded(),
        facts.LiveRefused("no", "7f"),
        facts.HttpOutOfFiles("Too many open files"),
        facts.TokenRefused("192.0.2.1"),
    ],
)
def test_the_end_of_a_burst_is_counted(recorder: Recorder, fact: facts.Fact) -> None:
    with capture_logs() as lines:
        for _ in range(5):
            recorder.log(fact)
        recorder.nothing_happens()
        assert [line["times"] for line in lines] == [1]
        recorder.clock.seconds += INTERVAL_SECONDS
        recorder.nothing_happens()
        recorder.clock.seconds += INTERVAL_SECONDS
        recorder.nothing_happens()
    assert [line["times"] for line in lines] == [1, 4]
    assert {name: value for name, value in lines[0].items() if name != "times"} == {
        name: value for name, value in lines[1].items() if name != "times"
    }


def events(lines: Collection[EventDict]) -> list[str]:
    return [line["event"] for line in lines]


def failed(number: int) -> PatternOutcome:
    return PatternOutcome(RowId(number), f"s{number}", Outcome.FAILED, f"refused {number}")


def test_every_line_has_a_unique_event_name() -> None:
    names = [line.event for line in Line]
    assert len(set(names)) == len(names) == len({line.name for line in Line})
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", name) for name in names)


def test_every_line_has_a_sentence_for_people() -> None:
    sentences = [line.sentence for line in Line]
    assert len(set(sentences)) == len(sentences)
    assert all(re.fullmatch(r"[A-Z][^\n{}]+\.", sentence) for sentence in sentences)


def test_every_fact_and_every_line_is_covered_here() -> None:
    tried = {type(fact) for fact, _ in LINES}
    assert tried == set(EVERY_FACT), "list a fact without a line with an empty list"
    assert {line for _, lines in LINES for line in lines} | WRITTEN_ELSEWHERE == set(Line)


@pytest.mark.parametrize(("fact", "expected"), LINES, ids=lambda each: type(each).__name__)
def test_a_fact_becomes_its_line_at_its_level(recorder: Recorder, fact: facts.Fact, expected: list[Line]) -> None:
    with capture_logs() as lines:
        recorder.log(fact)
    written = [(line["event"], line["message"]) for line in lines]
    assert written == [(line.event, line.sentence) for line in expected]
    assert not [name for line in lines for name, value in line.items() if value is None]


@pytest.mark.parametrize("kind", EVERY_FACT)
def test_no_field_of_a_fact_hides_a_field_of_every_line(kind: type[facts.Fact]) -> None:
    taken = {"timestamp", "level", "event", "message", "logger", "line", "exception", "exc_info"}
    assert not taken & {field.name for field in fields(kind)}  # type: ignore[arg-type] # all are dataclasses


@pytest.mark.parametrize("fact", [fact for fact, _ in LINES], ids=lambda fact: type(fact).__name__)
def test_no_subscriber_can_change_a_fact_for_the_next(fact: facts.Fact) -> None:
    assert isinstance(hash(fact), int), "its contents cannot be changed either"
    for name in [field.name for field in fields(fact)] or ["anything"]:  # type: ignore[arg-type] # all are dataclasses
        with pytest.raises((AttributeError, TypeError)):
            setattr(fact, name, None)


def test_an_outage_is_logged_with_its_reason_and_its_length(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.log(facts.DatabaseLost("down"))
        recorder.log(facts.DatabaseBack(12.34))
    assert [line["log_level"] for line in lines] == ["warning", "info"]
    assert (lines[0]["reason"], lines[1]["after_seconds"]) == ("down", 12.3)


def test_listening_again_is_logged_with_the_time_spent_polling(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.log(facts.ListenerListening(None))
        recorder.log(facts.ListenerLost("lost"))
        recorder.log(facts.ListenerListening(60.0))
    assert "polled_seconds" not in lines[0]
    assert (lines[1]["log_level"], lines[1]["reason"]) == ("warning", "lost")
    assert lines[2]["polled_seconds"] == 60.0


def test_silent_triggers_are_named_with_the_remedy(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.log(facts.TriggersFaulty((FAULT,), silenced=True))
    assert lines[0]["faults"] == ["the trigger is disabled"]
    assert lines[0]["remedy"] == "pattern-sync migrate"


def test_a_full_notification_queue_is_logged_with_the_process_that_does_not_read(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.log(facts.NotificationQueueFull(0.63, 77))
    assert "63% full" in lines[0]["reason"]
    assert "77" in lines[0]["reason"]


def test_ignored_notifications_are_logged_at_powers_of_ten(recorder: Recorder) -> None:
    with capture_logs() as lines:
        for _ in range(2_500):
            recorder.log(facts.NotificationIgnored("'x'"))
    assert [line["so_far"] for line in lines] == [1, 10, 100, 1_000]


def test_a_reconcile_that_did_nothing_is_not_logged(recorder: Recorder) -> None:
    with capture_logs() as lines:
        for outcome in (Outcome.UNCHANGED, Outcome.DECIDED, Outcome.SHORT, Outcome.REFRESHED):
            recorder.reconciled(PatternOutcome(RowId(1), "a", outcome))
    assert lines == []


def test_the_first_few_queued_patterns_are_named(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.reconciled(
            *(PatternOutcome(RowId(i), f"s{i}", Outcome.QUEUED) for i in range(100)),
            PatternOutcome(RowId(100), "old", Outcome.REFRESHED),
            milliseconds=12.345,
        )
    assert len(lines) == 1
    assert (lines[0]["patterns"], lines[0]["refreshed"], lines[0]["milliseconds"]) == (100, 1, 12.3)
    assert lines[0]["signatures"] == [f"s{i}" for i in range(SHOWN_SIGNATURES)]


def test_a_failed_pattern_is_a_warning_with_the_reason(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.reconciled(FAILED)
    assert [(line["log_level"], line["first_error"]) for line in lines] == [("warning", "refused")]


@pytest.mark.parametrize(
    ("kind", "result", "is_news"),
    [
        (ScanKind.POLL, SyncResult(), False),
        (ScanKind.REQUEST, SyncResult(skipped_count=5), False),
        (ScanKind.MANUAL, SyncResult(skipped_count=5), False),
        (ScanKind.POLL, SyncResult(synced_count=1, synced_pattern_ids=("a",)), True),
        (ScanKind.SWEEP, SyncResult(), True),
        (ScanKind.SETTINGS, SyncResult(), True),
        (ScanKind.CATCH_UP, SyncResult(), True),
        (ScanKind.REQUEST, SyncResult(refreshed_count=1), True),
    ],
)
def test_a_scan_is_logged_when_it_did_something(
    recorder: Recorder, kind: ScanKind, result: SyncResult, *, is_news: bool
) -> None:
    with capture_logs() as lines:
        recorder.scanned(kind, result)
    assert [(line["event"], line["kind"]) for line in lines] == ([("scan.finished", kind.value)] if is_news else [])


def test_a_scan_of_several_kinds_is_named_after_the_first(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.log(facts.ScanFinished(frozenset({ScanKind.POLL, ScanKind.CATCH_UP}), SyncResult()))
    assert [line["kind"] for line in lines] == ["catch-up"]


def test_a_scan_with_errors_is_a_warning_with_the_first_of_them(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.scanned(ScanKind.SWEEP, SyncResult(synced_count=3, error_count=2, errors=("a: bad", "b: bad")))
    assert (lines[0]["log_level"], lines[0]["failed"], lines[0]["errors"]) == ("warning", 2, ["a: bad"])


def test_a_manual_sync_logs_all_errors_as_its_caller_gets_only_the_signatures(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.scanned(ScanKind.MANUAL, SyncResult(error_count=2, errors=("a: bad", "b: bad")))
    assert [line["errors"] for line in lines] == [["a: bad", "b: bad"]]


def test_the_filter_in_force_is_logged_in_words(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.log(facts.FilterPublished(SyncFilter.high_priority()))
    assert "confidence ≥ 70 %" in lines[0]["filter"]


def test_refreshed_figures_are_logged_at_debug_level(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.log(facts.EntriesRefreshed(2, 1.0))
    assert [(line["log_level"], line["entries"]) for line in lines] == [("debug", 2)]


def test_failures_are_summed_into_one_line_a_minute(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.reconciled(failed(0))
        for _ in range(100):
            recorder.reconciled(failed(1), failed(2), failed(3))
            recorder.nothing_happens()
        assert len(lines) == 1
        recorder.clock.seconds += INTERVAL_SECONDS
        recorder.nothing_happens()
        recorder.nothing_happens()
    assert [line["patterns"] for line in lines] == [1, 300]
    assert lines[1]["first_error"] == "refused 1"
    assert len(lines[1]["signatures"]) == SHOWN_SIGNATURES


def test_refusals_are_logged_when_their_number_changes_once_a_minute_at_most(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.refused(0)
        recorder.refused(3, "a: no", "b: no")
        for count in range(4, 50):
            recorder.clock.seconds += 1
            recorder.refused(count, "a: no")
        assert [line["patterns"] for line in lines] == [3]
        assert lines[0]["reasons"] == ("a: no", "b: no")
        recorder.clock.seconds += INTERVAL_SECONDS
        recorder.nothing_happens()
        recorder.nothing_happens()
        recorder.clock.seconds += INTERVAL_SECONDS
        recorder.refused(0)
    assert events(lines) == ["quarantine.filled", "quarantine.filled", "quarantine.emptied"]
    assert lines[1]["patterns"] == 49


def test_patterns_queued_after_a_refusal_are_named(recorder: Recorder) -> None:
    with capture_logs() as lines:
        names = tuple(f"s{i}" for i in range(100))
        recorder.log(facts.QuarantineRetried(Retried(100, 0, 0, (), names, ())))
    assert (lines[0]["patterns"], lines[0]["still_refused"]) == (100, 0)
    assert lines[0]["signatures"] == list(names[:SHOWN_SIGNATURES])


def test_daemons_that_take_the_filter_from_each_other_are_logged_once_a_minute(recorder: Recorder) -> None:
    own, other = SyncFilter(min_confidence=70), SyncFilter(min_confidence=30)
    publication = Publication("daemon from 10.0.0.7", datetime(2026, 3, 1, tzinfo=UTC))
    with capture_logs() as lines:
        for _ in range(100):
            recorder.log(facts.FilterForeign(other, own, publication))
            recorder.log(facts.FilterOwn(own))
            recorder.clock.seconds += INTERVAL_SECONDS / 50
    assert events(lines) == ["filter.foreign", "filter.own"]
    first = lines[0]
    assert (first["published_by"], first["in_force"], first["own"]) == ("daemon from 10.0.0.7", str(other), str(own))


def test_the_last_line_about_the_filter_is_true_however_fast_it_changed(recorder: Recorder) -> None:
    own, second, third = (SyncFilter(min_confidence=percent) for percent in (70, 30, 40))
    with capture_logs() as lines:
        for fact in (
            facts.FilterForeign(second, own, None),
            facts.FilterOwn(own),
            facts.FilterForeign(third, own, None),
        ):
            recorder.log(fact)
            recorder.clock.seconds += 1
        recorder.clock.seconds += INTERVAL_SECONDS
        recorder.nothing_happens()
        recorder.nothing_happens()
    assert [line["in_force"] for line in lines] == [str(second), str(third)]


OWN = SyncFilter.high_priority()
DISABLED = TriggerFault("operation_patterns", "the trigger is disabled", Audience.DAEMONS, mendable=True)
STANDING: list[tuple[facts.Fact, facts.Fact, str]] = [
    (facts.TriggersFaulty((DISABLED,), silenced=True), facts.TriggersSound(1.0), "triggers.silent"),
    (facts.TriggersUnseen("no right"), facts.TriggersSeen(), "triggers.unseen"),
    (facts.NotificationQueueFull(0.6, 7), facts.NotificationQueueDrained(), "notification_queue.full"),
    (facts.FilterForeign(SyncFilter(), OWN, None), facts.FilterOwn(OWN), "filter.foreign"),
    (facts.ListenerLost("a pooler"), facts.ListenerListening(1.0), "listener.lost"),
]


@pytest.mark.parametrize(("begun", "ended", "event"), STANDING, ids=[event for _, _, event in STANDING])
def test_what_is_still_wrong_is_said_again_with_each_sweep(
    recorder: Recorder, begun: facts.Fact, ended: facts.Fact, event: str
) -> None:
    def swept() -> list[str]:
        recorder.clock.seconds += INTERVAL_SECONDS
        with capture_logs() as lines:
            recorder.scanned(ScanKind.SWEEP, SyncResult())
        return events(lines)

    assert swept() == ["scan.finished"]
    recorder.log(begun)
    assert swept() == ["scan.finished", event]
    assert swept() == ["scan.finished", event]
    recorder.log(ended)
    recorder.clock.seconds += INTERVAL_SECONDS
    recorder.nothing_happens()
    assert swept() == ["scan.finished"]
