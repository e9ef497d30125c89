"""The daemon's memory: when idle, and during a flood of notifications."""

import time
from collections.abc import Iterator

from benchmarks.processes import DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Database

CHUNK = 5_000
PER_SECOND = 50_000  # as fast as the daemon can queue; no real detector is
SETTLE_SECONDS = 5.0
DEADLINE_SECONDS = 300.0
_UPDATED = "p.potential_monthly_savings = 5000 AND p.confidence_score = 90 AND p.pattern_type = 'tool'"


def measure(database: Database, events: int) -> Iterator[Measurement]:
    patterns = int(database.value("SELECT max(id) FROM operation_patterns"))
    with DaemonProcess(database.daemon_url) as daemon:
        time.sleep(SETTLE_SECONDS)
        idle = daemon.resident_mb()
        yield Measurement("memory at idle", "MB", idle, bound=80, note=f"resident, beside {patterns:,} patterns")
        daemon.reset_peak()
        begun = time.monotonic()
        _flood(database, events)
        queued = _wait(database, daemon)
        seconds = time.monotonic() - begun
        yield Measurement(
            f"memory while {events:,} events pass, peak over idle",
            "MB",
            daemon.peak_mb() - idle,
            bound=40,
            note=f"of them {queued:,} real updates; {events / seconds:,.0f} events a second, all handled",
        )


def _flood(database: Database, events: int) -> None:
    """Notify distinct row ids in chunks, each with a few patterns that really qualify now."""
    begun = time.monotonic()
    for first in range(1, events + 1, CHUNK):
        time.sleep(max(0.0, begun + first / PER_SECOND - time.monotonic()))
        last = min(first + CHUNK - 1, events)
        database.run(
            "SELECT count(pg_notify('pattern_sync', i::text)) FROM generate_series(%s::bigint, %s::bigint) AS i",
            first,
            last,
        )
        database.run(
            """
            UPDATE operation_patterns
            SET confidence_score = 90, occurrence_count = 50, potential_monthly_savings = 5000
            WHERE id IN (SELECT i FROM generate_series(%s::bigint, %s::bigint, 500) AS i) AND pattern_type = 'tool'
            """,
            first,
            last,
        )


def _wait(database: Database, daemon: DaemonProcess) -> int:
    """Wait until every notification was read and every qualifying pattern is queued; return how many those are."""
    # Notifications keep their order: a daemon that logs this one as ignored has read all before it.
    database.run("SELECT pg_notify('pattern_sync', 'the end of the benchmark')")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (daemon.has_logged("the end of the benchmark") and _missing(database) == 0):
        if time.monotonic() > deadline:
            raise RuntimeError("events were lost")
        time.sleep(0.5)
    return int(database.value(f"SELECT count(*) FROM operation_patterns AS p WHERE {_UPDATED}"))


def _missing(database: Database) -> float:
    return database.value(
        f"SELECT count(*) FROM operation_patterns AS p WHERE {_UPDATED}"
        " AND NOT EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id = p.pattern_signature)"
    )
