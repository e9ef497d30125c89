"""What goes over the wire, beyond the domain's own classes: requests, and answers with their conclusions spelt out."""

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

# Nobody queues more in one request than an administrator's sync of everything does.
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

# For whoever generates requests from the description; what enforces it are the domain's own checks.
_STORABLE: JsonDict = {"pattern": "^[^\\u0000]*$"}
_NOT_BLANK: JsonDict = {"pattern": "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"}
PatternType = Annotated[str, Field(json_schema_extra=_NOT_BLANK)]


def _criterion(name: str, description: str) -> Any:  # noqa: ANN401 - a FieldInfo, which stands for its value
    bounds = _BOUNDS[name]
    most = {} if math.isinf(bounds.maximum) else {"maximum": bounds.maximum}
    return Field(bounds.unnamed, description=description, json_schema_extra={"minimum": bounds.minimum, **most})


class SyncCriteria(BaseModel):
    """Criteria of a sync by hand; what is left out, or null, is unbounded."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"min_confidence": 80, "min_savings": 5000, "max_patterns": 10}]},
    )

    min_confidence: float | None = _criterion("min_confidence", "Percent")
    min_occurrences: int | None = _criterion("min_occurrences", "Seen at least so often")
    min_savings: float | None = _criterion("min_savings", "USD a month")
    max_patterns: int | None = _criterion("max_patterns", "Queue at most so many, best impact first")
    only_types: list[PatternType] | None = Field(
        None, max_length=1_000, description="Pattern types to queue; none: all"
    )
    exclude_types: list[PatternType] | None = Field(None, max_length=1_000, description="Pattern types not to queue")

    @field_validator(*_BOUNDS, mode="wrap")
    @classmethod
    def _check_bounds(cls, given: object, parse: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        value: object = given if isinstance(given, bool) else parse(given)  # pydantic would make 1 of true
        if info.field_name:
            _BOUNDS[info.field_name].check(info.field_name, value)
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.to_filter()
        return self

    def to_filter(self) -> SyncFilter:
        """Return the filter. Raises InvalidFilter for a contradiction."""
        return SyncFilter(**self.model_dump(exclude_none=True))


# Every field is in every answer, though the class has a default for it.
@document(config=ConfigDict(json_schema_serialization_defaults_required=True), frozen=True)
class SyncReport(SyncResult):
    """What a sync did, or would do; total_candidates = synced + skipped + errors + remaining."""

    errors: Annotated[tuple[str, ...], Field(description="At most 20 messages")] = ()
    failed_pattern_ids: Annotated[tuple[str, ...], Field(description="The patterns that they are about")] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total_candidates(self) -> int:
        """How many patterns qualified."""
        return super().total_candidates


@document(frozen=True)
class SyncCounts(SyncStatistics):
    """How many patterns there are, here and in the queue."""

    pending_sync: Annotated[int, Field(description="Eligible patterns without an entry, whatever their figures")]
    qualifying: Annotated[int, Field(description="Patterns that pass the filter in force")]
    qualifying_missing: Annotated[int, Field(description="Those of them that are not in the queue: 0 when all is well")]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sync_percentage(self) -> float:
        """In review / in source x 100."""
        return super().sync_percentage


class Remark(BaseModel):
    """What every remark of a person has."""

    reviewer: str | None = Field(
        None,
        description="Who says so; the header X-Reviewer says it as well, else it is `system`",
        max_length=LONGEST_REVIEWER,
        json_schema_extra=_STORABLE,
    )

    @field_validator("reviewer")
    @classmethod
    def _check_reviewer(cls, name: str | None) -> str | None:
        return None if name is None or not name.strip() else check_reviewer(name)


class DecisionBody(Remark):
    """What both decisions have."""

    replaces: Status = Field(
        Status.PENDING,
        description="The status that this person saw and means to replace; where the entry has another one by now, the"
        " answer is 409. So a standing decision is undone by a new one that names it",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.to_decision(None)
        return self

    @abstractmethod
    def to_decision(self, header: str | None) -> Decision:
        """Return the decision; the body's reviewer goes before the header's. Raises InvalidInput."""


class Approval(DecisionBody):
    """What a person says with an approval."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"notes": "worth a script", "reviewer": "ann"}]})

    notes: str | None = Field(None, max_length=LONGEST_TEXT, json_schema_extra=_STORABLE)

    def to_decision(self, header: str | None) -> Decision:
        """Return the approval."""
        return Decision(Verdict.APPROVED, self.notes, self.reviewer or header, self.replaces)


class Rejection(DecisionBody):
    """What a person says with a rejection."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "a one-off", "reviewer": "ann"}]})

    reason: str = Field(description="Why; not blank", max_length=LONGEST_TEXT, json_schema_extra=_NOT_BLANK)

    def to_decision(self, header: str | None) -> Decision:
        """Return the rejection."""
        return Decision(Verdict.REJECTED, self.reason, self.reviewer or header, self.replaces)


class Comment(Remark):
    """What a person says without deciding."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"comment": "who owns this?", "reviewer": "ann"}]})

    comment: Annotated[str, AfterValidator(check_comment)] = Field(
        description="Not blank", max_length=LONGEST_TEXT, json_schema_extra=_NOT_BLANK
    )


class Noted(BaseModel):
    """That a comment was kept."""

    status: str
    message: str
    pattern_id: str
    reviewer: str


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
    """Why a pattern is in the queue or is not."""

    pattern_id: str
    queued: bool
    outcome: Outcome = Field(
        description="What a reconcile comes to; gone: the detector deleted the pattern, or there never was one"
    )
    reason: str
    entry_status: str | None
    automation_status: str | None
    eligible: bool = Field(
        description="Whether a machine may queue it: its automation_status lets it, and it was not rejected before"
    )
    rejected: bool = Field(description="It was rejected before, and nothing on the pattern tells of that")
    written_by_us: bool = Field(description="False: its entry, if it has one, was written by another program")
    criteria: list[Criterion]
    shortfalls: list[Criterion] = Field(description="The criteria that are missed")

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """Return an explanation with its conclusions."""
        known = document_of(explanation)
        return cls(pattern_id=explanation.signature, queued=explanation.entry_status is not None, **known)


class Problem(BaseModel):
    """Why a request was not done."""

    detail: str


class Conflict(Problem):
    """Who decided what and when, and the entry as it is now; none where the database itself refused."""

    entry: QueueEntry | None = None


class InvalidField(BaseModel):
    """One thing that is wrong with a request."""

    loc: list[str | int]
    msg: str
    type: str


class Invalid(Problem):
    """What is wrong with a request: a sentence, and beside it every field for programs."""

    fields: list[InvalidField]


class Readiness(BaseModel):
    """Whether the daemon does its work."""

    status: Condition
    reasons: list[str]
