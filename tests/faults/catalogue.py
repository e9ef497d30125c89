"""The faults that daemons have to survive: how long each lasts, and how soon nothing is missing after it."""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from tests.faults.injections import links, processes, sessions, tables
from tests.support.world import World

# What `make test` has time for; the others are for `make test-faults`.
FAST = frozenset({"silence towards the server", "all sessions terminated", "server killed", "daemons killed"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `in_force` gives a context in which it lasts. Writers suffer only where the fault is theirs, too."""

    name: str
    in_force: Callable[[World], AbstractContextManager[None]]
    lasts_seconds: float
    within_seconds: float
    harms_writers: bool = False

    @property
    def unique_name(self) -> str:
        return f"{self.name.replace(' ', '-')}:{time.monotonic_ns()}"


def catalogue(*, longer: float = 1.0) -> Sequence[Fault]:
    """Return all faults; `longer` multiplies how long they last."""
    silent = partial(partial, links.silent)
    return [
        Fault(name, in_force, seconds * longer, within, harms)
        for name, in_force, seconds, within, harms in (
            ("connections cut", links.cut, 2, 5, False),
            ("connections refused", links.refused, 3, 5, False),
            ("connects that hang", links.hanging_connects, 3, 10, False),
            ("silence in both directions", silent(to_server=True, from_server=True), 0.5, 15, False),
            ("silence towards the server", silent(to_server=True, from_server=False), 0.5, 15, False),
            ("silence from the server", silent(to_server=False, from_server=True), 0.5, 15, False),
            ("LISTEN sessions terminated", partial(sessions.terminated, name="pattern-sync%listener"), 2, 5, False),
            ("all sessions terminated", partial(sessions.terminated, name=sessions.EVERY_SESSION), 2, 5, False),
            ("LISTEN sessions frozen", partial(sessions.frozen, name="pattern-sync%listener"), 6, 15, False),
            ("all sessions frozen", partial(sessions.frozen, name=sessions.EVERY_SESSION), 6, 15, False),
            ("no connection slots", sessions.without_slots, 3, 5, False),
            ("password changed", sessions.with_another_password, 3, 5, False),
            ("server restarted", partial(sessions.restarted, number=signal.SIGINT), 1, 5, True),
            ("server killed", partial(sessions.restarted, number=signal.SIGKILL), 1, 10, True),
            ("database renamed", sessions.renamed, 2, 5, True),
            ("entries locked", partial(tables.locked, table="pattern_approvals"), 4, 10, False),
            ("patterns locked", partial(tables.locked, table="operation_patterns"), 3, 10, True),
            ("opposite lock orders", tables.opposite_orders, 4, 10, True),
            ("a late commit", tables.late_commit, 3, 5, False),
            ("tables altered", tables.altered, 4, 10, True),
            ("a frozen daemon", processes.frozen_daemon, 5, 15, False),
            ("daemons killed", processes.killed_daemons, 4, 10, False),
            ("no descriptors", processes.without_descriptors, 3, 10, False),
            ("a frozen journal", processes.frozen_journal, 4, 10, False),
        )
    ]
