"""Measure everything that DESIGN promises in numbers: `make bench`."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console

from benchmarks import bulk, idle, latency, live, memory, sweep, throughput
from benchmarks.patterns import table_of
from benchmarks.report import Measurement, print_table, write_json
from benchmarks.server import Server, open_server

QUALIFYING = 1_000


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything."""

    samples: int = 1_000
    bulk_patterns: int = 100_000
    bulk_rounds: int = 3
    jobs: int = 5_000
    pairs: int = 8
    block_seconds: float = 1.5
    bulk_insert: int = 200_000
    patterns: int = 100_000
    sweeps: int = 15
    events: int = 1_000_000
    idle_seconds: float = 20.0
    changes: int = 200


QUICK = Scale(100, 10_000, 1, 1_000, 2, 0.5, 20_000, 10_000, 3, 50_000, 5.0, 20)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run of about a minute; its figures mean little")
    parser.add_argument("--json", type=Path, default=Path(__file__).parent / "results.json", help="where to write them")
    parser.add_argument(
        "--only", nargs="+", choices=("latency", "bulk", "live", "throughput", "sweep", "memory", "idle")
    )
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else Scale()
    chosen = set(arguments.only or ())
    progress = Console(stderr=True)
    measurements: list[Measurement] = []
    failed = False
    with open_server() as server:
        for name, measure in _topics(server, scale, chosen):
            try:
                with progress.status(f"measuring: {name}"):
                    for measurement in measure():
                        measurements.append(measurement)
                        progress.print(measurement.line(), highlight=False)
            except (RuntimeError, OSError, ValueError, psycopg.Error):
                # The other figures are still worth having; the traceback says what is to be mended.
                progress.print_exception()
                failed = True
        machine = server.machine()
    print_table(measurements, machine)
    write_json(measurements, machine, arguments.json, quick=arguments.quick)
    sys.exit(failed)


def _topics(
    server: Server, scale: Scale, chosen: set[str]
) -> Iterator[tuple[str, Callable[[], Iterable[Measurement]]]]:
    simple: dict[str, Callable[[], Iterable[Measurement]]] = {
        "latency": lambda: latency.measure(server, scale.samples),
        "bulk": lambda: bulk.measure(server, scale.bulk_patterns, scale.bulk_rounds, scale.jobs),
        "live": lambda: live.measure(server, scale.changes),
        "throughput": lambda: throughput.measure(server, scale.pairs, scale.block_seconds, scale.bulk_insert),
        "large tables": lambda: _large_tables(server, scale, chosen),
        "idle": lambda: idle.measure(server, scale.idle_seconds),
    }
    for name, measure in simple.items():
        if not chosen or name in chosen or (name == "large tables" and chosen & {"sweep", "memory"}):
            yield name, measure


def _large_tables(server: Server, scale: Scale, chosen: set[str]) -> Iterator[Measurement]:
    with ExitStack() as stack:
        large = stack.enter_context(table_of(server, scale.patterns * 10, QUALIFYING))
        if not chosen or "sweep" in chosen:
            small = stack.enter_context(table_of(server, scale.patterns, QUALIFYING))
            yield from sweep.measure(small, large, QUALIFYING, scale.sweeps)
        if not chosen or "memory" in chosen:
            yield from memory.measure(large, scale.events)


if __name__ == "__main__":
    main()
