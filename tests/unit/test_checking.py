"""What could not be seen is said in words, with the way out, and nothing where all was seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pattern_sync.detecting import Reading, Terms, mine, remarks_on
from pattern_sync.detecting.lines import Skipped
from pattern_sync.domain.routines import SeenOf
from tests.support.planted import Planting, planted

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
ALL_SEEN = SeenOf(
    source="claude-code",
    sessions=96,
    calls=20_033,
    failed=700,
    cut_off=0,
    without_outcome=0,
    unseen_failures=0,
    without_cost=0,
    without_time=0,
    other_words=0,
    first_at=BEGIN,
    last_at=BEGIN + timedelta(days=30),
)


def doubts(seen: SeenOf, reading: Reading | None = None) -> dict[str, str]:
    return {each.name: each.sentence for each in remarks_on([seen], reading) if each.is_doubt}


def test_where_all_was_seen_there_is_only_how_much_it_was() -> None:
    remarks = remarks_on([ALL_SEEN], Reading(files=3))
    assert [(each.name, each.is_doubt) for each in remarks] == [("seen", False)]
    assert remarks[0].sentence == "claude-code: 20,033 calls in 96 sessions, 2026-11-02 to 2026-12-02 (30 days)."


@pytest.mark.parametrize(
    ("change", "name", "sentence"),
    [
        (
            {"without_outcome": 931},
            "no-outcome",
            "931 of 20,033 calls of claude-code have no outcome. Their results are missing: the sessions were cut off",
        ),
        ({"source": "codex", "without_outcome": 931}, "no-outcome", "Codex writes how commands end"),
        ({"source": "http", "without_outcome": 931}, "no-outcome", "register PostToolUse and PostToolUseFailure"),
        (
            {"source": "http", "unseen_failures": 12},
            "failures-unseen",
            "12 of 20,033 calls of http are in sessions where",
        ),
        ({"cut_off": 413}, "cut-off", "they are taken for failed, denied or interrupted"),
        (
            {"without_cost": 20_033},
            "no-cost",
            "No call of claude-code has a cost, so that no savings can be told. Name the",
        ),
        ({"source": "http", "without_cost": 20_033}, "no-cost", "Hooks do not tell costs; transcripts do."),
        (
            {"without_cost": 5_000},
            "no-cost",
            "5,000 of 20,033 calls of claude-code have no cost; the savings are those",
        ),
        ({"without_time": 1}, "no-time", "1 of 20,033 calls of claude-code have no time"),
        (
            {"other_words": 9_000},
            "no-name",
            "9,000 of 20,033 calls of claude-code are of tools, programs or files that",
        ),
        ({"sessions": 7}, "few-sessions", "A routine must be in 8 sessions, and there are 7: come back later."),
        (
            {"last_at": BEGIN + timedelta(days=2)},
            "short-span",
            "All of it was seen within 2.0 days: savings a month are 0",
        ),
        ({"first_at": None, "last_at": None}, "short-span", "All of it was seen within 0 minutes"),
    ],
)
def test_what_could_not_be_seen_is_said(change: dict[str, object], name: str, sentence: str) -> None:
    said = doubts(replace(ALL_SEEN, **change))  # type: ignore[arg-type]
    assert list(said) == [name]
    assert sentence in said[name]


@pytest.mark.parametrize("change", [{"without_outcome": 100}, {"without_cost": 100}, {"other_words": 100}])
def test_a_few_are_in_every_log(change: dict[str, int]) -> None:
    assert doubts(replace(ALL_SEEN, **change)) == {}  # type: ignore[arg-type]


def test_what_could_not_be_read_is_said() -> None:
    skipped = Skipped(lines=5_000, too_long=1, cut=2, strange=1)
    said = doubts(ALL_SEEN, Reading(files=3, unreadable=1, compressed=2, skipped=skipped))
    assert said == {
        "unreadable": "1 file could not be opened: missing, or not yours to read.",
        "compressed": "2 files are compressed and were left out: unpack them first.",
        "too-long": "1 line of over 8 MB were passed over; calls in them are missing.",
        "broken": "3 lines of 5,000 are cut off or no JSON objects, and were passed over; the last line of a file that"
        " is being written may be one.",
    }


def test_where_nothing_was_found_that_is_said() -> None:
    assert [each.name for each in remarks_on([])] == ["nothing"]


def test_the_bound_that_is_in_force_is_named() -> None:
    said = remarks_on([replace(ALL_SEEN, sessions=7)], terms=Terms(min_sessions=20))
    assert "must be in 20 sessions" in said[-1].sentence


def test_what_was_seen_is_counted_while_routines_are_looked_for() -> None:
    sessions = list(planted(1, Planting(sessions=20, costs=False)))
    (seen,) = mine(sessions).seen
    calls = [call for each in sessions for call in each.calls]
    assert (seen.source, seen.sessions, seen.calls) == ("transcripts", 20, len(calls))
    assert (seen.without_cost, seen.without_outcome, seen.cut_off) == (len(calls), 0, 0)
    assert seen.failed == sum(call.outcome == "failed" for call in calls)
    assert (seen.first_at, seen.last_at) == (min(c.at for c in calls if c.at), max(c.at for c in calls if c.at))
