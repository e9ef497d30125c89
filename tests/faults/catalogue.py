"""The faults that daemons have to survive: how long each lasts, and how soon nothing is missing after it."""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

from tests.faults.injections import links, processes, sessions, tables
from tests.faults.injections.noticing import Noticed
from tests.support.waiting import eventually
from tests.support.world import PROMPT_SECONDS, World

# What `make test` has time for; the others are for `make test-faults`.
FAST = frozenset({"silence towards the server", "all sessions terminated", "server killed", "daemons killed"})
# A fault may be noticed later than it could be over; in a soak, tables are large.
NOTICED_SECONDS = 120.0
NOTICED_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault; `in_force` gives a context in which it lasts, and which tells whether it has been noticed.

    Writers suffer only where the fault is theirs, too. What daemons count as queued is exact unless an answer to a
    commit may be lost, or a daemon with its counters. `lingers`: it ends when the daemons have noticed it.
    """

    name: str
    in_force: Callable[[World], AbstractContextManager[Noticed]]
    lasts_seconds: float
    within_seconds: float
    daemons: int = 2
    harms_writers: bool = False
    is_counted: bool = False
    lingers: bool = False

    @property
    def unique_name(self) -> str:
        return f"{self.name.replace(' ', '-')}:{time.monotonic_ns()}"

    def happen(self, world: World, lasts_seconds: float) -> float:
        """Let it last so long, but until it is noticed; return how soon nothing was missing after it."""
        with world.ledger.excusing() if self.harms_writers else nullcontext():
            with self.in_force(world) as noticed:
                was_noticed = self._last(noticed, lasts_seconds)
            # Where it lingers, one connection after the other is found to be dead.
            took = world.recover(self.within_seconds, self.within_seconds if self.lingers else PROMPT_SECONDS)
        if not was_noticed:
            eventually(noticed, what=f"that somebody notices {self.name}")
        world.proxy.end_silence()
        return took

    def _last(self, noticed: Noticed, seconds: float) -> bool:
        begun = time.monotonic()
        was_noticed = False
        while (elapsed := time.monotonic() - begun) < seconds or not (was_noticed or self.lingers):
            was_noticed = was_noticed or bool(noticed())
            assert was_noticed or elapsed < NOTICED_SECONDS, f"{self.name}: not in force after {elapsed:.0f} s"
            time.sleep(NOTICED_LOOK_SECONDS)
        return was_noticed


def catalogue() -> Sequence[Fault]:
    """Return all faults."""
    listening, every = "pattern-sync%listener", sessions.EVERY_SESSION
    return [*_of_links(), *_of_sessions(listening, every), *_of_tables(), *_of_processes()]


def fault_named(name: str) -> Fault:
    return next(fault for fault in catalogue() if fault.name == name)


def _of_links() -> Sequence[Fault]:
    silence = partial(Fault, lasts_seconds=0.5, within_seconds=15, lingers=True)
    silent = partial(partial, links.silent)
    return [
        Fault(name="connections cut", in_force=links.cut, lasts_seconds=2, within_seconds=5),
        Fault(name="connections refused", in_force=links.refused, lasts_seconds=3, within_seconds=5),
        Fault(name="connects that hang", in_force=links.hanging_connects, lasts_seconds=3, within_seconds=10),
        silence(name="silence in both directions", in_force=silent(to_server=True, from_server=True)),
        silence(name="silence towards the server", in_force=silent(to_server=True, from_server=False)),
        silence(name="silence from the server", in_force=silent(to_server=False, from_server=True)),
    ]


def _of_sessions(listening: str, every: str) -> Sequence[Fault]:
    ended = partial(Fault, lasts_seconds=2, within_seconds=5)
    frozen = partial(Fault, lasts_seconds=6, within_seconds=15)
    without = partial(Fault, lasts_seconds=3, within_seconds=5)
    server = partial(Fault, lasts_seconds=1, harms_writers=True)
    return [
        ended(name="LISTEN sessions terminated", in_force=partial(sessions.terminated, name=listening)),
        ended(name="all sessions terminated", in_force=partial(sessions.terminated, name=every)),
        frozen(name="LISTEN sessions frozen", in_force=partial(sessions.frozen, name=listening)),
        frozen(name="all sessions frozen", in_force=partial(sessions.frozen, name=every)),
        without(name="no connection slots", in_force=sessions.without_slots),
        without(name="password changed", in_force=sessions.with_another_password),
        server(name="server restarted", in_force=partial(sessions.restarted, number=signal.SIGINT), within_seconds=5),
        server(name="server killed", in_force=partial(sessions.restarted, number=signal.SIGKILL), within_seconds=10),
        ended(name="database renamed", in_force=sessions.renamed, harms_writers=True),
    ]


def _of_tables() -> Sequence[Fault]:
    fault = partial(Fault, lasts_seconds=4, within_seconds=10, is_counted=True)
    return [
        fault(name="entries locked", in_force=partial(tables.locked, table="pattern_approvals")),
        fault(name="patterns locked", in_force=partial(tables.locked, table="operation_patterns"), harms_writers=True),
        fault(name="opposite lock orders", in_force=tables.opposite_orders),
        fault(name="a late commit", in_force=tables.late_commit),
        fault(name="tables altered", in_force=tables.altered, harms_writers=True),
    ]


def _of_processes() -> Sequence[Fault]:
    fault = partial(Fault, lasts_seconds=4, within_seconds=10, daemons=1)
    return [
        fault(name="daemons frozen", in_force=processes.frozen_daemons),
        fault(name="daemons killed", in_force=processes.killed_daemons),
        fault(name="one of three daemons killed", in_force=processes.killed_daemons, daemons=3),
        fault(name="no descriptors", in_force=processes.without_descriptors),
        fault(name="a frozen journal", in_force=processes.frozen_journal, is_counted=True),
    ]
