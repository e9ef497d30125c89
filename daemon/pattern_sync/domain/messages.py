"""Messages that tell people of patterns worth a look, outside the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# A message names so many patterns, best first, and counts the rest.
MOST_NAMED = 20
# The largest body, in bytes: what receivers of webhooks are asked to take.
LARGEST_BODY = 20_000


class MessageKind(StrEnum):
    """Why a message is sent."""

    HIGH_VALUE = "high_value"
    DIGEST = "digest"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class ToldPattern:
    """A pending pattern as a message shows it: confidence is 0 to 1, savings are USD a month.

    `evidence_usd` are the savings by what is recorded (None: nothing is), `doubts` its flags in words.
    """

    pattern_id: str
    tool_sequence: str
    confidence: float
    occurrences: int
    savings_usd: float
    evidence_usd: float | None
    doubts: Sequence[str]
    url: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """What one message says; `key` is the same at every attempt, so that a receiver can tell a repetition.

    `patterns` are the first of `count`, best first; `savings_usd` is the sum of all. `old_count` is how many have
    waited for over a week (a digest's). `url` is the page's.
    """

    key: str
    kind: MessageKind
    created_at: datetime
    patterns: Sequence[ToldPattern]
    count: int
    savings_usd: float
    old_count: int
    url: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as its destination gets it: the text is kept, so that each attempt sends and signs the same bytes."""

    subject: str
    media_type: str
    text: str


class DeliveryOutcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The end of one attempt: an HTTP or SMTP status if there was one, and the reason in words that hold no secret.

    `refused` is an answer that another attempt hardly changes (401, 403, 404, a mailbox that does not exist), `gone` asks
    for no more (410), everything else that is not `delivered` is `failed`, to be tried again, not before
    `retry_after_seconds` if the receiver names them.
    """

    outcome: DeliveryOutcome
    status_code: int | None = None
    reason: str | None = None
    retry_after_seconds: float | None = None
