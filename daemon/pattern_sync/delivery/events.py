"""The body of a webhook: names as they are and figures as numbers, for programs."""

import json
import math
from collections.abc import Mapping, Sequence

from pattern_sync.delivery.names import LONGEST_DOUBT_BYTES, LONGEST_REASON_BYTES, MOST_DOUBTS, cut, safe_url
from pattern_sync.delivery.wording import commands_of
from pattern_sync.domain.messages import Message, MessageKind, ToldPattern, ToldPause
from pattern_sync.domain.signing import event_type, in_utc

# Escaped, a byte can become six; one pattern fits always.
_LONGEST_NAME_BYTES = 700
# Of a program that shows JSON as a page; escaped, they are the same JSON.
_MARKUP = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def event_item(item: ToldPattern | ToldPause) -> Mapping[str, object]:
    """Return what an event says of a pattern, or of a rule that is paused."""
    return _of_pause(item) if isinstance(item, ToldPause) else _of_pattern(item)


def event_body(message: Message, items: Sequence[Mapping[str, object]]) -> str:
    """Return the event as JSON in ASCII, with the first patterns or rules."""
    more = max(0, message.count - len(items))
    data: Mapping[str, object]
    if message.kind is MessageKind.RULE_PAUSED:
        data = {"count": message.count, "url": safe_url(message.url), "rules": items, "more": more}
    else:
        data = {
            "count": message.count,
            "savings_usd": _number(message.savings_usd),
            "old_count": message.old_count,
            "url": safe_url(message.url),
            "patterns": items,
            "more": more,
        }
    event = {"type": event_type(message.kind), "timestamp": in_utc(message.created_at), "data": data}
    return json.dumps(event, separators=(",", ":"), allow_nan=False).translate(_MARKUP)


def _of_pause(pause: ToldPause) -> Mapping[str, object]:
    return {
        "pause_id": pause.pause_id,
        "rule": pause.rule,
        "version": pause.version,
        "verdict": pause.verdict,
        "paused_because": cut(pause.because, LONGEST_REASON_BYTES),
        "paused_at": in_utc(pause.paused_at),
        "decided": pause.decided,
        "taken_back": pause.taken_back,
        "commands": commands_of(pause),
    }


def _of_pattern(pattern: ToldPattern) -> Mapping[str, object]:
    return {
        "pattern_id": cut(pattern.pattern_id, _LONGEST_NAME_BYTES),
        "tool_sequence": cut(pattern.tool_sequence, _LONGEST_NAME_BYTES),
        "confidence": _number(pattern.confidence),
        "occurrences": pattern.occurrences,
        "savings_usd": _number(pattern.savings_usd),
        "evidence_usd": _number(pattern.evidence_usd),
        "doubts": [cut(each, LONGEST_DOUBT_BYTES) for each in pattern.doubts[:MOST_DOUBTS]],
        "url": safe_url(pattern.url),
    }


def _number(figure: float | None) -> float | None:
    """Return a figure as JSON has it: neither NaN nor infinities."""
    return figure if figure is not None and math.isfinite(figure) else None
