"""What tokens cost is what the user says, and what is wrong with it is said."""

import pytest

from pattern_sync.detecting import Prices
from pattern_sync.detecting.prices import Tokens
from pattern_sync.domain.errors import InvalidSettings

TABLE = """
["claude-sonnet"]
input = 3
output = 15.0
cache_read = 0.3
cache_write = 3.75

["claude-sonnet-5"]
input = 4
output = 20

[free]
input = 0
output = 0
"""
PRICES = Prices.parse(TABLE, "prices.toml")


def test_each_kind_of_tokens_has_its_price() -> None:
    tokens = Tokens(fresh=1_000_000, output=100_000, cache_read=10_000_000, cache_write=2_000_000)
    assert PRICES.cost_usd("claude-sonnet-4-5-20250929", tokens) == pytest.approx(3 + 1.5 + 3 + 7.5)


def test_the_longest_beginning_that_fits_counts_and_what_is_not_priced_apart_is_input() -> None:
    tokens = Tokens(fresh=0, output=0, cache_read=1_000_000, cache_write=1_000_000)
    assert PRICES.cost_usd("claude-sonnet-5-20260101", tokens) == pytest.approx(8)


def test_what_is_free_costs_nothing_and_what_is_not_known_is_unknown() -> None:
    assert PRICES.cost_usd("free", Tokens(5, 5)) == 0
    assert PRICES.cost_usd("gpt-5", Tokens(5, 5)) is None
    assert Prices.none().cost_usd("claude-sonnet-4", Tokens(5, 5)) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", 'prices.toml has no prices; write ["claude-sonnet-4"] with input'),
        ("[x", "prices.toml is no TOML file"),
        ("x = 3", "prices.toml: x is no table"),
        ("[x]\ninput = 3", "prices.toml: [x] lacks output"),
        ("[x]\noutput = 3", "prices.toml: [x] lacks input"),
        (
            "[x]\ninput = 3\noutput = 3\ncached = 1",
            "prices.toml: [x] cached means nothing; the prices are input, output",
        ),
        ("[x]\ninput = '3'\noutput = 3", "prices.toml: [x] input is '3'; it must be 0 to 10,000 USD a million"),
        ("[x]\ninput = true\noutput = 3", "input is True"),
        ("[x]\ninput = -1\noutput = 3", "input is -1"),
        ("[x]\ninput = nan\noutput = 3", "input is nan"),
        ("[x]\ninput = inf\noutput = 3", "input is inf"),
        ("[x]\ninput = 3000000\noutput = 3", "input is 3000000"),
        ("[claude-3.5]\ninput = 3\noutput = 3", 'prices.toml: [claude-3.5] is read as two names; write ["claude-3.5"]'),
    ],
)
def test_what_is_wrong_with_prices_is_said(text: str, complaint: str) -> None:
    with pytest.raises(InvalidSettings) as fault:
        Prices.parse(text, "prices.toml")
    assert complaint in str(fault.value)
