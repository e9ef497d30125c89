"""The body of a webhook: names as they are and figures as numbers, for programs."""

import json
import math
from collections.abc import Mapping, Sequence

from pattern_sync.delivery.names import LONGEST_DOUBT_BYTES, MOST_DOUBTS, cut, safe_url
from pattern_sync.domain.messages import Message, ToldPattern
from pattern_sync.domain.signing import event_type, in_utc

# Escaped, a byte can become six; one pattern fits always.
_LONGEST_NAME_BYTES = 700
# Of a program that shows JSON as a page; escaped, they are the same JSON.
_MARKUP = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def event_pattern(pattern: ToldPattern) -> Mapping[str, object]:
    """Return what an event says of a pattern."""
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


def event_body(message: Message, patterns: Sequence[Mapping[str, object]]) -> str:
    """Return the event as JSON in ASCII, with the first patterns."""
    data = {
        "count": message.count,
        "savings_usd": _number(message.savings_usd),
        "old_count": message.old_count,
        "url": safe_url(message.url),
        "patterns": patterns,
        "more": max(0, message.count - len(patterns)),
    }
    event = {"type": event_type(message.kind), "timestamp": in_utc(message.created_at), "data": data}
    return json.dumps(event, separators=(",", ":"), allow_nan=False).translate(_MARKUP)


def _number(figure: float | None) -> float | None:
    """Return a figure as JSON has it: neither NaN nor infinities."""
    return figure if figure is not None and math.isfinite(figure) else None
