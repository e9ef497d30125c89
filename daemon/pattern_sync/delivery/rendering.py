"""Messages as each kind of destination takes them, never larger than a receiver must accept."""

import json
import math
from collections.abc import Callable

from pattern_sync.delivery.names import cut, safe_url
from pattern_sync.delivery.texts import chat_text, mail_text, other_text
from pattern_sync.delivery.wording import headline
from pattern_sync.domain.destinations import Destination, DestinationKind
from pattern_sync.domain.messages import LARGEST_BODY, MOST_NAMED, Letter, Message, ToldPattern
from pattern_sync.domain.signing import event_type, in_utc

# Rocket.Chat refuses a message of more than 5,000 characters, Slack and Telegram cut one of more than about 4,000.
LARGEST_CHAT = 4_000
_LONGEST_NAME = 500
_LONGEST_DOUBT = 200
_MOST_DOUBTS = 5
# Of a program that shows JSON as a page; escaped, they are the same JSON.
_MARKUP = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})

_JSON = "application/json"
_TEXT = "text/plain"


def render(destination: Destination, message: Message) -> Letter:
    """Return a message as a destination takes it: patterns that do not fit are cut from the end and counted."""
    subject = headline(message)
    match destination.kind:
        case DestinationKind.WEBHOOK:
            return Letter(subject, _JSON, _fitted(_event, message, LARGEST_BODY))
        case DestinationKind.CHAT:
            return Letter(subject, _JSON, _fitted(_chat, message, LARGEST_CHAT))
        case DestinationKind.MAIL:
            return Letter(subject, _TEXT, _fitted(mail_text, message, LARGEST_BODY))
        case DestinationKind.OTHER:
            return Letter(subject, _TEXT, _fitted(other_text, message, LARGEST_CHAT))


def _fitted(write: Callable[[Message, int], str], message: Message, most_bytes: int) -> str:
    """Return the text with as many patterns as fit."""
    named = min(MOST_NAMED, len(message.patterns))
    while len((text := write(message, named)).encode()) > most_bytes and named:
        named -= 1
    return text


def _event(message: Message, named: int) -> str:
    """Return the body of a webhook: names as they are, for programs."""
    data = {
        "count": message.count,
        "savings_usd": _number(message.savings_usd),
        "old_count": message.old_count,
        "url": safe_url(message.url),
        "patterns": [_pattern(each) for each in message.patterns[:named]],
        "more": max(0, message.count - named),
    }
    event = {"type": event_type(message.kind), "timestamp": in_utc(message.created_at), "data": data}
    return json.dumps(event, separators=(",", ":"), allow_nan=False).translate(_MARKUP)


def _pattern(pattern: ToldPattern) -> dict[str, object]:
    return {
        "pattern_id": cut(pattern.pattern_id, _LONGEST_NAME),
        "tool_sequence": cut(pattern.tool_sequence, _LONGEST_NAME),
        "confidence": _number(pattern.confidence),
        "occurrences": pattern.occurrences,
        "savings_usd": _number(pattern.savings_usd),
        "evidence_usd": _number(pattern.evidence_usd),
        "doubts": [cut(each, _LONGEST_DOUBT) for each in pattern.doubts[:_MOST_DOUBTS]],
        "url": safe_url(pattern.url),
    }


def _number(figure: float | None) -> float | None:
    """Return a figure as JSON has it: neither NaN nor infinities."""
    return figure if figure is not None and math.isfinite(figure) else None


def _chat(message: Message, named: int) -> str:
    # Nothing unseen is left in the text, so that it can be UTF-8: half as many bytes for most scripts.
    return json.dumps({"text": chat_text(message, named)}, ensure_ascii=False)
