"""What a notification asks for."""

import re
from dataclasses import dataclass
from enum import Enum

from pattern_sync.domain.identity import RowId

# A bigint of PostgreSQL, zero and below included; anything else on the channel is somebody else's, or garbage.
_ROW_ID = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_ROW_IDS = range(-(2**63), 2**63)

# A payload names at most so many patterns; more have changed than are worth naming, and it says "everything".
MOST_NAMES = 1_000


class Request(Enum):
    """A payload that names no pattern."""

    EVERYTHING = "*"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class UnknownPayload:
    """A payload that no trigger of ours sends; `shown` is short and printable."""

    shown: str


def parse_payload(payload: str) -> RowId | Request | UnknownPayload:
    """Return the pattern's row id, the request, or what could not be understood; never raises."""
    if _ROW_ID.fullmatch(payload) and int(payload) in _ROW_IDS:
        return RowId(int(payload))
    try:
        return Request(payload)
    except ValueError:
        return UnknownPayload(ascii(payload[:60]))
