"""The WebSocket's description, in AsyncAPI 3: generated from the very types that are sent and read."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from pattern_sync.web.access import SUBPROTOCOL
from pattern_sync.web.live_routes import LIVE
from pattern_sync.web.messages import Message
from pattern_sync.web.presence import Reading
from pattern_sync.web.schemas.review import ENTRY_EXAMPLE

_SCHEMA = "#/components/schemas/{model}"
_ABOUT = """
Every change of the review queue, as it is committed, whoever made it.

Offer the subprotocol `pattern-sync.v1`. Send the token as an `Authorization` header; a browser, which cannot set one,
offers a second subprotocol instead: `bearer.` followed by the token in base64url. A connection that is refused gets an
HTTP answer with a `detail` and the `request_id` that is in the daemon's log.

The first message is a `state`, or an `outage` where the database is lost. Nobody has to send anything. A connection
that is silent for much longer than 15 seconds is dead, and a client that reads too slowly is closed with code 1013:
connect again to get the current state. The HTTP API is described at `/openapi.json`.
"""
_COUNTS = {
    "pending": 1,
    "approved": 0,
    "rejected": 0,
    "auto_approved": 0,
    "auto_rejected": 0,
    "total": 1,
    "claimed_usd": 183844.06,
    "shown_usd": 2208.74,
}
_ID = ENTRY_EXAMPLE["pattern_id"]
_CHANGE = {"change": "queued", "pattern_id": _ID, "entry": ENTRY_EXAMPLE}


@dataclass(frozen=True, slots=True)
class _About:
    """What a message is for; `schema` names its type."""

    schema: str
    summary: str
    example: dict[str, Any]


_SENT = {
    "state": _About(
        "StateMessage",
        "The counts and the first 20 pending entries. It follows every gap: discard what you have, and load again"
        " whatever else you show.",
        {"type": "state", "counts": _COUNTS, "entries": [ENTRY_EXAMPLE]},
    ),
    "changes": _About(
        "ChangesMessage",
        "Entries that changed. `entry` is the entry as it is now, null if it was removed. `change` is a hint: `queued`"
        " (the entry is new), `refreshed` (figures or other columns changed, whatever the status), `decided` (the"
        " status became a decision), `commented` or `removed`.",
        {"type": "changes", "counts": _COUNTS, "changes": [_CHANGE]},
    ),
    "readers": _About(
        "ReadersMessage",
        "Who reads which pattern now, at all daemons. Whom it does not name reads nothing.",
        {"type": "readers", "readers": {_ID: ["ann"]}},
    ),
    "outage": _About(
        "OutageMessage",
        "The daemon has lost its database. A `state` follows when it is back.",
        {"type": "outage"},
    ),
    "heartbeat": _About("HeartbeatMessage", "Nothing was sent for 15 seconds.", {"type": "heartbeat"}),
}
_READ = {
    "reading": _About(
        "Reading",
        "Which pattern a person looks at, for the others to see; null for none. Whatever else is sent is ignored.",
        {"type": "reading", "pattern_id": _ID, "reviewer": "ann"},
    ),
}


@cache
def describe_live(version: str, prefix: str) -> dict[str, Any]:
    """Return the AsyncAPI document; `prefix` is the path under which a proxy serves the daemon."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Pattern Sync", "version": version, "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": {
            "patterns": {
                "address": f"{prefix}{LIVE}",
                "title": "Live updates of the queue",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in (*_SENT, *_READ)},
                "bindings": {"ws": {"method": "GET", "headers": _handshake(), "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            "sendUpdates": _operation("send", "What the daemon sends to every client.", list(_SENT)),
            "receiveReading": _operation("receive", "What a client may send.", list(_READ)),
        },
        "components": {
            "messages": {name: _message(name, about) for name, about in (_SENT | _READ).items()},
            "schemas": _schemas(),
        },
    }


def _handshake() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "Authorization": {"type": "string", "description": "`Bearer TOKEN`, where a token is set."},
            "Sec-WebSocket-Protocol": {"type": "string", "description": f"`{SUBPROTOCOL}`", "examples": [SUBPROTOCOL]},
        },
    }


def _operation(action: str, summary: str, messages: list[str]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/patterns"},
        "messages": [{"$ref": f"#/channels/patterns/messages/{name}"} for name in messages],
    }


def _message(name: str, about: _About) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": about.summary,
        "payload": {"$ref": _SCHEMA.format(model=about.schema)},
        "examples": [{"payload": about.example}],
    }


def _schemas() -> dict[str, Any]:
    sent = TypeAdapter[Any](Message).json_schema(mode="serialization", ref_template=_SCHEMA)["$defs"]
    read = TypeAdapter(Reading).json_schema(ref_template=_SCHEMA)
    return {**sent, read["title"]: read}
