"""Lines about what others can provoke at any rate: written at most once per interval, with what happened meanwhile."""

from collections.abc import Callable, Sequence

from pattern_sync.domain.outcomes import PatternOutcome
from pattern_sync.observability.lines import Line
from pattern_sync.observability.writer import LogWriter

SHOWN_SIGNATURES = 5
SHOWN_REASONS = 5


class Pace:
    """Lets something through at most once per interval. `now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float], interval_seconds: float) -> None:
        self._now = now
        self._interval_seconds = interval_seconds
        self._passed_at = float("-inf")

    def passes(self) -> bool:
        """Return whether the interval is over, and begin the next one if so."""
        is_due = self._now() - self._passed_at >= self._interval_seconds
        if is_due:
            self._passed_at = self._now()
        return is_due


class Repetitions:
    """Counts what happens again and again, and writes how often it did."""

    def __init__(self, write: LogWriter, line: Line, pace: Pace) -> None:
        self._write = write
        self._line = line
        self._pace = pace
        self._times = 0
        self._last: dict[str, object] = {}

    def add(self, **fields: object) -> None:
        """Count one, and write a line if it is due."""
        self._times += 1
        self._last = fields
        self.flush()

    def flush(self) -> None:
        """Write how often it did, with the fields of the last one, if a line is due: so a burst's end is told, too."""
        if self._times and self._pace.passes():
            self._write(self._line, times=self._times, **self._last)
            self._times = 0


class Latest:
    """Follows a state that others can change at any rate: writes the latest one."""

    def __init__(self, write: LogWriter, pace: Pace) -> None:
        self._write = write
        self._pace = pace
        self._state: tuple[Line, dict[str, object]] | None = None
        self._written: tuple[Line, dict[str, object]] | None = None

    def update(self, line: Line, **fields: object) -> None:
        """Take the state as it is now."""
        self._state = (line, fields)

    def forget(self) -> None:
        """Forget what was written: the state is news again."""
        self._written = None

    def flush(self) -> None:
        """Write the state if it has changed and a line is due."""
        if self._state is None or self._state == self._written or not self._pace.passes():
            return
        self._written = line, fields = self._state
        self._write(line, **fields)


class Failures:
    """Collects patterns that could not be queued."""

    def __init__(self, write: LogWriter, pace: Pace) -> None:
        self._write = write
        self._pace = pace
        self._first: list[PatternOutcome] = []
        self._count = 0

    def add(self, failed: Sequence[PatternOutcome]) -> None:
        """Collect."""
        self._count += len(failed)
        self._first = [*self._first, *failed][:SHOWN_SIGNATURES]

    def flush(self) -> None:
        """Write what was collected, if a line is due."""
        if self._count and self._pace.passes():
            self._write(
                Line.PATTERN_FAILED,
                patterns=self._count,
                signatures=[item.signature for item in self._first],
                first_error=self._first[0].error,
            )
            self._first, self._count = [], 0


class Refusals:
    """Follows how many patterns are in the quarantine."""

    def __init__(self, write: LogWriter, pace: Pace) -> None:
        self._write = write
        self._pace = pace
        self._count = 0
        self._written_count = 0
        self._reasons: Sequence[str] = ()

    def update(self, count: int, reasons: Sequence[str]) -> None:
        """Take how many there are now, and why some of them are."""
        self._count, self._reasons = count, reasons[:SHOWN_REASONS]

    def flush(self) -> None:
        """Write the number if it has changed and a line is due."""
        if self._count == self._written_count or not self._pace.passes():
            return
        self._written_count = self._count
        if self._count:
            self._write(Line.QUARANTINE_FILLED, patterns=self._count, reasons=self._reasons)
        else:
            self._write(Line.QUARANTINE_EMPTIED)
