"""What all bodies of requests have in common."""

from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """A body whose unknown fields are refused: one that is misspelt would be lost."""

    model_config = ConfigDict(extra="forbid")
