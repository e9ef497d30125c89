"""From the commit of one pattern to the commit of its queue entry."""

import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from benchmarks.processes import Child, DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Venue

PER_SECOND = 50.0
BLOCK = 50


def measure(venue: Venue, samples: int) -> Iterator[Measurement]:
    """Run the three side by side on databases of their own, and give them patterns in turn."""
    names = ("daemon", "floor", "pgqueuer")
    with ExitStack() as stack:
        databases = {name: stack.enter_context(venue.database()) for name in names}
        urls = {name: database.url for name, database in databases.items()}
        stack.enter_context(DaemonProcess(databases["daemon"].daemon_url))
        stack.enter_context(Child("floors", url=urls["floor"]))
        stack.enter_context(Child("consumer", url=urls["pgqueuer"]))
        witness = stack.enter_context(Child("witness", urls=list(urls.values())))
        blocks = _blocks(samples)
        detector = stack.enter_context(Child("detector", mode="paced", urls=urls, blocks=blocks, per_second=PER_SECOND))
        committed: dict[str, int] = detector.ask()
        heard: dict[str, int] = witness.ask(str(len(committed)))
    times: dict[str, list[float]] = {name: [] for name in names}
    for signature, at in committed.items():
        name, block, _ = signature.split(":")
        if int(block) >= len(names):  # the first of each is the warm-up
            times[name].append((heard[signature] - at) / 1e6)
    yield from _compare(times)


def _blocks(samples: int) -> Sequence[tuple[str, int]]:
    blocks = [("daemon", BLOCK), ("floor", BLOCK), ("pgqueuer", BLOCK)]
    for number in range(max(1, samples // BLOCK)):
        # The second finds the caches warm: alternate the order, too.
        pair = [("daemon", BLOCK), ("floor", BLOCK)]
        blocks += pair if number % 2 else pair[::-1]
        if number % 3 == 0:
            blocks.append(("pgqueuer", BLOCK))
    return blocks


def _compare(times: dict[str, list[float]]) -> Iterator[Measurement]:
    for percent, bound in ((50, 1.2), (99, 2.0)):
        yield Measurement(
            f"commit of a pattern to commit of its entry, p{percent}",
            "ms",
            _percentile(times["daemon"], percent),
            _percentile(times["floor"], percent),
            bound,
            note=f"{len(times['daemon'])} samples each at {PER_SECOND:g}/s; floor: LISTEN and one upsert",
        )
        yield Measurement(
            f"  the same with PgQueuer, p{percent}",
            "ms",
            _percentile(times["pgqueuer"], percent),
            _percentile(times["floor"], percent),
        )


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
