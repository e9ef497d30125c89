"""What past decisions say about the filter, and which patterns it only just keeps out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from pattern_sync.domain.advice import Advice, KindRate, PastDecision, advise, kind_rate
from pattern_sync.domain.computing import Computing, at_once
from pattern_sync.domain.decision import check_reviewer
from pattern_sync.domain.errors import CannotQueue, UnknownPattern
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.domain.text import is_storable

# Each is explained with a statement of its own.
MOST_NEAREST = 20
_DONE = (Outcome.QUEUED, Outcome.UNCHANGED)


class AdviceStore(Protocol):
    """What the advice needs from the database.

    `queue_by_hand` returns the outcome, and the server's message for a failure; None if there is no such pattern.
    """

    async def past_decisions(self) -> list[PastDecision]: ...
    async def filter_in_force(self) -> SyncFilter: ...
    async def count_pending_shown(self, bounds: Sequence[tuple[float, float]]) -> list[int]: ...
    async def kind_of(self, signature: str) -> str | None: ...
    async def nearest(self, limit: int) -> list[str]: ...
    async def explain(self, signature: str) -> Explanation: ...
    async def queue_by_hand(self, signature: str, reviewer: str) -> Outcome | None: ...


class Advising:
    """Advice from decisions; it decides nothing and changes no filter.

    Like the review, it awaits only its store, and the computing.
    """

    def __init__(self, store: AdviceStore, computing: Computing = at_once) -> None:
        self._store = store
        self._computing = computing

    async def advice(self) -> Advice:
        """Return the price list of bounds, from the filter in force upwards."""
        in_force = await self._store.filter_in_force()
        decisions = await self._store.past_decisions()
        found = await self._computing(
            lambda: advise(decisions, in_force.min_confidence or 0.0, in_force.min_savings or 0.0)
        )
        counts = await self._store.count_pending_shown(
            [(price.min_confidence, price.min_savings) for price in found.prices]
        )
        prices = (replace(price, pending_shown=count) for price, count in zip(found.prices, counts, strict=True))
        return replace(found, prices=tuple(prices))

    async def rate(self, signature: str) -> KindRate:
        """Return how often patterns of the same kind, and all patterns, were approved."""
        kind = await self._store.kind_of(signature) if is_storable(signature) else None
        decisions = await self._store.past_decisions()
        return await self._computing(lambda: kind_rate(kind, decisions))

    async def nearest(self, limit: int) -> list[Explanation]:
        """Return the patterns that miss the filter in force by least, each with what it misses."""
        return [await self._store.explain(signature) for signature in await self._store.nearest(limit)]

    async def queue(self, signature: str, reviewer: str | None) -> str:
        """Put a pattern into the queue although it does not qualify; return the name under which that was recorded.

        Raises UnknownPattern if there is no such pattern, CannotQueue if it has an entry, was rejected or is not
        eligible, and InvalidInput for the name.
        """
        name = check_reviewer(reviewer)
        explanation = await self._store.explain(signature) if is_storable(signature) else None
        if explanation is None or not explanation.exists:
            raise UnknownPattern(f"There is no pattern {signature!r} in operation_patterns.")
        if explanation.entry_status is not None or explanation.rejected or not explanation.eligible:
            raise CannotQueue(f"{signature!r} cannot be queued. {explanation.reason}")
        outcome = await self._store.queue_by_hand(signature, name)
        if outcome not in _DONE:
            # It changed in between, or the application refuses it.
            latest = await self._store.explain(signature)
            raise CannotQueue(f"{signature!r} was not queued. {latest.reason}")
        return name
