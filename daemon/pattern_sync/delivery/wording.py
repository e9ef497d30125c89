"""What a message says, in words: the same in a chat and in a mail."""

from pattern_sync.domain.messages import Message, MessageKind, ToldPattern

WHERE_WITHOUT_PAGE = "pattern-sync review list"


def headline(message: Message) -> str:
    """Return the message in a line, without anybody else's words."""
    if message.kind is MessageKind.TEST:
        return "Pattern Sync: a test message; this destination works"
    worth = f"worth about {message.savings_usd:,.0f} USD a month"
    if message.kind is MessageKind.HIGH_VALUE:
        return f"Pattern Sync: {_patterns(message.count)} of high value, {worth}"
    old = f", {message.old_count:,} for over a week" if message.old_count else ""
    return f"Pattern Sync: {_patterns(message.count)} {'waits' if message.count == 1 else 'wait'}, {worth}{old}"


def date_of(message: Message) -> str:
    """Return when the message was begun."""
    return f"{message.created_at:%Y-%m-%d %H:%M %Z}"


def figures_of(pattern: ToldPattern) -> str:
    """Return the claim, and what evidence shows of it."""
    shown = f" (by evidence {pattern.evidence_usd:,.0f})" if pattern.evidence_usd is not None else " (no evidence)"
    times = f"{pattern.occurrences:,} occurrence{'' if pattern.occurrences == 1 else 's'}"
    return f"{pattern.savings_usd:,.0f} USD a month{shown}, confidence {pattern.confidence * 100:.0f} %, {times}"


def rest_of(message: Message, named: int) -> str | None:
    """Return how many patterns are not named; None if all are."""
    more = message.count - named
    if more <= 0 or message.kind is MessageKind.TEST:
        return None
    return f"and {more:,} more" if named else f"{_patterns(more)} too long to be named here"


def _patterns(count: int) -> str:
    return f"{count:,} pattern{'' if count == 1 else 's'}"
