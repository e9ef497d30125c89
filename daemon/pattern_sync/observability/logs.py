"""The log's form: readable on a terminal, JSON otherwise, always on standard error."""

import logging
import sys
import threading
from types import TracebackType

import structlog

from pattern_sync.observability.journal import PrefixedFormatter, leads_to_journal

_SHARED: list[structlog.typing.Processor] = [
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logging(level: str, log_format: str, handler: logging.Handler | None = None) -> None:
    """Send our own lines and those of libraries through one renderer; `handler` writes them, by default at once."""
    handler = handler or logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *(_console_processors() if is_console(log_format) else _json_processors()),
        ],
    )
    handler.setFormatter(PrefixedFormatter(formatter) if leads_to_journal(sys.stderr) else formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("pattern_sync").setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def log_what_python_prints() -> None:
    """Log what Python would print to standard error by itself, over several lines and without a level.

    For a process that is a daemon: warnings, and errors that nobody can catch, in a thread or while something is freed.
    """
    logging.captureWarnings(capture=True)
    threading.excepthook = lambda fault: _log_uncaught(fault.exc_type, fault.exc_value, fault.exc_traceback)
    sys.unraisablehook = lambda fault: _log_uncaught(fault.exc_type, fault.exc_value, fault.exc_traceback)


def _log_uncaught(kind: type[BaseException], fault: BaseException | None, trace: TracebackType | None) -> None:
    where = (kind, fault or kind(), trace)
    logging.getLogger("python").error("An error was not caught.", exc_info=where)


def is_console(log_format: str) -> bool:
    """Return whether lines are for people; `auto` asks the terminal."""
    return log_format == "console" or (log_format == "auto" and sys.stderr.isatty())


def ensure_logging() -> None:
    """Configure the log unless the settings already did."""
    if not structlog.is_configured():
        configure_logging("info", "auto")


def _console_processors() -> list[structlog.typing.Processor]:
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return [_sentence_first, renderer]


def _json_processors() -> list[structlog.typing.Processor]:
    # No local variables in a traceback: one of them may be the database URL.
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [
        structlog.processors.ExceptionRenderer(frames),
        _frame_first,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _frame_first(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Begin each line with the fields that all lines have."""
    frame = {name: line.pop(name) for name in ("timestamp", "level", "event", "message") if name in line}
    return {**frame, **line}


def _sentence_first(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Show people the sentence, and behind it the name where the renderer shows a logger's."""
    if sentence := line.pop("message", None):
        line["logger"], line["event"] = line["event"], sentence
    return line
