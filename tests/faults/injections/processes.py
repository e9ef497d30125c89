"""Faults of processes: frozen, killed, without files, with a log that nobody reads.

They hit every daemon of the world: a healthy one would cover for the others, and nothing could be lost.
"""

import itertools
import os
import random
import resource
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from tests.faults.injections.noticing import Noticed, deafened, is_stopped
from tests.faults.injections.repeating import repeated
from tests.support.world import World

FEWEST_DESCRIPTORS = 3
LONG_SIGNATURE = "x" * 200


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
def frozen_daemons(world: World) -> Iterator[Noticed]:
    """Stop the daemons where they are."""
    pids = [daemon.pid for daemon in world.daemons]
    with stopped(pids):
        yield lambda: all(map(is_stopped, pids)) and world.not_queued()


@contextmanager
def killed_daemons(world: World) -> Iterator[Noticed]:
    """Kill any daemon and start another in its place, again and again."""
    kills = itertools.count()
    killed: list[int] = []

    def replace() -> None:
        world.kill_daemon(random.choice(world.daemons))
        world.start_daemon()
        killed.append(next(kills))

    with repeated(replace, every_seconds=0.5):
        yield lambda: killed


@contextmanager
def without_descriptors(world: World) -> Iterator[Noticed]:
    """Cut the connections, and let no daemon open a file or a socket any more."""
    lost = deafened(world)
    with ExitStack() as stack:
        for daemon in world.daemons:
            limits = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (FEWEST_DESCRIPTORS, limits[1]))
            stack.callback(resource.prlimit, daemon.pid, resource.RLIMIT_NOFILE, limits)
        world.proxy.cut()
        yield lambda: lost() and world.not_queued()


@contextmanager
def frozen_journal(world: World) -> Iterator[Noticed]:
    """Read nothing of what the daemons log, while they have more to log than a pipe holds."""
    numbers = itertools.count(time.monotonic_ns())

    def write() -> None:
        # A line for each statement, with the signatures of all its patterns.
        prefix = f"{next(numbers)}:{LONG_SIGNATURE}"
        world.database.add_patterns(5, prefix)
        for number in range(1, 6):
            world.ledger.add_qualifying(f"{prefix}:{number}")

    with ExitStack() as stack:
        for daemon in world.daemons:
            stack.enter_context(daemon.unread())
        stack.enter_context(repeated(write, every_seconds=0.03))
        yield lambda: all(daemon.is_log_full() for daemon in world.daemons)
