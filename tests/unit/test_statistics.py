"""The figures under the names that applications use."""

import pytest

from pattern_sync import SyncStatistics


@pytest.mark.parametrize(
    ("in_source", "in_review", "percentage"),
    [(196, 58, 29.6), (0, 0, 0.0), (0, 5, 0.0), (3, 1, 33.3), (10, 10, 100.0), (1_000_000, 1, 0.0)],
)
def test_the_percentage_has_one_decimal_and_is_0_without_patterns(
    in_source: int, in_review: int, percentage: float
) -> None:
    assert SyncStatistics(in_source, in_review, 0, 0, 0).sync_percentage == percentage


def test_every_figure_can_be_read_by_key_as_from_a_dictionary() -> None:
    statistics = SyncStatistics(196, 58, 146, 46, 0)
    assert statistics["sync_percentage"] == statistics.sync_percentage == 29.6
    assert {name: statistics[name] for name in statistics.to_dict()} == statistics.to_dict()


@pytest.mark.parametrize("name", ["sync_rate", "to_dict", "__class__"])
def test_an_unknown_figure_is_refused_with_the_known_names(name: str) -> None:
    with pytest.raises(KeyError, match=rf"'{name}'; there are patterns_in_source, .*, sync_percentage"):
        SyncStatistics(0, 0, 0, 0, 0)[name]
