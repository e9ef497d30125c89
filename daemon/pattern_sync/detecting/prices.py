"""What tokens cost, as the user says: a table of models in TOML. None is shipped, as prices change and differ."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from pattern_sync.domain.errors import InvalidSettings

_MILLION = 1_000_000
_KEYS = ("input", "output", "cache_read", "cache_write")
_REQUIRED = _KEYS[:2]
# Dearer than any there is: who writes 3000000 means a price for each token.
_MOST_USD = 10_000.0
_EXAMPLE = '["claude-sonnet-4"] with input, output, cache_read and cache_write in USD for a million tokens'


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one turn. `fresh` are those of the input that were neither read from a cache nor written to one."""

    fresh: int
    output: int
    cache_read: int = 0
    cache_write: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """USD for a million tokens of each kind."""

    fresh: float
    output: float
    cache_read: float
    cache_write: float


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices by the beginning of a model's name; of several that fit, the longest counts."""

    by_prefix: Mapping[str, Price]

    @classmethod
    def none(cls) -> "Prices":
        """Return no prices, so that every cost is unknown."""
        return cls({})

    @classmethod
    def parse(cls, text: str, name: str) -> "Prices":
        """Read a TOML table of models. Raises InvalidSettings."""
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InvalidSettings(f"{name} is no TOML file: {error}") from None
        if not content:
            raise InvalidSettings(f"{name} has no prices; write {_EXAMPLE}")
        return cls({model: _price(name, model, entry) for model, entry in content.items()})

    def cost_usd(self, model: str, tokens: Tokens) -> float | None:
        """Return what a turn cost; None where no price is known for its model."""
        prefix = max((each for each in self.by_prefix if model.startswith(each)), key=len, default=None)
        if prefix is None:
            return None
        price = self.by_prefix[prefix]
        spent = (
            tokens.fresh * price.fresh
            + tokens.output * price.output
            + tokens.cache_read * price.cache_read
            + tokens.cache_write * price.cache_write
        )
        return spent / _MILLION


def _price(name: str, model: str, entry: object) -> Price:
    if not isinstance(entry, dict):
        raise InvalidSettings(f"{name}: {model} is no table; write {_EXAMPLE}")
    for key, value in entry.items():
        if isinstance(value, dict):
            raise InvalidSettings(f'{name}: [{model}.{key}] is read as two names; write ["{model}.{key}"]')
        if key not in _KEYS:
            raise InvalidSettings(f"{name}: [{model}] {key} means nothing; the prices are {', '.join(_KEYS)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_USD:
            raise InvalidSettings(
                f"{name}: [{model}] {key} is {value!r}; it must be 0 to {_MOST_USD:,.0f} USD a million"
            )
    if missing := [key for key in _REQUIRED if key not in entry]:
        raise InvalidSettings(f"{name}: [{model}] lacks {' and '.join(missing)}; write {_EXAMPLE}")
    fresh, output = float(entry["input"]), float(entry["output"])
    # What is not priced apart costs as much as other input.
    return Price(fresh, output, float(entry.get("cache_read", fresh)), float(entry.get("cache_write", fresh)))
