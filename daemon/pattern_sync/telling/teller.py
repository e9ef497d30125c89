"""The teller: one message after the other, from any number of daemons, each at least once under one key."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pattern_sync.domain.destinations import Destination
from pattern_sync.domain.entry import QueueEntry
from pattern_sync.domain.facts import Emit, MessageEnded, MessagesCounted
from pattern_sync.domain.messages import (
    ClaimedMessage,
    Delivery,
    DeliveryOutcome,
    Gathered,
    Letter,
    Message,
    MessageCount,
    MessageKind,
    MessageState,
    ToldPause,
    to_told,
)
from pattern_sync.services.activity import Activity
from pattern_sync.services.timings import Timings
from pattern_sync.telling.terms import Terms

# How long to wait after each failed attempt. The times are those of the Standard Webhooks: four days in all.
RETRY_SECONDS = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
_JITTER = 0.1
# Of a long queue a look takes a fifth of a second.
LARGEST_SHARE_OF_TIME = 0.1
_PRUNING = timedelta(hours=1)


class MessageStore(Protocol):
    """What the teller needs of the database."""

    async def plan(
        self,
        channels: Sequence[str],
        min_savings: float,
        wait_seconds: float,
        every_seconds: float,
        slot: datetime | None,
    ) -> float | None: ...
    async def plan_pauses(self, channels: Sequence[str], wait_seconds: float) -> None: ...
    async def claim(self, channels: Sequence[str], lease_seconds: float) -> ClaimedMessage | None: ...
    async def gather(self, claimed: ClaimedMessage, min_savings: float) -> Gathered: ...
    async def gather_pauses(self, claimed: ClaimedMessage) -> list[ToldPause]: ...
    async def find_entries(self, signatures: Sequence[str]) -> list[QueueEntry]: ...
    async def freeze(self, claimed: ClaimedMessage, letter: Letter) -> bool: ...
    async def counts(self) -> list[MessageCount]: ...
    async def prune(self) -> None: ...
    async def settle(
        self, claimed: ClaimedMessage, state: MessageState, delivery: Delivery | None, retry_seconds: float | None
    ) -> bool: ...


class Courier(Protocol):
    """Brings a letter to a destination, or says why it could not."""

    async def deliver(
        self, destination: Destination, letter: Letter, key: str, kind: MessageKind, created_at: datetime
    ) -> Delivery: ...


class Teller:
    """Tells people, through their channels, of pending patterns that are worth much, and of rules that are paused.

    It is level-triggered: it looks for what is not told yet, woken or not. `clock` is the time of day, `now` a
    monotonic clock in seconds, `random` returns 0 to 1.
    """

    name = "teller"

    def __init__(
        self,
        store: MessageStore,
        courier: Courier,
        write: Callable[[Destination, Message], Letter],
        terms: Terms,
        emit: Emit,
        activity: Activity,
        clock: Callable[[], datetime],
        now: Callable[[], float],
        random: Callable[[], float],
        timings: Timings,
    ) -> None:
        self._store = store
        self._courier = courier
        self._write = write
        self._terms = terms
        self._channels = list(terms.destinations)
        self._emit = emit
        self._activity = activity
        self._clock = clock
        self._now = now
        self._random = random
        self._timings = timings
        self._woken = asyncio.Event()
        self._prune_at = clock()

    def wake(self) -> None:
        """Have it look soon: something was queued."""
        self._woken.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            self._woken.clear()
            due_seconds: float | None = None
            begun_at = self._now()
            async with self._activity.working(self._timings.telling_lease_seconds):
                due_seconds = await self.run_once()
            if not self._activity.in_outage:
                looked_at = self._now()
                rest_seconds = (looked_at - begun_at) / LARGEST_SHARE_OF_TIME
                await self._activity.wait(max(self._timings.telling_pace_seconds, rest_seconds))
                await self._pause(due_seconds, looked_at)

    async def run_once(self) -> float | None:
        """Send what may be sent now, and return in how many seconds something may be; None: nothing is known."""
        if quiet_seconds := self._terms.quiet_seconds(self._clock()):
            return quiet_seconds
        due_seconds = await self._plan()
        while due_seconds == 0:
            claimed = await self._store.claim(self._channels, self._timings.telling_lease_seconds)
            if claimed is None:  # another daemon was faster
                break
            await self._send(claimed)
            due_seconds = await self._plan()
        await self._count()
        await self._prune()
        return due_seconds or None

    async def _count(self) -> None:
        """Report how the messages stand; those of destinations that are no longer set are left out."""
        known = self._terms.destinations
        counts = [each for each in await self._store.counts() if each.channel in known]
        off = {known[each.channel].host: each.reason for each in counts if each.reason}
        self._emit(
            MessagesCounted(
                tuple((each.channel, each.state, each.messages) for each in counts), tuple(sorted(off.items()))
            )
        )

    async def _prune(self) -> None:
        if (now := self._clock()) >= self._prune_at:
            await self._store.prune()
            self._prune_at = now + _PRUNING

    async def _pause(self, due_seconds: float | None, looked_at: float) -> None:
        longest_seconds = self._timings.telling_seconds
        seconds = longest_seconds if due_seconds is None else min(due_seconds, longest_seconds)
        await self._activity.wait_for(self._woken, max(0.0, looked_at + seconds - self._now()))

    async def _plan(self) -> float | None:
        terms = self._terms
        slot = None if terms.digest is None else terms.digest.last_before(self._clock())
        wait_seconds = self._timings.telling_wait_seconds
        if terms.about_rules:
            await self._store.plan_pauses(self._channels, wait_seconds)
        return await self._store.plan(self._channels, terms.min_savings, wait_seconds, terms.every_seconds, slot)

    async def _send(self, claimed: ClaimedMessage) -> None:
        destination = self._terms.destinations[claimed.channel]
        letter = claimed.letter or await self._written(claimed, destination)
        if letter is None:
            return
        delivery = await self._courier.deliver(destination, letter, claimed.key, claimed.kind, claimed.created_at)
        state, retry_seconds = self._next(claimed, delivery)
        if await self._store.settle(claimed, state, delivery, retry_seconds):
            self._emit(
                MessageEnded(
                    claimed.id,
                    claimed.channel,
                    destination.host,
                    claimed.kind,
                    state,
                    claimed.attempts,
                    delivery.reason,
                )
            )

    async def _written(self, claimed: ClaimedMessage, destination: Destination) -> Letter | None:
        """Return the text of a message at its first attempt; None if there is nothing to tell any more."""
        gather = self._gather_pauses if claimed.kind is MessageKind.RULE_PAUSED else self._gather_patterns
        message = await gather(claimed)
        if not message.count:
            await self._store.settle(claimed, MessageState.DROPPED, None, None)
            return None
        letter = self._write(destination, message)
        return letter if await self._store.freeze(claimed, letter) else None

    async def _gather_patterns(self, claimed: ClaimedMessage) -> Message:
        gathered = await self._store.gather(claimed, self._terms.min_savings)
        entries = {entry.pattern_id: entry for entry in await self._store.find_entries(gathered.signatures)}
        return Message(
            key=claimed.key,
            kind=claimed.kind,
            created_at=claimed.created_at,
            patterns=[to_told(entries[each], self._terms.page_url) for each in gathered.signatures if each in entries],
            count=gathered.count,
            savings_usd=gathered.savings_usd,
            old_count=gathered.old_count,
            url=self._terms.page_url,
        )

    async def _gather_pauses(self, claimed: ClaimedMessage) -> Message:
        pauses = await self._store.gather_pauses(claimed)
        return Message(
            key=claimed.key,
            kind=claimed.kind,
            created_at=claimed.created_at,
            patterns=(),
            count=len(pauses),
            savings_usd=0.0,
            old_count=0,
            url=self._terms.page_url,
            pauses=pauses,
        )

    def _next(self, claimed: ClaimedMessage, delivery: Delivery) -> tuple[MessageState, float | None]:
        """Return what becomes of a message, and in how many seconds it is tried again."""
        if delivery.outcome is DeliveryOutcome.DELIVERED:
            return MessageState.SENT, None
        if delivery.outcome is DeliveryOutcome.GONE or claimed.attempts > len(RETRY_SECONDS):
            return MessageState.DEAD, None
        wait_seconds = RETRY_SECONDS[claimed.attempts - 1] * (1 + _JITTER * self._random())
        return MessageState.OPEN, max(wait_seconds, delivery.retry_after_seconds or 0.0)
