"""How a service meets an outage."""

from collections.abc import Callable

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import PassingFault
from pattern_sync.sync.liveness import Life


class Outage:
    """Waits longer from attempt to attempt; one for each service.

    `lost` is told the reason of every failure, `back` of every success: they are the state's, which says each once.
    """

    def __init__(self, lost: Callable[[str], None], back: Callable[[], None], backoff: Backoff, life: Life) -> None:
        self._lost = lost
        self._back = back
        self._backoff = backoff
        self._life = life

    async def wait_out(self, fault: PassingFault) -> None:
        """Wait before the next attempt."""
        self._lost(str(fault))
        await self._life.pause(self._backoff.next_delay_seconds())

    def over(self) -> None:
        """Note that a statement worked."""
        self._backoff.reset()
        self._back()
