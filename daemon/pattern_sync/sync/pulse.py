"""Signs of life of the services, and waiting that gives them."""

import asyncio
from collections.abc import Callable

# Longer than any deadline of the daemon: whoever is silent for this long hangs.
STALLED_SECONDS = 180.0
_BREATH_SECONDS = 5.0


class Pulse:
    """Knows when each service last got somewhere; `now` is a monotonic clock in seconds.

    What counts is that a service goes on, not that the database does: an outage must not become a restart loop.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._last: dict[str, float] = {}

    def beat(self, service: str) -> None:
        """Note that a service is alive."""
        self._last[service] = self._now()

    def stalled(self) -> list[str]:
        """Return the services that hang."""
        limit = self._now() - STALLED_SECONDS
        return [service for service, at in self._last.items() if at < limit]

    async def pause(self, service: str, seconds: float) -> None:
        """Wait, with signs of life."""
        end = self._now() + seconds
        while (left := end - self._now()) > 0:
            self.beat(service)
            await asyncio.sleep(min(left, _BREATH_SECONDS))
        self.beat(service)
