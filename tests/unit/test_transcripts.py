"""Transcripts of Claude Code: each call once, with its outcome, its cost, and the session that it belongs to."""

import json
import os
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pattern_sync.detecting import Library, Prices, Reading, Vocabulary, Words
from pattern_sync.detecting.ledger import Ledger
from pattern_sync.detecting.lines import LONGEST_LINE
from pattern_sync.detecting.transcripts import TranscriptReader
from pattern_sync.domain.calls import Call, Outcome, Session
from tests.support.transcripts import BEGIN, Transcript, written

OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN
WORDS = Words(Vocabulary.shipped())
PRICES = Prices.parse('["claude-sonnet"]\ninput = 3\noutput = 15\ncache_read = 0.3\ncache_write = 3.75', "prices.toml")
# 10 x 3 + 1,000 x 3.75 + 20,000 x 0.3 + 100 x 15, by the million.
TURN_USD = 0.01128
SECRET = "hunter2Zq9"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def read(folder: Path, prices: Prices = PRICES) -> tuple[list[Session], Reading]:
    library = Library(WORDS, prices)
    library.read([folder])
    return list(library.sessions()), library.reading


def one(folder: Path) -> Session:
    sessions, _ = read(folder)
    assert len(sessions) == 1
    return sessions[0]


def a_session() -> Transcript:
    transcript = Transcript()
    transcript.line("summary", summary=SECRET)
    transcript.line("user", {"role": "user", "content": f"please {SECRET}"})
    transcript.call("toolu_01AAAAAAAAAAAAAAAAAAAAAA", "Bash", {"command": f"pytest -k {SECRET}"}, "msg_1")
    transcript.result("toolu_01AAAAAAAAAAAAAAAAAAAAAA", SECRET, is_error=True)
    transcript.call("toolu_01BBBBBBBBBBBBBBBBBBBBBB", "Edit", {"file_path": "/srv/app/src/x.py"}, "msg_2")
    transcript.result("toolu_01BBBBBBBBBBBBBBBBBBBBBB")
    transcript.call("toolu_01CCCCCCCCCCCCCCCCCCCCCC", "Bash", {"command": "pytest"}, "msg_3")
    transcript.result("toolu_01CCCCCCCCCCCCCCCCCCCCCC", is_error=False)
    transcript.line("file-history-snapshot", snapshot={})
    return transcript


def test_a_session_is_its_calls_with_outcome_time_and_cost(folder: Path) -> None:
    (folder / "s.jsonl").write_bytes(written(a_session().lines))
    session = one(folder)
    assert session.session_id == "5b2a7c52-1111-4222-8333-944455556666"
    assert (session.source, session.events, session.cut_off) == ("claude-code", 6, 0)
    assert session.last_event_at == BEGIN + timedelta(seconds=8)
    assert session.calls == (
        Call("Bash/pytest", FAILED, BEGIN + timedelta(seconds=3), TURN_USD),
        Call("Edit/src/.py", OK, BEGIN + timedelta(seconds=5), TURN_USD),
        Call("Bash/pytest", OK, BEGIN + timedelta(seconds=7), TURN_USD),
    )
    assert SECRET not in repr(session)


def test_an_answer_over_several_lines_is_paid_once_by_its_last_figures_and_split_over_its_calls(folder: Path) -> None:
    transcript = Transcript()
    transcript.answer("msg_1", [{"type": "thinking", "thinking": "hm"}], output_tokens=1)
    transcript.call("toolu_01AAAAAAAAAAAAAAAAAAAAAA", "Glob", {}, "msg_1", output_tokens=1)
    transcript.result("toolu_01AAAAAAAAAAAAAAAAAAAAAA")
    transcript.call("toolu_01BBBBBBBBBBBBBBBBBBBBBB", "Grep", {}, "msg_1", output_tokens=50)
    transcript.answer("msg_1", [{"type": "text", "text": "so"}], output_tokens=100)
    transcript.answer("msg_2", [{"type": "text", "text": "no call"}])
    (folder / "s.jsonl").write_bytes(written(transcript.lines))
    assert [call.cost_usd for call in one(folder).calls] == pytest.approx([TURN_USD / 2, TURN_USD / 2])


def test_without_a_price_for_its_model_a_call_has_no_cost(folder: Path) -> None:
    (folder / "s.jsonl").write_bytes(written(a_session().lines))
    sessions, _ = read(folder, Prices.none())
    assert {call.cost_usd for call in sessions[0].calls} == {None}


def test_a_resumed_session_has_only_what_came_after(folder: Path) -> None:
    first = a_session()
    (folder / "a.jsonl").write_bytes(written(first.lines))
    copied = [{**line, "sessionId": "later"} for line in first.lines]
    second = Transcript("later")
    second.call("toolu_01DDDDDDDDDDDDDDDDDDDDDD", "Bash", {"command": "git commit"}, "msg_9")
    second.result("toolu_01DDDDDDDDDDDDDDDDDDDDDD")
    (folder / "b.jsonl").write_bytes(written([*copied, *second.lines]))
    sessions, _ = read(folder)
    assert {each.session_id: len(each.calls) for each in sessions} == {first.session_id: 3, "later": 1}
    assert {each.session_id: each.events for each in sessions} == {first.session_id: 6, "later": 2}


def test_a_session_in_two_files_is_one(folder: Path) -> None:
    transcript = a_session()
    (folder / "a.jsonl").write_bytes(written(transcript.lines[:4]))
    (folder / "deeper").mkdir()
    (folder / "deeper" / "b.jsonl").write_bytes(written(transcript.lines[2:]))
    session = one(folder)
    assert [(call.word, call.outcome) for call in session.calls] == [
        ("Bash/pytest", FAILED), ("Edit/src/.py", OK), ("Bash/pytest", OK),
    ]  # fmt: skip


def test_the_same_files_again_give_the_same(folder: Path) -> None:
    (folder / "s.jsonl").write_bytes(written(a_session().lines))
    assert read(folder) == read(folder)


def test_short_ids_that_a_model_uses_again_are_calls_of_their_own(folder: Path) -> None:
    for name in ("a", "b"):
        transcript = Transcript(name)
        for turn in range(3):
            transcript.call("call_0", "Bash", {"command": "pytest"}, f"chatcmpl-{name}{turn}")
            transcript.result("call_0", is_error=turn == 1)
        (folder / f"{name}.jsonl").write_bytes(written(transcript.lines))
    sessions, _ = read(folder)
    assert [[call.outcome for call in each.calls] for each in sessions] == [[OK, FAILED, OK]] * 2


def test_a_subagent_is_a_session_of_its_own(folder: Path) -> None:
    main, sub, old = a_session(), Transcript(agent="ae267a1"), Transcript(agent="x")
    sub.call("toolu_01DDDDDDDDDDDDDDDDDDDDDD", "Grep", {}, "msg_7")
    line = old.call("toolu_01EEEEEEEEEEEEEEEEEEEEEE", "Glob", {}, "msg_8")
    del line["agentId"]
    (folder / "s.jsonl").write_bytes(written([*main.lines, line]))
    (folder / "agent-ae267a1.jsonl").write_bytes(written(sub.lines))
    sessions, _ = read(folder)
    names = {each.session_id.removeprefix(main.session_id): [call.word for call in each.calls] for each in sessions}
    assert names == {"": ["Bash/pytest", "Edit/src/.py", "Bash/pytest"], "/ae267a1": ["Grep"], "/subagent": ["Glob"]}


def test_a_clock_that_goes_back_changes_no_order(folder: Path) -> None:
    lines = a_session().lines
    lines[4]["timestamp"] = "2020-01-01T00:00:00Z"
    lines[6]["timestamp"] = "yesterday"
    (folder / "s.jsonl").write_bytes(written(lines))
    session = one(folder)
    assert [call.word for call in session.calls] == ["Bash/pytest", "Edit/src/.py", "Bash/pytest"]
    assert [call.at.year if call.at else None for call in session.calls] == [2026, 2020, None]


@pytest.mark.parametrize(
    "at",
    ["2026-11-02T09:00:00+14:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "", 5, None, "1" * 5_000],
)
def test_any_time_is_read_or_unknown(folder: Path, at: object) -> None:
    lines = a_session().lines
    lines[2]["timestamp"] = at
    (folder / "s.jsonl").write_bytes(written(lines))
    assert len(one(folder).calls) == 3


def test_a_call_without_a_result_has_no_outcome(folder: Path) -> None:
    (folder / "s.jsonl").write_bytes(written(a_session().lines[:7]))
    assert [call.outcome for call in one(folder).calls] == [FAILED, OK, UNKNOWN]


def test_a_call_that_was_interrupted_failed(folder: Path) -> None:
    lines = a_session().lines
    lines[5]["toolUseResult"] = {"stdout": "", "interrupted": True}
    (folder / "s.jsonl").write_bytes(written(lines))
    assert [call.outcome for call in one(folder).calls] == [FAILED, FAILED, OK]


def test_what_goes_on_in_the_background_has_no_outcome(folder: Path) -> None:
    lines = a_session().lines
    lines[5]["toolUseResult"] = {"backgroundTaskId": "b1"}
    (folder / "s.jsonl").write_bytes(written(lines))
    assert [call.outcome for call in one(folder).calls] == [FAILED, UNKNOWN, OK]


def test_lines_that_cannot_be_read_are_counted_and_cost_no_others(folder: Path) -> None:
    lines = a_session().lines
    strange = [b'"tool_use"\n', b'["tool_use"]\n', b'{"type": "tool_use\n', b'{"tool_use":' + b"[" * 100_000 + b"\n"]
    latin = written(lines[2:3]).replace(SECRET.encode(), b"\xff\xfe\xe9")
    parts = [written(lines[:2]), latin, *strange, b"\n", b"\0\0\n", written(lines[3:]), written(lines[2:3])[:-40]]
    (folder / "s.jsonl").write_bytes(b"".join(parts))
    sessions, reading = read(folder)
    assert [call.word for call in sessions[0].calls] == ["Bash/pytest", "Edit/src/.py", "Bash/pytest"]
    assert (reading.skipped.cut, reading.skipped.strange, reading.skipped.too_long) == (3, 2, 0)


def test_a_line_of_a_hundred_megabytes_is_passed_over_in_little_memory(folder: Path) -> None:
    lines = a_session().lines
    path = folder / "s.jsonl"
    with path.open("wb") as file:
        file.write(written(lines[:4]) + b'{"tool_use": "')
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n' + written(lines[4:]))
    tracemalloc.start()
    try:
        sessions, reading = read(folder)
        assert tracemalloc.get_traced_memory()[1] < 4 * LONGEST_LINE
    finally:
        tracemalloc.stop()
    assert len(sessions[0].calls) == 3
    assert reading.skipped.too_long == 1
    path.unlink()


def test_a_line_just_short_enough_is_read(folder: Path) -> None:
    line = a_session().lines[2]
    room = LONGEST_LINE - len(json.dumps({**line, "pad": ""})) - 1
    (folder / "s.jsonl").write_bytes(written([{**line, "pad": "x" * room}]))
    assert len(one(folder).calls) == 1
    (folder / "s.jsonl").write_bytes(written([{**line, "pad": "x" * (room + 1)}]))
    assert read(folder)[0] == []


def test_only_files_of_transcripts_are_read_and_nothing_is_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "notes.txt").write_bytes(written(a_session().lines))
    (folder / "old.jsonl.zst").write_bytes(b"")
    (folder / "folder.jsonl").mkdir()
    (folder / "gone.jsonl").symlink_to(folder / "nowhere")
    sessions, reading = read(folder)
    assert (sessions, reading.files, reading.unreadable, reading.compressed) == ([], 0, 1, 1)


def test_a_file_that_is_named_is_read_whatever_its_name(folder: Path) -> None:
    path = folder / "transcript"
    path.write_bytes(written(a_session().lines))
    heard: list[int] = []
    library = Library(WORDS, PRICES)
    library.read([path, folder], heard.append)
    assert [len(each.calls) for each in library.sessions()] == [3]
    assert heard == [1]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@settings(max_examples=200)
@given(st.integers(0, 8), st.sampled_from(["message", "sessionId", "timestamp", "cwd", "type", "isSidechain"]), JSON)
def test_whatever_a_line_says_the_others_are_read(number: int, key: str, value: object) -> None:
    ledger = Ledger()
    reader = TranscriptReader(WORDS, PRICES, ledger)
    lines = a_session().lines
    lines[number] = {**lines[number], key: value}
    for line in lines:
        reader.take(line)
    assert sum(len(each.calls) for each in ledger.sessions()) >= 2


@settings(max_examples=200)
@given(
    st.sampled_from(["id", "name", "input", "type", "tool_use_id", "is_error"]),
    st.sampled_from(["usage", "model", "id", "content"]),
    JSON,
)
def test_whatever_a_block_says_nothing_fails(of_block: str, of_message: str, value: object) -> None:
    ledger = Ledger()
    reader = TranscriptReader(WORDS, PRICES, ledger)
    for line in a_session().lines:
        if isinstance(content := line.get("message", {}).get("content"), list):
            content[0][of_block] = value
            line["message"][of_message] = value if of_message != "content" else [*content, value]
        reader.take(line)
    for each in ledger.sessions():
        assert each.calls == tuple(each.calls)
