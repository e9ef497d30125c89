"""The messages to the pages, and the payloads of the queue's channel that cause them."""

from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from pattern_sync.domain.entry import QueueCounts, QueueEntry
from pattern_sync.domain.text import is_storable

Change = Literal["queued", "refreshed", "decided", "commented", "removed"]
_CHANGES: TypeAdapter[dict[Change, list[str]]] = TypeAdapter(dict[Change, list[str]])


@dataclass(frozen=True, slots=True)
class EntryChange:
    """One entry as it is now; `change` hints at what happened, `entry` is None where it was removed."""

    change: Change
    pattern_id: str
    entry: QueueEntry | None


@dataclass(frozen=True, slots=True)
class StateMessage:
    """Where everything stands: the counts, and the first pending entries."""

    counts: QueueCounts
    entries: tuple[QueueEntry, ...]
    type: Literal["state"] = "state"


@dataclass(frozen=True, slots=True)
class ChangesMessage:
    """What has changed since the message before."""

    counts: QueueCounts
    changes: tuple[EntryChange, ...]
    type: Literal["changes"] = "changes"


@dataclass(frozen=True, slots=True)
class OutageMessage:
    """The daemon has lost its database; a state follows when it is back."""

    type: Literal["outage"] = "outage"


@dataclass(frozen=True, slots=True)
class HeartbeatMessage:
    """Nothing has changed, and the connection is alive."""

    type: Literal["heartbeat"] = "heartbeat"


Message = StateMessage | ChangesMessage | OutageMessage | HeartbeatMessage
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


def to_json(message: Message) -> str:
    """Return a message as it is sent."""
    return _MESSAGE.dump_json(message).decode()


def parse_changes(payload: str) -> dict[str, Change] | None:
    """Return which entries have changed, and how; None for a payload that is not ours."""
    try:
        named = _CHANGES.validate_json(payload, strict=True)
    except ValueError:
        return None
    changes = {signature: change for change, signatures in named.items() for signature in signatures}
    return changes if all(map(is_storable, changes)) else None
