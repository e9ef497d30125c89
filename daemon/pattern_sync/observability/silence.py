"""Why changes may not be told although the daemon listens."""

from collections.abc import Callable, Sequence

import structlog

from pattern_sync.domain.watching import FULL_ENOUGH, Audience, Sighting, TriggerFault

REMEDY = "pattern-sync migrate"


class Silence:
    """Told by the watch what it saw; logs each change once.

    `on_change` is called before that; `now` is a monotonic clock in seconds.
    """

    def __init__(self, now: Callable[[], float], on_change: Callable[[], None]) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._now = now
        self._on_change = on_change
        self.faults: tuple[TriggerFault, ...] = ()
        self._since = now()
        self._full: tuple[float, int | None] | None = None
        self._blind = False

    def silences(self, audience: Audience) -> bool:
        """Return whether some changes are not told to them."""
        unsure = self._blind or self._full is not None
        return unsure or any(fault.silenced is audience for fault in self.faults)

    def seen(self, sighting: Sighting) -> None:
        """Take what the watch saw."""
        if self._blind:
            self._blind = False
            self._log.info("the triggers are looked after again")
        self._see_faults(sighting.faults)
        self._see_queue(sighting.queue_usage, sighting.hinderer)

    def blind(self, reason: str) -> None:
        """Say that nobody can tell whether changes are told."""
        if not self._blind:
            self._blind = True
            self._on_change()
            self._log.warning("the triggers cannot be looked after, polling meanwhile", reason=reason)

    def reasons(self) -> list[str]:
        """Return what is wrong and what helps, for people; no word of the driver's."""
        reasons = []
        for audience, whom in ((Audience.DAEMONS, "daemons"), (Audience.PAGES, "review pages")):
            faults = [fault.fault for fault in self.faults if fault.silenced is audience]
            if faults:
                reasons.append(f"Some changes are not told to the {whom}: {'; '.join(faults)}. Run: {REMEDY}")
        if self._full is not None:
            reasons.append(f"{_queue_is_full(*self._full)}; the daemon polls meanwhile.")
        if self._blind:
            reasons.append("The triggers cannot be looked after; the daemon polls meanwhile, its log says why.")
        return reasons

    def _see_faults(self, faults: Sequence[TriggerFault]) -> None:
        before, self.faults = self.faults, tuple(faults)
        if set(before) == set(faults):
            return
        self._on_change()
        if not faults:
            self._log.info("every change is told again", after_seconds=round(self._now() - self._since, 1))
            return
        if not before:
            self._since = self._now()
        silent = self.silences(Audience.DAEMONS)
        self._log.warning(
            "changes are not told, polling meanwhile" if silent else "the triggers are not as they should be",
            faults=[fault.fault for fault in faults],
            remedy=REMEDY,
        )

    def _see_queue(self, usage: float, hinderer: int | None) -> None:
        before, self._full = self._full, (usage, hinderer) if usage >= FULL_ENOUGH else None
        if (before is None) is (self._full is None):
            return
        self._on_change()
        if self._full is None:
            self._log.info("the notification queue is emptied again")
        else:
            self._log.warning("notifications are held back, polling meanwhile", reason=_queue_is_full(*self._full))


def _queue_is_full(usage: float, hinderer: int | None) -> str:
    who = "" if hinderer is None else f", most likely process {hinderer}"
    return f"The notification queue is {usage:.0%} full: some session listens and does not read{who}"
