"""A person's decision or comment on a queue entry."""

import re
from dataclasses import dataclass
from enum import StrEnum

from pattern_sync.domain.entry import Status
from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.text import is_storable

# The reviewer if no name is given; the application uses the same name.
NOBODY = "system"
LONGEST_TEXT = 10_000
LONGEST_REVIEWER = 255  # VARCHAR(255) in the application's tables
# Of the names under which rules decide; nobody may pass for one.
RULES_PREFIX = "rule:"
# The SQL function `decide` adds this prefix to every reason, so a typed one would appear twice.
_REJECTED = re.compile(r"\s*REJECTED:", re.IGNORECASE)


class Verdict(StrEnum):
    """What a person can decide."""

    APPROVED = "approved"
    REJECTED = "rejected"


def to_verdict(word: str) -> Verdict:
    """Return the verdict of this name. Raises InvalidInput."""
    try:
        return Verdict(word)
    except ValueError:
        known = " or ".join(Verdict)
        raise InvalidInput(f"decision is {word!r}; it must be {known}.") from None


class ReviewAction(StrEnum):
    """What a person does with an entry."""

    APPROVE = "approve"
    REJECT = "reject"
    COMMENT = "comment"
    UNDO = "undo"
    SNOOZE = "snooze"
    WAKE = "wake"


ACTIONS = {Verdict.APPROVED: ReviewAction.APPROVE, Verdict.REJECTED: ReviewAction.REJECT}


class ReviewResult(StrEnum):
    """What came of it; `failed` is the database's doing."""

    DONE = "done"
    CONFLICT = "conflict"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's verdict on one pattern; `replaces` is the status that this person saw. Raises InvalidInput."""

    verdict: Verdict
    notes: str | None = None
    reviewer: str | None = None
    replaces: Status = Status.PENDING

    def __post_init__(self) -> None:
        if self.verdict is Verdict.APPROVED:
            notes = check_text("notes", self.notes)
        else:
            notes = check_text("reason", _REJECTED.sub("", self.notes or "", count=1))
            if notes is None:
                raise InvalidInput("reason is blank; give one, so that others can understand the rejection.")
        object.__setattr__(self, "notes", notes)
        object.__setattr__(self, "reviewer", check_reviewer(self.reviewer))


def check_comment(text: str) -> str:
    """Return the comment, stripped. Raises InvalidInput if it is blank, too long or cannot be stored."""
    checked = check_text("comment", text)
    if checked is None:
        raise InvalidInput("comment is blank; write at least one word.")
    return checked


def check_reviewer(name: str | None) -> str:
    """Return the reviewer's name, stripped, or the default. Raises InvalidInput."""
    checked = check_text("reviewer", name, LONGEST_REVIEWER) or NOBODY
    if checked.lower().startswith(RULES_PREFIX):
        raise InvalidInput(f"reviewer is {checked!r}; names that begin with {RULES_PREFIX!r} are kept for rules.")
    return checked


def check_text(name: str, text: str | None, longest: int = LONGEST_TEXT) -> str | None:
    """Return the text, stripped; None if it is blank. Raises InvalidInput if it is too long or cannot be stored."""
    stripped = (text or "").strip()
    if len(stripped) > longest:
        raise InvalidInput(f"{name} has {len(stripped):,} characters; at most {longest:,} are allowed.")
    if not is_storable(stripped):
        raise InvalidInput(f"{name} holds a character that cannot be stored (NUL, or half of a surrogate pair).")
    return stripped or None
