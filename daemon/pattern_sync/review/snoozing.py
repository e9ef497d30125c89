"""The way out of a hard case: to see an entry later."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from pattern_sync.domain.decision import ReviewAction
from pattern_sync.domain.entry import QueueEntry
from pattern_sync.domain.errors import AlreadyDecided, NotSnoozable, UnknownPattern
from pattern_sync.domain.facts import Emit
from pattern_sync.domain.snoozing import Wish
from pattern_sync.domain.text import is_storable
from pattern_sync.review.writing import acting, after_writing, written


class SnoozeStore(Protocol):
    """What snoozing needs from the database.

    `snooze` returns `snoozed`; `zero` if there are no savings that could double; or `none` if no such entry is pending.
    """

    async def find_entries(self, signatures: Sequence[str]) -> list[QueueEntry]: ...
    async def snooze(self, signature: str, wish: Wish) -> str: ...
    async def wake(self, signature: str) -> None: ...


class Snoozing:
    """Puts pending entries off, and wakes them. They stay pending: neighbours see them, and anybody may decide them."""

    def __init__(
        self,
        store: SnoozeStore,
        emit: Emit = lambda _fact: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._emit = emit
        self._now = now

    async def snooze(self, signature: str, wish: Wish) -> QueueEntry:
        """Snooze a pending entry, in place of an earlier wish, and return it.

        Raises UnknownPattern, AlreadyDecided, NotSnoozable.
        """
        with acting(self._emit, ReviewAction.SNOOZE):
            wish.check(self._now())
            what = f"snooze of {signature!r}"
            outcome = "none"
            if is_storable(signature):
                outcome = await written(what, lambda: self._store.snooze(signature, wish))
            with after_writing():
                entry = await self._entry(signature)
            if outcome == "zero":
                raise NotSnoozable(
                    f"until_doubled: the savings of {signature!r} are {entry.estimated_savings_usd:,.2f} USD a month,"
                    " which cannot double; give a time."
                )
            if outcome != "snoozed":
                raise AlreadyDecided(f"{signature!r} is {entry.status}; only what is pending can be snoozed.", entry)
            return entry

    async def wake(self, signature: str) -> QueueEntry:
        """End the snooze of an entry, if there is one, and return the entry. Raises UnknownPattern."""
        with acting(self._emit, ReviewAction.WAKE):
            if is_storable(signature):
                await self._store.wake(signature)
            with after_writing():
                return await self._entry(signature)

    async def _entry(self, signature: str) -> QueueEntry:
        found = await self._store.find_entries([signature]) if is_storable(signature) else []
        if not found:
            raise UnknownPattern(f"There is no pattern {signature!r} in the review queue.")
        return found[0]
