"""How many statements an idle daemon sends to an idle database."""

import re
import time
from collections.abc import Iterator

from benchmarks.processes import DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Server, Venue

# What log_statement writes for a simple query, and for an Execute of the extended protocol.
_STATEMENT = re.compile(r"LOG:  (statement|execute [^:]+): ")
_COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = %s"
SETTLE_SECONDS = 5.0


def measure(venue: Venue, seconds: float) -> Iterator[Measurement]:
    """Measure a daemon with the settings that it comes with."""
    yield load_at_rest(venue, seconds, "load on an idle database")


def load_at_rest(venue: Venue, seconds: float, what: str, **settings: str) -> Measurement:
    """Count statements in the server's log if it can be read, else transactions, which are fewer."""
    server = venue.server
    with venue.database() as database:
        if server.log is not None:
            server.admin.execute(f"ALTER DATABASE \"{database.name}\" SET log_statement = 'all'".encode())
        with DaemonProcess(database.daemon_url, **settings):
            time.sleep(SETTLE_SECONDS)
            before = _count(server, database.name)
            begun = time.monotonic()
            time.sleep(seconds)
            counted = _count(server, database.name) - before
            rate = counted / (time.monotonic() - begun)
    unit = "transactions/s" if server.log is None else "statements/s"
    return Measurement(what, unit, rate, bound=1, note=f"{counted} in {seconds:g} s")


def _count(server: Server, database: str) -> int:
    if server.log is not None:
        return len(_STATEMENT.findall(server.log.read_text(encoding="utf-8", errors="replace")))
    row = server.admin.execute(_COMMITS, (database,)).fetchone()
    assert row is not None
    return int(row[0])
