"""What a notification requests."""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

from pattern_sync.domain.identity import RowId

# A notification of the pages names up to so many changed entries, by pattern_sync.most_named() in the database. More
# become one notification of everything.
MOST_NAMED = 1_000
# A PostgreSQL bigint, zero and negative numbers included. Any session can send other payloads on the channel.
_ROW_ID = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_ROW_IDS = range(-(2**63), 2**63)


class Channel(StrEnum):
    """Whom a notification is for."""

    PATTERNS = "patterns"
    PAGES = "pages"


class NotificationKind(StrEnum):
    """What a notification is about: on the pages' channel everything or some changes."""

    PATTERN = "pattern"
    EVERYTHING = "everything"
    SETTINGS = "settings"
    CHANGES = "changes"
    UNKNOWN = "unknown"


class Request(Enum):
    """A payload that names no pattern."""

    EVERYTHING = "*"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class UnknownPayload:
    """A payload that no trigger of ours sends; `shown` is short and printable."""

    shown: str


def kind_of(parsed: RowId | Request | UnknownPayload) -> NotificationKind:
    """Return the kind of a payload of the patterns' channel."""
    match parsed:
        case Request.EVERYTHING:
            return NotificationKind.EVERYTHING
        case Request.SETTINGS:
            return NotificationKind.SETTINGS
        case UnknownPayload():
            return NotificationKind.UNKNOWN
        case _:
            return NotificationKind.PATTERN


def parse_payload(payload: str) -> RowId | Request | UnknownPayload:
    """Return the pattern's row id, the request, or an UnknownPayload; never raises."""
    if _ROW_ID.fullmatch(payload) and int(payload) in _ROW_IDS:
        return RowId(int(payload))
    try:
        return Request(payload)
    except ValueError:
        return UnknownPayload(ascii(payload[:60]))
