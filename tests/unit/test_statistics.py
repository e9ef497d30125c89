"""The percentage that the application's people know."""

import pytest

from pattern_sync import SyncStatistics


@pytest.mark.parametrize(
    ("in_source", "in_review", "percentage"),
    [(196, 58, 29.6), (0, 0, 0.0), (0, 5, 0.0), (3, 1, 33.3), (10, 10, 100.0), (1_000_000, 1, 0.0)],
)
def test_the_percentage_has_one_decimal_and_is_nothing_without_patterns(
    in_source: int, in_review: int, percentage: float
) -> None:
    assert SyncStatistics(in_source, in_review, 0, 0, 0).sync_percentage == percentage
