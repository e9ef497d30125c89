"""The open pages: the messages that wait for each of them, and when one is given up."""

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from pattern_sync.web.live_reader import Update
from pattern_sync.web.messages import HeartbeatMessage, OutageMessage, to_json

# What a client may leave unread before it is given up; what waits here is shared, so that it costs one pointer each.
MOST_UNREAD = 64
# Shared or not, they are kept for as long as one client has not read them.
MOST_UNREAD_CHARACTERS = 8_000_000


class LiveClient:
    """One open page: the messages that it has not read yet."""

    def __init__(self) -> None:
        self._unread: asyncio.Queue[str] = asyncio.Queue(MOST_UNREAD)
        self._unread_characters = 0
        self.too_slow = asyncio.Event()

    def offer(self, message: str) -> None:
        """Queue a message. A client that leaves too many unread, or too long ones, is given up."""
        characters = self._unread_characters + len(message)
        if self._unread.full() or (self._unread_characters and characters > MOST_UNREAD_CHARACTERS):
            self.too_slow.set()
            return
        self._unread.put_nowait(message)
        self._unread_characters = characters

    async def next_message(self) -> str:
        """Wait for the next message."""
        message = await self._unread.get()
        self._unread_characters -= len(message)
        return message


class LiveClients:
    """All open pages. A newcomer gets nothing before its first state, except that there is none to be had.

    `now` is a monotonic clock in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._clients: set[LiveClient] = set()
        self._newcomers: set[LiveClient] = set()
        self._broadcast_at = now()
        self.interrupted = False

    def __len__(self) -> int:
        return len(self._clients)

    def join(self) -> LiveClient:
        """Add a page."""
        client = LiveClient()
        if self.interrupted:
            client.offer(to_json(OutageMessage()))
        self._clients.add(client)
        self._newcomers.add(client)
        return client

    def leave(self, client: LiveClient) -> None:
        """Forget a page."""
        self._clients.discard(client)
        self._newcomers.discard(client)

    def take_newcomers(self) -> AbstractSet[LiveClient]:
        """Return the pages without a state; who joins from now on is the next newcomer."""
        newcomers, self._newcomers = self._newcomers, set()
        return newcomers

    def put_back(self, newcomers: AbstractSet[LiveClient]) -> None:
        """Remember those again that still have no state."""
        self._newcomers |= newcomers & self._clients

    def are_all(self, newcomers: AbstractSet[LiveClient]) -> bool:
        """Return whether there are no pages but these."""
        return newcomers >= self._clients

    def deliver(self, update: Update, newcomers: AbstractSet[LiveClient]) -> None:
        """Send every page its message; who joined during the read waits for a state of its own."""
        self.interrupted = False
        for client in self._clients - self._newcomers:
            message = update.state if update.is_for_all or client in newcomers else update.changes
            if message is not None:
                client.offer(message)
        if update.is_for_all or update.changes is not None:
            self._broadcast_at = self._now()

    def interrupt(self) -> None:
        """Tell every page, newcomers too, that the database is lost; once until `interrupted` is reset."""
        if not self.interrupted:
            self.interrupted = True
            self._send_to_all(to_json(OutageMessage()))

    def keep_alive(self, heartbeat_seconds: float) -> None:
        """Send a heartbeat to every page if nothing was broadcast for so long."""
        if self._now() - self._broadcast_at >= heartbeat_seconds:
            self._send_to_all(to_json(HeartbeatMessage()))

    def _send_to_all(self, message: str) -> None:
        for client in self._clients:
            client.offer(message)
        self._broadcast_at = self._now()
