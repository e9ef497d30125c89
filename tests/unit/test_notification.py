"""Anybody can notify anything: which payloads are ours, and which are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.domain.notification import Request, UnknownPayload, parse_payload


@pytest.mark.parametrize("payload", ["1", "78167", str(2**63 - 1), "0", "-1", str(-(2**63))])
def test_a_row_id_is_a_pattern(payload: str) -> None:
    assert parse_payload(payload) == int(payload)


def test_a_star_requests_everything_and_settings_names_the_filter() -> None:
    assert parse_payload("*") is Request.EVERYTHING
    assert parse_payload("settings") is Request.SETTINGS


@pytest.mark.parametrize(
    "payload",
    [
        *("", " ", "-0", "007", "-01", "+1", "1.0", "1e3", "1_000", "1\n", " 1", "٣", "１２"),  # noqa: RUF001
        *(
            str(2**63),
            str(-(2**63) - 1),
            "9" * 8000,
            "**",
            "Settings",
            "null",
            "1,2",
            "\x00",
            "'; DROP TABLE operation_patterns; --",
        ),
    ],
)
def test_every_other_payload_is_foreign(payload: str) -> None:
    assert isinstance(parse_payload(payload), UnknownPayload)


def test_the_logged_part_of_garbage_is_short_and_printable() -> None:
    shown = parse_payload("\x1b[31m😈\n" + "x" * 8000)
    assert isinstance(shown, UnknownPayload)
    assert shown.shown.isascii()
    assert shown.shown.isprintable()
    assert len(shown.shown) < 100


@given(st.text())
def test_no_payload_makes_the_parser_raise(payload: str) -> None:
    parsed = parse_payload(payload)
    assert not isinstance(parsed, int) or (str(parsed) == payload and -(2**63) <= parsed < 2**63)
