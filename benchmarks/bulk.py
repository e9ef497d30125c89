"""Many qualifying patterns in one transaction, until all of them are queued."""

import statistics
import time
from collections.abc import Iterator

from benchmarks.processes import Child, DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Database, Server

DEADLINE_SECONDS = 300.0
POLL_SECONDS = 0.01


def measure(server: Server, patterns: int, rounds: int, jobs: int) -> Iterator[Measurement]:
    rates: dict[str, list[float]] = {"daemon": [], "floor": []}
    for number in range(rounds):
        for name in ("daemon", "floor") if number % 2 else ("floor", "daemon"):
            took = _daemon(server, patterns) if name == "daemon" else _floor(server, patterns)
            rates[name].append(patterns / took)
    daemon, floor = statistics.median(rates["daemon"]), statistics.median(rates["floor"])
    yield Measurement(
        f"{patterns:,} patterns in one transaction, until all are queued",
        "/s",
        daemon,
        floor,
        0.8,
        at_most=False,
        note=f"medians of {rounds}; floor: one INSERT … SELECT … ON CONFLICT",
    )
    yield Measurement(f"  the same with PgQueuer, {jobs:,} patterns", "/s", jobs / _pgqueuer(server, jobs), floor)


def _daemon(server: Server, patterns: int) -> float:
    with server.database() as database, Child("detector", mode="bulk", url=database.url, patterns=patterns) as detector:
        database.run("CHECKPOINT")
        with DaemonProcess(database.url):
            return _until_queued(database, detector, patterns)


def _pgqueuer(server: Server, jobs: int) -> float:
    with (
        server.database() as database,
        Child("detector", mode="bulk", url=database.url, patterns=jobs) as detector,
        Child("consumer", url=database.url),
    ):
        return _until_queued(database, detector, jobs)


def _until_queued(database: Database, detector: Child, patterns: int) -> float:
    committed: float = detector.ask() / 1e9
    deadline = committed + DEADLINE_SECONDS
    # The last pattern has the least impact, so its entry is the last of a run: cheap to look for. Counting comes after.
    last = "SELECT count(*) FROM pattern_approvals WHERE pattern_id = 'sdlc:bulk:' || %s::integer"
    for sql, argument, wanted in (
        (last, patterns, 1),
        ("SELECT count(*) FROM pattern_approvals WHERE %s", True, patterns),
    ):
        while database.value(sql, argument) < wanted:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not all of {patterns} patterns were queued")
            time.sleep(POLL_SECONDS)
    return time.monotonic() - committed


def _floor(server: Server, patterns: int) -> float:
    with server.database() as database:
        database.announce(enabled=False)
        with (
            Child("detector", mode="bulk", url=database.url, patterns=patterns) as detector,
            Child("floors", url=database.url) as floor,
        ):
            database.run("CHECKPOINT")
            detector.ask()
            took: float = floor.ask()
        assert database.value("SELECT count(*) FROM pattern_approvals") == patterns
    return took
