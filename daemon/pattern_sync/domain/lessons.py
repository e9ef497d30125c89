"""What a decision teaches: the traits of an entry that a person saw, and what this person made of them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pattern_sync.domain.groups import tools_of

# A name that is longer is hardly ever met twice, and would not be read either.
_LONGEST_NAME = 80
_NO_KIND = "-"


@dataclass(frozen=True, slots=True)
class Traits:
    """What a likelihood is told by. Confidence is 0 to 1, money USD a month; None is unknown."""

    confidence: float
    occurrences: float
    savings: float
    evidence: float | None
    workflows: float | None
    days_seen: float | None
    kind: str | None
    target: str | None
    shape: str

    def figures(self) -> dict[str, float | None]:
        """Return the figures by name; of those that range over powers of ten, the logarithms."""
        return {
            "confidence": _finite(self.confidence),
            "occurrences": _logarithm(self.occurrences),
            "savings": _logarithm(self.savings),
            "evidence": _logarithm(self.evidence),
            "workflows": _logarithm(self.workflows),
            "days seen": _logarithm(self.days_seen),
        }

    def categories(self) -> frozenset[str]:
        """Return what the entry is: its type, kind and target, and each of its tools."""
        return frozenset(name for name in self._named() if len(name) <= _LONGEST_NAME)

    def _named(self) -> Iterator[str]:
        if self.kind and self.kind != _NO_KIND:
            yield f"type {self.kind.partition(':')[0]}"
            yield f"kind {self.kind}"
        if self.target:
            yield f"target {self.target}"
        for tool in tools_of(self.shape):
            if tool:
                yield f"tool {tool}"


@dataclass(frozen=True, slots=True)
class Lesson:
    """A person's decision that stands. A batch teaches one for each shape: one click is one opinion."""

    traits: Traits
    approved: bool


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _logarithm(value: float | None) -> float | None:
    known = _finite(value)
    return None if known is None else math.log1p(max(0.0, known))
