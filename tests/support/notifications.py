"""An independent listener: what was announced, and that nothing else was."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Notify

from tests.support.database import TestDatabase


class Ear:
    """Hears every payload on one channel, the daemon's unless said otherwise, in the order of the commits."""

    def __init__(self, connection: "psycopg.Connection[dict[str, object]]", channel: str = "pattern_sync") -> None:
        self._connection = connection
        self._channel = channel
        self._heard: list[str] = []
        self._fences = 0
        connection.add_notify_handler(self._on_notify)
        connection.execute("LISTEN pattern_sync")

    def heard(self) -> list[str]:
        """Return what was committed until now and not returned before.

        Notifications come in the order of the commits: what came before our own has been delivered with it.
        """
        self._fences += 1
        fence = f"fence {self._fences}"
        self._connection.execute("SELECT pg_notify('pattern_sync', %s)", [fence])
        for _ in range(1_000):
            if fence in self._heard:
                break
            self._connection.execute("SELECT")
        until = self._heard.index(fence)
        payloads, self._heard = self._heard[:until], self._heard[until + 1 :]
        return payloads

    def _on_notify(self, notification: Notify) -> None:
        if notification.channel == self._channel or notification.payload.startswith("fence "):
            self._heard.append(notification.payload)


@contextmanager
def listening(database: TestDatabase) -> Iterator[Ear]:
    """Listen on a connection of its own."""
    with database.another_connection() as connection:
        yield Ear(connection)
