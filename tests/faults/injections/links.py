"""Faults of the link between the daemons and their server."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.injections.noticing import Noticed, cut_off, deafened
from tests.faults.injections.repeating import repeated
from tests.support.world import World


@contextmanager
def cut(world: World) -> Iterator[Noticed]:
    """Cut every connection again and again."""
    lost = deafened(world)
    with repeated(world.proxy.cut, every_seconds=0.5):
        yield lost


@contextmanager
def refused(world: World) -> Iterator[Noticed]:
    """Cut every connection, and refuse each new one."""
    lost = cut_off(world)
    world.proxy.refuse(refusing=True)
    world.proxy.cut()
    try:
        yield lost
    finally:
        world.proxy.refuse(refusing=False)


@contextmanager
def silent(world: World, *, to_server: bool, from_server: bool) -> Iterator[Noticed]:
    """Forward nothing more on the connections that exist, in one direction or in both, and close none of them."""
    lost = deafened(world)
    world.proxy.half_open(to_server=to_server, from_server=from_server)
    yield lost


@contextmanager
def hanging_connects(world: World) -> Iterator[Noticed]:
    """Cut every connection, and answer nothing on the new ones."""
    lost = deafened(world)
    before = len(world.proxy.accepted_at)
    world.proxy.swallow(swallowing=True)
    world.proxy.cut()
    try:
        yield lambda: lost() and len(world.proxy.accepted_at) >= before + len(world.daemons)
    finally:
        world.proxy.swallow(swallowing=False)
