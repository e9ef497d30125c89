"""The endpoint to which agents report their calls."""

import json
from typing import Any

import httpx
import pytest

from pattern_sync.domain.calls import Outcome
from tests.support.application import dump
from tests.support.command import run_command
from tests.support.left_behind import SECRET, given
from tests.support.planted import Planting, planted
from tests.web.conftest import Served

EVENTS = "/api/v1/events/claude-code"
CALL: dict[str, Any] = {
    "hook_event_name": "PostToolUse",
    "session_id": "5b2a7c52-1111-4222-8333-944455556666",
    "transcript_path": "/home/ann/.claude/projects/app/5b2a.jsonl",
    "cwd": "/srv/app",
    "tool_name": "Bash",
    "tool_input": {"command": f"pytest -q --token {SECRET}"},
    "tool_response": {"stdout": SECRET, "interrupted": False},
    "tool_use_id": "toolu_01ABCDEFGHJKMNPQRSTVWXYZ",
    "duration_ms": 812,
}


@pytest.fixture(autouse=True)
def nothing_reported(served: Served) -> None:
    served.database.execute("DELETE FROM pattern_sync.reported_events")


def report(served: Served, **fields: object) -> httpx.Response:
    return served.client.post(EVENTS, json={**CALL, **fields})


def kept(served: Served) -> list[tuple[object, ...]]:
    rows = served.database.execute("SELECT phase, tool, word, agent FROM pattern_sync.reported_events ORDER BY id")
    return [tuple(row.values()) for row in rows]


def test_a_call_is_kept_as_a_word_once_however_often_it_is_reported(served: Served) -> None:
    for _ in range(3):
        answer = report(served)
        assert (answer.status_code, answer.content) == (204, b"")
    report(served, hook_event_name="PreToolUse", tool_response=None)
    assert kept(served) == [("ended", "Bash", "Bash/pytest", None), ("began", "Bash", "Bash/pytest", None)]
    assert SECRET not in dump(served.database)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hook_event_name": "Stop"}, "hook_event_name"),
        ({"session_id": ""}, "session_id"),
        ({"tool_name": None}, "tool_name"),
        ({"tool_name": 7}, "tool_name"),
        ({"session_id": None}, "session_id"),
    ],
)
def test_a_body_that_says_nothing_of_a_call_is_refused_by_the_field(
    served: Served, fields: dict[str, object], words: str
) -> None:
    answer = report(served, **fields)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert SECRET not in answer.text
    assert kept(served) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'"text"', b"null"])
def test_a_body_that_is_no_object_is_refused(served: Served, body: bytes) -> None:
    answer = served.client.post(EVENTS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert kept(served) == []


def test_odd_texts_and_deep_inputs_are_taken_and_give_nothing_away(served: Served) -> None:
    deep: object = SECRET
    for _ in range(200):
        deep = {"nested": [deep]}
    assert report(served, session_id=f"\x00{SECRET}", tool_use_id="\n", tool_input=deep).status_code == 204
    assert report(served, tool_name=f"mcp__{SECRET}__do", agent_id=SECRET * 50, tool_use_id="a").status_code == 204
    assert SECRET not in dump(served.database)


def test_a_large_body_is_taken_and_a_larger_one_is_refused_by_its_size(served: Served) -> None:
    assert report(served, tool_response={"stdout": "x" * 1_900_000}).status_code == 204
    answer = report(served, tool_response={"stdout": "x" * 2_200_000})
    assert answer.status_code == 413
    assert "2,097,152 bytes" in answer.json()["detail"]


def test_what_was_reported_leads_to_patterns_with_the_failures_among_it(served: Served) -> None:
    for session in planted(2, Planting(sessions=12, ordinary_between=4)):
        for number, call in enumerate(session.calls):
            tool, content = given(call)
            failed = call.outcome is Outcome.FAILED
            report(
                served,
                hook_event_name="PostToolUseFailure" if failed else "PostToolUse",
                session_id=session.session_id,
                tool_use_id=f"{session.session_id}-{number}",
                tool_name=tool,
                tool_input=content,
                tool_response=None,
                error="Command failed with exit code 1" if failed else None,
            )
    done = run_command("detect", "--json", PATTERN_SYNC_DATABASE_URL=served.database.url)
    assert done.code == 0
    shapes = [routine["steps"] for routine in done.document["routines"]]
    assert ["Bash/pytest/failed", "Read/src/.py", "Edit/src/.py", "Bash/pytest"] in shapes
    assert SECRET not in json.dumps(done.document) + dump(served.database)
