"""Beside large tables without an index for us: occurrences by the million, decided entries."""

import statistics
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.patterns import ONE
from benchmarks.processes import DaemonProcess
from benchmarks.refused import share_of_core
from benchmarks.report import Measurement
from benchmarks.server import Database, Venue

PAGES = ("/api/v1/patterns/pending", "/api/v1/patterns/statistics", "/api/v1/patterns/sync/statistics")
LOOKS = 15
NEW = 20
QUALIFYING = 1_000
_DURATION = "SELECT coalesce(max(duration_ms), -1) FROM pattern_sync.runs WHERE kind = %s"
_ONE = ONE.replace("$1", "%s")
_WORTH = """
INSERT INTO operation_patterns (
    pattern_signature, pattern_type, occurrence_count, potential_monthly_savings, confidence_score, typical_operations
)
SELECT 'sdlc:worth:' || i, 'sdlc', 10, 1000 + i, 80, '["Read", "Edit", "Write"]'
FROM generate_series(1, %s::integer) AS i
"""
# An application may have other indexes, but none on pattern_id.
_UNINDEXED = """
DO $$
DECLARE
    dropping record;
BEGIN
    FOR dropping IN
        SELECT c.conname FROM pg_constraint AS c
        WHERE c.conrelid = 'pattern_occurrences'::regclass AND c.contype IN ('u', 'f')
    LOOP
        EXECUTE format('ALTER TABLE pattern_occurrences DROP CONSTRAINT %I', dropping.conname);
    END LOOP;
    FOR dropping IN
        SELECT i.indexrelid::regclass AS name FROM pg_index AS i
        WHERE i.indrelid = 'pattern_occurrences'::regclass AND NOT i.indisprimary
    LOOP
        EXECUTE format('DROP INDEX %s', dropping.name);
    END LOOP;
END $$
"""
_OCCURRENCES = """
INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at)
SELECT first.id + i %% %s, 'wf-' || i, now() - i * interval '1 second'
FROM generate_series(1, %s::integer) AS i
CROSS JOIN (SELECT min(id) AS id FROM operation_patterns WHERE pattern_signature LIKE 'sdlc:worth:%%') AS first
"""
_DECIDED = """
INSERT INTO pattern_approvals (
    pattern_id, status, reviewed_by, reviewed_at, confidence_score, occurrence_count, estimated_savings_usd,
    tool_sequence
)
SELECT 'decided:' || i, (ARRAY['approved', 'rejected'])[1 + i %% 2], 'ann', now(), 0.8, 10, 2000, 'Read→Edit→Write'
FROM generate_series(1, %s::integer) AS i
"""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A daemon's times in milliseconds, its share of a core when idle, and whether it named the missing index."""

    took: dict[str, float]
    idle_percent: float
    names_index: bool


def measure(venue: Venue, occurrences: int, decided: int) -> Iterator[Measurement]:
    """Compare the same work with and without the large tables."""
    with venue.database() as database:
        floor = _see(database)
    with venue.database() as database:
        seen = _see(database, occurrences, decided)
    about = f"beside {occurrences:,} occurrences without an index, {decided:,} decided entries"
    bounds = {"catch-up of 1,000": 1_000.0, "sweep": 1_000.0, "commit to entry, p50": 25.0}
    for what, took in seen.took.items():
        yield Measurement(
            f"{what}, {about}", "ms", took, bound=bounds.get(what), note=f"without them {floor.took[what]:.1f} ms"
        )
    yield Measurement(
        "  share of a core while nothing happens",
        "%",
        seen.idle_percent,
        bound=5,
        note=f"without them {floor.idle_percent:.1f} %",
    )
    yield Measurement(
        "  the daemon names the missing index in its log (1: yes)", "", float(seen.names_index), bound=1, at_most=False
    )


def _see(database: Database, occurrences: int = 0, decided: int = 0) -> _Seen:
    database.announce(enabled=False)
    database.run(_WORTH, QUALIFYING)
    if occurrences:
        database.run(_UNINDEXED)
        database.run(_OCCURRENCES, QUALIFYING, occurrences)
        database.run(_DECIDED, decided)
    database.announce(enabled=True)
    database.settle()
    with DaemonProcess(database.daemon_url, PATTERN_SYNC_INTERVAL="3") as daemon:
        took = {
            "catch-up of 1,000": _recorded(database, "catch-up"),
            "sweep": _recorded(database, "sweep"),
            "commit to entry, p50": statistics.median(_new(database, number) for number in range(NEW)),
        }
        took |= {
            f"GET {path}, p50": statistics.median(_get(daemon.http_url + path) for _ in range(LOOKS)) for path in PAGES
        }
        idle = share_of_core(database, daemon, 15) * 100
        names_index = daemon.has_logged("pattern_occurrences (pattern_id)")
    return _Seen(took, idle, names_index)


def _recorded(database: Database, kind: str) -> float:
    deadline = time.monotonic() + 180
    while (took := database.value(_DURATION, kind)) < 0:
        if time.monotonic() > deadline:
            raise RuntimeError(f"there was no {kind}")
        time.sleep(0.1)
    return took


def _new(database: Database, number: int) -> float:
    signature = f"neighbour:new:{number}"
    database.run(_ONE, signature)
    begun = time.monotonic()
    while not database.value("SELECT count(*) FROM pattern_approvals WHERE pattern_id = %s", signature):
        if time.monotonic() > begun + 60:
            raise RuntimeError(f"{signature} was not queued")
        time.sleep(0.001)
    return (time.monotonic() - begun) * 1000


def _get(url: str) -> float:
    begun = time.monotonic()
    with urllib.request.urlopen(url, timeout=60) as answer:
        answer.read()
    return (time.monotonic() - begun) * 1000
