"""Learning as people see it: how it stands, and why an entry is likely approved or not."""

from dataclasses import dataclass
from typing import Protocol

from pattern_sync.domain.errors import UnknownPattern
from pattern_sync.domain.gate import Scored, reviewer_scores
from pattern_sync.domain.kept import Folded, KeptModel
from pattern_sync.domain.learning import MOST_LESSONS
from pattern_sync.domain.lessons import Traits
from pattern_sync.domain.standing import Standing, fold_of
from pattern_sync.domain.text import is_storable


class StandingStore(Protocol):
    """What is asked of the database here."""

    async def newest(self) -> KeptModel: ...
    async def record(self, most: int) -> list[Scored]: ...
    async def folded(self) -> Folded: ...
    async def traits_of(self, signature: str) -> Traits | None: ...


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely a person approves an entry, 0 to 1, and the three largest reasons; None and none while not shown."""

    likelihood: float | None
    reasons: tuple[str, ...]
    words: str


class Learning:
    """Says what was learned; it decides nothing. Like the review, it awaits only its store."""

    def __init__(self, store: StandingStore) -> None:
        self._store = store

    async def standing(self) -> Standing:
        """Return how learning stands."""
        kept = await self._store.newest()
        record = await self._store.record(MOST_LESSONS)
        folded = await self._store.folded() if kept.shown else Folded()
        model, fault = kept.read_or_why()
        return Standing(
            lessons=kept.lessons,
            approved=kept.approved,
            model=model,
            trained_at=kept.trained_at,
            ignored=None if fault is None else str(fault),
            gate=kept.gate,
            shown=kept.shown and fault is None,
            reviewers=reviewer_scores(record),
            fold=fold_of(folded, record),
        )

    async def likelihood(self, signature: str) -> Likelihood:
        """Return how likely an entry is approved, and why. Raises UnknownPattern if the queue has no such entry."""
        traits = await self._store.traits_of(signature) if is_storable(signature) else None
        if traits is None:
            raise UnknownPattern(f"There is no pattern {signature!r} in the review queue.")
        standing = await self.standing()
        if standing.model is None or not standing.shown:
            return Likelihood(None, (), standing.words)
        return Likelihood(standing.model.likelihood(traits), standing.model.reasons(traits), standing.words)
