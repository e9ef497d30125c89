"""Run a soak: `python -m tests.soak --seconds 3600 --patterns 1000000`; see --help."""

import argparse
import random
import time

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from tests.conftest import embedded_server
from tests.faults.catalogue import Fault, catalogue
from tests.soak.report import Soak
from tests.support.traffic import traffic
from tests.support.world import World, world_on

DAEMONS = 3
DETECTORS = 4
# Of what a fault lasts in the suite: here, the next one comes soon.
SHORTEST, LONGEST = 0.1, 1.0
LONGEST_PAUSE_SECONDS = 1.0
# Of what went wrong; the log of a daemon is part of it.
MOST_SHOWN = 2_000


def main() -> None:
    options = _options()
    with embedded_server() as server:
        Installer(DatabaseAddress.parse(server.url)).migrate()
        with world_on(server, daemons=DAEMONS) as world:
            soak = Soak()
            try:
                _run(soak, world, options)
                world.check()
                assert not soak.failures, f"not survived: {soak.failures}"
                _say("all queued, each once; no decision touched; no writer harmed")
            finally:
                # Whatever ended it, an interrupt included: an hour is not to be lost.
                _say(soak.table(), "", soak.counts(world.ledger))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long; default 60")
    parser.add_argument("--patterns", type=int, default=20_000, help="how many patterns to write meanwhile")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same faults in the same order again")
    options = parser.parse_args()
    _say(f"seed {options.seed}")
    return options


def _run(soak: Soak, world: World, options: argparse.Namespace) -> None:
    chance = random.Random(options.seed)
    faults = catalogue()
    ends = time.monotonic() + options.seconds
    pause_seconds = DETECTORS * options.seconds / options.patterns
    with traffic(world.database.url, world.ledger, detectors=DETECTORS, pause_seconds=pause_seconds, name="soak"):
        while time.monotonic() < ends:
            fault = chance.choice(faults)
            _survive(soak, world, fault, fault.lasts_seconds * chance.uniform(SHORTEST, LONGEST))
            time.sleep(chance.uniform(0, LONGEST_PAUSE_SECONDS))


def _survive(soak: Soak, world: World, fault: Fault, lasts_seconds: float) -> None:
    """Let one fault happen. What goes wrong fails the soak in the end, as an hour may show more than that."""
    what = f"{fault.name}, for {lasts_seconds:.1f} s"
    before = len(world.ledger.complaints())
    try:
        took = fault.happen(world, lasts_seconds)
    except AssertionError as wrong:
        soak.failures.append(what)
        _say(f"{time.strftime('%H:%M:%S')} {what}: {str(wrong)[:MOST_SHOWN]}")
    else:
        soak.recovered[fault.name].append(took)
        _say(f"{time.strftime('%H:%M:%S')} {what}: nothing missing {took:.2f} s after it")
    for complaint in world.ledger.complaints()[before:]:
        _say(f"{time.strftime('%H:%M:%S')} {what}: a writer suffered: {complaint}")


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
