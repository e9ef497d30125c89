"""Decisions on many entries, their undo, and the record."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pattern_sync.domain.batches import (
    MOST_TOGETHER,
    DecisionMany,
    ItemOutcome,
    Seen,
    Undone,
    UndoOutcome,
    check_signatures,
)
from pattern_sync.domain.decision import LONGEST_TEXT, Decision, Verdict
from pattern_sync.domain.entry import EntryStatus, QueueEntry, Status
from pattern_sync.web.schemas.review import Place, Remark, Seconds
from pattern_sync.web.schemas.texts import NOT_BLANK, STORABLE

MANY_EXAMPLE: dict[str, Any] = {
    "batch_id": 17,
    "decided": 1,
    "counts": {"decided": 1, "taken": 1},
    "savings_usd": 1250.5,
    "largest": [],
    "outcomes": [
        {
            "pattern_id": "test:pytest:backend",
            "outcome": "decided",
            "status": "rejected",
            "reviewed_by": "ann",
            "reviewed_at": "2026-11-26T09:30:00Z",
            "detail": None,
        },
        {
            "pattern_id": "test:pytest:docs",
            "outcome": "taken",
            "status": "approved",
            "reviewed_by": "bob",
            "reviewed_at": "2026-11-26T09:29:58Z",
            "detail": None,
        },
    ],
}


def _check_name(name: str) -> str:
    # It could not be named in the answer.
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise ValueError("it holds half of a surrogate pair, which no name can have")
    return name


class DecisionOnMany(Remark):
    """One decision on many entries: exactly on those that are named."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "pattern_ids": ["test:pytest:backend", "test:pytest:docs"],
                    "decision": "rejected",
                    "reason": "one-offs",
                    "reviewer": "ann",
                }
            ],
            "if": {"properties": {"decision": {"const": "rejected"}}},
            "then": {"required": ["reason"], "properties": {"reason": {"type": "string", **NOT_BLANK}}},
        },
    )

    pattern_ids: Annotated[list[Annotated[str, AfterValidator(_check_name)]], AfterValidator(check_signatures)] = Field(
        description="The signatures of the entries; what is named twice counts once.",
        min_length=1,
        max_length=MOST_TOGETHER,
    )
    decision: Verdict = Field(description="What is decided.")
    reason: str | None = Field(
        None,
        description="Why, for the history of each; a rejection needs one.",
        max_length=LONGEST_TEXT,
        json_schema_extra=STORABLE,
    )
    replaces: Status = Field(
        Status.PENDING, description="The status that the decision replaces. An entry with another one stays as it is."
    )
    dry_run: bool = Field(False, strict=True, description="Whether only to tell what would be decided.")
    positions: dict[str, Place] = Field(
        default_factory=dict, description="For the record: the place of each entry in the list that the reviewer saw."
    )
    seconds: Seconds = Field(None, description="For the record: how long the reviewer saw the entries.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.to_decision(None)
        self.to_seen()
        return self

    def to_decision(self, name: str | None) -> Decision:
        """Return the decision; the reviewer in the body precedes the one in the header. Raises InvalidInput."""
        return Decision(self.decision, self.reason, self.reviewer or name, self.replaces)

    def to_seen(self) -> Seen:
        """Return what the reviewer saw. Raises InvalidInput."""
        return Seen(self.positions, self.seconds)


class EntryOutcome(BaseModel):
    """What became of one entry, and how it stands now."""

    pattern_id: str = Field(description="The pattern's signature.")
    outcome: ItemOutcome = Field(
        description="`decided`; `already`: this very decision stands; `taken`: somebody else has decided; `busy`:"
        " somebody has locked it, try again; `moved`: it has another status than the one to be replaced; `unknown`:"
        " there is no such entry; `refused`: the application or the database refused it."
    )
    status: EntryStatus | None = Field(description="The status of the entry; null if there is none.")
    reviewed_by: str | None = Field(description="Who decided it.")
    reviewed_at: datetime | None = Field(description="When it was decided.")
    detail: str | None = Field(description="A sentence about a refusal.")


class DecidedMany(BaseModel):
    """What came of a decision on many entries."""

    batch_id: int | None = Field(description="Names the batch for undo; null if nothing was decided.")
    decided: int = Field(description="How many entries were decided, or would be.")
    counts: dict[ItemOutcome, int] = Field(description="How many entries had each outcome.")
    savings_usd: float = Field(description="What the decided entries claim to save together, in USD a month.")
    largest: list[QueueEntry] = Field(description="The five decided entries with the largest savings.")
    outcomes: list[EntryOutcome] = Field(description="The outcome of each entry, in the order of the request.")

    @classmethod
    def of(cls, made: DecisionMany) -> Self:
        """Return the answer; the server's words are left out, as they may hold anything."""
        return cls(
            batch_id=made.batch_id,
            decided=made.decided,
            counts=dict(made.counts),
            savings_usd=made.savings_usd,
            largest=list(made.largest),
            outcomes=[
                EntryOutcome(
                    pattern_id=item.pattern_id,
                    outcome=item.outcome,
                    status=item.status,
                    reviewed_by=item.reviewed_by,
                    reviewed_at=item.reviewed_at,
                    detail=refused_detail(item.outcome, item.detail),
                )
                for item in made.outcomes
            ],
        )


class UndoRequest(Remark):
    """In whose name a batch is undone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reviewer": "ann"}]})


class UndoneOutcome(BaseModel):
    """What became of one decision of a batch."""

    pattern_id: str = Field(description="The pattern's signature.")
    outcome: UndoOutcome = Field(
        description="`undone`; `touched`: the entry does not hold the batch's decision any more; `gone-on`: somebody"
        " has taken the pattern further; `busy`: somebody has locked it, try again; `unknown`: the entry is gone;"
        " `refused`: the application or the database refused it."
    )
    detail: str | None = Field(description="A sentence about a refusal.")


class UndoneBatch(BaseModel):
    """What came of an undo."""

    batch_id: int = Field(description="The batch.")
    undone: int = Field(description="How many of its decisions were undone.")
    counts: dict[UndoOutcome, int] = Field(description="How many had each outcome.")
    outcomes: list[UndoneOutcome] = Field(description="Each decision of the batch that was not undone before.")

    @classmethod
    def of(cls, undone: Undone) -> Self:
        """Return the answer; the server's words are left out, as they may hold anything."""
        return cls(
            batch_id=undone.batch_id,
            undone=undone.undone,
            counts=dict(undone.counts),
            outcomes=[
                UndoneOutcome(
                    pattern_id=item.pattern_id,
                    outcome=item.outcome,
                    detail=refused_detail(item.outcome, item.detail),
                )
                for item in undone.outcomes
            ],
        )


def refused_detail(outcome: ItemOutcome | UndoOutcome, words: str | None) -> str | None:
    """Return a sentence about a refusal, without the server's words; None where nothing was refused."""
    if outcome != ItemOutcome.REFUSED:
        return None
    return f"{'A trigger or policy of the application' if words is None else 'The database'} refused it."
