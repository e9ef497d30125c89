"""When a receiver that is busy is to be asked again."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.delivery.answers import LONGEST_RETRY_AFTER_SECONDS, delivery_of, retry_after_seconds

NOW = datetime(2026, 11, 27, 8, 30, tzinfo=UTC)
DAY = LONGEST_RETRY_AFTER_SECONDS


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("0", 0.0),
        ("120", 120.0),
        ("86400", DAY),
        ("86401", DAY),
        ("9" * 5000, DAY),
        ("Fri, 27 Nov 2026 08:32:00 GMT", 120.0),
        ("Fri, 27 Nov 2026 09:32:00 +0100", 120.0),
        ("Fri, 27 Nov 2026 08:32:00 -0000", 120.0),
        ("Fri, 27 Nov 2026 08:00:00 GMT", 0.0),
        ("Sun, 27 Nov 9999 08:00:00 GMT", DAY),
        ("Fri, 27 Nov 99999 08:00:00 GMT", None),
        ("Fri, 99 Nov 2026 08:32:00 GMT", None),
    ],
)
@pytest.mark.parametrize("status_code", [429, 503])
def test_seconds_and_dates_are_understood_up_to_a_day(
    value: str | None, seconds: float | None, status_code: int
) -> None:
    assert delivery_of("host.example", status_code, value, NOW).retry_after_seconds == seconds


@pytest.mark.parametrize("status_code", [200, 301, 400, 404, 410, 500, 502])
def test_only_a_receiver_that_is_busy_is_asked_when(status_code: int) -> None:
    assert delivery_of("host.example", status_code, "120", NOW).retry_after_seconds is None


@given(st.one_of(st.text(), st.text("0123456789 :,+-GMTFriNovJan"), st.datetimes().map(str)))
def test_no_header_breaks_it_or_makes_it_wait_for_longer(value: str) -> None:
    seconds = retry_after_seconds(value, NOW)
    assert seconds is None or 0 <= seconds <= DAY
