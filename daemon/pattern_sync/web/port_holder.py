"""The process that listens on a TCP port of this machine, as far as /proc shows it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"


def holder_of(port: int, proc: Path = _PROC) -> str | None:
    """Return the process that listens on a port, such as "process 4711 (python3)"; None if it is not visible."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port, proc)}
    if not wanted:
        return None
    for folder in proc.glob("[0-9]*"):
        if not wanted.isdisjoint(_links(folder / "fd")):
            with suppress(OSError):
                return f"process {folder.name} ({(folder / 'comm').read_text(encoding='utf-8').strip()})"
    return None


def _listening_inodes(port: int, proc: Path) -> Iterator[str]:
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (proc / "net" / name).read_text(encoding="ascii").splitlines()[1:]:
                # sl, local_address, rem_address, st, queues, timer, retransmits, uid, timeout, inode
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _links(folder: Path) -> Iterator[str]:
    # The files of other users' processes are hidden, and a process may end meanwhile.
    with suppress(OSError):
        for entry in folder.iterdir():
            with suppress(OSError):
                yield str(entry.readlink())
