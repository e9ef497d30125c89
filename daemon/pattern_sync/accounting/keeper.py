"""The savings keeper: adds up many recorded runs, and sets confidence from results, with each sweep."""

from collections.abc import Callable
from typing import Protocol

from pattern_sync.domain.facts import ConfidenceAdjusted, Emit
from pattern_sync.domain.roi import ENOUGH_RUNS, Adjusted
from pattern_sync.services.activity import Activity
from pattern_sync.services.waiting import staggered

# As many rows are added up for each question; more by the keeper, day by day.
MOST_RUNS = 100_000


class SavingsUpkeep(Protocol):
    """What the keeper needs from the database: how many days have changed is None if another daemon is at it."""

    async def keep_savings(self, most: int) -> int | None: ...
    async def adjust_confidence(self, at_least: int) -> Adjusted: ...


class SavingsKeeper:
    """Brings up to date what answers about results rest on, with each sweep; no pattern waits for it.

    Confidence is set only if it `adjusts`.
    """

    name = "savings-keeper"

    def __init__(
        self,
        store: SavingsUpkeep,
        interval_seconds: float,
        random: Callable[[], float],
        emit: Emit,
        activity: Activity,
        *,
        adjusts: bool,
    ) -> None:
        self._store = store
        self._interval_seconds = interval_seconds
        self._random = random
        self._emit = emit
        self._activity = activity
        self._adjusts = adjusts

    async def run(self) -> None:
        """Keep until cancelled, each time up to a tenth earlier, so that replicas drift apart."""
        while True:
            async with self._activity.working():
                await self.run_once()
            if not self._activity.in_outage:
                await self._activity.wait(staggered(self._interval_seconds, self._random))

    async def run_once(self) -> None:
        """Add up, and adjust. Raises PassingFault."""
        await self._store.keep_savings(MOST_RUNS)
        if not self._adjusts:
            return
        made = await self._store.adjust_confidence(ENOUGH_RUNS)
        if made.adjusted or made.refused:
            self._emit(ConfidenceAdjusted(made.adjusted, made.refused, made.reason))
