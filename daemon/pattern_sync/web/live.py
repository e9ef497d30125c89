"""Live updates: broadcasts every change of the queue to every open page, and a fresh state after every gap."""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from pattern_sync.domain.errors import PassingFault
from pattern_sync.domain.facts import Emit, NotificationIgnored, NotificationReceived
from pattern_sync.domain.notification import MOST_NAMED, Channel, NotificationKind, Request
from pattern_sync.services.activity import Activity
from pattern_sync.services.marks import Marks
from pattern_sync.services.timings import Timings
from pattern_sync.web.live_clients import LiveClient, LiveClients
from pattern_sync.web.live_reader import LiveReader
from pattern_sync.web.messages import Change, ReadersMessage, parse_changes, to_json
from pattern_sync.web.presence import Presence

# The longest pause after a read. A pause coalesces a burst into one message.
SLOWEST_PACE_SECONDS = 0.5
# Slow reads get longer pauses, so that they take at most this share of the time if the longest pause allows it.
LARGEST_SHARE_OF_TIME = 0.25


class LiveUpdates:
    """Marks the entries that notifications name, reads them once, and broadcasts them to the pages.

    A notification is only a hint at what to read. If one is lost, a comparison of fingerprints reveals the change.
    While no page is open, nothing is read. `is_lost` returns whether the database is lost, `is_polling` whether
    notifications do not arrive; `now` is a monotonic clock in seconds. `tell_replicas` tells the other daemons who
    reads what at these pages.
    """

    name = "live-updates"

    def __init__(
        self,
        reader: LiveReader,
        is_lost: Callable[[], bool],
        is_polling: Callable[[], bool],
        emit: Emit,
        activity: Activity,
        now: Callable[[], float],
        timings: Timings,
        tell_replicas: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._reader = reader
        self._is_lost = is_lost
        self._is_polling = is_polling
        self._emit = emit
        self._activity = activity
        self._now = now
        self._timings = timings
        self._tell_replicas = tell_replicas
        self.presence = Presence(secrets.token_hex(8), now)
        self._clients = LiveClients(now)
        self._changed: Marks[str, Change] = Marks(MOST_NAMED)
        self._read_at = now()
        self._reading_seconds = 0.0

    def __len__(self) -> int:
        return len(self._clients)

    def join(self) -> LiveClient:
        """Add a page. Its first message is the state of the queue, or an outage if the database is lost."""
        client = self._clients.join()
        self.presence.joined()
        self._changed.wake.set()
        return client

    def leave(self, client: LiveClient) -> None:
        """Remove a page."""
        self._clients.leave(client)
        self.presence.left(client)

    def notified(self, payload: str) -> None:
        """Mark the entries that a notification of the queue's channel names."""
        everything = payload == Request.EVERYTHING.value
        kind = NotificationKind.EVERYTHING if everything else NotificationKind.CHANGES
        self._emit(NotificationReceived(Channel.PAGES, kind))
        self.mark(payload)

    def mark(self, payload: str) -> None:
        """Mark the entries that a payload names."""
        if not self._clients:
            return
        if payload == Request.EVERYTHING.value:
            self.mark_everything()
        elif (changes := parse_changes(payload)) is None:
            self._emit(NotificationIgnored(ascii(payload[:60])))
        else:
            self._changed.add(changes)

    def mark_everything(self) -> None:
        """Mark everything: notifications may have been missed."""
        self._changed.add_everything()

    async def run(self) -> None:
        """Keep the pages up to date until cancelled."""
        while True:
            woken = await self._activity.wait_for(self._changed.wake, self._timings.live_tick_seconds)
            if not self._clients:
                self._rest()
            elif self._is_due():
                await self.run_once()
            await self._share_readers()
            self._clients.keep_alive(self._timings.live_heartbeat_seconds)
            if woken:
                await self._activity.wait(self._pace_seconds())

    async def run_once(self) -> None:
        """Read what is marked and broadcast it. In an outage, broadcast that instead and keep the marks."""
        taken, newcomers = self._changed.take(), self._clients.take_newcomers()

        def put_back() -> None:
            self._changed.put_back(replace(taken, everything=True))
            self._clients.put_back(newcomers)
            self._clients.interrupt()

        self._read_at = self._now()
        async with self._activity.working(put_back=put_back):
            update = await self._reader.read(
                replace(taken, everything=taken.everything or self._clients.interrupted),
                newcomers=bool(newcomers),
                only_newcomers=self._clients.are_all(newcomers),
                polling=self._is_polling(),
            )
            self._reading_seconds = self._now() - self._read_at
            self._clients.deliver(update, newcomers)

    async def _share_readers(self) -> None:
        if self._is_lost():
            return
        if self._tell_replicas is not None and (payload := self.presence.to_tell()) is not None:
            # It is told again soon; the updates do not wait for it.
            with suppress(PassingFault):
                await self._tell_replicas(payload)
        if self._clients.all_informed and (readers := self.presence.to_show()) is not None:
            self._clients.tell(to_json(ReadersMessage(readers)))

    def _rest(self) -> None:
        # No page is open, and the next one to open starts from a fresh state. So neither marks nor an outage matter.
        self._changed.take()
        self._clients.interrupted = False
        self._activity.rest()

    def _is_due(self) -> bool:
        if self._is_lost():
            self._clients.interrupt()
            return False
        interval_seconds = (
            self._timings.live_poll_seconds if self._is_polling() else self._timings.live_safety_net_seconds
        )
        return (
            self._changed.wake.is_set() or self._clients.interrupted or self._now() - self._read_at >= interval_seconds
        )

    def _pace_seconds(self) -> float:
        pause_seconds = self._reading_seconds / LARGEST_SHARE_OF_TIME
        return min(SLOWEST_PACE_SECONDS, max(self._timings.debounce_seconds, pause_seconds))
