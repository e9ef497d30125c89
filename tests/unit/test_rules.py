"""Rules without a database: what proves one, what its terms may be, and what the keeper does with it."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pattern_sync.domain.agreement import Agreement
from pattern_sync.domain.errors import InvalidInput, StatementFailed
from pattern_sync.domain.facts import Fact, RuleDecided, RulePaused, RulesCounted
from pattern_sync.domain.rule_trial import Measured, Reach, alarms_of, never_of
from pattern_sync.domain.rules import (
    Applied,
    Rule,
    RuleLook,
    RuleState,
    RuleTerms,
    RuleVerdict,
    bounds_in_words,
    changed_terms,
    check_rule_name,
)
from pattern_sync.observability.health import HealthReporter
from pattern_sync.observability.view import View
from pattern_sync.ruling import RuleKeeper
from pattern_sync.services.timings import Timings
from pattern_sync.web.schemas.rules import RuleChanges

# By the share to be shown: how many decisions it takes with 0, 1, 2 and 3 of them against it.
NEEDED = {
    0.80: (14, 22, 30, 37),
    0.90: (29, 46, 61, 76),
    0.95: (59, 93, 124, 153),
    0.99: (299, 473, 628, 773),
}
CHEAP = RuleTerms(RuleVerdict.APPROVE, min_confidence=90.0, max_savings=500.0)
REACH = Reach(10, 4, 0, 0.0, 10, 0, 0, {"min_confidence": 3}, {})


@pytest.mark.parametrize("share", NEEDED)
@pytest.mark.parametrize("against", range(4))
def test_the_bound_is_reached_with_exactly_so_many_decisions(share: float, against: int) -> None:
    judged = NEEDED[share][against]
    assert Agreement(judged - against, judged).reaches(share)
    assert not Agreement(judged - 1 - against, judged - 1).reaches(share)
    assert Agreement(0, against).needed(share) == judged - against
    assert Agreement(judged - against, judged).needed(share) == 0


@pytest.mark.parametrize(
    ("agreed", "judged", "sentence"),
    [
        (0, 0, "0 of 0 agree; 59 more are needed for 95 %."),
        (41, 41, "41 of 41 agree; 18 more are needed for 95 %."),
        (58, 58, "58 of 58 agree; 1 more is needed for 95 %."),
        (59, 59, "59 of 59 agree: with 95 % certainty, at least 95 % do."),
        (999, 1_000, "999 of 1,000 agree: with 95 % certainty, at least 99.5 % do."),
        (0, 200_000, "0 of 200,000 agree; with so many against it, 95 % is out of reach."),
    ],
)
def test_how_far_the_proof_is_is_said_in_words(agreed: int, judged: int, sentence: str) -> None:
    assert Agreement(agreed, judged).sentence(0.95) == sentence


@pytest.mark.parametrize("name", ["", "Cheap", "1st", "a b", "a" * 42, "a\n", "rule:x", "ä"])
def test_a_name_that_no_reviewer_could_be_told_by_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="the name of a rule is a small letter"):
        check_rule_name(name)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "verdict is missing; a new rule needs one"),
        ({"verdict": "maybe"}, "verdict is 'maybe'; it must be approve or reject"),
        ({"verdict": "approve"}, "max_savings is missing; a rule that approves"),
        ({"verdict": "reject", "min_confidence": 101.0}, "min_confidence is 101; it has to be from 0 to 100"),
        ({"verdict": "reject", "max_savings": float("nan")}, "max_savings"),
        ({"verdict": "reject", "per_day": None}, "per_day is missing"),
        ({"verdict": "reject", "per_day": 1.5}, "a whole number"),
        ({"verdict": "reject", "only_kinds": "test:pytest"}, "only_kinds is a text"),
        ({"verdict": "reject", "only_kinds": (" ",)}, "an item has 1 to 255 characters"),
        ({"verdict": "reject", "only_kinds": ("a\0",)}, "an item has 1 to 255 characters"),
        ({"verdict": "reject", "only_kinds": tuple(map(str, range(101)))}, "has 101 items; at most 100"),
        ({"verdict": "reject", "min_confidence": 90.0, "max_confidence": 80.0}, "nothing is within both"),
        ({"verdict": "reject", "agreement": 1.0}, "from 0.8 to 0.99"),
    ],
)
def test_terms_that_cannot_be_meant_are_refused_with_the_bound(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        changed_terms(None, changes)


@pytest.mark.parametrize("blank", [" ", "\x1c", "\x85", "\xa0"])
def test_what_the_description_allows_as_a_word_is_taken(blank: str) -> None:
    (words, _) = RuleChanges.model_json_schema()["properties"]["only_kinds"]["anyOf"]
    assert re.search(words["items"]["pattern"], "test:pytest")
    assert not re.search(words["items"]["pattern"], blank)
    with pytest.raises(InvalidInput, match="not all of them blank"):
        changed_terms(None, {"verdict": "reject", "only_kinds": (blank,)})


def test_what_is_not_named_stays() -> None:
    changed = changed_terms(CHEAP, {"max_savings": 400.0, "needs_tools": (" Read", "read")})
    assert changed == RuleTerms(RuleVerdict.APPROVE, min_confidence=90.0, max_savings=400.0, needs_tools=("read",))


def test_bounds_are_said_in_words() -> None:
    assert bounds_in_words(RuleTerms(RuleVerdict.REJECT)) == "no bounds"
    terms = RuleTerms(
        RuleVerdict.APPROVE, 90.0, 95.5, 5, None, 1_500.0, ("a:b", "a:c"), ("a:d",), ("read",), ("bash",), 3, 7.0
    )
    assert bounds_in_words(terms) == (
        "confidence from 90 to 95.5 %; savings at most 1,500 USD a month; occurrences at least 5; workflows at least 3;"
        " days seen at least 7; kind a:b or a:c; not of kind a:d; with read; without bash"
    )


def test_why_a_rule_can_never_fire_is_said_with_the_bound() -> None:
    assert list(never_of(CHEAP, REACH)) == [
        "It has never been able to fire: of the 10 entries, none is within all of its bounds at once."
    ]
    empty = Reach(0, 0, 0, 0.0, 0, 0, 0, {}, {})
    assert list(never_of(CHEAP, empty)) == ["There is no entry yet on which it could be tried."]
    assert list(alarms_of(CHEAP, empty)) == []
    none = Reach(10, 4, 0, 0.0, 10, 0, 0, {"min_confidence": 0, "max_savings": 0}, {"min_confidence": 89.0})
    assert list(never_of(CHEAP, none)) == [
        "It can never fire: min_confidence is 90, which none of the 10 entries reaches; the highest is 89.",
        "It can never fire: max_savings is 500, which none of the 10 entries reaches.",
    ]


def test_a_rule_that_would_reject_all_that_waits_says_so() -> None:
    all_of_it = Reach(10, 4, 4, 1.0, 10, 10, 10, {}, {})
    assert list(alarms_of(RuleTerms(RuleVerdict.REJECT), all_of_it)) == [
        "Every entry of the last month (10) would have been rejected by this rule.",
        "Every pending entry (4) would be rejected by this rule.",
    ]


class Stage:
    """A keeper beside a store that answers as it is told."""

    def __init__(self, state: RuleState, look: RuleLook | None = None, agreement: Agreement | None = None) -> None:
        self.rule = Rule("cheap", 3, state, None, CHEAP, "ann", datetime(2026, 11, 27, tzinfo=UTC))
        self.looked = look
        self.agreement = agreement or Agreement(59, 59)
        self.applied: list[Applied] = []
        self.asked: list[str] = []
        self.paused: list[str] = []
        self.facts: list[Fact] = []
        self.seconds = 0.0
        self.keeper = RuleKeeper(self, self.facts.append, None, lambda: self.seconds, Timings())  # type: ignore[arg-type] # no waiting

    async def rules(self, _name: str | None = None) -> list[Rule]:
        return [self.rule]

    async def mark(self, _rule: Rule, _most: int) -> int:
        self.asked.append("mark")
        return 0

    async def look_at(self, _rule: Rule) -> RuleLook | None:
        self.asked.append("look")
        return self.looked

    async def measure(self, _terms: RuleTerms, _since: datetime | None) -> Measured:
        self.asked.append("measure")
        return Measured(100, 59, 59, self.agreement, 1.0)

    async def pause(self, _rule: Rule, because: str, _who: str) -> bool:
        self.paused.append(because)
        return True

    async def apply(self, _rule: Rule, reason: str) -> list[Applied]:
        self.asked.append(reason)
        return self.applied

    async def prune(self) -> None:
        self.asked.append("prune")

    def run_once(self) -> list[str]:
        self.asked.clear()
        asyncio.run(self.keeper.run_once())
        return self.asked


def test_a_rule_that_watches_marks_and_one_that_is_off_does_nothing() -> None:
    assert Stage(RuleState.WATCHING).run_once() == ["mark", "prune"]
    assert Stage(RuleState.OFF).run_once() == ["prune"]
    assert Stage(RuleState.PAUSED).run_once() == ["prune"]


def test_what_another_daemon_is_at_is_left_to_it() -> None:
    assert Stage(RuleState.ON).run_once() == ["mark", "look", "prune"]


def test_a_rule_proves_itself_before_it_decides_and_else_once_an_hour() -> None:
    stage = Stage(RuleState.ON, RuleLook(0.1, 0, 0, 0))
    assert stage.run_once() == ["mark", "look", "measure", "prune"]
    assert stage.run_once() == ["mark", "look"]
    stage.seconds = 3_601.0
    assert "measure" in stage.run_once()
    stage.looked = RuleLook(0.1, 0, 0, 2)
    stage.applied = [
        Applied("a", "decided", 7, None),
        Applied("b", "decided", 7, None),
        Applied("c", "busy", None, None),
    ]
    assert stage.run_once()[-1] == (
        "Rule cheap, version 3: confidence at least 90 %; savings at most 500 USD a month."
        " People made 59 of 59 such decisions likewise."
    )
    assert RuleDecided("cheap", 3, RuleVerdict.APPROVE, 2, 7) in stage.facts
    assert stage.paused == []


@pytest.mark.parametrize(
    ("look", "agreement", "applied", "because"),
    [
        (RuleLook(12.1, 0, 0, 1), None, None, "no daemon looked at it for 12.1 hours (an outage, or the clock has"),
        (RuleLook(0.1, 2, 0, 1), None, None, "people took back, or turned around, 2 of its decisions"),
        (RuleLook(0.1, 0, 1, 1), None, None, "1 pattern that it approved got a flag since"),
        (RuleLook(0.1, 0, 0, 1), Agreement(58, 58), None, "people's agreement is not enough any more: 58 of 58 agree"),
        (
            RuleLook(0.1, 0, 0, 1),
            None,
            Applied("x", "refused", None, "people only"),
            "the application refused its decision on 'x', with the words: people only",
        ),
    ],
)
def test_it_pauses_with_the_reason(
    look: RuleLook, agreement: Agreement | None, applied: Applied | None, because: str
) -> None:
    stage = Stage(RuleState.ON, look, agreement)
    stage.applied = [applied] if applied else []
    stage.run_once()
    (said,) = stage.paused
    assert said.startswith(because)
    (told,) = (fact for fact in stage.facts if isinstance(fact, RulePaused))
    assert told.reason == said


def test_what_the_server_refuses_of_one_rule_costs_no_other() -> None:
    stage = Stage(RuleState.WATCHING)
    marked: list[str] = []
    first, second = (replace(stage.rule, name=name) for name in ("first", "second"))

    async def rules(_name: str | None = None) -> list[Rule]:
        return [first, second]

    async def mark(rule: Rule, _most: int) -> int:
        marked.append(rule.name)
        if rule is first:
            raise StatementFailed("out of range")
        return 0

    stage.rules, stage.mark = rules, mark  # type: ignore[method-assign, assignment]
    with pytest.raises(StatementFailed, match="out of range"):
        stage.run_once()
    assert marked == ["first", "second"]


def test_half_of_the_time_to_object_may_pass_without_a_look() -> None:
    stage = Stage(RuleState.ON, RuleLook(12.0, 1, 0, 0))
    stage.run_once()
    assert stage.paused == []


def test_a_paused_rule_is_seen_in_the_health_report() -> None:
    view = View(lambda: 0.0)
    view.last_scan_at = {}
    view(RulesCounted(((RuleState.PAUSED, 1), (RuleState.ON, 2)), (("cheap", "two were taken back"),)))
    reporter = HealthReporter(view, "1", lambda: 0.0, lambda: datetime.now(UTC), lambda: 0, list)
    reasons = reporter.report().reasons
    assert "Rule cheap is paused: two were taken back. Look at it with: pattern-sync rules show cheap" in reasons
    view(RulesCounted(((RuleState.PAUSED, 0),), ()))
    assert not any("cheap" in reason for reason in reporter.report().reasons)
