"""Conversions between rows and the domain's classes, for both drivers."""

import json
from typing import Any, Protocol


# The common interface of both drivers' rows: asyncpg's Record is no Mapping.
class Row(Protocol):
    """A row, read by column name."""

    def __getitem__(self, name: str, /) -> Any: ...  # noqa: ANN401 - a column of any type


def to_json(value: object) -> str:
    """Return a parameter of JSON, in letters as they are: only a database in UTF-8 can read their escapes."""
    return json.dumps(value, ensure_ascii=False)
