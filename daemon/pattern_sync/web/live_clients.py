"""The open pages: the messages queued for each of them, and the bound at which a slow one is disconnected."""

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from pattern_sync.web.live_reader import Update
from pattern_sync.web.messages import HeartbeatMessage, OutageMessage, to_json

# A client that leaves more messages unread is disconnected. All clients share a message's text, so each unread message
# costs a pointer per client.
MOST_UNREAD = 64
# The texts stay in memory until the slowest client has read them.
MOST_UNREAD_CHARACTERS = 8_000_000


class LiveClient:
    """One open page: the messages that it has not read yet."""

    def __init__(self) -> None:
        self._unread: asyncio.Queue[str] = asyncio.Queue(MOST_UNREAD)
        self._unread_characters = 0
        self.too_slow = asyncio.Event()

    def offer(self, message: str) -> None:
        """Queue a message; if too much is unread, drop it and set `too_slow`."""
        characters = self._unread_characters + len(message)
        if self._unread.full() or (self._unread_characters and characters > MOST_UNREAD_CHARACTERS):
            self.too_slow.set()
            return
        self._unread.put_nowait(message)
        self._unread_characters = characters

    async def next_message(self) -> str:
        """Wait for the next message and return it."""
        message = await self._unread.get()
        self._unread_characters -= len(message)
        return message


class LiveClients:
    """All open pages. A newcomer is a page without a state: until it has one, it only gets outages and heartbeats.

    `interrupted` is true from the broadcast of an outage to the next state. `now` is a monotonic clock in seconds.
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
        """Remove a page."""
        self._clients.discard(client)
        self._newcomers.discard(client)

    def take_newcomers(self) -> AbstractSet[LiveClient]:
        """Return the newcomers, and collect those that join from now on anew."""
        newcomers, self._newcomers = self._newcomers, set()
        return newcomers

    def put_back(self, newcomers: AbstractSet[LiveClient]) -> None:
        """Keep these as newcomers, as they got no state; those that left meanwhile are dropped."""
        self._newcomers |= newcomers & self._clients

    def are_all(self, newcomers: AbstractSet[LiveClient]) -> bool:
        """Return whether these are all open pages."""
        return newcomers >= self._clients

    def deliver(self, update: Update, newcomers: AbstractSet[LiveClient]) -> None:
        """Send every page its message. A page that joined during the read waits for its own state."""
        self.interrupted = False
        for client in self._clients - self._newcomers:
            message = update.state if update.is_for_all or client in newcomers else update.changes
            if message is not None:
                client.offer(message)
        if update.is_for_all or update.changes is not None:
            self._broadcast_at = self._now()

    @property
    def all_informed(self) -> bool:
        """Return whether no page waits for its first state."""
        return not self._newcomers

    def tell(self, message: str) -> None:
        """Send every page a message beside the updates."""
        self._send_to_all(message)

    def interrupt(self) -> None:
        """Broadcast to all pages, newcomers included, that the database is lost; once per outage."""
        if not self.interrupted:
            self.interrupted = True
            self._send_to_all(to_json(OutageMessage()))

    def keep_alive(self, heartbeat_seconds: float) -> None:
        """Broadcast a heartbeat if nothing was broadcast for so long."""
        if self._now() - self._broadcast_at >= heartbeat_seconds:
            self._send_to_all(to_json(HeartbeatMessage()))

    def _send_to_all(self, message: str) -> None:
        for client in self._clients:
            client.offer(message)
        self._broadcast_at = self._now()
