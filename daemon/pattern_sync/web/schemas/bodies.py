"""What all bodies of requests have in common."""

from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """A body whose unknown fields are refused: one that is misspelt would be lost."""

    model_config = ConfigDict(extra="forbid")


def check_number(given: object) -> object:
    """Return a number. Raises ValueError for anything else: Pydantic would turn true into 1, and read texts."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError("it must be a number")  # noqa: TRY004 - Pydantic takes only this one for bad input
    return given
