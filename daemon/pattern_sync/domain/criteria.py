"""What the filter requires, beside what a pattern has."""

import math
from dataclasses import dataclass
from enum import StrEnum


class CriterionName(StrEnum):
    """What a criterion is called."""

    CONFIDENCE = "confidence"
    OCCURRENCES = "occurrences"
    SAVINGS = "savings"
    AGE = "age"
    WORKFLOWS = "workflows"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Criterion:
    """A bound beside a pattern's figure: confidence in percent, a count, savings in USD a month, or an age in days.

    The bound is the least value, or the largest if `at_most`; None is no bound. A value that is not known is NaN. `met`
    is the database's verdict.
    """

    name: str
    value: float
    bound: float | None
    met: bool
    at_most: bool = False

    @property
    def missing_by(self) -> float | None:
        """Return how much the figure is off; None if it is met, or if no finite amount would help."""
        if self.met or self.bound is None or not math.isfinite(self.value):
            return None
        return round(abs(self.bound - self.value), 6)


@dataclass(frozen=True, slots=True)
class TypeCriterion:
    """The types that the filter names, beside the pattern's type; an empty `only` means all but the `excluded` ones."""

    value: str | None
    only: tuple[str, ...]
    excluded: tuple[str, ...]
    met: bool
    name: str = CriterionName.TYPE
