"""Faults of the server, and of its sessions with the daemons."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg
from psycopg import sql

from pattern_sync.embedded import Supervision
from tests.faults.injections.processes import stopped
from tests.faults.injections.repeating import repeated
from tests.support.waiting import eventually
from tests.support.world import World

EVERY_SESSION = "pattern-sync%"
PIDS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s AND datname = current_database()"
TERMINATE = f"SELECT pg_terminate_backend(pid) FROM ({PIDS}) AS ours"
SERVER_PID = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid"


@contextmanager
def terminated(world: World, name: str) -> Iterator[None]:
    """End sessions of the daemons, again and again."""
    with repeated(lambda: world.database.execute(TERMINATE, name), every_seconds=0.3):
        yield


@contextmanager
def frozen(world: World, name: str) -> Iterator[None]:
    """Stop the server processes of the daemons' sessions where they are."""
    with stopped(int(row["pid"]) for row in world.database.execute(PIDS, name)):
        yield


@contextmanager
def restarted(world: World, number: signal.Signals) -> Iterator[None]:
    """End the server, and start it again."""
    os.kill(world.database.execute(SERVER_PID)[0]["pid"], number)
    yield
    eventually(lambda: world.server.check() is Supervision.RESTARTED)
    world.database.reconnect()


@contextmanager
def without_slots(world: World) -> Iterator[None]:
    """End the daemons' sessions, and take every connection that the server has to give."""
    world.database.execute(TERMINATE, EVERY_SESSION)
    with ExitStack() as stack:
        with suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(psycopg.connect(world.database.url))
        yield


@contextmanager
def with_another_password(world: World) -> Iterator[None]:
    """Change the password under the daemons and end their sessions; give the old one back."""
    change = sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}")
    with world.database.another_connection() as admin:
        admin.execute(change.format("another"))
        admin.execute(TERMINATE, [EVERY_SESSION])
        try:
            yield
        finally:
            admin.execute(change.format(world.password))


@contextmanager
def renamed(world: World) -> Iterator[None]:
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

        move(name, f"{name}_away")
        yield
        move(f"{name}_away", name)
    world.database.reconnect()
