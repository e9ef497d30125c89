"""A fault that comes again and again costs no more than once: no session, descriptor, task or memory is left behind."""

from collections.abc import Iterator

import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from tests.conftest import embedded_server
from tests.faults.catalogue import fault_named
from tests.support.traffic import traffic
from tests.support.usage import Usage, until_as_before
from tests.support.waiting import eventually, show
from tests.support.world import World, world_on

WARM_UP_ROUNDS = 4
ROUNDS = 12
ROUND_SECONDS = 0.5
# What a daemon leaves behind in each round would be more than that after all of them.
ROOM = Usage(descriptors=ROUNDS // 2, threads=ROUNDS // 2, tasks=ROUNDS // 2, megabytes=6)
ROOM_SESSIONS = ROUNDS // 2

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with embedded_server() as server:
        Installer(DatabaseAddress.parse(server.url)).migrate()
        with world_on(server, daemons=1) as world:
            yield world


@pytest.mark.parametrize(
    "name",
    [
        "connections cut",
        "connections refused",
        "silence in both directions",
        "LISTEN sessions terminated",
        "all sessions terminated",
        "no connection slots",
        "no descriptors",
        "entries locked",
    ],
)
def test_nothing_is_left_behind_by_repeated(name: str, world: World) -> None:
    fault = fault_named(name)
    (daemon,) = world.daemons
    with traffic(world.database.url, world.ledger, name=fault.unique_name):
        for _ in range(WARM_UP_ROUNDS):
            fault.happen(world, ROUND_SECONDS)
        before, sessions = Usage.of(daemon), world.sessions()
        for _ in range(ROUNDS):
            fault.happen(world, ROUND_SECONDS)
        until_as_before(daemon, before, room=ROOM)
        eventually(lambda: world.sessions() <= sessions + ROOM_SESSIONS, what="the end of the sessions")
    show(f"{name}, {ROUNDS} times: {before} and {sessions} sessions, then {Usage.of(daemon)} and {world.sessions()}")
    world.check()
