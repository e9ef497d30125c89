"""What is recorded of runs, and the examples of results."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pattern_sync.domain.decision import LONGEST_TEXT
from pattern_sync.domain.savings import LONGEST_NAME, MOST_TOKENS, MOST_USD, Execution, Saving, to_usd
from pattern_sync.web.parameters import check_moment
from pattern_sync.web.schemas.bodies import RequestBody, check_number
from pattern_sync.web.schemas.texts import NOT_BLANK, STORABLE

# Of an INTEGER.
_LARGEST_ROW_ID = 2_147_483_647
Usd = Annotated[float, Field(ge=-MOST_USD, le=MOST_USD, allow_inf_nan=False), BeforeValidator(check_number)]
Cost = Annotated[float, Field(ge=0, le=MOST_USD, allow_inf_nan=False), BeforeValidator(check_number)]
Tokens = Annotated[int, Field(ge=0, le=MOST_TOKENS), BeforeValidator(check_number)]
RowId = Annotated[int, Field(ge=0, le=_LARGEST_ROW_ID), BeforeValidator(check_number)]

_EXPECTED: dict[str, Any] = {
    "estimated_usd": 183844.06,
    "expected_usd": 75376.06,
    "share": 0.41,
    "kind_share": 0.41,
    "patterns": 9,
    "words": "9 patterns of this kind got 41% of what was promised.",
}
PATTERN_ROI_EXAMPLE: dict[str, Any] = {
    "pattern_id": "sdlc:full:all",
    "kind": "sdlc:full",
    "status": "approved",
    "standing": "measured",
    "remark": "It got 1% of what was promised.",
    "approved_at": "2026-10-18T08:00:00Z",
    "days": 40.0,
    "estimated_usd": 183844.06,
    "expected": _EXPECTED,
    "runs": 31,
    "saved_usd": 2945.0,
    "monthly_usd": 2208.75,
    "monthly_range": {"low": 1610.2, "high": 2871.4},
    "share": 0.012014,
    "share_range": {"low": 0.008758, "high": 0.015619},
    "success_rate": 0.967742,
    "tried": 31,
    "last_run_at": "2026-11-26T17:12:00Z",
    "sources": ["cost_savings_log", "pattern_executions"],
    "flags": ["repeated"],
    "repeated": 2,
    "baseline_runs": 4,
    "baseline_usd": 0.0,
}
ROI_EXAMPLE: dict[str, Any] = {
    "as_of": "2026-11-27T08:00:00Z",
    "totals": {
        "patterns": 1,
        "measured": 1,
        "too_early": 0,
        "not_used": 0,
        "runs": 31,
        "saved_usd": 2945.0,
        "promised_usd": 183844.06,
        "estimated_usd": 183844.06,
        "monthly_usd": 2208.75,
        "monthly_range": None,
        "share": 0.012014,
        "share_range": None,
        "success_rate": 0.967742,
        "last_run_at": "2026-11-26T17:12:00Z",
    },
    "kinds": [
        {
            "kind": "sdlc:full",
            "patterns": 1,
            "measured": 1,
            "runs": 31,
            "saved_usd": 2945.0,
            "estimated_usd": 183844.06,
            "monthly_usd": 2208.75,
            "share": 0.012014,
            "expected_share": 0.012014,
        }
    ],
    "patterns": [PATTERN_ROI_EXAMPLE],
    "weeks": [
        {"until": "2026-11-22", "saved_usd": 2610.0, "saved_range": None, "estimated_usd": 216486.4},
        {"until": "2026-11-27", "saved_usd": 2945.0, "saved_range": None, "estimated_usd": 245125.41},
    ],
    "asides": [{"part": "no-pattern", "runs": 3, "saved_usd": 1.5, "words": "not of a pattern"}],
    "sources": [
        {"name": "cost_savings_log", "runs": 34, "fault": None},
        {"name": "pattern_executions", "runs": 0, "fault": "it is missing"},
    ],
    "remark": '"Saved" is against what the detector believed that each run would have cost.',
}


class SavingBody(RequestBody):
    """What one run of an automated pattern has saved."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"usd": 0.41, "workflow_id": "wf-1"}]})

    usd: Usd = Field(description="What it has saved, in USD; less than 0 if it cost more than before.")
    workflow_id: str = Field(
        description="The run's name: the same one counts once in a second.",
        max_length=LONGEST_NAME,
        json_schema_extra=NOT_BLANK,
    )
    tool_call_id: str | None = Field(
        None,
        description="The tool call, where a run has several.",
        max_length=LONGEST_NAME,
        json_schema_extra=STORABLE,
    )
    saved_at: Annotated[AwareDatetime | None, BeforeValidator(check_moment)] = Field(
        None, description="When it ran: a time with its zone that has come. Now, without it."
    )
    baseline_tokens: Tokens | None = Field(None, description="The tokens that it took before.")
    actual_tokens: Tokens | None = Field(None, description="The tokens that it takes now.")
    notes: str | None = Field(None, description="Notes.", max_length=LONGEST_TEXT, json_schema_extra=STORABLE)

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.to_saving()
        return self

    def to_saving(self) -> Saving:
        """Return the saving. Raises InvalidInput."""
        return Saving(
            to_usd("usd", self.usd),
            self.workflow_id,
            self.tool_call_id,
            self.saved_at,
            self.baseline_tokens,
            self.actual_tokens,
            self.notes,
        )


class RecordedSaving(BaseModel):
    """The receipt of a saving."""

    pattern_id: str = Field(description="The pattern's signature.")
    usd: float = Field(description="What was recorded, in USD.")
    workflow_id: str = Field(description="The run.")
    table: str = Field(description="The table that has it: the application's log, or where there is none, ours.")

    @classmethod
    def of(cls, pattern_id: str, usd: Decimal, workflow_id: str, table: str) -> Self:
        """Return a receipt as it is sent."""
        return cls(pattern_id=pattern_id, usd=float(usd), workflow_id=workflow_id, table=table)


class ExecutionBody(RequestBody):
    """One execution of an automated pattern, as the application records it. Costs are in USD."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "pattern_id": "sdlc:full:all",
                    "workflow_id": 17,
                    "execution_time_seconds": 41.5,
                    "estimated_time_seconds": 310.0,
                    "actual_cost": 0.12,
                    "estimated_cost": 2.4,
                    "success": True,
                    "error_message": None,
                }
            ]
        }
    )

    pattern_id: str = Field(
        description="The pattern's signature. The queue has to have an entry of it.", json_schema_extra=STORABLE
    )
    workflow_id: RowId | None = Field(None, description="The row of the workflow.")
    execution_time_seconds: Cost = Field(description="How long it took.")
    estimated_time_seconds: Cost = Field(description="How long it would have taken.")
    actual_cost: Cost = Field(description="What it cost.")
    estimated_cost: Cost = Field(description="What it would have cost.")
    success: bool = Field(strict=True, description="Whether it succeeded. The cost of one that failed is lost.")
    error_message: str | None = Field(
        None, description="Why it failed.", max_length=LONGEST_TEXT, json_schema_extra=STORABLE
    )
    id: RowId | None = Field(None, description="Not used: the database gives the id.")
    executed_at: Annotated[datetime | None, BeforeValidator(check_moment)] = Field(
        None, description="When it ended; without a zone, in the database's. Now, without it."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.to_execution()
        return self

    def to_execution(self) -> Execution:
        """Return the execution. Raises InvalidInput."""
        return Execution(**self.model_dump(exclude={"id"}))


class RecordedExecution(BaseModel):
    """The receipt of an execution, as the application gives it."""

    message: str = Field(description="A sentence that can be shown to a person.")
    execution_id: int = Field(description="The execution's id.")
    pattern_id: str = Field(description="The pattern's signature.")
