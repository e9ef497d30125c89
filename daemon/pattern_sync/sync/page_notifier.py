"""The page notifier: has the review pages, here and at every replica, show what this daemon has written."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal

from pattern_sync.domain.notification import MOST_NAMED
from pattern_sync.services.activity import Activity
from pattern_sync.services.marks import Marks

Change = Literal["queued", "refreshed"]


class PageNotifier:
    """Collects what was written and notifies a moment later, off the way from a commit to its entry.

    `notify` takes what was written, or None for everything. What is lost with a daemon that dies in between is found by
    comparison, as after every notification that is lost.
    """

    name = "page-notifier"

    def __init__(
        self,
        notify: Callable[[Mapping[str, Change] | None], Awaitable[None]],
        activity: Activity,
        debounce_seconds: float,
    ) -> None:
        self._notify = notify
        self._activity = activity
        self._debounce_seconds = debounce_seconds
        self._written: Marks[str, Change] = Marks(MOST_NAMED)
        self._closed = asyncio.Event()

    def add(self, queued: Sequence[str], refreshed: Sequence[str]) -> None:
        """Mark the signatures that a reconcile has written."""
        self._written.add({**dict.fromkeys(refreshed, "refreshed"), **dict.fromkeys(queued, "queued")})

    def close(self) -> None:
        """Notify what is marked, and end."""
        self._closed.set()
        self._written.wake.set()

    async def run(self) -> None:
        """Notify until closed."""
        while not self._closed.is_set():
            await self._written.wake.wait()
            await self.run_once()
            await self._activity.wait_for(self._closed, self._debounce_seconds)
        await self.run_once()

    async def run_once(self) -> None:
        """Notify what is marked."""
        taken = self._written.take()
        if taken:
            async with self._activity.working(put_back=lambda: self._written.put_back(taken)):
                await self._notify(None if taken.everything else taken.marks)
