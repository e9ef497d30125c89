"""What the filter requires, beside what a pattern has."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Criterion:
    """A minimum beside a pattern's figure: confidence in percent, a count, or savings in USD a month.

    A `bound` of None is no bound. `met` is the database's verdict.
    """

    name: str
    value: float
    bound: float | None
    met: bool

    @property
    def missing_by(self) -> float | None:
        """Return how much the figure falls short; None if it is met, or if no finite amount would help."""
        if self.met or self.bound is None or not math.isfinite(self.value):
            return None
        return round(self.bound - self.value, 6)


@dataclass(frozen=True, slots=True)
class TypeCriterion:
    """The types that the filter names, beside the pattern's type; an empty `only` means all but the `excluded` ones."""

    value: str | None
    only: tuple[str, ...]
    excluded: tuple[str, ...]
    met: bool
    name: str = "type"
