"""The one place that writes to the log."""

import structlog

from pattern_sync.observability.lines import Line


class LogWriter:
    """Writes lines: the name as `event`, the sentence as `message`, and fields."""

    def __init__(self) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")

    def __call__(self, line: Line, **fields: object) -> None:
        """Write a line."""
        self._log.log(line.level, line.event, message=line.sentence, **fields)


def report_lost(records: int) -> None:
    """Say in the log how many of its lines nobody took."""
    LogWriter()(Line.LOG_LOST, lines=records)
