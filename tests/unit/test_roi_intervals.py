"""Intervals hold what they are said to hold, and are the same each time."""

from random import Random

import pytest

from pattern_sync.domain.roi_intervals import MOST_GROUPS, band, dealt, in_turn, ratio_intervals, sum_interval


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
