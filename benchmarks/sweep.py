"""A sweep with nothing missing, when the table is ten times as large."""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.processes import DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Database

_TIMES = "SELECT duration_ms FROM pattern_sync.runs WHERE kind = 'sweep' ORDER BY id"


def measure(small: Database, large: Database, qualifying: int, sweeps: int) -> Iterator[Measurement]:
    """Let a daemon sweep each table every second, at the same time, and read what it noted down."""
    with ExitStack() as stack:
        for database in (small, large):
            stack.enter_context(DaemonProcess(database.url, PATTERN_SYNC_INTERVAL="1"))
        before, after = (_wait_for(database, sweeps) for database in (small, large))
    rows = [int(database.value("SELECT count(*) FROM operation_patterns")) for database in (small, large)]
    yield Measurement(
        f"sweep with nothing missing: {rows[1]:,} patterns against {rows[0]:,}",
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
