"""Messages that tell people of patterns worth a look, and of rules that are paused, outside the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

from pattern_sync.domain.entry import QueueEntry
from pattern_sync.domain.evidence import FlagName
from pattern_sync.domain.rules import RuleVerdict

# A message names so many patterns, best first, or pauses, and counts the rest.
MOST_NAMED = 20
# The largest body, in bytes: what receivers of webhooks are asked to take.
LARGEST_BODY = 20_000


class MessageKind(StrEnum):
    """Why a message is sent."""

    HIGH_VALUE = "high_value"
    DIGEST = "digest"
    RULE_PAUSED = "rule_paused"
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


def to_told(entry: QueueEntry, page_url: str | None) -> ToldPattern:
    """Return an entry as a message shows it; without a page's URL it has no link."""
    return ToldPattern(
        pattern_id=entry.pattern_id,
        tool_sequence=entry.tool_sequence,
        confidence=entry.confidence_score,
        occurrences=entry.occurrence_count,
        savings_usd=entry.estimated_savings_usd,
        evidence_usd=entry.evidence.savings_by_evidence,
        doubts=[flag.rule for flag in entry.evidence.flags if flag.name != FlagName.NOTHING_RECORDED],
        url=None if page_url is None else f"{page_url}#pattern={quote(entry.pattern_id, safe='')}",
    )


@dataclass(frozen=True, slots=True)
class ToldPause:
    """A rule that is paused, and why; `pause_id` is that of this pause, at every destination.

    `decided` is how many patterns the rule has decided within UNDO_DAYS, `taken_back` how many of its decisions people
    have taken back, or turned around, in that time.
    """

    pause_id: int
    rule: str
    version: int
    verdict: RuleVerdict
    because: str
    paused_at: datetime
    decided: int
    taken_back: int


@dataclass(frozen=True, slots=True)
class Message:
    """What one message says; `key` is the same at every attempt, so that a receiver can tell a repetition.

    `patterns` are the first of `count`, best first; `savings_usd` is the sum of all. `old_count` is how many have
    waited for over a week (a digest's). `url` is the page's. One about rules has `pauses` instead of patterns.
    """

    key: str
    kind: MessageKind
    created_at: datetime
    patterns: Sequence[ToldPattern]
    count: int
    savings_usd: float
    old_count: int
    url: str | None
    pauses: Sequence[ToldPause] = ()

    @property
    def items(self) -> Sequence[ToldPattern | ToldPause]:
        """Return what it tells of."""
        return self.pauses or self.patterns


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as its destination gets it: the text is kept, so that each attempt sends and signs the same bytes."""

    subject: str
    media_type: str
    text: str


class MessageState(StrEnum):
    """What has become of a message: dropped are those that had nothing to tell any more before they were sent."""

    OPEN = "open"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message that this daemon sends now; `attempts` includes this one. Its letter is None before the first."""

    id: int
    key: str
    channel: str
    kind: MessageKind
    created_at: datetime
    letter: Letter | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a message tells of: the names of the best, and of all their number, their worth, and how many are old."""

    signatures: Sequence[str]
    count: int
    savings_usd: float
    old_count: int


@dataclass(frozen=True, slots=True)
class MessageCount:
    """How many messages a channel has in one state, and why it is off, if it is."""

    channel: str
    state: MessageState
    messages: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class NotedMessage:
    """A message as it stands, for operators; `told` is how many patterns, or paused rules, it tells of."""

    id: int
    channel: str
    kind: MessageKind
    state: MessageState
    told: int
    attempts: int
    last_status: int | None
    last_error: str | None
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None


class DeliveryOutcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The end of one attempt: an HTTP or SMTP status if there was one, and the reason in words that hold no secret.

    `refused` is an answer that another attempt hardly changes (401, 403, 404, a mailbox that does not exist), `gone`
    asks for no more (410), everything else that is not `delivered` is `failed`, to be tried again, not before
    `retry_after_seconds` if the receiver names them.
    """

    outcome: DeliveryOutcome
    status_code: int | None = None
    reason: str | None = None
    retry_after_seconds: float | None = None
