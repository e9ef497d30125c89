"""Intervals hold what they are said to hold, and are the same each time."""

import math
from random import Random

import pytest

from pattern_sync.domain.roi_intervals import MOST_GROUPS, band, dealt, in_turn, ratio_intervals, sum_interval

TRIALS = 400


def test_the_same_figures_have_the_same_interval() -> None:
    values = [float(number % 5) for number in range(40)]
    assert sum_interval(values, Random("a")) == sum_interval(values, Random("a"))


def test_an_interval_has_the_sum_in_it_and_is_wider_where_less_is_known() -> None:
    steady, rare = [1.0] * 28 + [1.1, 0.9], [0.0] * 25 + [6.0] * 5
    certain, uncertain = sum_interval(steady, Random("a")), sum_interval(rare, Random("a"))
    assert certain is not None
    assert uncertain is not None
    assert certain.low <= 30 <= certain.high
    assert uncertain.low <= 30 <= uncertain.high
    assert uncertain.high - uncertain.low > 10 * (certain.high - certain.low)


@pytest.mark.parametrize("values", [[], [5.0], [0.0, 0.0, 5.0, 0.0]])
def test_of_one_value_there_is_no_interval(values: list[float]) -> None:
    assert sum_interval(values, Random("a")) is None


def test_of_few_patterns_or_of_one_that_carries_all_there_is_no_interval() -> None:
    assert ratio_intervals([(1.0, 2.0)] * 5, Random("a")) == (None, None)
    assert ratio_intervals([(1.0, 2.0)] * 9 + [(500.0, 1_000_000.0)], Random("a")) == (None, None)
    assert band([[1.0, 2.0]] * 5, Random("a")) == [None, None]


def test_groups_keep_the_sum_and_the_neighbours() -> None:
    values = [float(number) for number in range(365)]
    groups = in_turn(values)
    assert (len(groups), sum(groups)) == (MOST_GROUPS, sum(values))
    assert groups[:2] == [sum(values[:12]), sum(values[12:24])]
    columns = dealt([values, [2 * value for value in values]], Random("a"))
    assert [len(column) for column in columns] == [MOST_GROUPS, MOST_GROUPS]
    assert columns[1] == [2 * value for value in columns[0]]


@pytest.mark.slow
@pytest.mark.parametrize(("days", "runs_a_day"), [(14, 0.4), (14, 3.0), (30, 0.2), (90, 1.0), (365, 0.5)])
def test_a_pattern_s_interval_holds_the_true_figure_in_nine_cases_of_ten(days: int, runs_a_day: float) -> None:
    chance = Random(f"{days} {runs_a_day}")
    truth = days * runs_a_day * (0.9 * math.exp(0.18) - 0.1 * 0.3)
    held = asked = 0
    for trial in range(TRIALS):
        daily = [math.fsum(_run(chance) for _ in range(_poisson(chance, runs_a_day))) for _ in range(days)]
        if sum(value != 0 for value in daily) < 5:
            continue
        interval = sum_interval(daily, Random(f"{trial}"))
        assert interval is not None
        asked, held = asked + 1, held + (interval.low <= truth <= interval.high)
    assert held / asked >= 0.85


@pytest.mark.slow
@pytest.mark.parametrize("patterns", [6, 12, 30, 100])
def test_the_share_of_all_patterns_is_in_its_interval_in_nine_cases_of_ten(patterns: int) -> None:
    chance = Random(f"{patterns}")
    truth = math.exp(-0.7 + 0.4**2 / 2)
    held = asked = 0
    for trial in range(TRIALS):
        pairs = []
        for _ in range(patterns):
            estimate = math.exp(chance.gauss(6, 0.8))
            pairs.append((estimate * math.exp(chance.gauss(-0.7, 0.4)) * chance.gauss(1, 0.2), estimate))
        _, interval = ratio_intervals(pairs, Random(f"{trial}"))
        if interval is not None:
            asked, held = asked + 1, held + (interval.low <= truth <= interval.high)
    assert asked > TRIALS / 2
    assert held / asked >= 0.85


def _run(chance: Random) -> float:
    """Return what a run saves: one of ten fails, and its cost is lost."""
    return -0.3 if chance.random() < 0.1 else chance.lognormvariate(0, 0.6)


def _poisson(chance: Random, mean: float) -> int:
    count, product = 0, chance.random()
    while product > math.exp(-mean):
        count, product = count + 1, product * chance.random()
    return count
