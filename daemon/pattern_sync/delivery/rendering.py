"""Messages as each kind of destination takes them, never larger than a receiver must accept."""

import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar

from pattern_sync.delivery.events import event_body, event_item
from pattern_sync.delivery.texts import CHAT, MAIL, OTHER
from pattern_sync.delivery.wording import headline
from pattern_sync.domain.destinations import Destination, DestinationKind
from pattern_sync.domain.messages import LARGEST_BODY, MOST_NAMED, Letter, Message, ToldPattern, ToldPause

Written = TypeVar("Written")

# Rocket.Chat refuses a message of more than 5,000 characters, and Slack cuts one of more than about 4,000.
LARGEST_CHAT = 4_000
# Apprise passes on what it gets, and Discord refuses more than 2,000 characters.
LARGEST_OTHER = 1_900
_JSON = "application/json"
_TEXT = "text/plain"


def render(destination: Destination, message: Message) -> Letter:
    """Return a message as a destination takes it: what does not fit is cut from the end and counted."""
    subject = headline(message)
    match destination.kind:
        case DestinationKind.WEBHOOK:
            return Letter(subject, _JSON, _fitted(message, event_item, event_body, LARGEST_BODY))
        case DestinationKind.CHAT:
            return Letter(subject, _JSON, _fitted(message, CHAT.item, _chat_body, LARGEST_CHAT))
        case DestinationKind.MAIL:
            return Letter(subject, _TEXT, _fitted(message, MAIL.item, MAIL.message, LARGEST_BODY))
        case DestinationKind.OTHER:
            return Letter(subject, _TEXT, _fitted(message, OTHER.item, OTHER.message, LARGEST_OTHER))


def _fitted(
    message: Message,
    write: Callable[[ToldPattern | ToldPause], Written],
    join: Callable[[Message, Sequence[Written]], str],
    most_bytes: int,
) -> str:
    """Return a text with as many of the first items as fit; each is written once."""
    written = [write(item) for item in message.items[:MOST_NAMED]]
    counts = range(1, len(written) + 1)
    count = bisect_right(counts, most_bytes, key=lambda each: len(join(message, written[:each]).encode()))
    return join(message, written[:count])


def _chat_body(message: Message, items: Sequence[str]) -> str:
    # Nothing unseen is left in the text, so that it can be UTF-8: half as many bytes for most scripts.
    return json.dumps({"text": CHAT.message(message, items)}, ensure_ascii=False)
