"""The log as machines and as people get it."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from pattern_sync.observability.lines import Line
from pattern_sync.observability.logs import configure_logging, ensure_logging
from pattern_sync.observability.writer import LogWriter

SECRET = "s3cr3t"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("pattern_sync")
    before = root.handlers, root.level, ours.level
    yield
    root.handlers, level, our_level = before
    root.setLevel(level)
    ours.setLevel(our_level)
    structlog.reset_defaults()


def fail() -> None:
    password = SECRET
    raise ValueError("broken" * bool(password))


def log_a_crash() -> None:
    try:
        fail()
    except ValueError:
        structlog.stdlib.get_logger("pattern_sync").exception("crashed", pattern="sdlc→é")


def test_without_a_terminal_each_line_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "auto")
    structlog.stdlib.get_logger("pattern_sync").info("queued", patterns=3, signatures=["é→x"])
    printed = capsys.readouterr()
    assert printed.out == ""
    line = json.loads(printed.err)
    assert (line["event"], line["patterns"], line["level"]) == ("queued", 3, "info")
    assert line["timestamp"].endswith("Z")
    assert "é→x" in printed.err


def test_a_traceback_is_json_without_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    log_a_crash()
    text = capsys.readouterr().err
    line = json.loads(text)
    assert "ValueError" in json.dumps(line["exception"])
    assert "fail" in json.dumps(line["exception"])
    assert SECRET not in text


def test_on_the_console_a_traceback_is_readable_and_without_local_variables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("info", "console")
    log_a_crash()
    text = capsys.readouterr().err
    assert "Traceback (most recent call last)" in text
    assert "ValueError: broken" in text
    assert SECRET not in text
    assert not text.startswith("{")


def test_the_level_applies_to_our_lines_and_libraries_only_warn(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug", "json")
    structlog.stdlib.get_logger("pattern_sync").debug("ours")
    logging.getLogger("library").info("theirs, chatty")
    logging.getLogger("library").warning("theirs, serious")
    configure_logging("warning", "json")
    structlog.stdlib.get_logger("pattern_sync").info("ours, chatty")
    lines = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["ours", "theirs, serious"]


def test_a_json_line_begins_with_the_common_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    LogWriter()(Line.PATTERN_QUEUED, patterns=3, signatures=["a"])
    line = json.loads(capsys.readouterr().err)
    assert list(line) == ["timestamp", "level", "event", "message", "patterns", "signatures"]
    assert (line["level"], line["event"], line["message"]) == ("info", "pattern.queued", "Patterns were queued.")


def test_a_console_line_is_a_sentence_followed_by_its_event_name(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "console")
    LogWriter()(Line.PATTERN_QUEUED, patterns=3)
    text = capsys.readouterr().err
    assert text.index("Patterns were queued.") < text.index("pattern.queued") < text.index("patterns")


def test_each_line_has_its_declared_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug", "json")
    for line in Line:
        LogWriter()(line)
    written = {each["event"]: each["level"] for each in map(json.loads, capsys.readouterr().err.splitlines())}
    assert written == {line.event: logging.getLevelName(line.level).lower() for line in Line}


def test_a_log_that_is_already_configured_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    ensure_logging()
    LogWriter()(Line.DAEMON_READY)
    configure_logging("error", "json")
    ensure_logging()
    LogWriter()(Line.DAEMON_READY)
    assert len(capsys.readouterr().err.splitlines()) == 1
