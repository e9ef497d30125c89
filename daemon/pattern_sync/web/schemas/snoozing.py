"""Wishes to see an entry later."""

from typing import Annotated, Self

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, model_validator

from pattern_sync.domain.decision import LONGEST_TEXT
from pattern_sync.domain.snoozing import Wish
from pattern_sync.web.parameters import check_moment
from pattern_sync.web.schemas.review import Remark
from pattern_sync.web.schemas.texts import STORABLE


class SnoozeRequest(Remark):
    """Until when an entry is to be left alone: `until`, `until_doubled` or both are needed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"until": "2026-12-01T09:00:00+01:00", "reason": "waits for the new runner", "reviewer": "ann"}
            ]
        },
    )

    until: Annotated[AwareDatetime | None, BeforeValidator(check_moment)] = Field(
        None, description="A time with its zone, within a year."
    )
    until_doubled: bool = Field(False, strict=True, description="Whether to wake it when its savings have doubled.")
    reason: str | None = Field(
        None, description="Why, for others to read.", max_length=LONGEST_TEXT, json_schema_extra=STORABLE
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.to_wish(None)
        return self

    def to_wish(self, name: str | None) -> Wish:
        """Return the wish; the reviewer in the body precedes the one in the header. Raises InvalidInput."""
        return Wish(self.until, self.until_doubled, self.reviewer or name, self.reason)
