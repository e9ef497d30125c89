"""Many qualifying patterns in one transaction, until all of them are queued."""

import statistics
import time
from collections.abc import Iterator

from benchmarks.processes import Child, DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Database, Venue

DEADLINE_SECONDS = 300.0
POLL_SECONDS = 0.01
STATISTICS = ("present", "absent", "wrong")
_ENTRIES = "SELECT count(*) FROM pattern_approvals WHERE pattern_id LIKE 'sdlc:bulk:%'"


def measure(venue: Venue, patterns: int, rounds: int) -> Iterator[Measurement]:
    """Measure with each kind of planner statistics; a fresh database has none anyway."""
    for known in STATISTICS:
        times: dict[str, list[float]] = {"daemon": [], "floor": []}
        for number in range(rounds):
            for name in ("daemon", "floor") if number % 2 else ("floor", "daemon"):
                times[name].append((_daemon if name == "daemon" else _floor)(venue, patterns, known))
        daemon, floor = (patterns / statistics.median(times[name]) for name in ("daemon", "floor"))
        yield Measurement(
            f"{patterns:,} patterns in one transaction, until all are queued; statistics {known}",
            "/s",
            daemon,
            floor,
            0.8,
            at_most=False,
            note=f"medians of {rounds}; floor: one INSERT … SELECT … ON CONFLICT",
        )


def measure_tenfold(venue: Venue, patterns: int) -> Iterator[Measurement]:
    """Compare the cost per pattern when the table is ten times as large."""
    few, many = (_daemon(venue, count, "absent") / count * 1e6 for count in (patterns, patterns * 10))
    yield Measurement(
        f"{patterns * 10:,} patterns in one transaction against {patterns:,}, cost of each", "µs", many, few, 1.3
    )


def measure_pgqueuer(venue: Venue, jobs: int) -> Iterator[Measurement]:
    """Measure PgQueuer doing the same job."""
    with (
        venue.database() as database,
        Child("detector", mode="bulk", url=database.url, patterns=jobs, analyze=False) as detector,
        Child("consumer", url=database.url),
    ):
        rate = jobs / until_queued(database, detector.ask() / 1e9, jobs)
    yield Measurement(f"  PgQueuer: {jobs:,} patterns in one transaction, until all are queued", "/s", rate)


def _daemon(venue: Venue, patterns: int, known: str) -> float:
    with (
        venue.database() as database,
        DaemonProcess(database.daemon_url),
        _detector(database, patterns, known) as detector,
    ):
        _believe(database, known)
        database.run("CHECKPOINT")
        return until_queued(database, detector.ask() / 1e9, patterns)


def _detector(database: Database, patterns: int, known: str) -> Child:
    return Child("detector", mode="bulk", url=database.url, patterns=patterns, analyze=known == "present")


def _floor(venue: Venue, patterns: int, known: str) -> float:
    with venue.database() as database:
        database.announce(enabled=False)
        with (
            _detector(database, patterns, known) as detector,
            Child("floors", url=database.url) as floor,
        ):
            floor.ask()  # In a lived-in database the daemon's catch-up queues missing patterns as well.
            _believe(database, known)
            database.run("CHECKPOINT")
            detector.ask()
            took: float = floor.ask()
        assert database.value(_ENTRIES) == patterns
    return took


def _believe(database: Database, known: str) -> None:
    """Leave the planner without statistics, or with wrong ones: long tables that are nearly empty."""
    if known == "absent":
        database.run(
            "DELETE FROM pg_statistic WHERE starelid IN ('operation_patterns'::regclass, 'pattern_approvals'::regclass)"
        )
    if known != "present":
        database.run(
            "UPDATE pg_class SET reltuples = %s, relpages = %s"
            " WHERE oid IN ('operation_patterns'::regclass, 'pattern_approvals'::regclass)",
            -1 if known == "absent" else 0,
            0 if known == "absent" else 1000,
        )


def until_queued(database: Database, committed: float, patterns: int) -> float:
    """Wait for all entries; return how many seconds after the commit the last one came."""
    deadline = committed + DEADLINE_SECONDS
    # The last pattern has the least impact, so its entry is among the last and cheap to poll for. Count only then.
    last = "SELECT count(*) FROM pattern_approvals WHERE pattern_id = 'sdlc:bulk:' || %s::integer"
    while database.value(last, patterns) < 1:
        _pause(deadline, patterns)
    while database.value(_ENTRIES) < patterns:
        _pause(deadline, patterns)
    return time.monotonic() - committed


def _pause(deadline: float, patterns: int) -> None:
    if time.monotonic() > deadline:
        raise RuntimeError(f"not all of {patterns} patterns were queued")
    time.sleep(POLL_SECONDS)
