"""What the trigger costs the backend of a writer, in CPU time: no trigger, an empty one, ours."""

import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from benchmarks.report import Measurement
from benchmarks.server import Database, Venue
from benchmarks.throughput import CASES, Case, fill

PATTERNS = 1_000
WARM_UP = 200
_MODES = ("none", "empty", "ours")
_OBSERVE = "UPDATE operation_patterns SET occurrence_count = occurrence_count + 1 WHERE id = %s"


def measure(venue: Venue, rounds: int, transactions: int) -> Iterator[Measurement]:
    """Write the same rows repeatedly over one connection, taking turns between the three ways."""
    for case in CASES:
        with venue.database() as database:
            first = fill(database, case, PATTERNS)
            yield _compare(database, case, first, rounds, transactions)


def _compare(database: Database, case: Case, first: int, rounds: int, transactions: int) -> Measurement:
    database.run("CREATE FUNCTION bench_empty() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    database.run(
        "CREATE TRIGGER bench_empty AFTER INSERT OR UPDATE ON operation_patterns"
        " FOR EACH ROW EXECUTE FUNCTION bench_empty()"
    )
    costs: dict[str, list[float]] = {mode: [] for mode in _MODES}
    with psycopg.connect(database.url, autocommit=True) as writer:
        writer.execute("SET synchronous_commit = off")
        for number, mode in itertools.product(range(rounds), _MODES):
            _switch(database, mode if number % 2 else _MODES[::-1][_MODES.index(mode)])
            used = _cost(writer, first, transactions)
            costs[mode if number % 2 else _MODES[::-1][_MODES.index(mode)]].append(used)
    none, empty, ours = (statistics.median(costs[mode]) for mode in _MODES)
    return Measurement(
        f"CPU of the backend for a transaction, ours / an empty trigger: {case.about}",
        "µs",
        ours,
        empty,
        1.5,
        note=f"medians of {rounds} x {transactions:,}; without a trigger {none:.1f} µs;"
        f" the trigger alone {ours - none:.1f} µs against {empty - none:.1f} µs",
    )


def _switch(database: Database, mode: str) -> None:
    database.announce(enabled=mode == "ours")
    database.run(
        "ALTER TABLE operation_patterns ENABLE TRIGGER bench_empty"
        if mode == "empty"
        else "ALTER TABLE operation_patterns DISABLE TRIGGER bench_empty"
    )


def _cost(writer: psycopg.Connection, first: int, transactions: int) -> float:
    """Return the microseconds of CPU of a transaction."""
    clock = Path(f"/proc/{writer.info.backend_pid}/schedstat")
    before = 0
    for number in range(-WARM_UP, transactions):
        if number == 0:
            before = _used(clock)
        writer.execute(_OBSERVE, [first + number % PATTERNS], prepare=True)
    time.sleep(0.02)  # until the backend is idle again
    return (_used(clock) - before) / transactions / 1000


def _used(clock: Path) -> int:
    return int(clock.read_text().split()[0])
