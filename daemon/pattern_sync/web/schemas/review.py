"""Decisions, comments and explanations."""

from abc import abstractmethod
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from pattern_sync.domain.batches import LAST_PLACE, LONGEST_SECONDS, Seen
from pattern_sync.domain.criteria import CriterionName
from pattern_sync.domain.decision import (
    LONGEST_REVIEWER,
    LONGEST_TEXT,
    Decision,
    Verdict,
    check_comment,
    check_reviewer,
)
from pattern_sync.domain.entry import EntryStatus, Status
from pattern_sync.domain.evidence import Evidence
from pattern_sync.domain.explanation import Explanation
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.domain.wording import document_of
from pattern_sync.web.schemas.bodies import RequestBody, check_number
from pattern_sync.web.schemas.texts import NOT_BLANK, STORABLE

# The bounds come first: behind the check they would be missing in the description.
Place = Annotated[int, Field(ge=1, le=LAST_PLACE), BeforeValidator(check_number)]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_SECONDS, allow_inf_nan=False), BeforeValidator(check_number)] | None
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
    "likelihood": None,
    "folded": False,
    "snooze": None,
    "mark": None,
    "evidence": {
        "recorded": True,
        "workflows": 24,
        "first_seen": "2026-11-22T11:40:00Z",
        "last_seen": "2026-11-23T06:04:00Z",
        "days_seen": 0.7666666666666667,
        "occurrences_a_day": 31.304347826086957,
        "savings_observed": 56.45,
        "savings_by_evidence": 2208.74,
        "flags": [
            {
                "name": "counted-twice",
                "rule": "78,167 occurrences are claimed; 24 distinct workflows are recorded: each was counted 3,257"
                " times.",
            }
        ],
    },
}


class Reviewer(BaseModel):
    """In whose name a client decides."""

    name: str | None = Field(description="The name that a proxy gave; null if it gave none, or none is asked for.")
    fixed: bool = Field(description="Whether only a proxy can give the name. Then nothing else is recorded.")
    detail: str | None = Field(description="Why you can decide nothing: a sentence. Null if you can.")


class Remark(RequestBody):
    """The fields that a decision and a comment share."""

    reviewer: str | None = Field(
        None,
        description="The reviewer's name. Without it, the header `X-Reviewer` counts; without both, it is `system`."
        " Where a proxy names the reviewers, neither counts.",
        max_length=LONGEST_REVIEWER,
        json_schema_extra=STORABLE,
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
    place: Place | None = Field(
        None, description="For the record: the place of the entry in the list that the reviewer saw; the first is 1."
    )
    seconds: Seconds = Field(None, description="For the record: how long the reviewer saw the entry.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.to_decision(None)
        return self

    @abstractmethod
    def to_decision(self, header: str | None) -> Decision:
        """Return the decision; the reviewer in the body precedes the one in the header. Raises InvalidInput."""

    def to_seen(self, pattern_id: str) -> Seen:
        """Return what the reviewer saw of the entry."""
        return Seen({} if self.place is None else {pattern_id: self.place}, self.seconds)


class Approval(DecisionBody):
    """An approval."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"notes": "worth a script", "reviewer": "ann"}]})

    notes: str | None = Field(
        None, description="Notes for the history.", max_length=LONGEST_TEXT, json_schema_extra=STORABLE
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
        json_schema_extra=NOT_BLANK,
    )

    def to_decision(self, header: str | None) -> Decision:
        """Return the rejection."""
        return Decision(Verdict.REJECTED, self.reason, self.reviewer or header, self.replaces)


class Comment(Remark):
    """A comment, which decides nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"comment": "who owns this?", "reviewer": "ann"}]})

    comment: Annotated[str, AfterValidator(check_comment)] = Field(
        description="The text; must not be blank.", max_length=LONGEST_TEXT, json_schema_extra=NOT_BLANK
    )


class Noted(BaseModel):
    """The receipt of a comment."""

    status: Literal["success"] = Field(description="Always `success`.")
    message: str = Field(description="A sentence that can be shown to a person.")
    pattern_id: str = Field(description="The pattern's signature.")
    reviewer: str = Field(description="The name under which the comment was recorded.")


class Criterion(BaseModel):
    """One criterion of the filter in force beside what the pattern has: in words, and a figure also as a number."""

    name: CriterionName | str = Field(description="Which criterion it is. Later versions may have others.")
    value: str = Field(description="What the pattern has, in words.")
    bound: str = Field(description="What the filter requires, in words.")
    met: bool = Field(description="Whether the pattern meets it.")
    number: float | None = Field(
        description="Percent, a count, USD a month or days; null where it is a type, not known, or not finite"
    )
    minimum: float | None = Field(description="The least that is asked for; null where nothing is")
    maximum: float | None = Field(description="The most that is asked for; null where nothing is")
    missing_by: float | None = Field(description="How much the number is off; null where it is met")


class Reasons(BaseModel):
    """Why a pattern is in the queue, or why it is not."""

    pattern_id: str = Field(description="The pattern's signature.")
    queued: bool = Field(description="Whether the queue has an entry for the pattern, whatever its status.")
    outcome: Outcome = Field(
        description="What a reconcile would do with the pattern. `gone`: there is an entry without a pattern, as the"
        " detector deleted the pattern or another program wrote the entry."
    )
    reason: str = Field(description="A sentence that can be shown to a person.")
    entry_status: EntryStatus | None = Field(description="The status of the entry; null if there is none.")
    automation_status: str | None = Field(description="As the detector or the application set it on the pattern.")
    eligible: bool = Field(
        description="Whether the daemon may queue it: `automation_status` is `detected` or null, and it was not"
        " rejected before."
    )
    rejected: bool = Field(description="Whether it was rejected before although its `automation_status` shows nothing.")
    written_by_us: bool = Field(description="False if another program wrote the entry.")
    criteria: list[Criterion] = Field(description="Every criterion of the filter, beside the pattern's value.")
    shortfalls: list[Criterion] = Field(description="The criteria that the pattern misses.")
    evidence: Evidence = Field(description="What is recorded of the pattern, beside what is claimed.")

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """Return an explanation with its derived fields."""
        known = document_of(explanation)
        return cls(pattern_id=explanation.signature, queued=explanation.entry_status is not None, **known)
