"""The messages as operators see them: which there were, which are given up, whether a destination takes one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pattern_sync.domain.batches import LARGEST_ID
from pattern_sync.domain.destinations import Destination
from pattern_sync.domain.errors import NobodyToTell, UnknownMessage
from pattern_sync.domain.messages import Delivery, DeliveryOutcome, MessageState, NotedMessage

SendTest = Callable[[], Awaitable[Mapping[Destination, Delivery]]]


class NotedStore(Protocol):
    """What is asked of the database here."""

    async def messages(self, state: MessageState | None, limit: int) -> list[NotedMessage]: ...
    async def retry(self, message_id: int) -> bool: ...
    async def turn_on(self, channel: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Tested:
    """How a destination took a test; its URL is a secret, so `host` stands for it."""

    channel: str
    host: str
    outcome: DeliveryOutcome
    status_code: int | None
    reason: str | None


class Messages:
    """Lists messages, and sends some once more; `send_test` is None where nobody is to be told."""

    def __init__(self, store: NotedStore, send_test: SendTest | None = None) -> None:
        self._store = store
        self._send_test = send_test

    async def latest(self, state: MessageState | None, limit: int) -> Sequence[NotedMessage]:
        """Return the messages of the last 30 days, newest first, of one state (None: any)."""
        return await self._store.messages(state, limit)

    async def retry(self, message_id: int) -> None:
        """Have a daemon send a message once more, and its channel on again. Raises UnknownMessage."""
        if not (1 <= message_id <= LARGEST_ID and await self._store.retry(message_id)):
            raise UnknownMessage(
                f"There is no message {message_id} that was given up, or that waits to be tried again."
            )

    async def test(self) -> tuple[Tested, ...]:
        """Send a test to every destination; a channel that was off is on again if it is taken. Raises NobodyToTell."""
        if self._send_test is None:
            raise NobodyToTell("PATTERN_SYNC_NOTIFY_URLS is not set, so that nobody is sent anything.")
        tested = []
        for each, end in (await self._send_test()).items():
            if end.outcome is DeliveryOutcome.DELIVERED:
                await self._store.turn_on(each.channel)
            tested.append(Tested(each.channel, each.host, end.outcome, end.status_code, end.reason))
        return tuple(tested)
