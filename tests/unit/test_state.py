"""What the daemon says: one line for each change, none for a repetition."""

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.runs import RunKind
from pattern_sync.domain.watching import Sighting
from pattern_sync.observability.state import SHOWN_SIGNATURES, DaemonState, Mode
from tests.support.fakes import Clock


class Recorder:
    def __init__(self) -> None:
        self.clock = Clock()
        self.shown: list[str] = []
        self.state = DaemonState(self.clock, self.shown.append)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def events(lines: list[EventDict]) -> list[str]:
    return [line["event"] for line in lines]


def test_an_outage_is_one_line_when_it_begins_and_one_when_it_ends(recorder: Recorder) -> None:
    with capture_logs() as lines:
        for _ in range(50):
            recorder.state.database_lost("down")
        recorder.clock.seconds += 12.34
        for _ in range(50):
            recorder.state.database_back()
    assert events(lines) == ["database unavailable, trying again", "database back"]
    assert lines[1]["after_seconds"] == 12.3


def test_a_second_outage_is_told_again(recorder: Recorder) -> None:
    with capture_logs() as lines:
        for _ in range(2):
            recorder.state.database_lost("down")
            recorder.state.database_back()
    assert len(lines) == 4


def test_what_one_service_cannot_do_is_not_mended_by_what_another_can(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.state.database_lost("a right is missing", "run worker")
        for _ in range(50):
            recorder.state.database_lost("gone for a moment")
            recorder.state.database_back("event worker")
            recorder.state.database_back()
        assert events(lines) == ["database unavailable, trying again"]
        recorder.state.database_back("run worker")
    assert events(lines) == ["database unavailable, trying again", "database back"]
    assert recorder.state.database_lost_at is None


def test_a_port_that_is_taken_is_told_once_and_shown_until_it_is_free(recorder: Recorder) -> None:
    with capture_logs() as lines:
        for _ in range(50):
            recorder.state.serving_refused("port 8002 is taken")
        recorder.state.listening()
        assert recorder.shown[-1].endswith("; not serving HTTP: port 8002 is taken")
        recorder.state.serving("http://127.0.0.1:8002/")
    assert events(lines) == ["not serving HTTP, trying again", "listening", "serving"]
    assert "not serving" not in recorder.shown[-1]
    assert recorder.state.not_serving is None


def test_waiting_for_the_first_connect_is_one_line(recorder: Recorder) -> None:
    with capture_logs() as lines:
        for _ in range(50):
            recorder.state.waiting("refused")
        recorder.state.database_back()
    assert events(lines) == ["waiting for the database", "database back"]
    assert recorder.shown == ["waiting for the database: refused"]


def test_listening_and_polling_are_told_when_they_change(recorder: Recorder) -> None:
    with capture_logs() as lines:
        for _ in range(20):
            recorder.state.listening()
        for _ in range(20):
            recorder.state.polling("lost")
        recorder.clock.seconds += 60
        for _ in range(20):
            recorder.state.listening()
    assert events(lines) == ["listening", "not listening, polling instead", "listening"]
    assert "polled_for_seconds" not in lines[0]
    assert lines[1]["log_level"] == "warning"
    assert lines[1]["reason"] == "lost"
    assert lines[2]["polled_for_seconds"] == 60.0
    assert recorder.state.mode is Mode.LISTENING
    assert [line.split(";")[0] for line in recorder.shown] == ["listening", "polling", "listening"]


def test_a_flood_of_garbage_is_told_at_the_powers_of_ten(recorder: Recorder) -> None:
    with capture_logs() as lines:
        for _ in range(2_500):
            recorder.state.unknown_payload("'x'")
    assert [line["so_far"] for line in lines] == [1, 10, 100, 1_000]
    assert recorder.state.unknown_payloads_total == 2_500


def test_a_reconcile_that_did_nothing_is_no_news(recorder: Recorder) -> None:
    with capture_logs() as lines:
        for outcome in (Outcome.UNCHANGED, Outcome.DECIDED, Outcome.SHORT, Outcome.REFRESHED):
            recorder.state.reconciled([PatternOutcome(1, "a", outcome)], 1.0)
    assert lines == []


def test_what_was_queued_is_named_up_to_a_few(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.state.reconciled([PatternOutcome(i, f"s{i}", Outcome.QUEUED) for i in range(100)], 12.345)
    assert len(lines) == 1
    assert lines[0]["patterns"] == 100
    assert lines[0]["signatures"] == [f"s{i}" for i in range(SHOWN_SIGNATURES)]
    assert recorder.state.queued_total == 100


def test_a_failure_is_a_warning_with_the_reason(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.state.reconciled([PatternOutcome(1, "a", Outcome.FAILED, "refused")], 1.0)
    assert [(line["log_level"], line["first_error"]) for line in lines] == [("warning", "refused")]
    assert recorder.state.failed_total == 1


@pytest.mark.parametrize(
    ("kind", "result", "told"),
    [
        (RunKind.POLL, SyncResult(), False),
        (RunKind.REQUEST, SyncResult(skipped_count=5), False),
        (RunKind.POLL, SyncResult(synced_count=1, synced_pattern_ids=("a",)), True),
        (RunKind.SWEEP, SyncResult(), True),
        (RunKind.CATCH_UP, SyncResult(), True),
        (RunKind.REQUEST, SyncResult(refreshed_count=1), True),
    ],
)
def test_a_run_is_told_when_it_is_news(recorder: Recorder, kind: RunKind, result: SyncResult, *, told: bool) -> None:
    with capture_logs() as lines:
        recorder.state.run_finished({kind}, result)
    assert events(lines) == ([kind.value] if told else [])


def test_a_run_with_errors_is_a_warning_and_shows_in_the_status(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.state.run_finished({RunKind.SWEEP}, SyncResult(synced_count=3, error_count=2, errors=("a: bad",)))
    assert (lines[0]["log_level"], lines[0]["first_error"]) == ("warning", "a: bad")
    assert recorder.shown[-1] == "starting; 3 queued, 2 failed since start"


def test_the_filter_in_force_is_told_in_words(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.state.filter_in_force(SyncFilter.high_priority())
    assert "confidence ≥ 70 %" in lines[0]["filter"]


def test_refreshed_figures_are_a_detail(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.state.refreshed(SyncResult())
        recorder.state.refreshed(SyncResult(refreshed_count=2))
    assert [(line["log_level"], line["patterns"]) for line in lines] == [("debug", 2)]


def test_failures_are_told_once_a_minute_and_added_up(recorder: Recorder) -> None:
    failed = [PatternOutcome(1, f"s{i}", Outcome.FAILED, f"refused {i}") for i in range(4)]
    with capture_logs() as lines:
        recorder.state.reconciled(failed[:1], 1.0)
        for _ in range(100):
            recorder.state.reconciled(failed[1:], 1.0)
            recorder.state.settle()
        assert len(lines) == 1
        recorder.clock.seconds += 60
        recorder.state.settle()
        recorder.state.settle()
    assert [line["patterns"] for line in lines] == [1, 300]
    assert lines[1]["first_error"] == "refused 1"
    assert len(lines[1]["signatures"]) == SHOWN_SIGNATURES
    assert recorder.state.failed_total == 301


def test_refusals_are_told_when_their_number_changes_and_once_a_minute_at_most(recorder: Recorder) -> None:
    with capture_logs() as lines:
        recorder.state.refusals(0, ())
        recorder.state.refusals(3, ["a: no", "b: no"])
        for count in range(4, 50):
            recorder.clock.seconds += 1
            recorder.state.refusals(count, ["a: no"])
        assert [line["patterns"] for line in lines] == [3]
        recorder.clock.seconds += 60
        recorder.state.settle()
        recorder.state.settle()
        recorder.clock.seconds += 60
        recorder.state.refusals(0, ())
    assert events(lines) == ["some patterns that qualify are refused"] * 2 + ["no pattern is refused any more"]
    assert lines[1]["patterns"] == 49


def test_a_silent_trigger_shows_as_polling_in_the_status(recorder: Recorder) -> None:
    recorder.state.listening()
    recorder.state.silence.blind("no right")
    assert recorder.shown[-1].startswith("polling")
    recorder.state.silence.seen(Sighting())
