"""Silence: why changes may not be notified although the daemon listens."""

from collections.abc import Callable, Sequence

from pattern_sync.domain.errors import DatabaseUnavailable, PassingFault
from pattern_sync.domain.facts import (
    Emit,
    NotificationQueueDrained,
    NotificationQueueFull,
    TriggersFaulty,
    TriggersSeen,
    TriggersSound,
    TriggersUnseen,
)
from pattern_sync.domain.reception import FULL_ENOUGH, Audience, Sighting, TriggerFault


class Silence:
    """What the trigger watch found, and whom it silences.

    It is also where the watch reports its own outages: while it is blind, nothing is certain. An outage that other
    services have (`is_outage_known`), or may find within `patience_seconds`, is theirs to report. `on_change` is called
    whenever somebody may miss changes or no longer does; `now` is a monotonic clock in seconds.
    """

    def __init__(
        self,
        now: Callable[[], float],
        emit: Emit,
        on_change: Callable[[], None],
        is_outage_known: Callable[[], bool],
        patience_seconds: float,
    ) -> None:
        self._now = now
        self._emit = emit
        self._on_change = on_change
        self._is_outage_known = is_outage_known
        self._patience_seconds = patience_seconds
        self._faults: tuple[TriggerFault, ...] = ()
        self._faulty_since = now()
        self._queue_is_full = False
        self._unseen_since: float | None = None
        self._is_blind = False

    def silences(self, audience: Audience) -> bool:
        """Return whether some changes do not reach them."""
        unsure = self._is_blind or self._queue_is_full
        return unsure or any(fault.silenced is audience for fault in self._faults)

    def seen(self, sighting: Sighting) -> None:
        """Record what a look at the triggers found."""
        self._end_blindness()
        self._see_faults(sighting.faults)
        self._see_queue(sighting.queue_usage, sighting.blocker_pid)

    def lost(self, _service: str, fault: PassingFault) -> None:
        """Record that a look failed. What the server refuses to the watch is not refused to the others."""
        if self._is_outage_known():
            self._unseen_since = None
            return
        if self._unseen_since is None:
            self._unseen_since = self._now()
        others_may_find_it = self._now() - self._unseen_since < self._patience_seconds
        if self._is_blind or (others_may_find_it and isinstance(fault, DatabaseUnavailable)):
            return
        self._is_blind = True
        self._on_change()
        self._emit(TriggersUnseen(str(fault)))

    def back(self, _service: str) -> None:
        """Record that a look succeeded."""
        self._end_blindness()

    def _end_blindness(self) -> None:
        self._unseen_since = None
        if self._is_blind:
            self._is_blind = False
            self._emit(TriggersSeen())

    def _see_faults(self, faults: Sequence[TriggerFault]) -> None:
        before, self._faults = self._faults, tuple(faults)
        if set(before) == set(faults):
            return
        self._on_change()
        if not faults:
            self._emit(TriggersSound(self._now() - self._faulty_since))
            return
        if not before:
            self._faulty_since = self._now()
        self._emit(TriggersFaulty(self._faults, self.silences(Audience.DAEMONS)))

    def _see_queue(self, usage: float, blocker_pid: int | None) -> None:
        before, self._queue_is_full = self._queue_is_full, usage >= FULL_ENOUGH
        if before is self._queue_is_full:
            return
        self._on_change()
        self._emit(NotificationQueueFull(usage, blocker_pid) if self._queue_is_full else NotificationQueueDrained())
