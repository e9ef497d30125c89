"""The first adoption of an application's database: migrate, start, and all that qualifies is queued."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.processes import DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Venue

DEADLINE_SECONDS = 180.0
_FILL = """
INSERT INTO operation_patterns (
    pattern_signature, pattern_type, occurrence_count, potential_monthly_savings, confidence_score, typical_operations,
    typical_input_pattern
)
SELECT
    'tool:adopted:' || i, 'tool', 10, CASE WHEN i %% 10 = 0 THEN 1000 + i %% 90000 ELSE i %% 900 END, 85,
    '["Read", "Edit", {"name": "Bash"}, "Write"]', 'implement the change and run the tests, round ' || i
FROM generate_series(1, %s::integer) AS i
"""


def measure(venue: Venue, patterns: int) -> Iterator[Measurement]:
    with venue.application() as database:
        database.run(_FILL, patterns)
        database.settle()
        begun = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "pattern_sync", "migrate"],
            env={**os.environ, "PATTERN_SYNC_DATABASE_URL": database.url},
            check=True,
            capture_output=True,
        )
        migrated = time.monotonic() - begun
        with DaemonProcess(database.url) as daemon:
            while database.value("SELECT count(*) FROM pattern_approvals") < patterns // 10:
                if time.monotonic() > begun + DEADLINE_SECONDS:
                    raise RuntimeError("not all was queued")
                time.sleep(0.05)
            took = time.monotonic() - begun
            time.sleep(1)
            peak = daemon.peak_mb()
    about = f"first adoption of {patterns:,} patterns, of which {patterns // 10:,} qualify"
    yield Measurement(
        about, "s", took, bound=15, note=f"migrate {migrated:.1f} s, then the daemon's start and catch-up"
    )
    yield Measurement("  the daemon's memory meanwhile, peak", "MB", peak, bound=90)
