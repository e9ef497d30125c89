"""Faults of processes: frozen, killed, without files, with a log that nobody reads."""

import os
import random
import resource
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tests.faults.injections.repeating import repeated
from tests.support.world import World

GARBAGE = "SELECT pg_notify('pattern_sync', 'garbage ' || i) FROM generate_series(1, 1000) AS i"


@contextmanager
def stopped(pids: Iterable[int]) -> Iterator[None]:
    """Stop some processes where they are."""
    held = list(pids)
    for pid in held:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in held:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def frozen_daemon(world: World) -> Iterator[None]:
    """Stop one daemon where it is."""
    with stopped([world.daemons[0].pid]):
        yield


@contextmanager
def killed_daemons(world: World) -> Iterator[None]:
    """Kill any daemon and start another in its place, again and again."""

    def replace() -> None:
        world.kill_daemon(random.choice(world.daemons))
        world.start_daemon()

    with repeated(replace, every_seconds=0.5):
        yield


@contextmanager
def without_descriptors(world: World) -> Iterator[None]:
    """Cut the connections, and let one daemon open no file any more."""
    pid = world.daemons[0].pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
    world.proxy.cut()
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def frozen_journal(world: World) -> Iterator[None]:
    """Read nothing of what one daemon logs, while it has more to log than a pipe holds."""
    with world.daemons[0].unread(), repeated(world.proxy.cut, every_seconds=0.1):
        world.database.execute(GARBAGE)
        yield
