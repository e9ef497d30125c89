"""The criteria that a pattern has to meet, and the bounds of each criterion."""

import math
import reprlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from pattern_sync.domain.errors import InvalidFilter
from pattern_sync.domain.text import is_storable

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Bounds(Generic[Number]):
    """The least and the most that a criterion accepts; `unnamed` is its value if it is not given."""

    minimum: Number
    maximum: Number
    unnamed: Number | None
    whole: bool = False

    def check(self, name: str, value: object) -> None:
        """Raise InvalidFilter unless the value is within the bounds; None, which means no criterion, always passes."""
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            number = "a whole number" if self.whole else "a number"
            raise InvalidFilter(f"is {_shown(value)}; it has to be {number}.", name)
        # NaN compares as false; an int can be larger than any float.
        if not self.minimum <= value <= min(self.maximum, sys.float_info.max):
            raise InvalidFilter(f"is {_shown(value)}; it has to be {self}.", name)

    def __str__(self) -> str:
        if math.isinf(self.maximum):
            return f"{self.minimum:g} or more, and finite"
        return f"from {self.minimum:,.15g} to {self.maximum:,.15g}"


CONFIDENCE: Bounds[float] = Bounds(minimum=0, maximum=100, unnamed=0.0)  # percent
# With 0, a pattern without a count qualifies as well.
OCCURRENCES = Bounds(minimum=0, maximum=2**31 - 1, unnamed=1, whole=True)
SAVINGS: Bounds[float] = Bounds(minimum=0, maximum=math.inf, unnamed=0.0)  # USD a month
# Off unless given. An hour is 0.042 days; a century is longer than anything is recorded.
AGE: Bounds[float] = Bounds(minimum=0.01, maximum=36_500, unnamed=None)  # days
WORKFLOWS: Bounds[int] = Bounds(minimum=0, maximum=2**31 - 1, unnamed=None, whole=True)
PATTERNS = Bounds(minimum=1, maximum=2**31 - 1, unnamed=50, whole=True)
BOUNDS: Mapping[str, Bounds[int] | Bounds[float]] = {
    "min_confidence": CONFIDENCE,
    "min_occurrences": OCCURRENCES,
    "min_savings": SAVINGS,
    "max_age_days": AGE,
    "min_workflows": WORKFLOWS,
    "max_patterns": PATTERNS,
}

HIGH_PRIORITY_MIN_CONFIDENCE = 70.0
HIGH_PRIORITY_MIN_OCCURRENCES = 5
HIGH_PRIORITY_MIN_SAVINGS = 1000.0
HIGH_PRIORITY_MAX_PATTERNS = 20
# The defaults of a manual sync without criteria; savings do not matter.
MANUAL_MIN_CONFIDENCE = 60.0
MANUAL_MIN_OCCURRENCES = 2
EVERYTHING_MAX_PATTERNS = 200


def doubt_about_confidence(name: str, value: float | None) -> str | None:
    """Return a hint where a bound looks like a share of one, as the queue has it, and is taken for percent."""
    if value is None or not 0 < value <= 1:
        return None
    meant = f"{value * 100:g}"
    return f"{name} is {value:g}, which means {value:g} %. If {meant} % is meant, write {meant}."


@dataclass(frozen=True, slots=True)
class SyncFilter:
    """Criteria, and how many missing patterns one scan may queue.

    `min_confidence` is 0 to 100, `min_savings` USD a month; `max_age_days` are the days since the pattern was last
    seen, `min_workflows` the distinct workflows that are recorded of it. A criterion that is not given hardly limits:
    confidence and savings from 0, one occurrence, any age and record. None means no criterion, and for the types an
    empty list. An empty `only_types` means every type; types are kept sorted, as their order means nothing.
    `max_patterns` None means no cap. Raises InvalidSettings.
    """

    min_confidence: float | None = CONFIDENCE.unnamed
    min_occurrences: int | None = OCCURRENCES.unnamed
    min_savings: float | None = SAVINGS.unnamed
    max_patterns: int | None = PATTERNS.unnamed
    only_types: tuple[str, ...] = ()
    exclude_types: tuple[str, ...] = ()
    max_age_days: float | None = None
    min_workflows: int | None = None

    def __post_init__(self) -> None:
        for name, bounds in BOUNDS.items():
            bounds.check(name, getattr(self, name))
        for name in ("only_types", "exclude_types"):
            object.__setattr__(self, name, _types(name, getattr(self, name)))
        if both := sorted(set(self.only_types) & set(self.exclude_types)):
            raise InvalidFilter(
                f"contradict each other: both contain {', '.join(both)}. Remove it from one of them.",
                "only_types",
                "exclude_types",
            )

    @classmethod
    def manual(cls) -> Self:
        """Return the filter of a manual sync without criteria: confidence 60 %, 2 occurrences, at most 50."""
        return cls(min_confidence=MANUAL_MIN_CONFIDENCE, min_occurrences=MANUAL_MIN_OCCURRENCES, min_savings=None)

    @classmethod
    def high_priority(cls, max_patterns: int | None = HIGH_PRIORITY_MAX_PATTERNS) -> Self:
        """Return the daemon's default filter: confidence 70 %, 5 occurrences, 1,000 USD a month."""
        return cls(
            min_confidence=HIGH_PRIORITY_MIN_CONFIDENCE,
            min_occurrences=HIGH_PRIORITY_MIN_OCCURRENCES,
            min_savings=HIGH_PRIORITY_MIN_SAVINGS,
            max_patterns=max_patterns,
        )

    @classmethod
    def everything(cls, max_patterns: int | None = EVERYTHING_MAX_PATTERNS) -> Self:
        """Return a filter without criteria."""
        return cls(min_confidence=None, min_occurrences=None, min_savings=None, max_patterns=max_patterns)

    def __str__(self) -> str:
        parts = [
            f"confidence ≥ {self.min_confidence:g} %" if self.min_confidence is not None else "",
            f"occurrences ≥ {self.min_occurrences:,}" if self.min_occurrences is not None else "",
            f"savings ≥ {self.min_savings:,.2f} USD a month" if self.min_savings is not None else "",
            f"only {', '.join(self.only_types)}" if self.only_types else "",
            f"not {', '.join(self.exclude_types)}" if self.exclude_types else "",
            f"last seen within {self.max_age_days:,.15g} days" if self.max_age_days is not None else "",
            f"workflows ≥ {self.min_workflows:,}" if self.min_workflows is not None else "",
        ]
        return ", ".join(part for part in parts if part) or "no criteria"


def _shown(value: object) -> str:
    # 101.0 is shown as 101, as it was given. A long value is shortened, to keep the message readable.
    return f"{value:.15g}" if isinstance(value, float) else reprlib.repr(value)


def _types(name: str, types: object) -> tuple[str, ...]:
    if types is None:
        return ()
    if isinstance(types, str) or not isinstance(types, list | tuple | set | frozenset):
        raise InvalidFilter(f"is {_shown(types)}; it has to be a list of pattern types.", name)
    for item in types:
        if not isinstance(item, str) or not item.strip() or not is_storable(item):
            raise InvalidFilter(f"holds {_shown(item)}, which is not the name of a pattern type.", name)
    return tuple(sorted({item.strip() for item in types}))
