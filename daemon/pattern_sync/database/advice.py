"""The advice's store, over either driver."""

from collections.abc import Sequence

from pattern_sync.database.reviews import Fetch, ReviewGateway
from pattern_sync.database.rows.filters import to_filter_in_force
from pattern_sync.domain.advice import PastDecision
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import Outcome


class AdviceGateway:
    """Runs the advice's statements; every method raises DatabaseError or SchemaError."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._reviews = ReviewGateway(fetch)

    async def past_decisions(self) -> list[PastDecision]:
        """Return the standing decisions of people, with the figures that they saw."""
        return [PastDecision(**row) for row in await self._fetch("past_decisions")]

    async def filter_in_force(self) -> SyncFilter:
        """Return the filter in force."""
        return to_filter_in_force(await self._fetch("read_filter"))

    async def count_pending_shown(self, bounds: Sequence[tuple[float, float]]) -> list[int]:
        """Return how many pending entries each pair of bounds (percent, USD a month) would show."""
        # As text: for a double precision[] a driver would first query the catalogs, by names that can be hijacked.
        confidences, savings = [str(pair[0]) for pair in bounds], [str(pair[1]) for pair in bounds]
        shown = {row["place"]: row["shown"] for row in await self._fetch("count_pending_shown", confidences, savings)}
        return [shown.get(place, 0) for place in range(1, len(bounds) + 1)]

    async def kind_of(self, signature: str) -> str | None:
        """Return the kind of an entry; None if it has none, or is not known yet."""
        rows = await self._fetch("kind_of", signature)
        return rows[0]["kind"] if rows else None

    async def nearest(self, limit: int) -> list[str]:
        """Return the patterns that miss the filter in force by least."""
        rows = await self._fetch("nearest", limit)
        return list(dict.fromkeys(row["signature"] for row in rows))

    async def explain(self, signature: str) -> Explanation:
        """Return what is known about a pattern, by the filter in force."""
        return await self._reviews.explain(signature)

    async def queue_by_hand(self, signature: str, reviewer: str) -> Outcome | None:
        """Queue one pattern whether or not it qualifies."""
        outcome = (await self._fetch("queue_by_hand", signature, reviewer))[0]["outcome"]
        return None if outcome is None else Outcome(outcome)
