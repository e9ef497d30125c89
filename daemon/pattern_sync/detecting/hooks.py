"""Events of hooks: rows of `hook_events` in both of their dialects, and bodies of Claude Code's HTTP hooks.

Of what a tool was given and what it answered, an event keeps a word and an outcome, and nothing else.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pattern_sync.detecting.words import Words
from pattern_sync.domain.calls import Phase, ToolEvent, plain_id
from pattern_sync.domain.errors import InvalidInput
from pattern_sync.domain.moments import to_utc

# Of a payload; the longest that a known writer has written is 62 kB.
LONGEST_PAYLOAD = 1_000_000
_PHASES = {"PreToolUse": Phase.BEGAN, "PostToolUse": Phase.ENDED, "PostToolUseFailure": Phase.FAILED}
_WAY_OUT = f"register the hook for {', '.join(_PHASES)}"
_LONGEST_SHOWN = 40
_KINDS: tuple[tuple[type, str], ...] = (
    (type(None), "missing"),
    (str, "no name"),
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (Mapping, "an object"),
    (object, "an array"),
)


class HookReader:
    """Makes events of rows and bodies."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def of_row(
        self,
        row_id: int,
        event_type: str | None,
        session_id: str | None,
        tool_name: str | None,
        payload: object,
        at: datetime | None,
    ) -> ToolEvent | None:
        """Return the event in a row of `hook_events`; None if it is of no call.

        The payload may be text with JSON in it, or JSON. A time without a zone is in UTC, as the hooks write it.
        """
        phase, content = _PHASES.get(event_type or ""), _content(payload)
        session = session_id or content.get("session_id")
        tool = tool_name or content.get("tool_name")
        if phase is None or not isinstance(session, str) or not session or not isinstance(tool, str) or not tool:
            return None
        return self._event(content, phase, session, tool, None if at is None else to_utc(at), row_id)

    def of_body(self, body: object, received_at: datetime) -> ToolEvent:
        """Return the event in the body of an HTTP hook. Raises InvalidInput."""
        if not isinstance(body, Mapping):
            raise InvalidInput("The body is no JSON object; Claude Code's HTTP hooks send one.")
        name = body.get("hook_event_name")
        if not isinstance(name, str) or (phase := _PHASES.get(name)) is None:
            raise InvalidInput(f"hook_event_name is {_shown(name)}, which says nothing of a call; {_WAY_OUT}.")
        session, tool = (_required(body, key) for key in ("session_id", "tool_name"))
        return self._event(body, phase, session, tool, to_utc(received_at), 0)

    def _event(
        self, content: Mapping[str, Any], phase: Phase, session: str, tool: str, at: datetime | None, order: int
    ) -> ToolEvent:
        given = content.get("tool_input")
        return ToolEvent(
            session_id=plain_id(session),
            agent=_id(content.get("agent_id")),
            call_id=_id(content.get("tool_use_id")),
            phase=Phase.FAILED if phase is Phase.ENDED and _failed(content.get("tool_response")) else phase,
            tool=self._words.tool(tool),
            word=None if given is None else self._words.of(tool, given, _folder(content)),
            at=at,
            order=order,
        )


def _content(payload: object) -> Mapping[str, Any]:
    if isinstance(payload, str | bytes) and len(payload) <= LONGEST_PAYLOAD:
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return {}
    return payload if isinstance(payload, Mapping) else {}


def _required(body: Mapping[str, Any], key: str) -> str:
    if not isinstance(value := body.get(key), str) or not value:
        raise InvalidInput(f"{key} is {_shown(value)}, and must be a text that is not empty; HTTP hooks send one.")
    return value


def _shown(value: object) -> str:
    """Return a value for a message: what it is rather than what it says, unless it is short and plain."""
    if isinstance(value, str) and value.isidentifier() and len(value) <= _LONGEST_SHOWN:
        return repr(value)
    return next(words for kind, words in _KINDS if isinstance(value, kind))


def _id(value: object) -> str | None:
    return plain_id(value) if isinstance(value, str) and value else None


def _folder(content: Mapping[str, Any]) -> str | None:
    context = content.get("context")
    folder = content.get("cwd") or (context.get("cwd") if isinstance(context, Mapping) else None)
    return folder if isinstance(folder, str) else None


def _failed(response: object) -> bool:
    """Return whether an answer says that the call failed. `success` says nothing: some writers always set it."""
    return isinstance(response, Mapping) and (response.get("is_error") is True or response.get("interrupted") is True)
