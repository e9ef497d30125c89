"""A sweep that finds nothing missing, in a table of some size and in one ten times as large."""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.processes import DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Database

_TIMES = "SELECT duration_ms FROM pattern_sync.runs WHERE kind = 'sweep' ORDER BY id"
# An application's own table has none; `pattern-sync status` names it.
_WORTH = """
CREATE INDEX bench_worth ON operation_patterns (
    coalesce(potential_monthly_savings::numeric, 0), coalesce(confidence_score, 0)
)
"""


def measure(small: Database, large: Database, qualifying: int, sweeps: int, *, lived_in: bool) -> Iterator[Measurement]:
    """Sweep both as they are; where the application's table lacks an index, also with the one that `status` names."""
    yield _compare(small, large, qualifying, sweeps, "" if not lived_in else ", without an index")
    if lived_in:
        for database in (small, large):
            database.run(_WORTH)
            database.run("ANALYZE operation_patterns")
        yield _compare(small, large, qualifying, sweeps, ", with the index that we name")


def _compare(small: Database, large: Database, qualifying: int, sweeps: int, how: str) -> Measurement:
    """Let a daemon sweep each table every second, both at the same time, and read the recorded durations."""
    with ExitStack() as stack:
        for database in (small, large):
            database.run("TRUNCATE pattern_sync.runs")
            stack.enter_context(DaemonProcess(database.daemon_url, PATTERN_SYNC_INTERVAL="1"))
        before, after = (_wait_for(database, sweeps) for database in (small, large))
    rows = [int(database.value("SELECT count(*) FROM operation_patterns")) for database in (small, large)]
    return Measurement(
        f"sweep with nothing missing: {rows[1]:,} patterns against {rows[0]:,}{how}",
        "ms",
        statistics.median(after),
        statistics.median(before),
        1.5,
        note=f"medians of {sweeps}; {qualifying:,} patterns qualify in both",
    )


def _wait_for(database: Database, sweeps: int) -> list[float]:
    deadline = time.monotonic() + 60 + 10 * sweeps
    while len(times := database.values(_TIMES)) <= sweeps:
        if time.monotonic() > deadline:
            raise RuntimeError("the daemon does not sweep")
        time.sleep(0.2)
    return times[1:]  # the first fills the caches
