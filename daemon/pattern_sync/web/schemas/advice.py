"""Approval rates, the price list of bounds, and patterns that only just miss the filter."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from pattern_sync.domain.advice import KindRate, Rate
from pattern_sync.web.schemas.review import Remark


class Approvals(BaseModel):
    """How many of some decisions were approvals; a batch counts once for each shape."""

    approved: int
    decided: int

    @classmethod
    def of(cls, rate: Rate) -> Self:
        """Return a rate as it is sent."""
        return cls(approved=rate.approved, decided=rate.decided)


class KindRates(BaseModel):
    """How often patterns of one kind were approved, beside all patterns."""

    kind: str | None = Field(description="The first two parts of the signature; null if it is not known.")
    of_kind: Approvals
    overall: Approvals
    expected: float | None = Field(
        description="The share of approvals to expect of this kind, 0 to 1. It leans on all decisions where those of"
        " the kind are few. Null without a decision."
    )

    @classmethod
    def of(cls, rate: KindRate) -> Self:
        """Return a rate with its expectation."""
        return cls(
            kind=rate.kind,
            of_kind=Approvals.of(rate.of_kind),
            overall=Approvals.of(rate.overall),
            expected=rate.expected,
        )


class Wanted(Remark):
    """Who wants a pattern in the queue."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reviewer": "ann"}]})


class Queued(BaseModel):
    """The receipt of a pattern that was queued by hand."""

    pattern_id: str = Field(description="The pattern's signature.")
    reviewer: str = Field(description="The name under which it was noted.")
