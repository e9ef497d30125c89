"""Which sessions are read anew, and which source is believed, so that no call is counted twice."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from pattern_sync.detecting.keeping import HOOK_EVENTS, HOOKS, Kept, in_batches
from pattern_sync.domain.calls import ReadSession, Session

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
TRANSCRIPTS = "claude-code"


def read(session_id: str, source: str, events: int = 4, at: datetime | None = AT) -> ReadSession:
    return ReadSession(session_id, source, events, at)


def session(session_id: str, source: str) -> Session:
    return Session(session_id, source, 4, AT, ())


def test_a_session_is_read_anew_where_its_events_or_the_last_one_differ() -> None:
    kept = Kept([read("s", HOOKS)])
    assert not kept.has_changed(read("s", HOOKS))
    assert kept.has_changed(read("s", HOOKS, events=5))
    assert kept.has_changed(read("s", HOOKS, at=AT + timedelta(seconds=1)))
    assert kept.has_changed(read("other", HOOKS))
    assert Kept([read("s", HOOKS)], again=True).has_changed(read("s", HOOKS))


def test_a_session_and_its_subagents_are_one_to_a_source_that_does_not_part_them() -> None:
    kept = Kept([read("s", HOOKS, events=3), read("s/agent", HOOKS, events=2, at=AT + timedelta(minutes=2))])
    assert not kept.has_changed(read("s", HOOKS, events=5, at=AT + timedelta(minutes=2)))
    assert kept.has_changed(read("s", HOOKS, events=5))


@pytest.mark.parametrize(
    ("known", "found", "later", "wanted"),
    [
        (TRANSCRIPTS, HOOK_EVENTS, timedelta(), False),
        (TRANSCRIPTS, HOOK_EVENTS, timedelta(seconds=59), False),
        (TRANSCRIPTS, HOOK_EVENTS, timedelta(minutes=2), True),
        (HOOKS, HOOK_EVENTS, timedelta(), False),
        (HOOK_EVENTS, HOOKS, timedelta(), True),
        (HOOK_EVENTS, HOOKS, -timedelta(days=1), True),
        ("of a later version", HOOK_EVENTS, timedelta(), True),
    ],
)
def test_the_source_that_shows_more_is_believed_unless_another_has_heard_later(
    known: str, found: str, later: timedelta, wanted: object
) -> None:
    assert Kept([read("s", known)]).has_changed(read("s", found, at=AT + later)) is wanted


def test_a_session_of_one_source_takes_the_place_of_all_its_parts_of_another_and_of_nothing_else() -> None:
    kept = Kept([read("s", HOOKS), read("s/agent", HOOKS), read("s-other", HOOKS)])
    assert kept.take(session("s", HOOKS)) == []
    assert kept.take(session("s", TRANSCRIPTS)) == ["s", "s/agent"]
    assert kept.take(session("s/agent", TRANSCRIPTS)) == []
    assert kept.take(session("new", TRANSCRIPTS)) == []


@pytest.mark.parametrize(
    ("events", "batches"),
    [([], []), ([3], [["0"]]), ([2, 2, 2], [["0", "1"], ["2"]]), ([9, 1, 1], [["0"], ["1", "2"]])],
)
def test_sessions_are_fetched_in_batches_of_so_many_events(events: Sequence[int], batches: list[list[str]]) -> None:
    sessions = [read(str(number), HOOKS, count) for number, count in enumerate(events)]
    assert list(in_batches(sessions, 4)) == batches
