"""Which share of what was promised patterns of a kind got, and what that says of an estimate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pattern_sync.domain.roi import Expected

# The share of a kind counts with those of its patterns that have results, that of all kinds with so many more.
PRIOR_PATTERNS = 3


@dataclass(frozen=True, slots=True)
class Shares:
    """What kinds of patterns got of what was promised: patterns with results, USD a month, and the estimate of each."""

    kinds: Mapping[str, tuple[int, float, float]]
    patterns: int
    monthly_usd: float
    estimated_usd: float

    def of_kind(self, kind: str) -> float | None:
        """Return the share that the patterns of a kind got; None if none has results."""
        _, usd, estimated = self.kinds.get(kind, (0, 0.0, 0.0))
        return usd / estimated if estimated else None

    def expected(self, kind: str) -> float | None:
        """Return the share to expect of the next pattern of a kind, at least 0; None if no pattern has results."""
        if not self.estimated_usd:
            return None
        patterns = self.kinds.get(kind, (0,))[0]
        overall = self.monthly_usd / self.estimated_usd
        own = self.of_kind(kind) or 0.0
        return max(0.0, (patterns * own + PRIOR_PATTERNS * overall) / (patterns + PRIOR_PATTERNS))

    def correct(self, kind: str, estimated_usd: float | None) -> Expected | None:
        """Return an estimate beside what is to be expected of it; None if there is nothing to go by."""
        share = self.expected(kind)
        if share is None or estimated_usd is None or estimated_usd <= 0:
            return None
        patterns, own = self.kinds.get(kind, (0,))[0], self.of_kind(kind)
        overall = max(0.0, self.monthly_usd / self.estimated_usd)
        if own is None:
            others = f"{_some(self.patterns)} of other kinds got {100 * overall:.0f} %"
            words = f"No pattern of this kind has results yet; {others}."
        else:
            words = f"{_some(patterns)} of this kind got {100 * own:.0f} % of what was promised."
        return Expected(estimated_usd, estimated_usd * share, share, own, patterns, words)


def shares_of(measured: Iterable[tuple[str, float, float]]) -> Shares:
    """Return what kinds of patterns got of their estimates, from each one's kind, USD a month and estimate."""
    all_usd, all_estimated = 0.0, 0.0
    kinds: dict[str, tuple[int, float, float]] = {}
    for kind, monthly, estimated in measured:
        patterns, usd, promised = kinds.get(kind, (0, 0.0, 0.0))
        kinds[kind] = (patterns + 1, usd + monthly, promised + estimated)
        all_usd, all_estimated = all_usd + monthly, all_estimated + estimated
    return Shares(kinds, sum(each[0] for each in kinds.values()), all_usd, all_estimated)


def _some(patterns: int) -> str:
    return "1 pattern" if patterns == 1 else f"{patterns:,} patterns"
