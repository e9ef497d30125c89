"""The flags in words, and evidence in words."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pattern_sync.domain.evidence import RULES, FlagName, Record, span_of
from pattern_sync.domain.evidence_wording import savings_of, sightings_of, value_of_queue

SEEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOTHING = Record(
    readable=True,
    workflows=0,
    first_seen=None,
    last_seen=None,
    days_seen=0.0,
    workflows_a_day=None,
    claimed_occurrences=0,
    claimed_savings=0.0,
    cost_before=None,
    cost_after=None,
    savings_observed=None,
    savings_by_evidence=None,
    flags=(),
)
ONCE = replace(NOTHING, workflows=1, first_seen=SEEN, last_seen=SEEN, claimed_occurrences=7)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0.0001, "0 minutes"),
        (0.02, "29 minutes"),
        (0.5, "12.0 hours"),
        (1.99, "47.8 hours"),
        (2, "2.0 days"),
        (40, "40 days"),
    ],
)
def test_a_span_is_told_as_people_tell_it(days: float, words: str) -> None:
    assert span_of(days) == words


@pytest.mark.parametrize("flag", RULES)
def test_no_words_fail_whatever_is_missing(flag: FlagName) -> None:
    for record in (ONCE, replace(ONCE, workflows=3, days_seen=3.0, last_seen=None, cost_before=1.0, cost_after=0.05)):
        rule = RULES[flag](replace(record, carried=(95.0, 100.0)))
        assert rule.endswith(".")
        assert "None" not in rule


def test_a_single_workflow_is_told_in_the_singular() -> None:
    evidence = replace(ONCE, flags=("counted-twice", "short-span"), savings_observed=1.5).to_evidence()
    assert [flag.rule for flag in evidence.flags] == [
        "7 occurrences are claimed; 1 distinct workflow is recorded: each was counted 7.0 times.",
        "It was seen at one time only; nothing shows that it comes back.",
    ]
    assert sightings_of(evidence) == "1 distinct workflow, at 2026-11-20 12:00"
    assert savings_of(evidence) == "1.50 USD observed in all; too short a time to extrapolate"


def test_what_is_not_recorded_is_said_in_words() -> None:
    evidence = NOTHING.to_evidence()
    assert (sightings_of(evidence), savings_of(evidence)) == ("nothing recorded", "not known")
    assert sightings_of(replace(NOTHING, workflows=2).to_evidence()) == "2 distinct workflows, at unknown times"
    assert value_of_queue(183_844.06, None) == "183,844 USD a month claimed, nothing shown by evidence"


def test_the_share_of_one_entry_is_never_rounded_to_all() -> None:
    (flag,) = replace(ONCE, carried=(999_999.0, 1_000_000.0)).to_evidence().flags
    assert (flag.name, flag.rule[-7:]) == ("carries-queue", "99.9 %.")
