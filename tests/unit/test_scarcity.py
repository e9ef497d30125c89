"""A line that others can cause thousands of times is logged once a minute, with a count."""

import errno
from typing import Any

from structlog.testing import capture_logs

from pattern_sync.domain.facts import Fact, HttpCrowded, HttpOutOfFiles
from pattern_sync.domain.reception import Mode
from pattern_sync.observability.log import Log
from pattern_sync.observability.writer import LogWriter
from pattern_sync.runtime.life import report_loop_fault
from tests.support.fakes import Clock

INTERVAL_SECONDS = 60.0
OUT_OF_FILES = HttpOutOfFiles("[Errno 24] Too many open files")


class Loop:
    def __init__(self) -> None:
        self.reported: list[dict[str, Any]] = []

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.reported.append(context)


def log_at(clock: Clock) -> Log:
    return Log(LogWriter(), clock, INTERVAL_SECONDS, lambda: Mode.LISTENING)


def test_a_shortage_of_files_is_logged_at_once_and_then_once_a_minute() -> None:
    clock = Clock()
    log = log_at(clock)
    with capture_logs() as lines:
        for _ in range(1_000):
            log(OUT_OF_FILES)
        assert [line["times"] for line in lines] == [1]
        assert "Too many open files" in lines[0]["reason"]
        clock.seconds += INTERVAL_SECONDS
        for _ in range(1_000):
            log(OUT_OF_FILES)
    assert [line["times"] for line in lines] == [1, 1_000]


def test_one_shortage_does_not_hide_another() -> None:
    log = log_at(Clock())
    facts: list[Fact] = [OUT_OF_FILES, HttpCrowded(), HttpCrowded()]
    with capture_logs() as lines:
        for fact in facts:
            log(fact)
    assert [line["event"] for line in lines] == ["http.out_of_files", "http.crowded"]


def test_a_loop_without_a_file_for_a_connection_reports_a_shortage_of_files() -> None:
    loop = Loop()
    facts: list[Fact] = []
    fault = OSError(errno.EMFILE, "Too many open files")
    report_loop_fault(facts.append, loop, {"message": "socket.accept() out of system resource", "exception": fault})
    assert facts == [OUT_OF_FILES]
    assert loop.reported == []


def test_other_errors_of_the_loop_are_reported_as_always() -> None:
    loop = Loop()
    facts: list[Fact] = []
    fault = {"message": "Task exception was never retrieved", "exception": ValueError("x")}
    report_loop_fault(facts.append, loop, fault)
    assert loop.reported == [fault]
    assert facts == []
