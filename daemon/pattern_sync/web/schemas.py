"""The HTTP schemas beyond the domain's own classes: requests, and answers with derived fields."""

import math
from abc import abstractmethod
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    computed_field,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic.dataclasses import dataclass as document

from pattern_sync.domain.decision import (
    LONGEST_REVIEWER,
    LONGEST_TEXT,
    Decision,
    Verdict,
    check_comment,
    check_reviewer,
)
from pattern_sync.domain.entry import QueueEntry, Status
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.filter import (
    BOUNDS,
    EVERYTHING_MAX_PATTERNS,
    PATTERNS,
    SyncFilter,
)
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.statistics import SyncStatistics
from pattern_sync.domain.wording import document_of
from pattern_sync.observability.health import Condition

# No request may queue more patterns than the administrators' /sync/all.
_BOUNDS = {**BOUNDS, "max_patterns": replace(PATTERNS, maximum=EVERYTHING_MAX_PATTERNS)}

ENTRY_EXAMPLE: dict[str, Any] = {
    "pattern_id": "sdlc:full:all",
    "tool_sequence": "Read→Edit→Write",
    "status": "pending",
    "confidence_score": 0.85,
    "occurrence_count": 78167,
    "estimated_savings_usd": 183844.06,
    "impact_score": 12214957842.317,
    "pattern_context": "run the whole life cycle of a change",
    "example_sessions": ["workflow-001", "workflow-002"],
    "reviewed_by": None,
    "reviewed_at": None,
    "approval_notes": None,
    "created_at": "2026-11-23T06:43:27.123456Z",
    "from_pattern": True,
}

# For clients that are generated from the description; the domain's own checks enforce it.
_STORABLE: JsonDict = {"pattern": "^[^\\u0000]*$"}
_NOT_BLANK: JsonDict = {"pattern": "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"}
PatternType = Annotated[str, Field(json_schema_extra=_NOT_BLANK)]


def _criterion(name: str, description: str) -> Any:  # noqa: ANN401 - a FieldInfo, typed as the field's value
    bounds = _BOUNDS[name]
    most = {} if math.isinf(bounds.maximum) else {"maximum": bounds.maximum}
    return Field(bounds.unnamed, description=description, json_schema_extra={"minimum": bounds.minimum, **most})


class SyncCriteria(BaseModel):
    """Criteria of a manual sync. One that is left out, or null, takes its default."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"min_confidence": 80, "min_savings": 5000, "max_patterns": 10}]},
    )

    min_confidence: float | None = _criterion("min_confidence", "The least confidence, in percent.")
    min_occurrences: int | None = _criterion("min_occurrences", "The least number of occurrences.")
    min_savings: float | None = _criterion("min_savings", "The least savings, in USD a month.")
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


class Remark(BaseModel):
    """The fields that a decision and a comment share."""

    reviewer: str | None = Field(
        None,
        description="The reviewer's name. Without it, the header `X-Reviewer` counts; without both, it is `system`.",
        max_length=LONGEST_REVIEWER,
        json_schema_extra=_STORABLE,
    )

    @field_validator("reviewer")
    @classmethod
    def _check_reviewer(cls, name: str | None) -> str | None:
        return None if name is None or not name.strip() else check_reviewer(name)


class DecisionBody(Remark):
    """The fields that both decisions share."""

    replaces: Status = Field(
        Status.PENDING,
        description="The status that the decision replaces. If the entry has another one by now, the answer is 409. To"
        " reverse a decision, make a new one that replaces its status.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.to_decision(None)
        return self

    @abstractmethod
    def to_decision(self, header: str | None) -> Decision:
        """Return the decision; the reviewer in the body precedes the one in the header. Raises InvalidInput."""


class Approval(DecisionBody):
    """An approval."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"notes": "worth a script", "reviewer": "ann"}]})

    notes: str | None = Field(
        None, description="Notes for the history.", max_length=LONGEST_TEXT, json_schema_extra=_STORABLE
    )

    def to_decision(self, header: str | None) -> Decision:
        """Return the approval."""
        return Decision(Verdict.APPROVED, self.notes, self.reviewer or header, self.replaces)


class Rejection(DecisionBody):
    """A rejection."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "a one-off", "reviewer": "ann"}]})

    reason: str = Field(
        description="Why the pattern is rejected; must not be blank.",
        max_length=LONGEST_TEXT,
        json_schema_extra=_NOT_BLANK,
    )

    def to_decision(self, header: str | None) -> Decision:
        """Return the rejection."""
        return Decision(Verdict.REJECTED, self.reason, self.reviewer or header, self.replaces)


class Comment(Remark):
    """A comment, which decides nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"comment": "who owns this?", "reviewer": "ann"}]})

    comment: Annotated[str, AfterValidator(check_comment)] = Field(
        description="The text; must not be blank.", max_length=LONGEST_TEXT, json_schema_extra=_NOT_BLANK
    )


class Noted(BaseModel):
    """The receipt of a comment."""

    status: str = Field(description="Always `success`.")
    message: str = Field(description="A sentence that can be shown to a person.")
    pattern_id: str = Field(description="The pattern's signature.")
    reviewer: str = Field(description="The name under which the comment was recorded.")


class Criterion(BaseModel):
    """One criterion of the filter in force beside what the pattern has: in words, and a figure also as a number."""

    name: str
    value: str
    bound: str
    met: bool
    number: float | None = Field(description="Percent, a count or USD a month; null where it is a type, or not finite")
    minimum: float | None = Field(description="What is asked for; null where nothing is")
    missing_by: float | None = Field(description="How much the number lacks; null where it lacks nothing")


class Reasons(BaseModel):
    """Why a pattern is in the queue, or why it is not."""

    pattern_id: str = Field(description="The pattern's signature.")
    queued: bool = Field(description="Whether the queue has an entry for the pattern, whatever its status.")
    outcome: Outcome = Field(
        description="What a reconcile would do with the pattern. `gone`: there is an entry without a pattern, as the"
        " detector deleted the pattern or another program wrote the entry."
    )
    reason: str = Field(description="A sentence that can be shown to a person.")
    entry_status: str | None = Field(description="The status of the entry; null if there is none.")
    automation_status: str | None = Field(description="As the detector or the application set it on the pattern.")
    eligible: bool = Field(
        description="Whether the daemon may queue it: `automation_status` is `detected` or null, and it was not"
        " rejected before."
    )
    rejected: bool = Field(description="Whether it was rejected before although its `automation_status` shows nothing.")
    written_by_us: bool = Field(description="False if another program wrote the entry.")
    criteria: list[Criterion] = Field(description="Every criterion of the filter, beside the pattern's value.")
    shortfalls: list[Criterion] = Field(description="The criteria that the pattern misses.")

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """Return an explanation with its derived fields."""
        known = document_of(explanation)
        return cls(pattern_id=explanation.signature, queued=explanation.entry_status is not None, **known)


class Problem(BaseModel):
    """Why a request failed."""

    detail: str = Field(description="A sentence that can be shown to a person.")


class Conflict(Problem):
    """Why nothing was written."""

    entry: QueueEntry | None = Field(
        None, description="The entry as it is now; null if the application or the database refused the request."
    )


class InvalidField(BaseModel):
    """One fault of a request."""

    loc: list[str | int] = Field(
        description="Where the fault is: `path`, `query`, `header` or `body`, then the names inside."
    )
    msg: str = Field(description="What is wrong.")
    type: str = Field(description="The kind of fault, for programs.")


class Invalid(Problem):
    """What is wrong with a request."""

    fields: list[InvalidField] = Field(description="Every fault; `detail` names the first few.")


class Readiness(BaseModel):
    """Whether the daemon works."""

    status: Condition = Field(description="From best to worst: `ok`, `degraded`, `unavailable`.")
    reasons: list[str] = Field(description="What is wrong; empty if `status` is `ok`.")
