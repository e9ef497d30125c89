"""How a fault shows that it is in force: without that, a fault that does nothing is survived by everybody."""

from collections.abc import Callable
from pathlib import Path

from tests.support.world import World

Noticed = Callable[[], object]

WAITING = (
    "SELECT FROM pg_stat_activity WHERE application_name LIKE 'pattern-sync%%' AND datname = current_database()"
    " AND %s = ANY (pg_blocking_pids(pid))"
)


def logged(world: World, event: str) -> Noticed:
    """Return whether each daemon of now has logged an event, since now."""
    before = {daemon: len(daemon.lines(event)) for daemon in world.daemons}
    return lambda: all(len(daemon.lines(event)) > times for daemon, times in before.items())


def shut_out(world: World) -> Noticed:
    """Return whether each daemon of now has lost the database, and none has a session any more.

    The reason in the log does not tell: it is that of the first connection that was lost.
    """
    lost = logged(world, "database.lost")
    return lambda: lost() and not world.sessions()


def waited_for(world: World, pid: int) -> Noticed:
    """Return whether a session of the daemons waits for another session."""
    return lambda: world.database.execute(f"SELECT EXISTS ({WAITING}) AS waits", pid)[0]["waits"]


def is_stopped(pid: int) -> bool:
    """Return whether a process is where SIGSTOP has left it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
