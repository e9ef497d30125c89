"""The messages' store, over either driver."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pattern_sync.database.reviews import Fetch, ReviewGateway
from pattern_sync.database.rows import to_json
from pattern_sync.domain.entry import QueueEntry
from pattern_sync.domain.messages import (
    MOST_NAMED,
    ClaimedMessage,
    Delivery,
    Gathered,
    Letter,
    MessageCount,
    MessageKind,
    MessageState,
    NotedMessage,
    ToldPause,
)
from pattern_sync.domain.rules import RuleVerdict


class TellingGateway:
    """Runs the statements of messages; every method raises DatabaseError or SchemaError."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._reviews = ReviewGateway(fetch)

    async def plan(
        self,
        channels: Sequence[str],
        min_savings: float,
        wait_seconds: float,
        every_seconds: float,
        slot: datetime | None,
    ) -> float | None:
        """Begin the messages that are wanted, and return in how many seconds the next one may be sent."""
        rows = await self._fetch("plan_messages", list(channels), min_savings, wait_seconds, every_seconds, slot)
        due: float | None = rows[0]["due_seconds"]
        return due

    async def plan_pauses(self, channels: Sequence[str], wait_seconds: float) -> None:
        """Begin the messages that tell of paused rules."""
        await self._fetch("plan_pauses", list(channels), wait_seconds)

    async def claim(self, channels: Sequence[str], lease_seconds: float) -> ClaimedMessage | None:
        """Take the next message that may be sent now; None if there is none."""
        rows = await self._fetch("claim_message", list(channels), lease_seconds)
        return _to_claimed(rows[0]) if rows else None

    async def gather(self, claimed: ClaimedMessage, min_savings: float) -> Gathered:
        """Settle what a message tells of."""
        row = (await self._fetch("gather_message", claimed.id, claimed.attempts, min_savings, MOST_NAMED))[0]
        return Gathered(tuple(row["signatures"] or ()), row["patterns"], row["savings"], row["old"])

    async def gather_pauses(self, claimed: ClaimedMessage) -> list[ToldPause]:
        """Settle which pauses a message tells of, the first ones first."""
        rows = await self._fetch("gather_pauses", claimed.id, claimed.attempts)
        return [ToldPause(**{**row, "verdict": RuleVerdict(row["verdict"])}) for row in rows]

    async def find_entries(self, signatures: Sequence[str]) -> list[QueueEntry]:
        """Return the entries of these patterns."""
        return await self._reviews.find_entries(signatures)

    async def freeze(self, claimed: ClaimedMessage, letter: Letter) -> bool:
        """Keep the text of a message for all attempts; False if another daemon has taken it meanwhile."""
        rows = await self._fetch("freeze_message", claimed.id, claimed.attempts, to_json(asdict(letter)))
        return bool(rows[0]["frozen"])

    async def settle(
        self, claimed: ClaimedMessage, state: MessageState, delivery: Delivery | None, retry_seconds: float | None
    ) -> bool:
        """Note how an attempt ended, or that none was made. False if another daemon has taken the message."""
        status, reason, outcome = (
            (None, None, None) if delivery is None else (delivery.status_code, delivery.reason, delivery.outcome)
        )
        rows = await self._fetch(
            "settle_message", claimed.id, claimed.attempts, state, status, reason, retry_seconds, outcome
        )
        return bool(rows[0]["settled"])

    async def prune(self) -> None:
        """Forget messages that ended over 30 days ago, and what was told of entries that are gone."""
        await self._fetch("prune_messages")

    async def messages(self, state: MessageState | None, limit: int) -> list[NotedMessage]:
        """Return the latest messages, newest first."""
        return [_to_noted(row) for row in await self._fetch("messages", state, limit)]

    async def counts(self) -> list[MessageCount]:
        """Return how many messages each channel has in each state."""
        return [
            MessageCount(row["channel"], MessageState(row["state"]), row["messages"], row["reason"])
            for row in await self._fetch("message_counts")
        ]

    async def turn_on(self, channel: str) -> None:
        """Send over a channel again: its receiver has taken something."""
        await self._fetch("turn_on", channel)

    async def retry(self, message_id: int) -> bool:
        """Have a message sent once more; False if there is none that is dead or waits."""
        return bool((await self._fetch("retry_message", message_id))[0]["retried"])


def _to_claimed(row: Mapping[str, Any]) -> ClaimedMessage:
    letter = None if row["letter"] is None else Letter(**json.loads(row["letter"]))
    return ClaimedMessage(
        id=row["id"],
        key=row["key"],
        channel=row["channel"],
        kind=MessageKind(row["kind"]),
        created_at=row["created_at"],
        letter=letter,
        attempts=row["attempts"],
    )


def _to_noted(row: Mapping[str, Any]) -> NotedMessage:
    return NotedMessage(**{**row, "kind": MessageKind(row["kind"]), "state": MessageState(row["state"])})
