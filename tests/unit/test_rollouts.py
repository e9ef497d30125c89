"""Rollouts of Codex: each call once, with its outcome where the answer says it, its cost, and its thread."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pattern_sync.detecting import Library, Prices, Vocabulary, Words
from pattern_sync.detecting.ledger import Ledger
from pattern_sync.detecting.rollouts import RolloutReader
from pattern_sync.domain.calls import Call, Outcome, Session
from tests.support.transcripts import BEGIN, rollout_line, written

OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN
WORDS = Words(Vocabulary.shipped())
PRICES = Prices.parse('["gpt-5"]\ninput = 1.0\noutput = 10.0\ncache_read = 0.1', "prices.toml")
THREAD = "019a2d7a-41c4-78b1-b7cc-a45d62a89cd5"
SECRET = "hunter2Zq9"


def meta(thread: str = THREAD, **more: object) -> dict[str, Any]:
    return rollout_line("session_meta", {"id": thread, "cwd": "/srv/app", "cli_version": "0.149.1", **more})


CONTEXT = rollout_line("turn_context", {"model": "gpt-5-codex", "cwd": "/srv/app"})


def call(
    name: str, arguments: object, call_id: str = "call_AnMStssFtufeBXJJ9HuJQeb0", second: int = 1
) -> dict[str, Any]:
    payload = {"type": "function_call", "name": name, "arguments": json.dumps(arguments), "call_id": call_id}
    return rollout_line("response_item", payload, second)


def output(said: object, call_id: str = "call_AnMStssFtufeBXJJ9HuJQeb0", second: int = 2) -> dict[str, Any]:
    return rollout_line("response_item", {"type": "function_call_output", "call_id": call_id, "output": said}, second)


def used(total: int, **last: int) -> dict[str, Any]:
    info = {"total_token_usage": {"total_tokens": total}, "last_token_usage": last}
    return rollout_line("event_msg", {"type": "token_count", "info": info})


def read(lines: Iterable[Mapping[str, Any]]) -> list[Session]:
    ledger = Ledger()
    reader = RolloutReader(WORDS, PRICES, ledger)
    for line in lines:
        reader.take(line)
    return list(ledger.sessions())


def calls(*lines: Mapping[str, Any]) -> list[tuple[str, Outcome]]:
    return [(each.word, each.outcome) for session in read([meta(), CONTEXT, *lines]) for each in session.calls]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (json.dumps({"output": "fine", "metadata": {"exit_code": 0, "duration_seconds": 0.1}}), OK),
        (json.dumps({"output": "Exit code: 0", "metadata": {"exit_code": 2}}), FAILED),
        ("Exit code: 0\nWall time: 0.1 seconds\nOutput:\nfine", OK),
        ("Exit code: 1\nWall time: 0.1 seconds\nOutput:\nExit code: 0", FAILED),
        ("Chunk ID: 3f\nWall time: 1.2 seconds\nProcess exited with code 0\nOutput:\nfine", OK),
        ("Chunk ID: 3f\nWall time: 1.2 seconds\nProcess exited with code 101\nOutput:\nno", FAILED),
        ("Chunk ID: 3f\nWall time: 1.2 seconds\nProcess running with session ID 5\nOutput:\n", UNKNOWN),
        ("Wall time: 1 second\nOutput:\nProcess exited with code 0", UNKNOWN),
        ({"content": "no", "success": False}, FAILED),
        ("Plan updated", UNKNOWN),
        ("{not json", UNKNOWN),
        (["a list"], UNKNOWN),
        ([{"type": "input_text", "text": "Exit code: 1\nOutput:\n"}], FAILED),
        ([{"type": "input_text", "text": "Script failed\nWall time 0.1 seconds\nOutput:\n"}], FAILED),
        ([{"type": "input_text", "text": "Script completed\nWall time 0.1 seconds\nOutput:\n"}], UNKNOWN),
        (json.dumps({"exit_code": 7, "output": "x"}), FAILED),
        ("a\nb\nc\nd\ne\nExit code: 1", UNKNOWN),
        ("Command: /bin/bash -lc pwd\nProcess exited with code 0\nOutput:\n", OK),
        (None, UNKNOWN),
    ],
)
def test_how_a_command_ended_is_in_the_head_of_what_it_answered(said: object, outcome: Outcome) -> None:
    assert calls(call("shell", {"command": ["bash", "-lc", "pytest"]}), output(said)) == [("Bash/pytest", outcome)]


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (call("exec_command", {"cmd": f"git commit -m {SECRET}", "workdir": "/srv"}), "Bash/git commit"),
        (call("shell_command", {"command": "cargo test"}), "Bash/cargo test"),
        (call("update_plan", {"plan": []}), "TodoWrite"),
        (call("read_file", {"file_path": "/srv/app/src/x.rs"}), "Read/src/.rs"),
        (
            rollout_line(
                "response_item",
                {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch",
                 "input": f"*** Begin Patch\n*** Update File: src/x.rs\n+{SECRET}"},
            ),
            "Edit/src/.rs",
        ),
        (
            rollout_line(
                "response_item",
                {"type": "local_shell_call", "call_id": "c1", "action": {"type": "exec", "command": ["npm", "test"]}},
            ),
            "Bash/npm test",
        ),
    ],
)  # fmt: skip
def test_every_form_of_a_call_has_its_word(lines: dict[str, Any], word: str) -> None:
    assert calls(lines) == [(word, UNKNOWN)]


def script(source: str, call_id: str = "call_SnMStssFtufeBXJJ9HuJQeb0") -> dict[str, Any]:
    payload = {"type": "custom_tool_call", "name": "exec", "call_id": call_id, "input": source}
    return rollout_line("response_item", payload)


def done(item_id: str, **item: object) -> dict[str, Any]:
    return rollout_line("event_msg", {"type": "item_completed", "item": {"id": item_id, **item}})


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('const r = await tools.exec_command({"cmd":"cargo test -q","workdir":"/s"}); text(r)', "Bash/cargo test"),
        ("text(await tools.exec_command({cmd:'nl -ba f && npm t'}))", "Bash/npm test"),
        ('await tools.exec_command({ cmd: "git commit -m \\"x\\"" })', "Bash/git commit"),
        (r'const p = "*** Begin Patch\n*** Update File: src/a.js\n"; await tools.apply_patch(p);', "Edit/src/.js"),
        ("await tools.web__run({search_query: []})", "mcp/other"),
        (f"await tools.{SECRET}()", "other"),
        (f"text('{SECRET}')", "other"),
    ],
)
def test_a_script_that_is_all_there_is_has_the_word_of_its_first_call(source: str, word: str) -> None:
    assert calls(script(source)) == [(word, UNKNOWN)]


def test_what_a_script_has_called_takes_its_place() -> None:
    fine = output([{"type": "input_text", "text": "Script completed\nOutput:\n"}], "call_SnMStssFtufeBXJJ9HuJQeb0")
    changes = {"/srv/app/src/x.rs": {"type": "update"}}
    assert calls(
        script("await tools.exec_command({cmd: make()})"),
        done("exec-0000-0001", type="CommandExecution", command=["/bin/zsh", "-lc", "pytest"], exit_code=1),
        fine,
        done("exec-0000-0002", type="CommandExecution", command="git status", exit_code=0, status="completed"),
        done("exec-0000-0003", type="FileChange", changes=changes, status="completed"),
        done("exec-0000-0004", type="McpToolCall", server="playwright", tool="browser_click", status="declined"),
        done("exec-0000-0005", type="AgentMessage", text=SECRET),
        done("exec-0000-0001", type="CommandExecution", command="pytest", exit_code=1),
    ) == [
        ("Bash/pytest", FAILED), ("Bash/git status", OK), ("Edit/src/.rs", OK),
        ("mcp/playwright browser_click", FAILED),
    ]  # fmt: skip


def test_an_item_of_a_call_that_is_known_only_says_how_it_ended() -> None:
    ended = done("call_AnMStssFtufeBXJJ9HuJQeb0", type="CommandExecution", command="pytest", exit_code=2)
    assert calls(call("exec_command", {"cmd": "pytest"}), ended, output("no sign")) == [("Bash/pytest", FAILED)]


def test_a_search_has_no_call_id_and_says_itself_how_it_ended() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": SECRET}}
    assert calls(rollout_line("response_item", search)) == [("WebSearch", OK)]


def test_events_say_how_calls_ended_where_the_answers_do_not() -> None:
    ended = {"type": "exec_command_end", "call_id": "call_AnMStssFtufeBXJJ9HuJQeb0", "exit_code": 1}
    patched = {"type": "patch_apply_end", "call_id": "call_BnMStssFtufeBXJJ9HuJQeb0", "success": True}
    assert calls(
        call("exec_command", {"cmd": "pytest"}), rollout_line("event_msg", ended), output("no sign"),
        call("apply_patch", {}, "call_BnMStssFtufeBXJJ9HuJQeb0"), rollout_line("event_msg", patched),
    ) == [("Bash/pytest", FAILED), ("Edit", OK)]  # fmt: skip


def test_what_a_turn_used_is_paid_by_the_calls_before_it_and_once() -> None:
    sessions = read(
        [
            meta(),
            CONTEXT,
            call("exec_command", {"cmd": "ls"}, "call_AnMStssFtufeBXJJ9HuJQeb0"),
            call("exec_command", {"cmd": "rg x"}, "call_BnMStssFtufeBXJJ9HuJQeb0"),
            used(1_100_000, input_tokens=1_000_000, cached_input_tokens=400_000, output_tokens=100_000),
            used(1_100_000, input_tokens=1_000_000, cached_input_tokens=400_000, output_tokens=100_000),
            output("Exit code: 0\nOutput:\n"),
            used(1_200_000, input_tokens=100_000, output_tokens=0),
            call("exec_command", {"cmd": "pytest"}, "call_CnMStssFtufeBXJJ9HuJQeb0"),
        ]
    )
    # 0.6 of fresh input, 0.04 of cached, 1.0 of output, over two calls.
    assert [each.cost_usd for each in sessions[0].calls] == [pytest.approx(0.82), pytest.approx(0.82), None]


def test_a_session_has_its_thread_its_times_and_its_events() -> None:
    session = read([meta(), CONTEXT, call("exec_command", {"cmd": "pytest"}), output("Exit code: 0")])[0]
    assert (session.session_id, session.source, session.events) == (THREAD, "codex", 2)
    assert session.last_event_at == BEGIN + timedelta(seconds=2)
    assert session.calls == (Call("Bash/pytest", OK, BEGIN + timedelta(seconds=1), None),)


def test_what_a_subagent_copies_of_its_parent_stays_the_parents(tmp_path: Path) -> None:
    own = [call("exec_command", {"cmd": "pytest"}), output("Exit code: 0")]
    child = "019f624a-cc95-7c50-b9fa-1db381270b73"
    spawned = {"subagent": {"thread_spawn": {"parent_thread_id": THREAD, "depth": 1}}}
    later = [call("exec_command", {"cmd": "rg x"}, "call_ZnMStssFtufeBXJJ9HuJQeb0")]
    (tmp_path / "rollout-2026-11-02T09-00-00-a.jsonl").write_bytes(written([meta(), CONTEXT, *own]))
    (tmp_path / "rollout-2026-11-02T10-00-00-b.jsonl").write_bytes(
        written([meta(child, source=spawned), meta(), CONTEXT, *own, *later])
    )
    library = Library(WORDS, PRICES)
    library.read([tmp_path])
    assert {each.session_id: [one.word for one in each.calls] for each in library.sessions()} == {
        THREAD: ["Bash/pytest"],
        f"{THREAD}/{child}": ["Bash/rg"],
    }


def test_lines_before_a_session_has_a_name_are_passed_over() -> None:
    assert read([CONTEXT, call("exec_command", {"cmd": "pytest"})]) == []


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
KEYS = ["type", "id", "call_id", "name", "arguments", "output", "info", "model", "item", "source", "exit_code"]


@settings(max_examples=200)
@given(st.sampled_from(KEYS), st.sampled_from(["type", "payload", "timestamp"]), JSON)
def test_whatever_a_line_says_nothing_fails(of_payload: str, of_line: str, value: object) -> None:
    lines = [
        meta(), CONTEXT, call("exec_command", {"cmd": SECRET}), output("Exit code: 0"),
        used(5, input_tokens=5, output_tokens=1),
        script(f"await tools.exec_command({{cmd: '{SECRET}'}})"),
        done("exec-0000-0001", type="CommandExecution", command=SECRET, changes={SECRET: 1}, exit_code=0),
    ]  # fmt: skip
    changed = [{**line, "payload": {**line["payload"], of_payload: value}} for line in lines]
    sessions = read([*lines[:2], *changed, *({**line, of_line: value} for line in lines), *lines])
    assert SECRET not in repr([each.calls for each in sessions])
