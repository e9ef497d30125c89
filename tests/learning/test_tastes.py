"""Made-up reviewers: those with a taste are foretold, and one who tosses a coin is not."""

import pytest

from tests.support.tastes import COIN, TASTES, Trial, trial

# Learning four times as seldom is a quarter of the work.
QUICK_EVERY = 40


def opened(trials: list[Trial]) -> int:
    return sum(each.opened_after is not None for each in trials)


def test_who_tosses_a_coin_is_not_foretold() -> None:
    assert opened([trial(COIN, seed, every=QUICK_EVERY) for seed in range(3)]) == 0


@pytest.mark.parametrize("taste", TASTES)
def test_who_has_a_taste_is(taste: str) -> None:
    assert opened([trial(taste, seed, every=QUICK_EVERY) for seed in range(3)]) >= 2


@pytest.mark.slow
def test_of_200_who_toss_a_coin_hardly_one_opens_the_gate() -> None:
    assert opened([trial(COIN, seed) for seed in range(200)]) <= 4


@pytest.mark.slow
@pytest.mark.parametrize("taste", TASTES)
def test_of_those_with_a_taste_nearly_all_open_it(taste: str) -> None:
    assert opened([trial(taste, seed) for seed in range(40)]) >= 36
