"""What a message says, in words: the same in a chat and in a mail."""

from collections.abc import Sequence
from datetime import datetime

from pattern_sync.domain.batches import UNDO_DAYS
from pattern_sync.domain.messages import Message, MessageKind, ToldPattern, ToldPause

WHERE_WITHOUT_PAGE = "pattern-sync review list"


def headline(message: Message) -> str:
    """Return the message in a line, without anybody else's words."""
    if message.kind is MessageKind.TEST:
        return "Pattern Sync: a test message; this destination works"
    if message.kind is MessageKind.RULE_PAUSED:
        # A rule's name is small letters, digits and '-': it has no power over whoever shows it.
        paused = f"rule {message.pauses[0].rule} is" if message.count == 1 else f"{message.count:,} rules are"
        return f"Pattern Sync: {paused} paused"
    worth = f"worth about {message.savings_usd:,.0f} USD a month"
    if message.kind is MessageKind.HIGH_VALUE:
        return f"Pattern Sync: {_patterns(message.count)} of high value, {worth}"
    old = f", {message.old_count:,} for over a week" if message.old_count else ""
    return f"Pattern Sync: {_patterns(message.count)} {'waits' if message.count == 1 else 'wait'}, {worth}{old}"


def in_words(moment: datetime) -> str:
    """Return a time to the minute."""
    return f"{moment:%Y-%m-%d %H:%M %Z}"


def figures_of(pattern: ToldPattern) -> str:
    """Return the claim, and what evidence shows of it."""
    shown = f" (by evidence {pattern.evidence_usd:,.0f})" if pattern.evidence_usd is not None else " (no evidence)"
    times = f"{pattern.occurrences:,} occurrence{'' if pattern.occurrences == 1 else 's'}"
    return f"{pattern.savings_usd:,.0f} USD a month{shown}, confidence {pattern.confidence * 100:.0f} %, {times}"


def deeds_of(pause: ToldPause) -> str:
    """Return what a rule has decided lately, and how much of it was taken back."""
    patterns = _patterns(pause.decided) if pause.decided else "nothing"
    taken_back = f", {pause.taken_back:,} taken back" if pause.taken_back else ""
    return f"Decided in the last {UNDO_DAYS} days: {patterns}{taken_back}"


def commands_of(pause: ToldPause) -> Sequence[str]:
    """Return how to go on: to look at a rule, to take back what it has decided, to switch it on again."""
    commands = ["show", "revert", "on"] if pause.decided > pause.taken_back else ["show", "on"]
    return [f"pattern-sync rules {command} {pause.rule}" for command in commands]


def call_of(message: Message) -> str:
    """Return what a message asks of people, to be followed by where they do it."""
    if message.kind is not MessageKind.RULE_PAUSED:
        return "To review"
    return f"Until {'it is' if message.count == 1 else 'they are'} on again, people decide"


def rest_of(message: Message, named: int) -> str | None:
    """Return how many are not named; None if all are."""
    more = message.count - named
    if more <= 0 or message.kind is MessageKind.TEST:
        return None
    return f"and {more:,} more" if named else f"{_patterns(more)} too long to be named here"


def _patterns(count: int) -> str:
    return f"{count:,} pattern{'' if count == 1 else 's'}"
