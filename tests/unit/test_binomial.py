"""The bound on a share that was counted."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.domain.binomial import chance_of_at_most, largest_share


# The well-known table: to show that people agree in at least 95 %, with 0, 1, 2, 3 against.
@pytest.mark.parametrize(("lost", "of", "share"), [(0, 59, 0.05), (1, 93, 0.05), (2, 124, 0.05), (3, 153, 0.05)])
def test_the_bound_on_a_share_is_that_of_clopper_and_pearson(lost: int, of: int, share: float) -> None:
    assert largest_share(lost, of) <= share < largest_share(lost, of - 1)


@pytest.mark.parametrize(("approvals", "share"), [(7, 0.348), (1, 0.95), (30, 0.095)])
def test_without_a_loss_the_bound_has_a_closed_form(approvals: int, share: float) -> None:
    assert largest_share(0, approvals) == pytest.approx(1 - 0.05 ** (1 / approvals), abs=1e-6)
    assert largest_share(0, approvals) == pytest.approx(share, abs=0.001)


def test_nothing_is_known_of_nothing() -> None:
    assert largest_share(0, 0) == 1.0


@given(st.integers(1, 400), st.data())
def test_the_chance_is_the_sum_of_the_binomials_terms(of: int, data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, of))
    share = data.draw(st.floats(0, 1))
    terms = math.fsum(math.comb(of, each) * share**each * (1 - share) ** (of - each) for each in range(lost + 1))
    assert chance_of_at_most(lost, of, share) == pytest.approx(terms, rel=1e-9, abs=1e-12)


# Of a normal distribution, which a large count is close to.
@pytest.mark.parametrize("lost", [10_000, 500_000, 999_000])
def test_a_large_count_is_bounded_without_a_sum_over_its_losses(lost: int) -> None:
    of = 1_000_000
    counted = lost / of
    assert largest_share(lost, of) == pytest.approx(
        counted + 1.6449 * math.sqrt(counted * (1 - counted) / of), abs=2e-5
    )
