"""Events of hooks: both dialects of `hook_events`, bodies of HTTP hooks, and the calls that they make."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pattern_sync.detecting import HookReader, Vocabulary, Words, sessions_of
from pattern_sync.domain.calls import Call, Outcome, Phase, Session, ToolEvent
from pattern_sync.domain.errors import InvalidInput

OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN
READER = HookReader(Words(Vocabulary.shipped()))
BEGIN = datetime(2026, 11, 2, 9, tzinfo=UTC)
SECRET = "hunter2Zq9"
Row = tuple[int, str, Mapping[str, Any]]


def pre(row_id: int, command: str = "pytest") -> Row:
    given_to_it = {"command": command, "description": SECRET}
    return row_id, "PreToolUse", {"tool_name": "Bash", "tool_input": given_to_it, "context": {"cwd": "/srv/app"}}


def post(row_id: int) -> Row:
    # As the application's hook writes it: it reads names that are not sent, and always says success.
    return row_id, "PostToolUse", {"tool_name": "Bash", "tool_result": {}, "duration_ms": 0, "success": True}


def rows(*made: Row, as_text: bool = True) -> list[ToolEvent]:
    """Return the events of rows, each a second after the one before."""
    events = [
        READER.of_row(
            row_id, kind, "s1", "Bash", json.dumps(payload) if as_text else payload,
            (BEGIN + timedelta(seconds=number)).replace(tzinfo=None),
        )
        for number, (row_id, kind, payload) in enumerate(made)
    ]  # fmt: skip
    return [event for event in events if event is not None]


def calls(events: Sequence[ToolEvent]) -> list[tuple[str, Outcome]]:
    return [(each.word, each.outcome) for session in sessions_of(events, "hook_events") for each in session.calls]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_row_of_either_dialect_is_an_event(as_text: bool) -> None:  # noqa: FBT001
    assert rows(pre(7, f"FOO={SECRET} pytest -k {SECRET}"), post(8), as_text=as_text) == [
        ToolEvent("s1", None, None, Phase.BEGAN, "Bash", "Bash/pytest", BEGIN, 7),
        ToolEvent("s1", None, None, Phase.ENDED, "Bash", None, BEGIN + timedelta(seconds=1), 8),
    ]


@pytest.mark.parametrize(
    ("event_type", "session", "tool", "payload"),
    [
        ("Stop", "s1", "Bash", "{}"),
        (None, "s1", "Bash", "{}"),
        ("PreToolUse", None, "Bash", "{}"),
        ("PreToolUse", "", "Bash", "{}"),
        ("PreToolUse", "s1", None, "{}"),
        ("PreToolUse", "s1", None, "{"),
        ("PreToolUse", "s1", None, "[" * 100_000),
        ("PreToolUse", "s1", None, '{"tool_name": 3}'),
    ],
)
def test_a_row_of_no_call_is_no_event(
    event_type: str | None, session: str | None, tool: str | None, payload: str
) -> None:
    assert READER.of_row(1, event_type, session, tool, payload, BEGIN) is None


def test_what_a_row_lacks_its_payload_has() -> None:
    payload = json.dumps({"session_id": "s9", "tool_name": "Read", "tool_input": {"file_path": "x.py"}})
    event = READER.of_row(1, "PreToolUse", None, None, payload, None)
    assert event == ToolEvent("s9", None, None, Phase.BEGAN, "Read", "Read/.py", None, 1)


def test_a_call_that_began_and_did_not_end_before_a_later_one_failed() -> None:
    events = rows(pre(1, "npm test"), pre(2, "npm install"), post(3), pre(4, "npm test"), post(5))
    session = next(sessions_of(events, "hook_events"))
    assert [(each.word, each.outcome) for each in session.calls] == [
        ("Bash/npm test", FAILED), ("Bash/npm install", OK), ("Bash/npm test", OK),
    ]  # fmt: skip
    assert (session.cut_off, session.events, session.shows_failures) == (1, 5, True)
    assert session.last_event_at == BEGIN + timedelta(seconds=4)


def test_what_began_last_may_still_be_at_work() -> None:
    session = next(sessions_of(rows(pre(1), post(2), pre(3, "make test")), "hook_events"))
    assert [each.outcome for each in session.calls] == [OK, UNKNOWN]
    assert session.cut_off == 0


def test_success_proves_nothing_but_that_it_ended() -> None:
    failed = (2, "PostToolUse", {"tool_name": "Bash", "success": False})
    assert calls(rows(pre(1), failed)) == [("Bash/pytest", OK)]


def test_an_answer_that_says_so_is_a_failure() -> None:
    interrupted = (2, "PostToolUse", {"tool_name": "Bash", "tool_response": {"interrupted": True}})
    assert calls(rows(pre(1), interrupted)) == [("Bash/pytest", FAILED)]


def test_rows_are_ordered_by_their_time_and_then_by_their_number() -> None:
    at = BEGIN.replace(tzinfo=None)
    made = [pre(3, "npm test"), post(4), pre(1, "make lint"), post(2)]
    events = [READER.of_row(row_id, kind, "s1", "Bash", dict(payload), at) for row_id, kind, payload in made]
    assert calls([each for each in events if each]) == [("Bash/make lint", OK), ("Bash/npm test", OK)]


def test_calls_at_the_same_time_are_told_apart_by_their_ids() -> None:
    def body(kind: str, call_id: str, command: str) -> ToolEvent:
        given_to_it = {"command": command}
        content = {"hook_event_name": kind, "session_id": "s", "tool_name": "Bash", "tool_use_id": call_id}
        return READER.of_body({**content, "tool_input": given_to_it}, BEGIN)

    events = [
        body("PreToolUse", "toolu_1", "npm test"), body("PreToolUse", "toolu_2", "npm test"),
        body("PreToolUse", "toolu_3", "npm test"), body("PostToolUseFailure", "toolu_1", "npm test"),
        body("PostToolUse", "toolu_3", "npm test"), body("PostToolUse", "toolu_3", "npm test"),
        body("PostToolUse", "toolu_2", "npm test"),
    ]  # fmt: skip
    assert calls(events) == [("Bash/npm test", FAILED), ("Bash/npm test", OK), ("Bash/npm test", OK)]


def test_ends_alone_are_calls_in_which_no_failure_shows() -> None:
    session = next(sessions_of(rows(post(1), post(2)), "http"))
    assert [(each.word, each.outcome) for each in session.calls] == [("Bash/other", OK), ("Bash/other", OK)]
    assert not session.shows_failures


def test_subagents_and_sessions_that_interleave_are_apart() -> None:
    def body(session: str, agent: str | None, tool: str) -> ToolEvent:
        content = {"hook_event_name": "PostToolUse", "session_id": session, "tool_name": tool, "tool_input": {}}
        return READER.of_body({**content, "agent_id": agent}, BEGIN)

    events = [
        body("s1", None, "Grep"), body("s1", "a1", "Glob"), body("s1", None, "Task"), body("s1", "a1", "LS"),
        body("s2", None, "Grep"),
    ]  # fmt: skip
    sessions = {each.session_id: [one.word for one in each.calls] for each in sessions_of(events, "http")}
    assert sessions == {"s1": ["Grep", "Task"], "s1/a1": ["Glob", "LS"], "s2": ["Grep"]}


def test_events_of_a_session_that_are_apart_are_refused() -> None:
    first, second = rows(pre(1))[0], rows(pre(2))[0]
    other = ToolEvent("s2", None, None, Phase.BEGAN, "LS", "LS", BEGIN)
    with pytest.raises(ValueError, match="the events of the session s1 are apart"):
        list(sessions_of([first, other, second], "http"))


def test_a_body_of_an_http_hook_is_an_event_without_anything_of_its_contents() -> None:
    event = READER.of_body(
        {
            "session_id": "abc123", "transcript_path": f"/home/{SECRET}/t.jsonl", "cwd": "/srv/app",
            "permission_mode": "default", "hook_event_name": "PostToolUseFailure", "tool_name": "Bash",
            "tool_input": {"command": f"npm test -- {SECRET}", "description": SECRET}, "tool_use_id": "toolu_01ABC123",
            "agent_id": "ae267a1", "error": SECRET, "is_interrupt": False, "duration_ms": 12,
        },
        BEGIN.astimezone(timezone(timedelta(hours=2))),
    )  # fmt: skip
    assert event == ToolEvent("abc123", "ae267a1", "toolu_01ABC123", Phase.FAILED, "Bash", "Bash/npm test", BEGIN)
    assert event.at is not None
    assert event.at.tzinfo is UTC
    assert SECRET not in repr(event)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (None, "The body is no JSON object; Claude"),
        ([SECRET], "The body is no JSON object; Claude"),
        ({}, "hook_event_name is missing, which says nothing of a call; register the hook for PreToolUse, PostToolUse"),
        ({"hook_event_name": "Stop"}, "hook_event_name is 'Stop'"),
        ({"hook_event_name": f"x {SECRET}"}, "hook_event_name is no name"),
        ({"hook_event_name": ["PreToolUse"]}, "hook_event_name is an array"),
        ({"hook_event_name": "PreToolUse"}, "session_id is missing, and must be a text"),
        ({"hook_event_name": "PreToolUse", "session_id": ""}, "session_id is no name"),
        ({"hook_event_name": "PreToolUse", "session_id": "s", "tool_name": 3}, "tool_name is a number"),
    ],
)
def test_a_body_that_is_none_is_refused_in_words(body: object, complaint: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        READER.of_body(body, BEGIN)
    assert complaint in str(fault.value)
    assert SECRET not in str(fault.value)


def test_an_id_that_is_somebodys_words_or_a_key_does_not_stay() -> None:
    for strange in (f"my {SECRET}", "x" * 101, "sk-ant-api03-abcdefgh", "\ud800", "ghp_abcdefghijkl"):
        body = {"hook_event_name": "PreToolUse", "session_id": strange, "tool_name": "LS", "tool_use_id": strange}
        event = READER.of_body(body, BEGIN)
        assert event.session_id == event.call_id
        assert event.session_id.startswith("id-")
        assert len(event.session_id) == 19


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
KEYS = ["tool_input", "tool_response", "tool_use_id", "agent_id", "cwd", "context", "tool_name", "session_id"]


@settings(max_examples=200)
@given(st.sampled_from(KEYS), JSON)
def test_whatever_a_body_says_it_is_an_event_or_refused(key: str, value: object) -> None:
    body = {"hook_event_name": "PostToolUse", "session_id": "s", "tool_name": "Bash", "tool_input": {}, key: value}
    try:
        event = READER.of_body(body, BEGIN)
    except InvalidInput:
        assert key in {"tool_name", "session_id"}
    else:
        assert event.at == BEGIN
    assert READER.of_row(1, "PreToolUse", "s", "Bash", value, BEGIN) is not None


EVENTS = st.lists(
    st.builds(
        ToolEvent,
        session_id=st.just("s"),
        agent=st.sampled_from([None, None, "a"]),
        call_id=st.sampled_from([None, None, "1", "2", "3"]),
        phase=st.sampled_from(Phase),
        tool=st.sampled_from(["Bash", "Read"]),
        word=st.sampled_from([None, "Bash/x", "Bash/y"]),
        at=st.sampled_from([None, *(BEGIN + timedelta(seconds=number) for number in range(5))]),
        order=st.integers(0, 9),
    ),
    max_size=20,
)


@settings(max_examples=300)
@given(EVENTS)
def test_each_beginning_is_one_call_and_each_end_at_most_one(events: list[ToolEvent]) -> None:
    sessions: list[Session] = list(sessions_of(list(events), "http"))
    made: list[Call] = [call for each in sessions for call in each.calls]
    begun = sum(event.phase is Phase.BEGAN for event in events)
    assert begun <= len(made) <= len(events)
    assert sum(each.events for each in sessions) == len(events)
    failed = sum(call.outcome is FAILED for call in made)
    assert failed <= sum(event.phase is Phase.FAILED for event in events) + sum(each.cut_off for each in sessions)
