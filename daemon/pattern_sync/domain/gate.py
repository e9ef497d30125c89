"""The gate: whether the model has foretold decisions better than the base rate, before they were made."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_SCORED = 50
FEWEST_OF_EACH_SORT = 10
OPENS_ABOVE = 2.0
CLOSES_BELOW = 1.0
# Older ones say nothing about what people want now.
WINDOW = 200
_EVEN = 0.5
_FEWEST_FOR_SPREAD = 2


@dataclass(frozen=True, slots=True)
class Scored:
    """A decision that was foretold, 0 to 1, before it was made, and whether its entry was folded away then."""

    likelihood: float
    approved: bool
    reviewer: str
    folded: bool = False


@dataclass(frozen=True, slots=True)
class ReviewerScore:
    """How many of one reviewer's decisions were as foretold, and how many as most decisions of all are."""

    reviewer: str
    decided: int
    as_foretold: int
    as_most: int


@dataclass(frozen=True, slots=True)
class Gate:
    """How the gate stands after all decisions that were foretold.

    `z` says by how many standard errors the predictions were better than the base rate; it is of the last ones, like
    `approved` of `scored`. `was_open` says that it was open before, and closed as people decided otherwise.
    """

    is_open: bool
    was_open: bool
    z: float
    approved: int
    scored: int

    @property
    def rejected(self) -> int:
        """Return how many of the last ones were rejections."""
        return self.scored - self.approved


def judge(record: Sequence[Scored]) -> Gate:
    """Return how the gate stands after a record, oldest first: it is opened and closed by each decision in turn."""
    gains = _gains(record)
    approvals = [each.approved for each in record]
    is_open = was_open = False
    z, first = 0.0, 0
    for number in range(FEWEST_SCORED, len(record) + 1):
        first = max(0, number - WINDOW)
        z = _z(gains[first:number])
        if is_open:
            is_open = z >= CLOSES_BELOW
        else:
            fewest = min(yes := sum(approvals[first:number]), number - first - yes)
            is_open = z > OPENS_ABOVE and fewest >= FEWEST_OF_EACH_SORT
        was_open |= is_open
    if len(record) < FEWEST_SCORED:
        z = _z(gains)
    return Gate(is_open, was_open and not is_open, z, sum(approvals[first:]), len(record) - first)


def reviewer_scores(record: Sequence[Scored]) -> tuple[ReviewerScore, ...]:
    """Return how each reviewer's decisions agree with what was foretold, those who decided most first."""
    by_reviewer: dict[str, list[Scored]] = defaultdict(list)
    for each in record:
        by_reviewer[each.reviewer].append(each)
    most_are_approved = 2 * sum(each.approved for each in record) > len(record)
    found = [
        ReviewerScore(
            reviewer,
            len(own),
            sum((each.likelihood > _EVEN) == each.approved for each in own),
            sum(each.approved == most_are_approved for each in own),
        )
        for reviewer, own in by_reviewer.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.decided, each.reviewer)))


def _gains(record: Sequence[Scored]) -> list[float]:
    """Return by how much each squared error was smaller than that of the base rate before the decision."""
    gains = []
    approved = 0
    for number, each in enumerate(record):
        base = (approved + 1) / (number + 2)
        gains.append((base - each.approved) ** 2 - (each.likelihood - each.approved) ** 2)
        approved += each.approved
    return gains


def _z(gains: Sequence[float]) -> float:
    """Return the mean in standard errors; 0 where there is nothing to tell it by."""
    number = len(gains)
    if number < _FEWEST_FOR_SPREAD:
        return 0.0
    mean = math.fsum(gains) / number
    variance = math.fsum((gain - mean) ** 2 for gain in gains) / (number - 1)
    return mean / math.sqrt(variance / number) if variance > 0 else 0.0
