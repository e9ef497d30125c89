"""What people say about an entry of the queue."""

import re
from dataclasses import dataclass
from enum import StrEnum

from pattern_sync.domain.entry import Status
from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.text import is_storable

# Who did it where nobody says: the application's own word for itself.
NOBODY = "system"
LONGEST_TEXT = 10_000
LONGEST_REVIEWER = 255  # VARCHAR(255) in the application's tables
# What the application's readers of the notes look for stands before a reason already; nobody has to type it.
_REJECTED = re.compile(r"\s*REJECTED:", re.IGNORECASE)


class Verdict(StrEnum):
    """What a person can decide."""

    APPROVED = "approved"
    REJECTED = "rejected"


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
                raise InvalidInput("reason is blank; a rejection needs one, so that others can understand it.")
        object.__setattr__(self, "notes", notes)
        object.__setattr__(self, "reviewer", check_reviewer(self.reviewer))


def check_comment(text: str) -> str:
    """Return a comment without blanks around it. Raises InvalidInput."""
    checked = check_text("comment", text)
    if checked is None:
        raise InvalidInput("comment is blank; write what you have to say.")
    return checked


def check_reviewer(name: str | None) -> str:
    """Return the name under which something is done. Raises InvalidInput."""
    return check_text("reviewer", name, LONGEST_REVIEWER) or NOBODY


def check_text(name: str, text: str | None, longest: int = LONGEST_TEXT) -> str | None:
    """Return a text without blanks around it, None where nothing is left. Raises InvalidInput."""
    stripped = (text or "").strip()
    if len(stripped) > longest:
        raise InvalidInput(f"{name} has {len(stripped):,} characters; at most {longest:,} are kept.")
    if not is_storable(stripped):
        raise InvalidInput(f"{name} holds a character that cannot be stored (NUL, or half of a surrogate pair).")
    return stripped or None
