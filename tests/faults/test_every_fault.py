"""One fault after the other, and after each of them the same invariant."""

import os
from collections.abc import Iterator

import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer
from tests.conftest import embedded_server
from tests.faults.catalogue import FAST, Fault, catalogue, fault_named
from tests.faults.injections.repeating import repeated
from tests.support.traffic import traffic
from tests.support.waiting import show
from tests.support.world import world_on


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with embedded_server() as server:
        Installer(DatabaseAddress.parse(server.url)).migrate()
        yield server


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=fault.name, marks=pytest.mark.timing if fault.name in FAST else pytest.mark.slow)
        for fault in catalogue()
    ],
)
def test_nothing_is_lost_or_undone_by(fault: Fault, server: EmbeddedServer) -> None:
    lasts_seconds = fault.lasts_seconds * float(os.environ.get("TEST_FAULTS_LONGER", "1"))
    with world_on(server, daemons=fault.daemons) as world:
        entries = world.database.count("pattern_approvals")
        with traffic(world.database.url, world.ledger, name=fault.unique_name):
            took = fault.happen(world, lasts_seconds)
        show(f"{fault.name}: {lasts_seconds:g} s, nothing missing {took:.2f} s after it")
        world.check()
        if fault.is_counted:
            assert world.counted() == world.database.count("pattern_approvals") - entries


@pytest.mark.slow
@pytest.mark.parametrize("name", ["entries locked", "patterns locked", "a late commit"])
def test_a_minute_is_no_other_than_seconds(name: str, server: EmbeddedServer) -> None:
    """What an hour has more than a minute is sweeps and reconnects that pass it; here they come every few seconds."""
    fault = fault_named(name)
    with world_on(server, daemons=fault.daemons, interval_seconds=5) as world:
        with (
            traffic(world.database.url, world.ledger, name=fault.unique_name),
            repeated(world.proxy.cut, every_seconds=20),
        ):
            took = fault.happen(world, 60)
        show(f"{name} for a minute: nothing missing {took:.2f} s after it")
        world.check()
