"""Many patterns that the application refuses, among as many good ones."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Database, Venue

DEADLINE_SECONDS = 300.0
SETTLE_SECONDS = 10.0
# The refused ones have the better impact, and so come first.
_FILL = """
INSERT INTO operation_patterns (
    pattern_signature, pattern_type, occurrence_count, potential_monthly_savings, confidence_score, typical_operations
)
SELECT %s || i, 'tool', 10, %s + i %% 1000, 85, '["Read", "Edit", "Write"]' FROM generate_series(1, %s::integer) AS i
"""
_REFUSE = "ALTER TABLE pattern_approvals ADD CONSTRAINT bench_refuses CHECK (pattern_id NOT LIKE 'bad:%')"
_GOOD = "SELECT count(*) FROM pattern_approvals WHERE pattern_id LIKE 'good:%'"
_REFUSED = "SELECT count(*) FROM pattern_sync.refusals WHERE pattern_id LIKE 'bad:%'"
_BACKENDS = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def measure(venue: Venue, patterns: int, seconds: float) -> Iterator[Measurement]:
    with venue.database() as database, DaemonProcess(database.daemon_url):
        alone = _commit(database, patterns, refused=0)
    with venue.database() as database, DaemonProcess(database.daemon_url) as daemon:
        mixed = _commit(database, patterns, refused=patterns)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while database.value(_REFUSED) < patterns:
            _pause(deadline)
        time.sleep(SETTLE_SECONDS)
        share = share_of_core(database, daemon, seconds) * 100
    yield Measurement(
        f"{patterns:,} good patterns among {patterns:,} that are refused, seconds more than alone",
        "s",
        mixed - alone,
        bound=2,
        note=f"{mixed:.2f} s, alone {alone:.2f} s",
    )
    yield Measurement(
        f"  share of a core for the {patterns:,} that are refused, afterwards",
        "%",
        share,
        bound=5,
        note=f"daemon and backends, over {seconds:g} s",
    )


def _commit(database: Database, good: int, refused: int) -> float:
    database.run(_REFUSE)
    with database.transaction():
        database.run(_FILL, "bad:", 9000, refused)
        database.run(_FILL, "good:", 2000, good)
    begun = time.monotonic()
    while database.value(_GOOD) < good:
        _pause(begun + DEADLINE_SECONDS)
    return time.monotonic() - begun


def _pause(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise RuntimeError("the good ones were not queued, or the others not refused")
    time.sleep(0.01)


def share_of_core(database: Database, daemon: DaemonProcess, seconds: float) -> float:
    """Return the share of a core that the daemon and the backends of its database take."""
    pids = [daemon.pid, *(int(pid) for pid in database.values(_BACKENDS))]
    begun, before = time.monotonic(), {pid: cpu_seconds(pid) for pid in pids}
    time.sleep(seconds)
    used = sum(max(0.0, cpu_seconds(pid) - before[pid]) for pid in pids)
    return used / (time.monotonic() - begun)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used; 0 where it has ended."""
    try:
        numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")
