"""TCP connections of this machine, as the kernel lists them."""

from pathlib import Path

_LOCAL, _REMOTE, _STATE = 1, 2, 3
_ESTABLISHED = "01"


def connections_to(port: int) -> int:
    """Return how many connections are open to a port, counted at the clients' ends."""
    return _established(_REMOTE, port)


def connections_at(port: int) -> int:
    """Return how many connections of a port are open, counted at the server's end."""
    return _established(_LOCAL, port)


def _established(column: int, port: int) -> int:
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[column].endswith(f":{port:04X}") and row[_STATE] == _ESTABLISHED for row in rows)
