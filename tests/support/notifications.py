"""An independent listener: it shows what was announced, and that nothing else was."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Notify

from tests.support.database import TestDatabase


class Listener:
    """Receives every payload on one channel, by default the daemon's, in the order of the commits."""

    def __init__(self, connection: "psycopg.Connection[dict[str, object]]", channel: str = "pattern_sync") -> None:
        self._connection = connection
        self._channel = channel
        self._received: list[str] = []
        self._fences = 0
        connection.add_notify_handler(self._on_notify)
        connection.execute("LISTEN pattern_sync")

    def received(self) -> list[str]:
        """Return the payloads that were committed until now and not returned before.

        Notifications keep the order of the commits: once our own arrives, so have all before it.
        """
        self._fences += 1
        fence = f"fence {self._fences}"
        self._connection.execute("SELECT pg_notify('pattern_sync', %s)", [fence])
        for _ in range(1_000):
            if fence in self._received:
                break
            self._connection.execute("SELECT")
        until = self._received.index(fence)
        payloads, self._received = self._received[:until], self._received[until + 1 :]
        return payloads

    def _on_notify(self, notification: Notify) -> None:
        if notification.channel == self._channel or notification.payload.startswith("fence "):
            self._received.append(notification.payload)


@contextmanager
def listening(database: TestDatabase) -> Iterator[Listener]:
    """Listen on a connection of its own."""
    with database.another_connection() as connection:
        yield Listener(connection)
