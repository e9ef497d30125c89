"""People's agreement with a rule, and how sure it is: its lower bound, not its share."""

from dataclasses import dataclass

from pattern_sync.domain.binomial import is_within, largest_share

# Beyond this, a rule with so many decisions against it will not get there.
MOST_NEEDED = 1_000_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many of the decisions that a rule would have made people made likewise; a batch counts once a shape."""

    agreed: int
    judged: int

    @property
    def against(self) -> int:
        """Return how many people made otherwise."""
        return self.judged - self.agreed

    @property
    def lower_bound(self) -> float:
        """Return the share that the true one is below with a chance of 5 % only (Clopper-Pearson, one-sided)."""
        return 1.0 - largest_share(self.against, self.judged) if self.judged else 0.0

    def reaches(self, share: float) -> bool:
        """Return whether the lower bound is at least this share."""
        return _reaches(self.against, self.judged, share)

    def needed(self, share: float) -> int | None:
        """Return how many more, all agreeing, the lower bound needs to reach a share; None if that is out of reach."""
        enough = max(self.judged, 1)
        while not _reaches(self.against, enough, share):
            if enough > MOST_NEEDED:
                return None
            enough *= 2
        too_few = max(self.judged, enough // 2) - 1
        while enough - too_few > 1:
            middle = (too_few + enough) // 2
            if _reaches(self.against, middle, share):
                enough = middle
            else:
                too_few = middle
        return max(0, enough - self.judged)

    def sentence(self, share: float) -> str:
        """Return how far the proof is, in words."""
        so_far = f"{self.agreed:,} of {self.judged:,} agree"
        needed = self.needed(share)
        if needed == 0:
            return f"{so_far}: with 95 % certainty, at least {_percent(self.lower_bound)} do."
        if needed is None:
            return f"{so_far}; with so many against it, {_percent(share)} is out of reach."
        more = "1 more is" if needed == 1 else f"{needed:,} more are"
        return f"{so_far}; {more} needed for {_percent(share)}."


def _reaches(against: int, judged: int, share: float) -> bool:
    return is_within(against, judged, 1.0 - share)


def _percent(share: float) -> str:
    # Rounded down: what does not reach a bound must not look as if it did.
    return f"{int(share * 1_000 + 1e-6) / 10:g} %"
