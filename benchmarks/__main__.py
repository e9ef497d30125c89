"""Measure everything that DESIGN promises in numbers: `make bench`, or `python -m benchmarks NAME ...` for parts of it.

On the lowest and the highest PostgreSQL at hand, on fresh and on lived-in databases. BENCH_DATABASE_URL names a
server instead; BENCH_MAJORS (15,18) chooses; BENCH_BULK_PATTERNS and the like change the sizes, each named as in Scale.
"""

import argparse
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path

import psycopg
from rich.console import Console

from benchmarks import (
    adoption,
    bulk,
    cpu,
    deciding,
    detecting,
    idle,
    latency,
    live,
    memory,
    neighbours,
    refused,
    sweep,
    telling,
    throughput,
)
from benchmarks.patterns import table_of
from benchmarks.report import Measurement, print_table, write_json
from benchmarks.server import Venue, open_servers, venues

QUALIFYING = 1_000


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything."""

    samples: int = 600
    bulk_patterns: int = 100_000
    bulk_rounds: int = 2
    jobs: int = 5_000
    pairs: int = 6
    block_seconds: float = 1.0
    bulk_insert: int = 200_000
    cpu_rounds: int = 6
    cpu_transactions: int = 2_000
    patterns: int = 100_000
    sweeps: int = 12
    events: int = 1_000_000
    idle_seconds: float = 15.0
    changes: int = 100
    refused: int = 10_000
    refused_seconds: float = 20.0
    occurrences: int = 5_000_000
    decided: int = 500_000
    known: int = 1_000_000
    pending: int = 200_000
    calls: int = 1_000_000
    transcript_calls: int = 100_000

    @classmethod
    def chosen(cls, *, quick: bool) -> "Scale":
        """Return the sizes, each overridden by its environment variable."""
        scale = QUICK if quick else cls()
        given = {each.name: os.environ.get(f"BENCH_{each.name.upper()}") for each in fields(cls)}
        return replace(scale, **{name: type(getattr(scale, name))(value) for name, value in given.items() if value})


QUICK = Scale(
    samples=100, bulk_patterns=10_000, bulk_rounds=1, jobs=1_000, pairs=2, block_seconds=0.5, bulk_insert=20_000,
    cpu_rounds=2, cpu_transactions=500, patterns=10_000, sweeps=3, events=50_000, idle_seconds=5.0, changes=20,
    refused=1_000, refused_seconds=5.0, occurrences=100_000, decided=20_000, known=150_000, pending=75_000,
    calls=100_000, transcript_calls=10_000,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Topic:
    """A part that can be measured by itself; `fresh` is False where only a lived-in database makes sense.

    `everywhere` is False where the version of the server does not matter: the highest is enough.
    """

    measure: Callable[[Venue, Scale], Iterable[Measurement]]
    fresh: bool = True
    lived_in: bool = True
    everywhere: bool = True

    def wanted(self, venue: Venue, *, highest: bool) -> bool:
        """Return whether the topic is measured there."""
        return (self.lived_in if venue.lived_in else self.fresh) and (self.everywhere or highest)


def _sweep(venue: Venue, scale: Scale) -> Iterator[Measurement]:
    with ExitStack() as stack:
        large = stack.enter_context(table_of(venue, scale.patterns * 10, QUALIFYING))
        small = stack.enter_context(table_of(venue, scale.patterns, QUALIFYING))
        yield from sweep.measure(small, large, QUALIFYING, scale.sweeps, lived_in=venue.lived_in)


def _memory(venue: Venue, scale: Scale) -> Iterator[Measurement]:
    with table_of(venue, scale.patterns * 10, QUALIFYING) as large:
        yield from memory.measure(large, scale.events)


TOPICS = {
    "latency": Topic(lambda venue, scale: latency.measure(venue, scale.samples)),
    "bulk": Topic(lambda venue, scale: bulk.measure(venue, scale.bulk_patterns, scale.bulk_rounds)),
    "tenfold": Topic(lambda venue, scale: bulk.measure_tenfold(venue, scale.bulk_patterns), lived_in=False),
    "pgqueuer": Topic(lambda venue, scale: bulk.measure_pgqueuer(venue, scale.jobs), lived_in=False, everywhere=False),
    "adoption": Topic(lambda venue, scale: adoption.measure(venue, scale.patterns * 10), fresh=False),
    "throughput": Topic(lambda venue, scale: throughput.measure(venue, scale.pairs, scale.block_seconds)),
    "insert": Topic(lambda venue, scale: throughput.measure_bulk_insert(venue, scale.bulk_insert)),
    "cpu": Topic(lambda venue, scale: cpu.measure(venue, scale.cpu_rounds, scale.cpu_transactions)),
    "sweep": Topic(_sweep),
    "refused": Topic(lambda venue, scale: refused.measure(venue, scale.refused, scale.refused_seconds)),
    "neighbours": Topic(lambda venue, scale: neighbours.measure(venue, scale.occurrences, scale.decided), fresh=False),
    "deciding": Topic(lambda venue, scale: deciding.measure(venue, scale.known, scale.pending), everywhere=False),
    "detecting": Topic(
        lambda venue, scale: detecting.measure(venue, scale.calls, scale.transcript_calls, scale.events),
        lived_in=False,
        everywhere=False,
    ),
    "live": Topic(lambda venue, scale: live.measure(venue, scale.changes), lived_in=False, everywhere=False),
    "telling": Topic(
        lambda venue, scale: telling.measure(venue, scale.samples, scale.bulk_patterns, scale.idle_seconds),
        lived_in=False,
        everywhere=False,
    ),
    "memory": Topic(_memory, lived_in=False, everywhere=False),
    "idle": Topic(lambda venue, scale: idle.measure(venue, scale.idle_seconds)),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TOPICS)}; all of them by default")
    parser.add_argument("--quick", action="store_true", help="a smoke run of some minutes; its figures mean little")
    parser.add_argument("--json", type=Path, default=Path(__file__).parent / "results.json", help="where to write them")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - TOPICS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(TOPICS)}")
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has it ignore them
        signal.signal(number, signal.default_int_handler)
    run = _Run(Scale.chosen(quick=arguments.quick), arguments.names or list(TOPICS))
    begun = time.monotonic()
    machine = run.measure()
    print_table(run.measurements, f"{machine}; in {(time.monotonic() - begun) / 60:.0f} minutes")
    write_json(run.measurements, machine, arguments.json, quick=arguments.quick)
    sys.exit(run.failed)


class _Run:
    def __init__(self, scale: Scale, names: list[str]) -> None:
        self._scale = scale
        self._names = names
        self._progress = Console(stderr=True, width=200)
        self.measurements: list[Measurement] = []
        self.failed = False

    def measure(self) -> str:
        """Measure all topics on all venues; return the machines that they were measured on."""
        wanted = os.environ.get("BENCH_MAJORS", "").split(",")
        with open_servers() as opened, ExitStack() as stack:
            servers = [server for server in opened if wanted == [""] or str(server.major) in wanted]
            places = [(server, stack.enter_context(venues(server))) for server in servers]
            try:
                for name, (server, pair) in itertools.product(self._names, places):
                    for venue in pair:
                        if TOPICS[name].wanted(venue, highest=server is servers[-1]):
                            self._topic(name, venue)
            except KeyboardInterrupt:
                self.failed = True  # the figures up to here are still worth having
            return "; ".join(str(server.machine()) for server in servers)

    def _topic(self, name: str, venue: Venue) -> None:
        begun = time.monotonic()
        try:
            for measurement in TOPICS[name].measure(venue, self._scale):
                placed = replace(measurement, where=str(venue))
                self.measurements.append(placed)
                self._progress.print(placed.line(), highlight=False, markup=False)
        except (RuntimeError, OSError, ValueError, AssertionError, subprocess.SubprocessError, psycopg.Error):
            # The other figures are still worth having; the traceback shows what to fix.
            self._progress.print_exception()
            self.failed = True
        self._progress.print(f"  {name} on {venue} took {time.monotonic() - begun:.0f} s", style="dim", highlight=False)


if __name__ == "__main__":
    main()
