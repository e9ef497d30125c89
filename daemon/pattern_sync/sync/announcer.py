"""Tells the review pages, here and at every replica, what this daemon has written."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable
from pattern_sync.domain.outcomes import WRITTEN, Outcome, PatternOutcome, signatures_of
from pattern_sync.sync.outage import Outage
from pattern_sync.sync.pulse import Pulse

# A burst is told at once: at most ten times a second.
PACE_SECONDS = 0.1
# One more than the database names; above that it says "everything", and no more names need to be kept.
MOST_NAMES = 1_001
_BREATH_SECONDS = 5.0


class Announcer:
    """Collects what was written and says it a moment later, off the way from a commit to its entry.

    What is lost with a daemon that dies in between is found by whoever compares, as after every hint that was lost.
    """

    NAME = "announcer"

    def __init__(self, tell: Callable[[list[str], list[str]], Awaitable[None]], outage: Outage, pulse: Pulse) -> None:
        self._tell = tell
        self._outage = outage
        self._pulse = pulse
        self._written: list[PatternOutcome] = []
        self._wake = asyncio.Event()

    def add(self, outcomes: Iterable[PatternOutcome]) -> None:
        """Mark what a reconcile has written."""
        room = MOST_NAMES - len(self._written)
        self._written += [item for item in outcomes if item.outcome in WRITTEN][:room]
        if self._written:
            self._wake.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            self._pulse.beat(self.NAME)
            try:
                async with asyncio.timeout(_BREATH_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue
            await self.run_once()
            await self._pulse.pause(self.NAME, PACE_SECONDS)

    async def run_once(self) -> None:
        """Tell what is marked; in an outage it stays marked."""
        written, self._written = self._written, []
        self._wake.clear()
        if not written:
            return
        try:
            await self._tell(signatures_of(written, Outcome.QUEUED), signatures_of(written, Outcome.REFRESHED))
        except (DatabaseUnavailable, AccessRefused) as fault:
            self.add(written)
            await self._outage.wait_out(fault)
        else:
            self._outage.over()
