"""The model: how likely a person approves an entry, learned from decisions, and why, in words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pattern_sync.domain.lessons import Traits
from pattern_sync.domain.ridge import chance

_MOST_REASONS = 3
# Whatever moves the odds by less is no reason.
_LEAST_PART = 0.05
# An outlier among the figures counts as this many spreads.
_FARTHEST = 4.0


@dataclass(frozen=True, slots=True)
class FigureTerm:
    """A figure's usual value and spread among the decisions, and its weight for each spread above it."""

    mean: float
    spread: float
    weight: float

    def distance(self, value: float | None) -> float:
        """Return how far a value is from the usual one, in spreads; 0 if it is unknown."""
        if value is None:
            return 0.0
        return max(-_FARTHEST, min(_FARTHEST, (value - self.mean) / self.spread))


@dataclass(frozen=True, slots=True)
class CategoryTerm:
    """A category's weight, and how many of those decided in it were approved."""

    weight: float
    approved: int
    decided: int


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned of `decided` lessons, `approved` of which were approvals."""

    approved: int
    decided: int
    strength: float
    bias: float
    figures: Mapping[str, FigureTerm]
    categories: Mapping[str, CategoryTerm]

    def likelihood(self, traits: Traits) -> float:
        """Return the chance that a person approves such an entry, 0 to 1."""
        return chance(self.bias + math.fsum(self._parts(traits).values()))

    def reasons(self, traits: Traits) -> tuple[str, ...]:
        """Return the largest parts of the likelihood, in words, the largest first."""
        parts = self._parts(traits)
        for name, term in self.categories.items():
            if name in parts:  # what nearly all have says little of this one
                parts[name] -= term.weight * term.decided / self.decided
        self._join_type_with_its_only_kind(parts)
        ordered = sorted(parts, key=lambda name: (-abs(parts[name]), name))
        return tuple(
            self._reason(name, parts[name]) for name in ordered[:_MOST_REASONS] if abs(parts[name]) > _LEAST_PART
        )

    def _join_type_with_its_only_kind(self, parts: dict[str, float]) -> None:
        """Have the kind speak for both where all decisions on the type were on this kind."""
        named = {name.partition(" ")[0]: name for name in parts}
        kind, of_type = named.get("kind"), named.get("type")
        if kind and of_type and self.categories[kind].decided == self.categories[of_type].decided:
            parts[kind] += parts.pop(of_type)

    def _parts(self, traits: Traits) -> dict[str, float]:
        values, met = traits.figures(), traits.categories()
        return {
            **{name: term.weight * term.distance(values.get(name)) for name, term in self.figures.items()},
            **{name: term.weight for name, term in self.categories.items() if name in met},
        }

    def _reason(self, name: str, part: float) -> str:
        speaks = "for" if part > 0 else "against"
        if figure := self.figures.get(name):
            compared = "more" if (part > 0) == (figure.weight > 0) else "less"
            return f"{compared} {name} than usual speaks {speaks} it"
        term, shown = self.categories[name], name.partition(" ")[2]
        of_all, of_these = self.approved / self.decided, term.approved / term.decided
        if (of_these > of_all) != (part > 0):
            return f"{shown}, beside everything else, speaks {speaks} it"
        if part > 0:
            return f"{term.approved} of {term.decided} with {shown} were approved, and {100 * of_all:.0f} % of all"
        rejected = term.decided - term.approved
        return f"{rejected} of {term.decided} with {shown} were rejected, and {100 * (1 - of_all):.0f} % of all"
