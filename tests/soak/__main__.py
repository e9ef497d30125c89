"""Run a soak: `python -m tests.soak --seconds 3600 --patterns 1000000`; see --help."""

import argparse
import random
import time
from collections import defaultdict

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


def main() -> None:
    options = _options()
    chance = random.Random(options.seed)
    with embedded_server() as server:
        Installer(DatabaseAddress.parse(server.url)).migrate()
        with world_on(server, daemons=DAEMONS) as world:
            soak = _soak(world, options, chance)
            world.check(harms_writers=True)
            print(soak.table(world.ledger))  # noqa: T201 - what it is for


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long; default 60")
    parser.add_argument("--patterns", type=int, default=20_000, help="how many patterns to write meanwhile")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same faults in the same order again")
    options = parser.parse_args()
    print(f"seed {options.seed}")  # noqa: T201 - to repeat it
    return options


def _soak(world: World, options: argparse.Namespace, chance: random.Random) -> Soak:
    faults = catalogue()
    soak = Soak(defaultdict(list))
    ends = time.monotonic() + options.seconds
    pause_seconds = DETECTORS * options.seconds / options.patterns
    with traffic(world.database.url, world.ledger, detectors=DETECTORS, pause_seconds=pause_seconds, name="soak"):
        while time.monotonic() < ends:
            fault = chance.choice(faults)
            soak.recovered[fault.name].append(
                _survive(world, fault, fault.lasts_seconds * chance.uniform(SHORTEST, LONGEST))
            )
            time.sleep(chance.uniform(0, LONGEST_PAUSE_SECONDS))
    return soak


def _survive(world: World, fault: Fault, seconds: float) -> float:
    with fault.in_force(world):
        time.sleep(seconds)
    return world.recover(fault.within_seconds)


if __name__ == "__main__":
    main()
