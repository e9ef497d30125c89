"""What runs short because of others, told once a minute however often it happens."""

from collections.abc import Callable
from typing import Any

import structlog

QUIET_SECONDS = 60.0
_OUT_OF_FILES = "socket.accept() out of system resource"


class Scarcity:
    """Counts what happens, and tells how often it did at most once a minute. `now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._now = now
        self._told_at: dict[str, float] = {}
        self._untold: dict[str, int] = {}

    def too_many_connections(self) -> None:
        """Note that a client of the API had to go."""
        self._tell("too many HTTP connections, closing those that say nothing")

    def loop_fault(self, loop: Any, context: dict[str, Any]) -> None:  # noqa: ANN401 - as asyncio calls it
        """Take what the event loop has to complain of; what is no shortage is told as it always is."""
        if context.get("message") == _OUT_OF_FILES:
            self._tell("no file is left for another HTTP connection", reason=str(context.get("exception")))
        else:
            loop.default_exception_handler(context)

    def _tell(self, event: str, **facts: str) -> None:
        times = self._untold.get(event, 0) + 1
        if self._now() - self._told_at.get(event, float("-inf")) < QUIET_SECONDS:
            self._untold[event] = times
            return
        self._told_at[event] = self._now()
        self._untold[event] = 0
        self._log.warning(event, times=times, **facts)
