"""The criteria: which values are refused, with which message, and how a filter is shown."""

import math

import pytest

from pattern_sync import InvalidSettings, SyncFilter
from pattern_sync.domain.filter import OCCURRENCES


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_confidence", 0),
        ("min_confidence", 100.0),
        ("min_confidence", None),
        ("min_occurrences", 0),
        ("min_occurrences", OCCURRENCES.maximum),
        ("min_savings", 0.0),
        ("min_savings", 1e30),
        ("max_patterns", 1),
        ("max_patterns", None),
    ],
)
def test_a_value_on_its_bound_is_taken(name: str, value: float | None) -> None:
    assert getattr(SyncFilter(**{name: value}), name) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("min_confidence", -0.1, "0 to 100"),
        ("min_confidence", 100.1, "0 to 100"),
        ("min_confidence", math.nan, "0 to 100"),
        ("min_confidence", math.inf, "0 to 100"),
        ("min_occurrences", -1, "0 to"),
        ("min_occurrences", OCCURRENCES.maximum + 1, "2,147,483,647"),
        ("min_savings", -1.0, "0 or more"),
        ("min_savings", math.inf, "0 or more"),
        ("min_savings", math.nan, "0 or more"),
        ("max_patterns", 0, "1"),
        ("max_patterns", -5, "1"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_name_value_and_bound(name: str, value: float, bounds: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        SyncFilter(**{name: value})  # type: ignore[arg-type]
    assert name in str(refusal.value)
    assert f"is {value:.15g};" in str(refusal.value)
    assert bounds in str(refusal.value)


@pytest.mark.parametrize("name", ["min_confidence", "min_occurrences", "min_savings", "max_patterns"])
@pytest.mark.parametrize("value", ["70", True, [1], pytest.param(10**400, id="10**400")])
def test_a_value_that_no_column_can_hold_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidSettings, match=name):
        SyncFilter(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["min_occurrences", "max_patterns"])
def test_half_an_occurrence_is_refused(name: str) -> None:
    with pytest.raises(InvalidSettings, match=rf"{name} is 2\.5"):
        SyncFilter(**{name: 2.5})  # type: ignore[arg-type]


def test_a_type_both_included_and_excluded_is_a_contradiction() -> None:
    with pytest.raises(InvalidSettings, match="both contain deploy, test"):
        SyncFilter(only_types=("test", "sdlc", "deploy"), exclude_types=("deploy", "test"))


@pytest.mark.parametrize("types", ["sdlc", 7, ("",), ("  ",), (7,), ("a\0b",)])
@pytest.mark.parametrize("name", ["only_types", "exclude_types"])
def test_a_value_that_is_no_list_of_types_is_refused(name: str, types: object) -> None:
    with pytest.raises(InvalidSettings, match=name):
        SyncFilter(**{name: types})  # type: ignore[arg-type]


def test_a_criterion_that_is_not_named_is_unbounded() -> None:
    assert SyncFilter() == SyncFilter(0.0, 1, 0.0, 50)
    assert SyncFilter(min_savings=5000.0) == SyncFilter(0.0, 1, 5000.0, 50)


@pytest.mark.parametrize("name", ["only_types", "exclude_types"])
def test_no_types_are_none(name: str) -> None:
    assert SyncFilter(**{name: None}) == SyncFilter()  # type: ignore[arg-type]


def test_types_are_trimmed_and_deduplicated() -> None:
    assert SyncFilter(only_types=[" sdlc", "test", "sdlc "]).only_types == ("sdlc", "test")  # type: ignore[arg-type]


def test_the_three_presets_are_those_that_people_know() -> None:
    assert SyncFilter.high_priority() == SyncFilter(70.0, 5, 1000.0, 20)
    assert SyncFilter.manual() == SyncFilter(60.0, 2, None, 50)
    assert SyncFilter.everything() == SyncFilter(None, None, None, 200)


def test_a_filter_reads_as_a_sentence() -> None:
    wanted = SyncFilter(70.0, 1500, 1000.0, only_types=("sdlc", "test"), exclude_types=("deploy",))
    assert str(wanted) == (
        "confidence ≥ 70 %, occurrences ≥ 1,500, savings ≥ 1,000.00 USD a month, only sdlc, test, not deploy"
    )
    assert str(SyncFilter.everything()) == "no criteria"
