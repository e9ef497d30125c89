"""The table of the log's events, from the lines that the daemon can write."""

import logging

from pattern_sync.observability.lines import Line
from tools.markdown import table


def log_table() -> str:
    """Return every event with its level and its sentence."""
    rows = [(f"`{line.event}`", logging.getLevelName(line.level).lower(), line.sentence) for line in Line]
    return table(("event", "level", "message"), rows)
