"""The traits keeper: brings what entries are found by up to date, after every change of the queue."""

from collections.abc import Callable, Sequence
from typing import Protocol

from pattern_sync.domain.notification import MOST_NAMED
from pattern_sync.services.activity import Activity
from pattern_sync.services.marks import Marks
from pattern_sync.services.timings import Timings

# One call's share of a long queue, after the first time: each is a transaction.
MOST_AT_ONCE = 5_000
# Looking at all entries takes at most this share of the time.
LARGEST_SHARE_OF_TIME = 0.1


class TraitsStore(Protocol):
    """What the keeper needs; None if another daemon is at work on all."""

    async def keep_traits(self, signatures: Sequence[str] | None, most: int | None) -> int | None: ...


class TraitsKeeper:
    """Keeps the traits of the entries that notifications name, and compares all of them now and then.

    A notification is only a hint. What is missed is found by the comparison: at the start, after every gap, and every
    few minutes. `now` is a monotonic clock in seconds; `on_kept` is called when the traits have caught up with what was
    heard.
    """

    name = "traits-keeper"

    def __init__(
        self,
        store: TraitsStore,
        activity: Activity,
        now: Callable[[], float],
        timings: Timings,
        on_kept: Callable[[], None],
    ) -> None:
        self._store = store
        self._activity = activity
        self._now = now
        self._timings = timings
        self._on_kept = on_kept
        self._changed: Marks[str, None] = Marks(MOST_NAMED)
        self._changed.add_everything()
        self._rest_until = now()
        self._owes_look = False

    def mark(self, signatures: Sequence[str]) -> None:
        """Mark the entries that a notification names."""
        self._changed.add(dict.fromkeys(signatures))

    def mark_everything(self) -> None:
        """Mark everything: notifications may have been missed."""
        self._changed.add_everything()

    async def run(self) -> None:
        """Keep the traits until cancelled."""
        while True:
            if not await self._activity.wait_for(self._changed.wake, self._until_look_at_all_seconds()):
                self._changed.add_everything()
            await self._activity.wait(self._timings.debounce_seconds)
            await self.run_once()

    async def run_once(self) -> None:
        """Bring what is marked up to date; all of it not before the last look at all has been paid for."""
        taken = self._changed.take()
        self._owes_look |= taken.everything
        looks_at_all = self._owes_look and self._now() >= self._rest_until
        if not (looks_at_all or taken.marks):
            self._activity.rest()
            return
        async with self._activity.working(put_back=lambda: self._changed.put_back(taken)):
            if looks_at_all:
                await self._keep_all()
            else:
                await self._store.keep_traits(list(taken.marks), None)
            self._on_kept()

    def _until_look_at_all_seconds(self) -> float:
        """Return when to look at all entries at the latest. Until then, those that are named are looked at."""
        return max(0.0, self._rest_until - self._now()) if self._owes_look else self._timings.traits_seconds

    async def _keep_all(self) -> None:
        begun_at = self._now()
        while (await self._store.keep_traits(None, MOST_AT_ONCE) or 0) >= MOST_AT_ONCE:
            pass
        self._owes_look = False
        took_seconds = self._now() - begun_at
        self._rest_until = self._now() + took_seconds / LARGEST_SHARE_OF_TIME
