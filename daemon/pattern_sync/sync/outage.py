"""How a service meets an outage."""

from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable
from pattern_sync.observability.state import DaemonState
from pattern_sync.sync.pulse import Pulse


class Outage:
    """Waits longer from attempt to attempt and says once that it does; one for each service."""

    def __init__(self, service: str, state: DaemonState, backoff: Backoff, pulse: Pulse) -> None:
        self._service = service
        self._state = state
        self._backoff = backoff
        self._pulse = pulse

    async def wait_out(self, fault: DatabaseUnavailable | AccessRefused) -> None:
        """Wait before the next attempt."""
        self._state.database_lost(str(fault))
        await self._pulse.pause(self._service, self._backoff.next_delay_seconds())

    def over(self) -> None:
        """Note that a statement worked."""
        self._backoff.reset()
        self._state.database_back()
