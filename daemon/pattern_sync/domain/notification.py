"""What a notification asks for."""

import re
from dataclasses import dataclass
from enum import Enum

# How many changed entries the review pages are named one by one, as pattern_sync.most_named() has it: more of them are
# "everything".
MOST_NAMED = 1_000
# A bigint of PostgreSQL, zero and below included; anything else on the channel is somebody else's, or garbage.
_PATTERN_ID = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_PATTERN_IDS = range(-(2**63), 2**63)


class Request(Enum):
    """A payload that names no pattern."""

    EVERYTHING = "*"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class UnknownPayload:
    """A payload that no trigger of ours sends; `shown` is short and printable."""

    shown: str


def parse_payload(payload: str) -> int | Request | UnknownPayload:
    """Return the pattern's row id, the request, or what could not be understood; never raises."""
    if _PATTERN_ID.fullmatch(payload) and int(payload) in _PATTERN_IDS:
        return int(payload)
    try:
        return Request(payload)
    except ValueError:
        return UnknownPayload(ascii(payload[:60]))
