"""What is recorded of one run of an automated pattern."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from pattern_sync.domain.decision import check_text
from pattern_sync.domain.errors import InvalidInput, NotRecordable

# USD either way: more is a slip.
MOST_USD = 1_000_000_000
LONGEST_NAME = 255
MOST_TOKENS = 2_147_483_647
# A clock may be a little ahead of the database's.
_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Saving:
    """What one run has saved, in USD; less than 0 if it cost more than before. Raises InvalidInput.

    `workflow_id` names the run: the same one (and `tool_call_id`) in the same second counts once. `saved_at` is a time
    with a zone; now without it.
    """

    usd: Decimal
    workflow_id: str
    tool_call_id: str | None = None
    saved_at: datetime | None = None
    baseline_tokens: int | None = None
    actual_tokens: int | None = None
    notes: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "usd", to_usd("usd", self.usd))
        workflow = check_text("workflow_id", self.workflow_id, LONGEST_NAME)
        if workflow is None:
            raise InvalidInput("workflow_id is blank; name the run, as the same one counts once in a second.")
        object.__setattr__(self, "workflow_id", workflow)
        object.__setattr__(self, "tool_call_id", check_text("tool_call_id", self.tool_call_id, LONGEST_NAME))
        object.__setattr__(self, "notes", check_text("notes", self.notes))
        for name, tokens in (("baseline_tokens", self.baseline_tokens), ("actual_tokens", self.actual_tokens)):
            if tokens is not None and not 0 <= tokens <= MOST_TOKENS:
                raise InvalidInput(f"{name} is {tokens}; it must be between 0 and {MOST_TOKENS:,}.")
        if self.saved_at is not None and self.saved_at.tzinfo is None:
            raise InvalidInput(
                f"saved_at is {self.saved_at:%Y-%m-%d %H:%M}, a time without a zone; give one with a zone."
            )

    def check(self, now: datetime) -> None:
        """Raise NotRecordable if the time has not come."""
        if self.saved_at is not None and self.saved_at > now + _AHEAD:
            raise NotRecordable(
                f"saved_at is {self.saved_at:%Y-%m-%d %H:%M %Z}, which has not come; give a time that has."
            )


@dataclass(frozen=True, slots=True)
class Recorded:
    """The receipt of a saving: `table` has it."""

    pattern_id: str
    usd: Decimal
    workflow_id: str
    table: str


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of an automated pattern, as the application records it; costs in USD. Raises InvalidInput."""

    pattern_id: str
    execution_time_seconds: float
    estimated_time_seconds: float
    actual_cost: float
    estimated_cost: float
    success: bool
    workflow_id: int | None = None
    error_message: str | None = None
    executed_at: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("execution_time_seconds", "estimated_time_seconds", "actual_cost", "estimated_cost"):
            value = getattr(self, name)
            if not math.isfinite(value) or not 0 <= value <= MOST_USD:
                raise InvalidInput(f"{name} is {value}; it must be between 0 and {MOST_USD:,}.")
        object.__setattr__(self, "error_message", check_text("error_message", self.error_message))

    def check(self, now: datetime) -> None:
        """Raise NotRecordable if the time has not come; one without a zone is in the database's."""
        if self.executed_at is not None and self.executed_at.tzinfo is not None and self.executed_at > now + _AHEAD:
            raise NotRecordable(f"executed_at is {self.executed_at:%Y-%m-%d %H:%M %Z}, which has not come.")


def to_usd(name: str, value: object) -> Decimal:
    """Return an amount to the millionth. Raises InvalidInput if it is no number, or absurdly large."""
    try:
        amount = Decimal(str(value)).quantize(Decimal("0.000001"))
    except InvalidOperation:
        raise InvalidInput(f"{name} is {value}; it must be a number of USD, up to {MOST_USD:,} either way.") from None
    if not amount.is_finite() or abs(amount) > MOST_USD:
        raise InvalidInput(f"{name} is {value}; it must be a number of USD, up to {MOST_USD:,} either way.")
    return amount.normalize() + 0  # 0.41, and not 0.410000
