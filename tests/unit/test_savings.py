"""What is recorded of a run: bad input gets a sentence with the value, the bound and the way out."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pattern_sync.domain.errors import InvalidInput, NotRecordable
from pattern_sync.domain.savings import Execution, Saving, to_usd

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "amount"),
    [("0.41", "0.41"), (0.1, "0.1"), (-3, "-3"), ("1e3", "1000"), ("0.0000001", "0"), (Decimal("2.50"), "2.5")],
)
def test_an_amount_is_what_it_shows(given: object, amount: str) -> None:
    assert to_usd("usd", given) == Decimal(amount)


@pytest.mark.parametrize("given", ["x", "", "nan", "inf", "-inf", "1e10", "1_0 USD", None])
def test_an_amount_that_is_none_is_refused_with_its_value(given: object) -> None:
    with pytest.raises(InvalidInput, match=f"usd is {given}; it must be a number of USD"):
        to_usd("usd", given)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"workflow_id": " "}, "workflow_id is blank; name the run"),
        ({"workflow_id": "x" * 256}, "workflow_id has 256 characters"),
        ({"workflow_id": "a\0b"}, "cannot be stored"),
        ({"baseline_tokens": -1}, "baseline_tokens is -1"),
        ({"actual_tokens": 2**31}, "actual_tokens is 2147483648"),
        ({"saved_at": datetime(2026, 1, 1)}, "a time without a zone"),  # noqa: DTZ001 - on purpose
    ],
)
def test_a_saving_that_cannot_be_recorded_says_why(fields: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        Saving(**{"usd": Decimal(1), "workflow_id": "wf-1", **fields})  # type: ignore[arg-type]


def test_a_run_has_to_have_been() -> None:
    Saving(Decimal(1), "wf-1", saved_at=NOW + timedelta(minutes=4)).check(NOW)
    with pytest.raises(NotRecordable, match="saved_at is 2026-11-28 00:00 UTC, which has not come"):
        Saving(Decimal(1), "wf-1", saved_at=NOW + timedelta(days=1)).check(NOW)
    with pytest.raises(NotRecordable, match="executed_at"):
        Execution("a", 1, 2, 3, 4, success=True, executed_at=NOW + timedelta(days=1)).check(NOW)
    Execution("a", 1, 2, 3, 4, success=True, executed_at=datetime(2100, 1, 1)).check(NOW)  # noqa: DTZ001 - on purpose


@pytest.mark.parametrize("cost", [-0.01, float("nan"), float("inf"), 1e10])
def test_a_cost_that_cannot_be_is_refused(cost: float) -> None:
    with pytest.raises(InvalidInput, match="actual_cost is "):
        Execution("a", 1, 2, cost, 4, success=True)
