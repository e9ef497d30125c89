"""What decisions teach about the filter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.domain.advice import (
    MOST_PRICES,
    PastDecision,
    Rate,
    advise,
    kind_rate,
    rate_of,
)


def decision(
    number: int, *, approved: bool, confidence: float = 80, savings: float = 2000, kind: str | None = "test:pytest"
) -> PastDecision:
    return PastDecision(approved, confidence, 10, savings, kind, f"lesson {number}")


decisions = st.lists(
    st.builds(
        PastDecision,
        approved=st.booleans(),
        confidence=st.floats(70, 100),
        occurrences=st.integers(5, 1000),
        savings=st.floats(1000, 1e9),
        kind=st.sampled_from(["a", "b", None]),
        lesson=st.uuids().map(str),
    ),
    max_size=40,
)


def test_nothing_is_known_without_an_approval() -> None:
    advice = advise([decision(1, approved=False)], 70, 1000)
    assert advice.prices[0].lost_share_at_most == 1.0
    assert advice.remark is not None
    assert advice.remark.startswith("0 approvals are few")


def test_a_batch_counts_once_for_each_shape() -> None:
    together = [PastDecision(False, 80, 10, 2000, "a:b", "batch 1 Read→Edit") for _ in range(300)]
    assert rate_of([*together, decision(1, approved=True)]) == Rate(1, 2)


def test_a_kind_with_few_decisions_leans_on_all() -> None:
    past = [decision(number, approved=number < 3) for number in range(14)]
    past += [decision(100 + number, approved=number < 19, kind="deps:npm") for number in range(44)]
    rate = kind_rate("test:pytest", past)
    assert (rate.of_kind, rate.overall) == (Rate(3, 14), Rate(22, 58))
    assert rate.expected == pytest.approx((3 + 4 * 22 / 58) / 18)
    assert kind_rate(None, past).of_kind == kind_rate("never:seen", past).of_kind == Rate(0, 0)
    assert kind_rate("never:seen", past).expected == pytest.approx(22 / 58)
    assert kind_rate("test:pytest", []).expected is None


def test_bounds_that_hide_only_rejections_are_offered_with_their_price() -> None:
    past = [decision(number, approved=True, confidence=90, savings=5000) for number in range(7)]
    past += [decision(100 + number, approved=False, confidence=72, savings=1200) for number in range(51)]
    advice = advise(past, 70, 1000)
    present, *others = advice.prices
    assert (present.shown, present.hidden) == (58, 0)
    best = next(price for price in others if price.shown == 7)
    assert (best.approvals_kept, best.kept_usd) == (7, 35_000)
    assert best.lost_share_at_most == pytest.approx(0.348, abs=0.001)


@given(decisions)
def test_prices_are_consistent_and_get_stricter(past: list[PastDecision]) -> None:
    prices = advise(past, 70, 1000).prices
    assert 1 <= len(prices) <= MOST_PRICES
    for price in prices:
        assert price.shown + price.hidden == len(past)
        assert price.approvals_kept <= price.approvals
        assert price.kept_usd <= price.approved_usd
        assert 0 < price.lost_share_at_most <= 1
        assert price.min_confidence >= 70
        assert price.min_savings >= 1000
    assert [price.shown for price in prices] == sorted((price.shown for price in prices), reverse=True)
