"""Between rows and the domain's classes, for both drivers."""

from typing import Any, Protocol


# What both drivers' rows can do: asyncpg's Record is no Mapping.
class Row(Protocol):
    """A row, by the names of its columns."""

    def __getitem__(self, name: str, /) -> Any: ...  # noqa: ANN401 - a column of any type
