"""Intervals by resampling: between which bounds a sum would lie if what was seen were drawn once more."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol, TypeVar

# More values than this are put together in groups first, in which their sums vary as much.
MOST_GROUPS = 30
_RESAMPLES = 500
# Of a band, whose bounds stand side by side for every week, fewer show as much.
_RESAMPLES_OF_BAND = 200
# Of fewer patterns, an interval was measured to hold too rarely what it should.
LEAST_PATTERNS = 6
_LEAST_RUNS = 2
_LEAST_CARRIERS = 1.5
_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf(0.95)


Item = TypeVar("Item")


class Chance(Protocol):
    """Draws at random, as `random.Random` does."""

    def choices(self, population: Sequence[Item], /, *, k: int) -> list[Item]:
        """Return `k` items, each drawn from all."""

    def sample(self, population: Sequence[Item], /, k: int) -> list[Item]:
        """Return `k` items, each drawn from those that are left."""


# The chance that belongs to a name: the same results have the same intervals each time.
Draw = Callable[[str], Chance]


@dataclass(frozen=True, slots=True)
class Interval:
    """The bounds between which a figure lies in nine cases of ten."""

    low: float
    high: float

    def times(self, factor: float) -> "Interval":
        """Return the interval of the figure times a positive factor."""
        return Interval(self.low * factor, self.high * factor)


def sum_interval(values: Sequence[float], chance: Chance) -> Interval | None:
    """Return the 90 % interval of the sum of values that follow each other in time; None with less than two groups."""
    groups = in_turn(values)
    counting = sum(group != 0 for group in groups)  # days without a run say little of what a run saves
    if counting < _LEAST_RUNS:
        return None
    drawn = chance.choices(groups, k=len(groups) * _RESAMPLES)
    size = len(groups)
    return _bounds([math.fsum(drawn[at : at + size]) for at in range(0, len(drawn), size)], counting)


def ratio_intervals(
    pairs: Sequence[tuple[float, float]], chance: Chance
) -> tuple[Interval, Interval] | tuple[None, None]:
    """Return the 90 % intervals of the sum of the first ones, and of its ratio to the sum of the second, all above 0.

    The pairs are of things that are independent of each other. Both are None for few of them, and where one alone
    carries the sum.
    """
    weights = [pair[1] for pair in pairs]
    if len(pairs) < LEAST_PATTERNS or (size := _carriers(weights)) < _LEAST_CARRIERS:
        return None, None
    parts = dealt(list(zip(*pairs, strict=True)), chance)
    groups = list(zip(*parts, strict=True))
    sums: list[float] = []
    ratios: list[float] = []
    for _ in range(_RESAMPLES):
        picked = chance.choices(groups, k=len(groups))
        numerator = math.fsum(pair[0] for pair in picked)
        sums.append(numerator)
        ratios.append(numerator / math.fsum(pair[1] for pair in picked))
    return _bounds(sums, size), _bounds(ratios, size)


def band(rows: Sequence[Sequence[float]], chance: Chance) -> list[Interval | None]:
    """Return the 90 % interval of each column's sum, of rows that are independent; None each for few rows."""
    if len(rows) < LEAST_PATTERNS:
        return [None] * (len(rows[0]) if rows else 0)
    groups = list(zip(*dealt(list(zip(*rows, strict=True)), chance), strict=True))
    drawn = [
        [sum(column) for column in zip(*chance.choices(groups, k=len(groups)), strict=True)]
        for _ in range(_RESAMPLES_OF_BAND)
    ]
    carriers = [_carriers([row[place] for row in rows]) for place in range(len(rows[0]))]
    return [
        _bounds(list(column), size) if size >= _LEAST_CARRIERS else None
        for column, size in zip(zip(*drawn, strict=True), carriers, strict=True)
    ]


def in_turn(values: Sequence[float]) -> list[float]:
    """Return the sums of at most so many groups of neighbours, which keeps what hangs together in time together."""
    count = min(len(values), MOST_GROUPS)
    return [
        math.fsum(values[len(values) * group // count : len(values) * (group + 1) // count]) for group in range(count)
    ]


def dealt(columns: Sequence[Sequence[float]], chance: Chance) -> list[list[float]]:
    """Return each column's sums of at most so many groups, into which the rows were dealt at random."""
    rows = len(columns[0])
    order = chance.sample(range(rows), rows)
    hands = [order[group :: min(rows, MOST_GROUPS)] for group in range(min(rows, MOST_GROUPS))]
    return [[math.fsum(column[row] for row in hand) for hand in hands] for column in columns]


def _carriers(weights: Sequence[float]) -> float:
    """Return by how many equal ones so unequal ones are worth (Kish): where one carries the sum, there is only one."""
    squares = math.fsum(weight * weight for weight in weights)
    return math.fsum(map(abs, weights)) ** 2 / squares if squares else 0.0


def _bounds(drawn: list[float], size: float) -> Interval:
    """Return the percentiles that bound 90 %, moved outwards as a sample of this size scatters less than its source."""
    drawn.sort()
    share = _NORMAL.cdf(-math.sqrt(size / (size - 1)) * _t95(size - 1))
    place = share * (len(drawn) - 1)
    return Interval(_at(drawn, place), _at(drawn, len(drawn) - 1 - place))


def _at(ordered: Sequence[float], place: float) -> float:
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _t95(degrees: float) -> float:
    """Return Student's t that 95 % do not exceed, to 2 % (Cornish-Fisher); the normal one for many degrees."""
    z = _Z
    return (
        z
        + (z**3 + z) / (4 * degrees)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
    )
