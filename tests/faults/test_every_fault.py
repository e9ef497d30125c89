"""One fault after the other, and after each of them the same invariant."""

import os
import time
from collections.abc import Iterator

import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer
from tests.conftest import embedded_server
from tests.faults.catalogue import FAST, Fault, catalogue
from tests.support.traffic import traffic
from tests.support.waiting import show
from tests.support.world import World, world_on


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with embedded_server() as server:
        Installer(DatabaseAddress.parse(server.url)).migrate()
        yield server


@pytest.fixture
def world(server: EmbeddedServer) -> Iterator[World]:
    with world_on(server, daemons=2) as world:
        yield world


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=fault.name, marks=pytest.mark.timing if fault.name in FAST else pytest.mark.slow)
        for fault in catalogue(longer=float(os.environ.get("TEST_FAULTS_LONGER", "1")))
    ],
)
def test_nothing_is_lost_or_undone_by(fault: Fault, world: World) -> None:
    with traffic(world.database.url, world.ledger, name=fault.unique_name):
        with fault.in_force(world):
            time.sleep(fault.lasts_seconds)
        took = world.recover(fault.within_seconds)
    show(f"{fault.name}: {fault.lasts_seconds:g} s, nothing missing {took:.2f} s after it")
    world.check(harms_writers=fault.harms_writers)
