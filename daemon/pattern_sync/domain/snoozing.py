"""A person's wish to see a pending entry later."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pattern_sync.domain.decision import check_reviewer, check_text
from pattern_sync.domain.errors import InvalidInput, NotSnoozable

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish to snooze an entry: until a time with a zone, until its savings double, or both. Raises InvalidInput."""

    until: datetime | None = None
    until_doubled: bool = False
    reviewer: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.until is None and not self.until_doubled:
            raise InvalidInput("until is missing; give a time, or until_doubled, or both.")
        if self.until is not None and self.until.tzinfo is None:
            raise InvalidInput(f"until is {self.until:%Y-%m-%d %H:%M}, a time without a zone; give one with a zone.")
        object.__setattr__(self, "reviewer", check_reviewer(self.reviewer))
        object.__setattr__(self, "reason", check_text("reason", self.reason))

    def check(self, now: datetime) -> None:
        """Raise NotSnoozable if the time has passed, or is more than a year away."""
        if self.until is None:
            return
        if self.until <= now:
            raise NotSnoozable(f"until is {self.until:%Y-%m-%d %H:%M %Z}, which has passed; give a later time.")
        if self.until > now + LONGEST:
            raise NotSnoozable(
                f"until is {self.until:%Y-%m-%d}; an entry can be snoozed for {LONGEST.days} days at most. Reject it if"
                " nobody wants to see it again."
            )
