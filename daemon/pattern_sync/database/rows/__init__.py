"""Conversions between rows and the domain's classes, for both drivers."""

from typing import Any, Protocol


# The common interface of both drivers' rows: asyncpg's Record is no Mapping.
class Row(Protocol):
    """A row, read by column name."""

    def __getitem__(self, name: str, /) -> Any: ...  # noqa: ANN401 - a column of any type
