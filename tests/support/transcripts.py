"""Lines as Claude Code and Codex write them."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

BEGIN = datetime(2026, 11, 2, 9, tzinfo=UTC)
USAGE = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 1_000,
    "cache_read_input_tokens": 20_000,
    "output_tokens": 100,
}


class Transcript:
    """Writes the lines of one session of Claude Code."""

    def __init__(self, session_id: str = "5b2a7c52-1111-4222-8333-944455556666", agent: str | None = None) -> None:
        self.session_id = session_id
        self.lines: list[dict[str, Any]] = []
        self._agent = agent
        self._numbers = count(1)

    def line(self, kind: str, message: Mapping[str, Any] | None = None, **more: object) -> dict[str, Any]:
        """Add a line, a second after the one before."""
        number = next(self._numbers)
        at = BEGIN + timedelta(seconds=number)
        line = {
            "parentUuid": None, "isSidechain": self._agent is not None, "userType": "external", "cwd": "/srv/app",
            "sessionId": self.session_id, "version": "2.1.138", "gitBranch": "main", "type": kind,
            "uuid": f"{self.session_id}-{number}", "timestamp": in_utc(at),
            **({"agentId": self._agent} if self._agent else {}), **({"message": message} if message else {}), **more,
        }  # fmt: skip
        self.lines.append(line)
        return line

    def call(self, call_id: str, name: str, given: Mapping[str, Any], message_id: str, **usage: int) -> dict[str, Any]:
        """Add a line of an answer with a call in it."""
        block = {"type": "tool_use", "id": call_id, "name": name, "input": given}
        return self.answer(message_id, [block], **usage)

    def answer(self, message_id: str, content: list[dict[str, Any]], **usage: int) -> dict[str, Any]:
        """Add a line of an answer."""
        message = {
            "model": "claude-sonnet-4-5-20250929", "id": message_id, "type": "message", "role": "assistant",
            "content": content, "stop_reason": None, "usage": USAGE | usage,
        }  # fmt: skip
        return self.line("assistant", message, requestId=f"req_{message_id}")

    def result(self, call_id: str, text: str = "fine", *, is_error: bool | None = None) -> dict[str, Any]:
        """Add a line with a result."""
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id, "content": text}
        if is_error is not None:
            block["is_error"] = is_error
        return self.line("user", {"role": "user", "content": [block]}, toolUseResult={"stdout": text})


def rollout_line(kind: str, payload: Mapping[str, Any], second: int = 0) -> dict[str, Any]:
    """Return a line as Codex writes it."""
    at = BEGIN + timedelta(seconds=second)
    return {"timestamp": in_utc(at), "type": kind, "payload": payload}


def in_utc(at: datetime) -> str:
    """Return a moment as both write it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written(lines: Iterable[Mapping[str, Any]]) -> bytes:
    """Return lines as they stand in a file."""
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
