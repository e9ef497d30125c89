"""What decisions teach about the filter: approval rates by kind, and what higher bounds would cost."""

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, product

from pattern_sync.domain.binomial import largest_share

# A kind that nobody has decided on counts as much as this many decisions at the rate of all kinds.
PRIOR_DECISIONS = 4.0
# With fewer approvals, the bound on the loss is so wide that it must be said.
ENOUGH_APPROVALS = 30
MOST_PRICES = 10
_QUANTILES = (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)


@dataclass(frozen=True, slots=True)
class PastDecision:
    """A person's standing decision, with the figures that this person saw.

    Confidence is in percent, savings are USD a month. `lesson` is the same for decisions that teach the same: those of
    one batch on one shape.
    """

    approved: bool
    confidence: float
    occurrences: int
    savings: float
    kind: str | None
    lesson: str


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of some decisions were approvals; a batch counts once for each shape."""

    approved: int
    decided: int

    @property
    def share(self) -> float | None:
        """Return the share of approvals; None without a decision."""
        return self.approved / self.decided if self.decided else None


@dataclass(frozen=True, slots=True)
class KindRate:
    """The approval rate of one kind beside that of all.

    `expected` is the share that the next decision of this kind is expected to have: few decisions of the kind say
    little, so it leans on the rate of all (beta-binomial, with a prior worth four decisions). None without a decision.
    """

    kind: str | None
    of_kind: Rate
    overall: Rate

    @property
    def expected(self) -> float | None:
        """Return the expected share of approvals."""
        overall = self.overall.share
        if overall is None:
            return None
        return (self.of_kind.approved + PRIOR_DECISIONS * overall) / (self.of_kind.decided + PRIOR_DECISIONS)


@dataclass(frozen=True, slots=True)
class Price:
    """What two bounds would have shown and hidden of what was decided, and would show of what is pending.

    `min_confidence` is in percent, money in USD a month. `lost_share_at_most`: with 95 % certainty, no larger share of
    later approvals is lost (Clopper-Pearson, one-sided); 1 without an approval. `pending_shown` is None until the queue
    was asked.
    """

    min_confidence: float
    min_savings: float
    shown: int
    hidden: int
    approvals: int
    approvals_kept: int
    approved_usd: float
    kept_usd: float
    lost_share_at_most: float
    pending_shown: int | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """The price list of bounds, the present ones first; `remark` says why it may be worth little."""

    decided: int
    approvals: int
    prices: tuple[Price, ...]
    remark: str | None


def rate_of(decisions: Iterable[PastDecision]) -> Rate:
    """Return how many lessons were approvals."""
    lessons = {decision.lesson: decision.approved for decision in decisions}
    return Rate(sum(lessons.values()), len(lessons))


def kind_rate(kind: str | None, decisions: Sequence[PastDecision]) -> KindRate:
    """Return the approval rate of a kind; a pattern without a kind has only the rate of all."""
    same = (decision for decision in decisions if kind is not None and decision.kind == kind)
    return KindRate(kind, rate_of(same), rate_of(decisions))


def advise(decisions: Sequence[PastDecision], min_confidence: float, min_savings: float) -> Advice:
    """Return the price list from the present bounds upwards: nothing below them was ever decided on."""
    approved = [decision for decision in decisions if decision.approved]
    present, *stricter = _tallies(
        decisions,
        _splitting([each.confidence for each in decisions], min_confidence),
        _splitting([each.savings for each in decisions], min_savings),
    )
    offered = [tally for tally in _worth_offering([present, *stricter]) if tally.shown < present.shown]
    everything = _Everything(len(decisions), approved, rate_of(approved), math.fsum(each.savings for each in approved))
    return Advice(
        decided=len(decisions),
        approvals=len(approved),
        prices=tuple(everything.price(tally) for tally in (present, *_evenly(offered, MOST_PRICES - 1))),
        remark=_remark(rate_of(decisions)),
    )


@dataclass(frozen=True, slots=True)
class _Tally:
    """What a pair of bounds would have shown, and kept of the approvals."""

    min_confidence: float
    min_savings: float
    shown: int
    kept: int
    kept_usd: float

    def shows(self, decision: PastDecision) -> bool:
        return decision.confidence >= self.min_confidence and decision.savings >= self.min_savings


@dataclass(frozen=True, slots=True)
class _Everything:
    decided: int
    approved: Sequence[PastDecision]
    lessons: Rate
    approved_usd: float

    def price(self, tally: _Tally) -> Price:
        kept = rate_of(decision for decision in self.approved if tally.shows(decision))
        return Price(
            min_confidence=tally.min_confidence,
            min_savings=tally.min_savings,
            shown=tally.shown,
            hidden=self.decided - tally.shown,
            approvals=len(self.approved),
            approvals_kept=tally.kept,
            approved_usd=self.approved_usd,
            kept_usd=tally.kept_usd,
            lost_share_at_most=largest_share(self.lessons.approved - kept.approved, self.lessons.approved),
        )


def _tallies(decisions: Sequence[PastDecision], confidences: Sequence[float], savings: Sequence[float]) -> list[_Tally]:
    """Return what each pair of these ascending bounds shows and keeps, the lowest pair first.

    Every decision is looked at once: it falls between two bounds of each kind, and what falls there is added up.
    """
    shown: Counter[tuple[int, int]] = Counter()
    kept: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
    for decision in decisions:
        place = bisect_right(confidences, decision.confidence) - 1, bisect_right(savings, decision.savings) - 1
        shown[place] += 1
        if decision.approved:
            kept[place].append(decision.savings)
    tallies = []
    for lowest in product(range(len(confidences)), range(len(savings))):
        within = [place for place in shown if place[0] >= lowest[0] and place[1] >= lowest[1]]
        tallies.append(
            _Tally(
                confidences[lowest[0]],
                savings[lowest[1]],
                sum(shown[place] for place in within),
                sum(len(kept[place]) for place in within),
                math.fsum(chain.from_iterable(kept[place] for place in within)),
            )
        )
    return tallies


def _splitting(figures: Sequence[float], lowest: float) -> list[float]:
    """Return the lowest bound, and round ones above it that split the figures."""
    ordered = sorted(figure for figure in figures if figure > lowest)
    picked = {_rounded_down(ordered[int(share * (len(ordered) - 1))]) for share in _QUANTILES} if ordered else set()
    return sorted({lowest} | {bound for bound in picked if bound > lowest})


def _rounded_down(figure: float) -> float:
    """Return the figure with two leading digits: a bound is typed by a person."""
    if figure < 1:
        return figure
    unit = 10.0 ** (math.floor(math.log10(figure)) - 1)
    return math.floor(figure / unit) * unit


def _worth_offering(tallies: Sequence[_Tally]) -> list[_Tally]:
    """Return those than which none shows as few and keeps as much, those that show most first."""
    ordered = sorted(tallies, key=lambda each: (each.shown, -each.kept_usd, -each.kept))
    offered: list[_Tally] = []
    for tally in ordered:
        if not any(other.kept_usd >= tally.kept_usd and other.kept >= tally.kept for other in offered):
            offered.append(tally)
    return offered[::-1]


def _evenly(tallies: Sequence[_Tally], most: int) -> list[_Tally]:
    if len(tallies) <= most:
        return list(tallies)
    return [tallies[round(place * (len(tallies) - 1) / (most - 1))] for place in range(most)]


def _remark(overall: Rate) -> str | None:
    if overall.approved >= ENOUGH_APPROVALS:
        return None
    lost = largest_share(0, overall.approved)
    few = "1 approval is" if overall.approved == 1 else f"{overall.approved} approvals are"
    return (
        f"{few} few: even bounds that keep all of them may lose up to {lost:.0%} of later"
        f" ones. From {ENOUGH_APPROVALS} approvals on, that is {largest_share(0, ENOUGH_APPROVALS):.0%}."
    )
