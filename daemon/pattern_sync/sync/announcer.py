"""Tells the review pages, here and at every replica, what this daemon has written."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from pattern_sync.domain.errors import PassingFault
from pattern_sync.sync.liveness import Life
from pattern_sync.sync.outage import Outage

# A burst is told at once: at most ten times a second.
PACE_SECONDS = 0.1
# Of each kind: one more than the database names. Above that it says "everything", and no more names need to be kept.
MOST_NAMES = 1_001


class Announcer:
    """Collects what was written and says it a moment later, off the way from a commit to its entry.

    What is lost with a daemon that dies in between is found by whoever compares, as after every hint that was lost.
    """

    NAME = "announcer"

    def __init__(self, tell: Callable[[list[str], list[str]], Awaitable[None]], outage: Outage, life: Life) -> None:
        self._tell = tell
        self._outage = outage
        self._life = life
        self._queued: list[str] = []
        self._refreshed: list[str] = []
        self._wake = asyncio.Event()
        self._closed = False

    def add(self, queued: Sequence[str], refreshed: Sequence[str]) -> None:
        """Mark what a reconcile has written."""
        self._mark(queued, refreshed)

    def close(self) -> None:
        """Tell what is marked and end."""
        self._closed = True
        self._wake.set()

    async def run(self) -> None:
        """Tell until closed."""
        while not self._closed:
            await self._wake.wait()
            with self._life.working():
                await self.run_once()
            await self._life.pause(PACE_SECONDS)
        await self.run_once()

    async def run_once(self) -> None:
        """Tell what is marked; in an outage it stays marked."""
        queued, self._queued = self._queued, []
        refreshed, self._refreshed = self._refreshed, []
        self._wake.clear()
        if not queued and not refreshed:
            return
        try:
            await self._tell(queued, refreshed)
        except PassingFault as fault:
            self._mark(queued, refreshed)
            await self._outage.wait_out(fault)
        else:
            self._outage.over()

    def _mark(self, queued: Sequence[str], refreshed: Sequence[str]) -> None:
        self._queued += queued[: MOST_NAMES - len(self._queued)]
        self._refreshed += refreshed[: MOST_NAMES - len(self._refreshed)]
        if self._queued or self._refreshed:
            self._wake.set()
