"""Faults of the server, and of its sessions with the daemons."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg
from psycopg import sql

from pattern_sync.embedded import Supervision
from tests.faults.injections.noticing import Noticed, cut_off, deafened, shut_out
from tests.faults.injections.processes import stopped
from tests.faults.injections.repeating import repeated
from tests.support.waiting import eventually
from tests.support.world import World

EVERY_SESSION = "pattern-sync%"
PIDS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s AND datname = current_database()"
TERMINATE = f"SELECT pg_terminate_backend(pid) FROM ({PIDS}) AS ours"
SERVER_PID = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid"


@contextmanager
def terminated(world: World, name: str) -> Iterator[Noticed]:
    """End sessions of the daemons, again and again."""
    lost = deafened(world)
    with repeated(lambda: world.database.execute(TERMINATE, name), every_seconds=0.3):
        yield lost


@contextmanager
def frozen(world: World, name: str) -> Iterator[Noticed]:
    """Stop the server processes of the daemons' sessions between two statements.

    Within one, they may hold a lock of the server itself, and then nobody is served.
    """
    lost = deafened(world)
    with ExitStack() as stack:
        for row in world.database.execute(PIDS, name):
            eventually(lambda pid=row["pid"]: _stop_between_statements(world, stack, pid))  # type: ignore[misc]
        yield lost


def _stop_between_statements(world: World, stack: ExitStack, pid: int) -> bool:
    """Stop a session that is idle; return whether it was still idle then, or is gone."""
    idle = "SELECT state = 'idle' AS idle FROM pg_stat_activity WHERE pid = %s"
    with ExitStack() as held:
        if not (rows := world.database.execute(idle, pid)):
            return True
        if not rows[0]["idle"]:
            return False
        held.enter_context(stopped([pid]))
        if not world.database.execute(idle, pid)[0]["idle"]:
            return False
        stack.push(held.pop_all())
        return True


@contextmanager
def restarted(world: World, number: signal.Signals) -> Iterator[Noticed]:
    """End the server, and start it again."""
    lost = deafened(world)
    os.kill(world.database.execute(SERVER_PID)[0]["pid"], number)
    try:
        yield lost
    finally:
        eventually(lambda: world.server.check() is Supervision.RESTARTED)
        world.database.reconnect()


@contextmanager
def without_slots(world: World) -> Iterator[Noticed]:
    """Take every connection that the server has to give, and then those of the daemons."""
    refused = shut_out(world)
    with ExitStack() as stack:
        _take_free_slots(world, stack)
        while pids := world.database.execute(PIDS, EVERY_SESSION):
            for row in pids:
                world.database.execute("SELECT pg_terminate_backend(%s)", row["pid"])
                _take_free_slots(world, stack)
        yield refused


def _take_free_slots(world: World, stack: ExitStack) -> None:
    with suppress(psycopg.OperationalError):
        while True:
            stack.enter_context(psycopg.connect(world.database.url))


@contextmanager
def with_another_password(world: World) -> Iterator[Noticed]:
    """Change the password under the daemons and end their sessions; give the old one back."""
    change = sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}")
    refused = shut_out(world)
    with world.database.another_connection() as admin:
        admin.execute(change.format("another"))
        admin.execute(TERMINATE, [EVERY_SESSION])
        try:
            yield refused
        finally:
            admin.execute(change.format(world.password))


@contextmanager
def renamed(world: World) -> Iterator[Noticed]:
    """Rename the database, for which everybody has to leave it, and rename it back."""
    name = world.database.name
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    leave = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(world.database.url, dbname="postgres", autocommit=True) as admin:

        def move(source: str, target: str) -> None:
            with suppress(psycopg.errors.ObjectInUse):
                admin.execute(leave, [source])
                admin.execute(rename.format(sql.Identifier(source), sql.Identifier(target)))
                return
            move(source, target)

        missing = cut_off(world)
        move(name, f"{name}_away")
        yield missing
        move(f"{name}_away", name)
    world.database.reconnect()
