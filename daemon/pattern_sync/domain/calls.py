"""What an assistant did, as far as it may be known: calls of tools in words, in the order of their session.

A word is a tool, or a tool and what it acts on: `Bash/pytest`, `Bash/git commit`, `Edit/src/.py`. It consists of names
from a fixed vocabulary only, so that nothing that anybody typed can be in it.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# What the sources use: UUIDs, `toolu_…`, `call_…`, `adw-…`. Anything else may be somebody's words.
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
# Longer ones in one piece look like a key; so does what begins as the keys of well-known services do.
_KEY = re.compile(r"(sk|pk|rk|gh[a-z]|github_pat|glpat|xox[a-z]|AKIA|ASIA|AIza|eyJ)[-_A-Za-z0-9]{8,}")


class Outcome(StrEnum):
    """How a call ended. A call that was denied or cut off failed."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Phase(StrEnum):
    """What an event says of a call."""

    BEGAN = "began"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool.

    `at` is when it began, in UTC; `cost_usd` its part of what the turn cost that made it. None means unknown.
    """

    word: str
    outcome: Outcome
    at: datetime | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """The calls of one assistant in the order in which they began; a subagent's session is `SESSION/AGENT`.

    A session has changed if and only if `events`, how many events it was read from, or `last_event_at` has.
    `shows_failures` is false where a call that failed leaves no trace. `cut_off` counts the calls that failed or were
    interrupted without anything saying so: they began, and only others ended.
    """

    session_id: str
    source: str
    events: int
    last_event_at: datetime | None
    calls: tuple[Call, ...]
    shows_failures: bool = True
    cut_off: int = 0


@dataclass(frozen=True, slots=True)
class ToolEvent:
    """An event of a hook: a call began, ended or failed.

    `agent` is a subagent's id, and `order` decides between equal times. `word` is None where the event does not
    say what the tool acted on, and `call_id` where it does not name the call.
    """

    session_id: str
    agent: str | None
    call_id: str | None
    phase: Phase
    tool: str
    word: str | None
    at: datetime | None
    order: int = 0
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class ReadSession:
    """What a session was read from, or would be: so many events, the last one at `last_event_at`."""

    session_id: str
    source: str
    events: int
    last_event_at: datetime | None


@dataclass(frozen=True, slots=True)
class HookRow:
    """A row of the application's `hook_events`; the payload is JSON, or no JSON at all."""

    id: int
    event_type: str | None
    session_id: str | None
    tool_name: str | None
    payload: str | None
    at: datetime | None


def plain_id(text: str) -> str:
    """Return an id as it is, or what stands for one that could be somebody's words or a key."""
    if _PLAIN_ID.fullmatch(text) and not _KEY.match(text):
        return text
    return f"id-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:16]}"
