"""The messages that are broadcast to the pages, and the notification payloads that cause them."""

from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from pattern_sync.domain.entry import QueueCounts, QueueEntry
from pattern_sync.domain.text import is_storable

Change = Literal["queued", "refreshed", "decided", "commented", "removed"]
_CHANGES: TypeAdapter[dict[Change, list[str]]] = TypeAdapter(dict[Change, list[str]])


@dataclass(frozen=True, slots=True)
class EntryChange:
    """One entry as it is now, None if it was removed; `change` is a hint at what happened."""

    change: Change
    pattern_id: str
    entry: QueueEntry | None


@dataclass(frozen=True, slots=True)
class StateMessage:
    """The whole state: the counts, and the first pending entries."""

    counts: QueueCounts
    entries: tuple[QueueEntry, ...]
    type: Literal["state"] = "state"


@dataclass(frozen=True, slots=True)
class ChangesMessage:
    """The entries that changed since the previous message."""

    counts: QueueCounts
    changes: tuple[EntryChange, ...]
    type: Literal["changes"] = "changes"


@dataclass(frozen=True, slots=True)
class OutageMessage:
    """The daemon has lost its database; a state follows when it is back."""

    type: Literal["outage"] = "outage"


@dataclass(frozen=True, slots=True)
class HeartbeatMessage:
    """Nothing was broadcast for a while, and the connection is alive."""

    type: Literal["heartbeat"] = "heartbeat"


@dataclass(frozen=True, slots=True)
class ReadersMessage:
    """Who reads which pattern now: names by signature. What is not named, nobody reads."""

    readers: dict[str, list[str]]
    type: Literal["readers"] = "readers"


Message = StateMessage | ChangesMessage | OutageMessage | HeartbeatMessage | ReadersMessage
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


def to_json(message: Message) -> str:
    """Return a message as JSON, as it is sent."""
    return _MESSAGE.dump_json(message).decode()


def parse_changes(payload: str) -> dict[str, Change] | None:
    """Return the signatures of changed entries with their changes; None if the payload has another form."""
    try:
        named = _CHANGES.validate_json(payload, strict=True)
    except ValueError:
        return None
    changes = {signature: change for change, signatures in named.items() for signature in signatures}
    return changes if all(map(is_storable, changes)) else None
