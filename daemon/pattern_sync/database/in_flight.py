"""The statements that wait for an answer, so that those that will never get one can be given up."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Record
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[Record]

# Most statements take milliseconds; asking about them would cost more than it gives.
LONG_SECONDS = 4.0


class InFlight:
    """The connections of one pool that are in use, with when that began."""

    def __init__(self) -> None:
        self._since: dict[Connection, float] = {}

    @contextmanager
    def using(self, connection: "Connection") -> Iterator[None]:
        """Count a connection as in use during the block."""
        self._since[connection] = monotonic()
        try:
            yield
        finally:
            del self._since[connection]

    def long_ones(self) -> list[int]:
        """Return the server processes that have been at work for long."""
        latest = monotonic() - LONG_SECONDS
        return [connection.get_server_pid() for connection, since in self._since.items() if since < latest]

    def give_up(self, server_pids: Collection[int]) -> None:
        """Drop the connections to these server processes: whoever waits for an answer gets a fault at once."""
        for connection in [each for each in self._since if each.get_server_pid() in server_pids]:
            connection.terminate()
