"""From the commit of a change in the queue to all open pages, and what the pages cost the daemon."""

import random
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from benchmarks.processes import Child, DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Database, Venue

PATH = "/api/v1/ws/patterns"
PAGES = 500
PER_SECOND = 5.0
# Roughly what the daemon sends for one entry.
MESSAGE_BYTES = 500
_INSERT = """
INSERT INTO pattern_approvals (
    pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence, pattern_context
)
VALUES ('live:' || %s::integer, 'pending', 0.85, 12, 2500, 'Read→Edit→Write', 'implement the change and run the tests')
"""


def measure(venue: Venue, changes: int) -> Iterator[Measurement]:
    """Change both queues in turn, each with pages of its own."""
    with ExitStack() as stack:
        databases = {name: stack.enter_context(venue.database()) for name in ("daemon", "floor")}
        daemon = stack.enter_context(DaemonProcess(databases["daemon"].daemon_url))
        port = _free_port()
        stack.enter_context(Child("fanout", url=databases["floor"].url, port=port, size=MESSAGE_BYTES))
        idle = daemon.resident_mb()
        urls = {"daemon": daemon.http_url.replace("http", "ws", 1) + PATH, "floor": f"ws://127.0.0.1:{port}"}
        pages = {name: stack.enter_context(Child("pages", url=url, count=PAGES)) for name, url in urls.items()}
        committed = _change(databases, changes)
        heard = {name: child.ask(str(changes)) for name, child in pages.items()}
        grown = daemon.resident_mb() - idle
    took = {
        name: [(at - committed[name][entry]) / 1e6 for entry, times in heard[name].items() for at in times]
        for name in databases
    }
    note = f"{changes} changes at {PER_SECOND:g}/s; floor: LISTEN and a broadcast of {MESSAGE_BYTES} bytes"
    for about, of in (("p50", _percentile(50)), ("p99", _percentile(99)), ("the slowest", max)):
        what = f"commit of a change to {PAGES} open pages, {about}"
        yield Measurement(what, "ms", of(took["daemon"]), of(took["floor"]), note=note)
    yield Measurement("  the slowest beside what is promised", "ms", max(took["daemon"]), bound=1_000)
    yield Measurement(f"memory of {PAGES} open pages", "MB", grown, bound=60, note="resident, over the idle daemon's")


def _change(databases: dict[str, Database], changes: int) -> dict[str, dict[str, int]]:
    committed: dict[str, dict[str, int]] = {name: {} for name in databases}
    chance = random.Random(7)
    for number in range(changes):
        # The second finds the pages of the first at work: alternate the order.
        for name in sorted(databases, reverse=number % 2 == 1):
            databases[name].run(_INSERT, number)
            committed[name][f"live:{number}"] = time.monotonic_ns()
            time.sleep(chance.uniform(0.5, 1.5) / len(databases) / PER_SECOND)
    return committed


def _percentile(percent: int) -> Callable[[list[float]], float]:
    return lambda values: statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
