"""What one service is doing: waiting, working, or in an outage."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import PassingFault
from pattern_sync.services.liveness import STEP_SECONDS, Liveness
from pattern_sync.services.outage import Reports
from pattern_sync.services.waiting import wait_for


def _nothing() -> None:
    return


class Activity:
    """The one door to each of the three states of a service.

    - Waiting may take for ever.
    - Working has to make progress in time, or the service counts as hanging.
    - In an outage, the service waits longer from attempt to attempt; it ends with the first attempt that succeeds.
    """

    def __init__(self, name: str, liveness: Liveness, reports: Reports, backoff: Backoff) -> None:
        self.name = name
        self.liveness = liveness
        self._reports = reports
        self._backoff = backoff
        self.in_outage = False

    async def wait(self, seconds: float) -> None:
        """Wait for some time."""
        await asyncio.sleep(seconds)

    async def wait_for(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for an event, at most so long; return whether it is set."""
        return await wait_for(event, seconds)

    def rest(self) -> None:
        """Have nothing to attempt any more: an outage of this service is over, as nothing else would ever end it."""
        if self.in_outage:
            self._succeeded()

    @asynccontextmanager
    async def working(
        self, seconds: float = STEP_SECONDS, *, put_back: Callable[[], None] = _nothing
    ) -> AsyncGenerator[None, None]:
        """Make one attempt. A passing fault ends it: it is reported, `put_back` is called, and the backoff is waited.

        Whether that happened is then `in_outage`. `seconds` are the longest time without progress.
        """
        try:
            with self.liveness.working(seconds):
                yield
        except PassingFault as fault:
            self.in_outage = True
            put_back()
            self._reports.lost(self.name, fault)
            await self.wait(self._backoff.next_delay_seconds())
        else:
            self._succeeded()

    def _succeeded(self) -> None:
        self.in_outage = False
        self._backoff.reset()
        self._reports.back(self.name)
