"""Manual syncs and statistics."""

import math
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import (
    ConfigDict,
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    computed_field,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass as document

from pattern_sync.domain.filter import BOUNDS, EVERYTHING_MAX_PATTERNS, PATTERNS, SyncFilter
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.statistics import SyncStatistics
from pattern_sync.web.schemas.bodies import RequestBody
from pattern_sync.web.schemas.texts import NOT_BLANK

# No request may queue more patterns than the administrators' /sync/all.
_BOUNDS = {**BOUNDS, "max_patterns": replace(PATTERNS, maximum=EVERYTHING_MAX_PATTERNS)}

PatternType = Annotated[str, Field(json_schema_extra=NOT_BLANK)]


def _criterion(name: str, description: str) -> Any:  # noqa: ANN401 - a FieldInfo, typed as the field's value
    bounds = _BOUNDS[name]
    most = {} if math.isinf(bounds.maximum) else {"maximum": bounds.maximum}
    return Field(bounds.unnamed, description=description, json_schema_extra={"minimum": bounds.minimum, **most})


class SyncCriteria(RequestBody):
    """Criteria of a manual sync. One that is left out, or null, takes its default."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"min_confidence": 80, "min_savings": 5000, "max_patterns": 10}]},
    )

    min_confidence: float | None = _criterion("min_confidence", "The least confidence, in percent.")
    min_occurrences: int | None = _criterion("min_occurrences", "The least number of occurrences.")
    min_savings: float | None = _criterion("min_savings", "The least savings, in USD a month.")
    max_age_days: float | None = _criterion("max_age_days", "The most days since the pattern was last seen.")
    min_workflows: int | None = _criterion("min_workflows", "The least number of distinct workflows on record.")
    max_patterns: int | None = _criterion("max_patterns", "The largest number of patterns to queue, best impact first.")
    only_types: list[PatternType] | None = Field(
        None, max_length=1_000, description="The pattern types to queue; if empty, all types."
    )
    exclude_types: list[PatternType] | None = Field(
        None, max_length=1_000, description="Pattern types that are not queued."
    )

    @field_validator(*_BOUNDS, mode="wrap")
    @classmethod
    def _check_bounds(cls, given: object, parse: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        value: object = given if isinstance(given, bool) else parse(given)  # pydantic would turn true into 1
        if info.field_name:
            _BOUNDS[info.field_name].check(info.field_name, value)
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.to_filter()
        return self

    def to_filter(self) -> SyncFilter:
        """Return the filter. Raises InvalidFilter if the criteria contradict each other."""
        return SyncFilter(**self.model_dump(exclude_none=True))


# Answers always hold every field, although the class has defaults.
@document(config=ConfigDict(json_schema_serialization_defaults_required=True), frozen=True)
class SyncReport(SyncResult):
    """What a sync did, or would do in a dry run.

    `total_candidates` = `synced_count` + `skipped_count` + `error_count` + `remaining_count`: patterns queued, already
    in the queue, refused, and left out by `max_patterns`. `synced_pattern_ids` holds the first 200, best impact first.
    """

    errors: Annotated[tuple[str, ...], Field(description="Why patterns were refused: at most 20 messages.")] = ()
    failed_pattern_ids: Annotated[
        tuple[str, ...], Field(description="The signatures of the patterns in `errors`, in the same order.")
    ] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total_candidates(self) -> int:
        """The number of patterns that qualified."""
        return super().total_candidates


@document(frozen=True)
class SyncCounts(SyncStatistics):
    """The numbers of patterns and of queue entries."""

    pending_sync: Annotated[int, Field(description="Eligible patterns without an entry, whatever their figures.")]
    qualifying: Annotated[int, Field(description="Patterns that pass the filter in force.")]
    qualifying_missing: Annotated[int, Field(description="Qualifying patterns without an entry: 0 when all is well.")]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sync_percentage(self) -> float:
        """patterns_in_review / patterns_in_source x 100, to one decimal."""
        return super().sync_percentage
