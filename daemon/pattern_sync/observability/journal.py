"""Priorities for systemd's journal, by the prefixes of sd-daemon(3)."""

import logging
import os
from collections.abc import Mapping
from typing import TextIO

# syslog's numbers: a journal's reader asks for them by name, `journalctl -p warning`.
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG_PRIORITY = 7


def leads_to_journal(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a stream is connected to the journal, and not only started by one who is."""
    try:
        status = os.fstat(stream.fileno())
    except (AttributeError, OSError, ValueError):  # none at all, closed, or a test's
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class PrefixedFormatter(logging.Formatter):
    """Begins each line with its priority: the journal takes every line for a message of its own."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        prefix = f"<{_priority(record.levelno)}>"
        return "\n".join(prefix + line for line in self._formatter.format(record).split("\n"))


def _priority(level: int) -> int:
    return next((priority for least, priority in _PRIORITIES if level >= least), _DEBUG_PRIORITY)
