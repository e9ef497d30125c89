"""Outages: whether something that several services need can be used."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from pattern_sync.domain.errors import PassingFault


class Reports(Protocol):
    """Takes what a service finds, after each of its attempts."""

    def lost(self, service: str, fault: PassingFault) -> None: ...
    def back(self, service: str) -> None: ...


class Availability:
    """Lost as soon as one service fails; back when each service that failed has succeeded again.

    One service's success proves nothing for another: a role may have lost one right only. `on_lost` gets the first
    reason, `on_back` the seconds that it took. `now` is a monotonic clock in seconds; `outage` is set while it is lost.
    """

    def __init__(
        self, now: Callable[[], float], on_lost: Callable[[str], None], on_back: Callable[[float], None]
    ) -> None:
        self._now = now
        self._on_lost = on_lost
        self._on_back = on_back
        self._without: set[str] = set()
        self._lost_at: float | None = None
        self.outage = asyncio.Event()

    def is_lost(self) -> bool:
        """Return whether some service cannot use it."""
        return self.outage.is_set()

    def lost_seconds(self) -> float:
        """Return for how long it has been lost; 0 if it is not."""
        return 0.0 if self._lost_at is None else self._now() - self._lost_at

    def lost(self, service: str, fault: PassingFault) -> None:
        """Record a failed attempt."""
        self._without.add(service)
        if self._lost_at is None:
            self._lost_at = self._now()
            self.outage.set()
            self._on_lost(str(fault))

    def back(self, service: str) -> None:
        """Record a successful attempt."""
        self._without.discard(service)
        if self._lost_at is not None and not self._without:
            after_seconds, self._lost_at = self.lost_seconds(), None
            self.outage.clear()
            self._on_back(after_seconds)
