"""What agents leave behind of planted sessions: transcripts on disk, and events of hooks in a database."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pattern_sync.domain.calls import Call, Outcome, Session
from tests.support.transcripts import USAGE, in_utc, written

SECRET = "hunter2-s3cr3t"
_TARGETS = {"Read", "Edit", "Write"}


def given(call: Call) -> tuple[str, dict[str, Any]]:
    """Return a tool and what it was given, with a secret in it."""
    tool, _, target = call.word.partition("/")
    if tool == "Bash":
        return tool, {"command": f"cd /srv/app && TOKEN={SECRET} {target} --password {SECRET}"}
    if tool in _TARGETS:
        folder, _, name = target.rpartition("/")
        file = f"{SECRET}{name}" if name.startswith(".") else name
        return tool, {"file_path": f"/srv/app/{f'{folder}/' if folder else ''}{file}", "old_string": SECRET}
    if tool == "Task":
        return tool, {"subagent_type": target, "prompt": SECRET}
    return tool, {"pattern": SECRET}


def write_transcripts(sessions: Iterable[Session], folder: Path) -> None:
    """Write a transcript of Claude Code for each session."""
    folder.mkdir(parents=True, exist_ok=True)
    for session in sessions:
        (folder / f"{session.session_id}.jsonl").write_bytes(written(_lines(session)))


def hook_events(sessions: Iterable[Session]) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Yield rows of hook_events as the application's hooks write them: id, type, session, tool, time, payload.

    A call that failed has no second event.
    """
    for session in sessions:
        for number, call in enumerate(session.calls):
            assert call.at is not None
            tool, content = given(call)
            began = call.at.replace(tzinfo=None)
            payload = {"tool_name": tool, "session_id": session.session_id, "context": {"cwd": "/srv/app"}}
            events: list[tuple[str, Mapping[str, Any], timedelta]] = [
                ("PreToolUse", {"tool_input": content}, timedelta())
            ]
            if call.outcome is not Outcome.FAILED:
                ended = {"tool_result": {}, "duration_ms": 0, "success": True}
                events.append(("PostToolUse", ended, timedelta(milliseconds=5)))
            for kind, more, later in events:
                event_id = f"evt-{session.session_id}-{number}-{kind}"
                yield (
                    event_id,
                    kind,
                    session.session_id,
                    tool,
                    (began + later).isoformat(),
                    json.dumps({**payload, **more}),
                )


def _lines(session: Session) -> Iterator[dict[str, Any]]:
    common = {"sessionId": session.session_id, "cwd": "/srv/app", "version": "2.1.138", "isSidechain": False}
    for number, call in enumerate(session.calls):
        assert call.at is not None
        tool, content = given(call)
        call_id = f"toolu_{session.session_id}_{number}"
        yield {
            **common,
            "type": "assistant",
            "uuid": f"{call_id}-a",
            "timestamp": in_utc(call.at),
            "message": {
                "model": "claude-sonnet-4-5-20250929",
                "id": f"msg_{call_id}",
                "role": "assistant",
                "content": [{"type": "tool_use", "id": call_id, "name": tool, "input": content}],
                "usage": USAGE,
            },
        }
        result: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id, "content": SECRET}
        if call.outcome is Outcome.FAILED:
            result["is_error"] = True
        yield {
            **common,
            "type": "user",
            "uuid": f"{call_id}-r",
            "timestamp": in_utc(call.at + timedelta(milliseconds=5)),
            "message": {"role": "user", "content": [result]},
        }
