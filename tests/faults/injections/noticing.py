"""How a fault shows that it is in force: without that, a fault that does nothing is survived by everybody."""

from collections.abc import Callable
from pathlib import Path

from tests.support.daemon import DaemonProcess
from tests.support.world import World

Noticed = Callable[[], object]

WAITING = (
    "SELECT FROM pg_stat_activity WHERE application_name LIKE 'pattern-sync%%' AND datname = current_database()"
    " AND %s = ANY (pg_blocking_pids(pid))"
)


def deafened(world: World) -> Noticed:
    """Return whether each daemon of now has lost its LISTEN session, since now or just before."""
    return _begun(world, "listener.lost", ended="listener.listening", of_life=1)


def shut_out(world: World) -> Noticed:
    """Return whether each daemon of now has lost the database, and none has a session any more.

    The reason in the log does not tell: it is that of the first connection that was lost.
    """
    lost = cut_off(world)
    return lambda: lost() and not world.sessions()


def cut_off(world: World) -> Noticed:
    """Return whether each daemon of now has lost the database, since now or just before."""
    return _begun(world, "database.lost", ended="database.back", of_life=0)


def waited_for(world: World, pid: int) -> Noticed:
    """Return whether a session of the daemons waits for another session."""
    return lambda: world.database.execute(f"SELECT EXISTS ({WAITING}) AS waits", pid)[0]["waits"]


def is_stopped(pid: int) -> bool:
    """Return whether a process is where SIGSTOP has left it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _begun(world: World, event: str, *, ended: str, of_life: int) -> Noticed:
    """`of_life`: how often the ending is logged without a beginning. What lasts already is not begun again."""
    before = {daemon: len(daemon.lines(event)) for daemon in world.daemons}

    def has_begun(daemon: DaemonProcess) -> bool:
        times = len(daemon.lines(event))
        return times > before[daemon] or times > len(daemon.lines(ended)) - of_life

    return lambda: all(map(has_begun, before))
