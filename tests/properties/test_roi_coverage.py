"""Intervals hold the true figure in nine cases of ten, or nearly: simulated patterns whose truth is known."""

import math
from random import Random

import pytest

from pattern_sync.domain.roi_intervals import ratio_intervals, sum_interval

pytestmark = pytest.mark.slow
TRIALS = 400


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
