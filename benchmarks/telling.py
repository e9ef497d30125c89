"""What messages to people cost, and how soon they arrive: a daemon that tells beside one that does not."""

import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.idle import load_at_rest
from benchmarks.processes import Child, DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Database, Venue

PER_SECOND = 50.0
BLOCK = 50
CHANNELS = 10  # more are refused
# The first message waits for so long, so that it tells of what comes meanwhile.
WAIT_SECONDS = 30.0
SETTLE_SECONDS = 5.0
DEADLINE_SECONDS = 120.0
_SECRET = "whsec_" + "A" * 43 + "="


@dataclass(slots=True)
class Receiver:
    """Takes everything, and notes when it came, by the path that it was posted to."""

    url: str = ""
    posts: list[tuple[str, float]] = field(default_factory=list)

    def wait(self, count: int) -> None:
        """Wait until so many messages came."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(self.posts) < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(self.posts)} of {count} messages arrived")
            time.sleep(0.1)


def measure(venue: Venue, samples: int, at_once: int, idle_seconds: float) -> Iterator[Measurement]:
    """Compare the event path, the load at rest and the memory; then time messages, and count those of a flood."""
    with _receiver() as receiver, ExitStack() as stack:
        databases = {name: stack.enter_context(venue.database()) for name in ("telling", "silent")}
        told = _told(f"{receiver.url}/one")
        telling = stack.enter_context(DaemonProcess(databases["telling"].daemon_url, **told))
        silent = stack.enter_context(DaemonProcess(databases["silent"].daemon_url))
        time.sleep(SETTLE_SECONDS)
        grown = telling.resident_mb() - silent.resident_mb()
        yield Measurement("memory of telling, at rest", "MB", grown, bound=2, note="resident, over a daemon without")
        yield from _event_path(stack, {name: database.url for name, database in databases.items()}, samples)
    with _receiver() as receiver:
        yield load_at_rest(venue, idle_seconds, "load on an idle database while telling", **_told(receiver.url))
    yield from _time_to_receiver(venue)
    yield from _flood(venue, at_once)


def _event_path(stack: ExitStack, urls: dict[str, str], samples: int) -> Iterator[Measurement]:
    witness = stack.enter_context(Child("witness", urls=list(urls.values())))
    blocks = [("telling", BLOCK), ("silent", BLOCK)]
    for number in range(max(1, samples // BLOCK)):
        # The second finds the caches warm: alternate the order, too.
        blocks += blocks[:2] if number % 2 else blocks[1::-1]
    detector = stack.enter_context(Child("detector", mode="paced", urls=urls, blocks=blocks, per_second=PER_SECOND))
    committed: dict[str, int] = detector.ask()
    heard: dict[str, int] = witness.ask(str(len(committed)))
    times: dict[str, list[float]] = {name: [] for name in urls}
    for signature, at in committed.items():
        name, block, _ = signature.split(":")
        if int(block) >= len(urls):  # the first of each is the warm-up
            times[name].append((heard[signature] - at) / 1e6)
    for percent in (50, 99):
        yield Measurement(
            f"commit of a pattern to commit of its entry while telling, p{percent}",
            "ms",
            _percentile(times["telling"], percent),
            _percentile(times["silent"], percent),
            note=f"{len(times['telling'])} samples each at {PER_SECOND:g}/s; floor: a daemon that tells nobody",
        )


def _time_to_receiver(venue: Venue) -> Iterator[Measurement]:
    with _receiver() as receiver, venue.database() as database:
        channels = " ".join(f"{receiver.url}/{number}" for number in range(CHANNELS))
        with DaemonProcess(database.daemon_url, **_told(channels)):
            committed = _commit(database, 1)
            receiver.wait(CHANNELS)
    late = [at - committed - WAIT_SECONDS for _, at in receiver.posts]
    note = f"{CHANNELS} destinations, over the {WAIT_SECONDS:g} s that the first message waits"
    yield Measurement("commit of a pattern to its receivers, the slowest", "s", max(late), bound=1, note=note)


def _flood(venue: Venue, at_once: int) -> Iterator[Measurement]:
    with _receiver() as receiver, venue.database() as database:
        with DaemonProcess(database.daemon_url, **_told(f"{receiver.url}/one {receiver.url}/other")):
            _commit(database, at_once)
            receiver.wait(2)
            time.sleep(SETTLE_SECONDS)
        told = database.value("SELECT count(*) / 2 FROM pattern_sync.told")
    most = max(Counter(path for path, _ in receiver.posts).values())
    what = f"messages about {at_once:,} patterns at once"
    yield Measurement(what, "a destination", most, bound=1, note=f"it tells of {told:,.0f}")


def _commit(database: Database, patterns: int) -> float:
    """Commit patterns that all qualify, and return when that was, by the monotonic clock."""
    with Child("detector", mode="bulk", url=database.url, patterns=patterns, analyze=False) as detector:
        committed_ns: int = detector.ask()
    return committed_ns / 1e9


def _told(urls: str) -> dict[str, str]:
    return {
        "PATTERN_SYNC_NOTIFY_URLS": urls,
        "PATTERN_SYNC_NOTIFY_SECRET": _SECRET,
        "PATTERN_SYNC_NOTIFY_MIN_SAVINGS": "1",
    }


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


@contextmanager
def _receiver() -> Iterator[Receiver]:
    got = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            got.posts.append((self.path, time.monotonic()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        got.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield got
        finally:
            server.shutdown()
            thread.join()
