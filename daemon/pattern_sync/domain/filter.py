"""The criteria that say which patterns are worth a person's time."""

import math
import sys
from dataclasses import dataclass
from typing import Self

from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.domain.text import is_storable

MAX_OCCURRENCES = 2**31 - 1
MAX_PATTERNS = 2**31 - 1
# At most so many a run by hand, unless somebody says otherwise.
MANUAL_MAX_PATTERNS = 50
# What a person means who names no criteria at all. Any savings will do.
MANUAL_MIN_CONFIDENCE = 60.0
MANUAL_MIN_OCCURRENCES = 2


@dataclass(frozen=True, slots=True)
class SyncFilter:
    """Criteria, and how many missing patterns one run may queue.

    `min_confidence` is 0 to 100, `min_savings` USD a month. What is not named is unbounded: confidence and savings from
    0, one occurrence. None means no such criterion; of the types, none named. An empty `only_types` means every type.
    `max_patterns` None means no cap. Raises InvalidSettings.
    """

    min_confidence: float | None = 0.0
    min_occurrences: int | None = 1
    min_savings: float | None = 0.0
    max_patterns: int | None = MANUAL_MAX_PATTERNS
    only_types: tuple[str, ...] = ()
    exclude_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_bound("min_confidence", self.min_confidence, 0, 100)
        _check_bound("min_occurrences", self.min_occurrences, 0, MAX_OCCURRENCES, whole=True)
        _check_bound("min_savings", self.min_savings, 0, math.inf)
        _check_bound("max_patterns", self.max_patterns, 1, MAX_PATTERNS, whole=True)
        for name in ("only_types", "exclude_types"):
            object.__setattr__(self, name, _types(name, getattr(self, name)))
        if both := sorted(set(self.only_types) & set(self.exclude_types)):
            raise InvalidSettings(
                f"only_types and exclude_types contradict each other: both name {', '.join(both)}."
                " Take it out of one of them."
            )

    @classmethod
    def manual(cls) -> Self:
        """Return what a sync by hand takes to which no criteria are given: 60 % sure, 2 occurrences, at most 50."""
        return cls(min_confidence=MANUAL_MIN_CONFIDENCE, min_occurrences=MANUAL_MIN_OCCURRENCES, min_savings=None)

    @classmethod
    def high_priority(cls, max_patterns: int | None = 20) -> Self:
        """Return what the daemon queues by default: 70 % sure, 5 occurrences, 1,000 USD a month."""
        return cls(min_confidence=70.0, min_occurrences=5, min_savings=1000.0, max_patterns=max_patterns)

    @classmethod
    def everything(cls, max_patterns: int | None = 200) -> Self:
        """Return a filter without criteria."""
        return cls(min_confidence=None, min_occurrences=None, min_savings=None, max_patterns=max_patterns)

    def __str__(self) -> str:
        parts = [
            f"confidence ≥ {self.min_confidence:g} %" if self.min_confidence is not None else "",
            f"occurrences ≥ {self.min_occurrences:,}" if self.min_occurrences is not None else "",
            f"savings ≥ {self.min_savings:,.2f} USD a month" if self.min_savings is not None else "",
            f"only {', '.join(self.only_types)}" if self.only_types else "",
            f"not {', '.join(self.exclude_types)}" if self.exclude_types else "",
        ]
        return ", ".join(part for part in parts if part) or "no criteria"


def _check_bound(name: str, value: float | None, low: int, high: float, *, whole: bool = False) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise InvalidSettings(f"{name} is {value!r}, which is not a {'whole ' if whole else ''}number.")
    # NaN compares as false; an int can be larger than any float.
    if not low <= value <= min(high, sys.float_info.max):
        bounds = f"from {low} to {high:,}" if math.isfinite(high) else f"{low} or more"
        raise InvalidSettings(f"{name} is {value!r}; it has to be {bounds}.")


def _types(name: str, types: object) -> tuple[str, ...]:
    if types is None:
        return ()
    if isinstance(types, str) or not isinstance(types, list | tuple | set | frozenset):
        raise InvalidSettings(f"{name} is {types!r}; it has to be a list of pattern types.")
    for item in types:
        if not isinstance(item, str) or not item.strip() or not is_storable(item):
            raise InvalidSettings(f"{name} holds {item!r}, which is not the name of a pattern type.")
    return tuple(dict.fromkeys(item.strip() for item in types))
