"""Live updates: every change of the queue to every open page, and a fresh state after every gap."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from pattern_sync.domain.entry import Place, QueueCounts, QueueEntry, Status
from pattern_sync.domain.errors import PassingFault
from pattern_sync.observability.state import DaemonState, Mode
from pattern_sync.sync.liveness import Life
from pattern_sync.sync.outage import Outage
from pattern_sync.web.live_client import LiveClient
from pattern_sync.web.messages import (
    EVERYTHING,
    Change,
    ChangesMessage,
    EntryChange,
    HeartbeatMessage,
    Message,
    OutageMessage,
    StateMessage,
    parse_hint,
    to_json,
)
from pattern_sync.web.proof import Proof

# More changes than this at once, or longer ones, and everything is told instead: on its way each client has a copy.
MOST_CHANGES = 1_000
LONGEST_MESSAGE_CHARACTERS = 1_000_000
STATE_ENTRIES = 20
# A burst becomes one message: at most ten a second, and fewer where the queue takes long to read.
PACE_SECONDS = 0.1
SLOWEST_PACE_SECONDS = 0.5
LARGEST_SHARE_OF_TIME = 0.25
TICK_SECONDS = 0.5
# A page that hears nothing for a few of these knows that its connection is dead, whatever its browser believes.
HEARTBEAT_SECONDS = 15.0
# How often the queue is compared without having been told: rarely, and often while notifications do not arrive.
SAFETY_NET_SECONDS = 30.0
POLL_SECONDS = 1.0


class QueueView(Protocol):
    """What live updates need to read."""

    async def list_entries(self, status: Status, after: Place | None, limit: int) -> list[QueueEntry]: ...
    async def find_entries(self, pattern_ids: Sequence[str]) -> list[QueueEntry]: ...
    async def count_entries(self) -> QueueCounts: ...
    async def fingerprint(self) -> str: ...


class LiveUpdates:
    """Collects hints that entries have changed, reads those entries once and tells every client the same.

    Hints only say what to look at: a mark is cleared before the rows are read, and what a hint that was lost would have
    told is found by comparing fingerprints. While no page is open, nothing is read.
    """

    NAME = "live updates"

    def __init__(
        self, view: QueueView, state: DaemonState, outage: Outage, life: Life, now: Callable[[], float]
    ) -> None:
        self._view = view
        self._state = state
        self._outage = outage
        self._life = life
        self._now = now
        self._clients: set[LiveClient] = set()
        self._newcomers: set[LiveClient] = set()
        self._changed: dict[str, Change] = {}
        self._everything = False
        self._wake = asyncio.Event()
        self._interrupted = False
        self._looked_at = now()
        self._reading_seconds = 0.0
        self._told_at = now()
        self._proof = Proof(view.fingerprint, now)

    def __len__(self) -> int:
        return len(self._clients)

    def join(self) -> LiveClient:
        """Add a client; the first thing that it gets is the state of the queue, or that there is none to be had now."""
        client = LiveClient()
        if self._interrupted:
            client.offer(to_json(OutageMessage()))
        self._clients.add(client)
        self._newcomers.add(client)
        self._wake.set()
        return client

    def leave(self, client: LiveClient) -> None:
        """Forget a client."""
        self._clients.discard(client)
        self._newcomers.discard(client)

    def hint(self, payload: str) -> None:
        """Take a payload of the queue's triggers."""
        if not self._clients:
            return
        if payload == EVERYTHING:
            self.everything_changed()
            return
        changes = parse_hint(payload)
        if changes is None:
            self._state.unknown_payload(ascii(payload[:60]))
            return
        self._mark(changes)
        self._wake.set()

    def everything_changed(self) -> None:
        """Say that hints may have been missed."""
        self._everything = True
        self._wake.set()

    async def run(self) -> None:
        """Tell the clients until cancelled."""
        while True:
            woken = await self._tick()
            if not self._clients:
                self._rest()
            elif self._is_due():
                with self._life.working():
                    await self.run_once()
            self._keep_alive()
            if woken:
                await self._life.pause(self._pace_seconds())

    async def run_once(self) -> None:
        """Read what has changed and tell it once; in an outage say so, and take the marks up again."""
        self._wake.clear()
        changed, self._changed = self._changed, {}
        everything, self._everything = self._everything or self._interrupted, False
        newcomers, self._newcomers = self._newcomers, set()
        self._looked_at = self._now()
        try:
            quiet = not changed and not newcomers
            everything = everything or await self._proof.is_lacking(quiet=quiet, polling=self._is_polling())
            changes = await self._read_changes(changed) if changed and not everything else None
            if changes is not None and len(changes) > LONGEST_MESSAGE_CHARACTERS:
                everything = True
            for_all = everything or newcomers >= self._clients
            state = await self._read_state(for_all=for_all) if everything or newcomers else None
        except PassingFault as fault:
            self._mark(changed)
            self._everything |= everything
            self._newcomers |= newcomers & self._clients
            self._interrupt()
            await self._outage.wait_out(fault)
            self._wake.set()
            return
        self._outage.over()
        self._interrupted = False
        self._reading_seconds = self._now() - self._looked_at
        for client in self._clients - self._newcomers:  # who has just come gets the next state first
            if message := state if everything or client in newcomers else changes:
                client.offer(message)
        if everything or changes:
            self._told_at = self._now()

    def _rest(self) -> None:
        # Who comes gets the state of that moment; nobody is cut off from it meanwhile.
        self._wake.clear()
        self._interrupted = False
        self._outage.over()

    async def _tick(self) -> bool:
        try:
            async with asyncio.timeout(TICK_SECONDS):
                return await self._wake.wait()
        except TimeoutError:
            return False

    def _pace_seconds(self) -> float:
        unhurried = self._reading_seconds / LARGEST_SHARE_OF_TIME
        return min(SLOWEST_PACE_SECONDS, max(PACE_SECONDS, unhurried))

    def _is_due(self) -> bool:
        if self._state.database_lost_at is not None:
            self._interrupt()
            return False
        patience = POLL_SECONDS if self._is_polling() else SAFETY_NET_SECONDS
        return self._wake.is_set() or self._interrupted or self._now() - self._looked_at >= patience

    def _is_polling(self) -> bool:
        return self._state.mode is Mode.POLLING

    def _mark(self, changes: dict[str, Change]) -> None:
        self._changed |= changes
        if len(self._changed) > MOST_CHANGES:
            self._changed.clear()
            self._everything = True

    def _keep_alive(self) -> None:
        if self._now() - self._told_at >= HEARTBEAT_SECONDS:
            self._tell_all(HeartbeatMessage())

    def _tell_all(self, message: Message) -> None:
        text = to_json(message)
        for client in self._clients:
            client.offer(text)
        self._told_at = self._now()

    async def _read_state(self, *, for_all: bool) -> str:
        if for_all:
            await self._proof.begin()
        entries = await self._view.list_entries(Status.PENDING, None, STATE_ENTRIES)
        return to_json(StateMessage(await self._view.count_entries(), tuple(entries)))

    async def _read_changes(self, changed: dict[str, Change]) -> str:
        self._proof.lose()
        found = {entry.pattern_id: entry for entry in await self._view.find_entries(list(changed))}
        changes = tuple(
            EntryChange(change if pattern_id in found else "removed", pattern_id, found.get(pattern_id))
            for pattern_id, change in changed.items()
        )
        return to_json(ChangesMessage(await self._view.count_entries(), changes))

    def _interrupt(self) -> None:
        if not self._interrupted:
            self._interrupted = True
            self._tell_all(OutageMessage())
