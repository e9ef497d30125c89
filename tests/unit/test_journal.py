"""Lines for systemd's journal: each begins with its priority, and only there."""

import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import TextIO

import pytest

from pattern_sync.observability.journal import leads_to_journal
from pattern_sync.observability.lines import Line
from pattern_sync.observability.logs import configure_logging, log_what_python_prints
from pattern_sync.observability.writer import LogWriter


class Journal:
    """A pipe in the place of the journal's stream."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._reading, writing = os.pipe()
        self.stream = os.fdopen(writing, "w", encoding="utf-8")
        status = os.fstat(writing)
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        self._monkeypatch = monkeypatch

    def configure(self, level: str, log_format: str) -> None:
        """Configure the log to go here; within the test, as pytest has a stream of its own for each phase."""
        self._monkeypatch.setattr("sys.stderr", self.stream)
        configure_logging(level, log_format)

    def lines(self) -> list[str]:
        self.stream.flush()
        return os.read(self._reading, 1 << 16).decode().splitlines()

    def close(self) -> None:
        self.stream.close()
        os.close(self._reading)


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    opened = Journal(monkeypatch)
    yield opened
    opened.close()


def test_each_line_has_the_priority_of_its_level(journal: Journal) -> None:
    journal.configure("debug", "json")
    for line in Line:
        LogWriter()(line)
    priorities = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
    written = {json.loads(text[3:])["event"]: text[:3] for text in journal.lines()}
    assert written == {line.event: f"<{priorities[line.level]}>" for line in Line}


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_every_line_of_a_traceback_keeps_its_level(journal: Journal, log_format: str) -> None:
    journal.configure("info", log_format)
    LogWriter()(Line.PROCESS_CRASHED, exc_info=ValueError("two\nlines"))
    lines = journal.lines()
    assert all(line.startswith("<2>") for line in lines)
    assert len(lines) == 1 or log_format == "console"


def test_what_python_prints_by_itself_is_logged_with_a_level(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in ((sys, "unraisablehook"), (threading, "excepthook"), (warnings, "showwarning")):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    journal.configure("info", "json")
    log_what_python_prints()
    thread = threading.Thread(target=lambda: json.loads("{"))
    thread.start()
    thread.join()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=True)
            warnings.warn("deprecated", stacklevel=1)
    finally:
        logging.captureWarnings(capture=False)
    lines = journal.lines()
    assert [line[:4] for line in lines] == ["<3>{", "<4>{"]
    assert json.loads(lines[0][3:])["exception"][0]["exc_type"] == "JSONDecodeError"


def test_a_librarys_warning_has_a_priority_too(journal: Journal) -> None:
    journal.configure("info", "json")
    logging.getLogger("asyncio").error("Task exception was never retrieved")
    assert [line[:3] for line in journal.lines()] == ["<3>"]


def test_a_stream_that_is_not_the_journals_gets_no_priorities(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(os.devnull, "w", encoding="utf-8") as elsewhere:  # noqa: PTH123 - as a shell redirects it
        assert leads_to_journal(journal.stream)
        assert not leads_to_journal(elsewhere)
    configure_logging("info", "json")
    LogWriter()(Line.DAEMON_STOPPED)
    assert capsys.readouterr().err.startswith("{")


@pytest.mark.parametrize("variable", [None, "", "nonsense", "1:2"])
def test_without_the_journals_number_a_stream_is_not_its(variable: str | None) -> None:
    environment = {} if variable is None else {"JOURNAL_STREAM": variable}
    with open(os.devnull, "w", encoding="utf-8") as stream:  # noqa: PTH123
        assert not leads_to_journal(stream, environment)


def test_a_closed_stream_is_not_the_journals(journal: Journal) -> None:
    stream: TextIO = journal.stream
    stream.close()
    assert not leads_to_journal(stream)
