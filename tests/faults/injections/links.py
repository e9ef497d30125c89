"""Faults of the link between the daemons and their server."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.injections.repeating import repeated
from tests.support.world import World


@contextmanager
def cut(world: World) -> Iterator[None]:
    """Cut every connection again and again."""
    with repeated(world.proxy.cut, every_seconds=0.5):
        yield


@contextmanager
def refused(world: World) -> Iterator[None]:
    """Cut every connection, and refuse each new one."""
    world.proxy.refuse(refusing=True)
    world.proxy.cut()
    try:
        yield
    finally:
        world.proxy.refuse(refusing=False)


@contextmanager
def silent(world: World, *, to_server: bool, from_server: bool) -> Iterator[None]:
    """Forward nothing more on the connections that exist, in one direction or in both, and close none of them."""
    world.proxy.half_open(to_server=to_server, from_server=from_server)
    yield


@contextmanager
def hanging_connects(world: World) -> Iterator[None]:
    """Cut every connection, and answer nothing on the new ones."""
    world.proxy.swallow(swallowing=True)
    world.proxy.cut()
    try:
        yield
    finally:
        world.proxy.swallow(swallowing=False)
