"""Why a pattern is in the queue or is not, in words and in numbers."""

import json
import math
from dataclasses import replace

import pytest

from pattern_sync import Criterion, Explanation, TypeCriterion
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.domain.wording import bound_of, document_of, value_of, verdict_of

MET = Criterion("confidence", 85.0, 70.0, met=True)
MISSED = Criterion("savings", 12.0, 1_000.0, met=False)


def explanation(
    *criteria: Criterion | TypeCriterion,
    exists: bool = True,
    status: str | None = "detected",
    entry: str | None = None,
    rejected: bool = False,
    written_by_us: bool = True,
    refusal: str | None = None,
) -> Explanation:
    eligible = status in (None, "detected")
    return Explanation("sdlc:full:all", exists, status, eligible, entry, criteria, rejected, written_by_us, refusal)


@pytest.mark.parametrize(
    ("given", "outcome", "words"),
    [
        (explanation(exists=False), None, "no such pattern"),
        (explanation(exists=False, entry="pending"), Outcome.GONE, "deleted"),
        (explanation(exists=False, entry="approved"), Outcome.DECIDED, "(approved)"),
        (explanation(MET, MISSED, entry="rejected"), Outcome.DECIDED, "(rejected)"),
        (explanation(MET, MISSED, entry="rejected"), Outcome.DECIDED, "A person's decision"),
        (explanation(MET, entry="auto-approved"), Outcome.DECIDED, "A rule's decision stands (auto-approved)"),
        (explanation(MET, rejected=True), Outcome.SHORT, "it was rejected before; its entry was deleted"),
        (explanation(MET, rejected=True, entry="pending"), Outcome.UNCHANGED, "waits for a decision"),
        (explanation(exists=False, entry="pending", written_by_us=False), Outcome.GONE, "another program wrote it"),
        (explanation(MET, entry="pending"), Outcome.UNCHANGED, "waits for a decision"),
        (explanation(MET, MISSED, entry="pending"), Outcome.UNCHANGED, "waits for a decision"),
        (explanation(MET), Outcome.QUEUED, "no daemon is connected"),
        (replace(explanation(MET), daemons=1), Outcome.QUEUED, "about to be queued"),
        (replace(explanation(MET), daemons=1, refusal="no"), Outcome.FAILED, "could not be queued"),
        (replace(explanation(MET, MISSED), refusal="no"), Outcome.SHORT, "savings is"),
        (explanation(MET, status=None), Outcome.QUEUED, "no daemon is connected"),
        (explanation(MET, MISSED), Outcome.SHORT, "savings is 12.00 USD a month, the filter requires 1,000.00"),
        (explanation(MET, status="active"), Outcome.SHORT, "automation_status is 'active', not 'detected'"),
    ],
)
def test_each_case_has_its_outcome_and_its_reason(given: Explanation, outcome: Outcome | None, words: str) -> None:
    assert given.outcome is outcome
    assert words in given.reason


def test_every_shortfall_is_named_and_nothing_that_is_met() -> None:
    occurrences = Criterion("occurrences", 3, 5, met=False)
    given = explanation(MET, MISSED, occurrences, status="deprecated")
    assert given.shortfalls == (MISSED, occurrences)
    assert "savings" in given.reason
    assert "occurrences" in given.reason
    assert "deprecated" in given.reason
    assert "confidence" not in given.reason


@pytest.mark.parametrize(
    ("criterion", "value", "bound", "verdict"),
    [
        (Criterion("confidence", 69.9, 70.0, met=False), "69.9 %", "70 % or more", "missed by 0.1 %"),
        (Criterion("occurrences", 78_167, 5, met=True), "78,167", "5 or more", "met"),
        (Criterion("occurrences", 0, 1_500, met=False), "0", "1,500 or more", "missed by 1,500"),
        (
            Criterion("savings", 999.5, 1_000.0, met=False),
            "999.50 USD a month",
            "1,000.00 USD a month or more",
            "missed by 0.50 USD a month",
        ),
        (Criterion("savings", math.nan, None, met=False), "nan USD a month", "any", "missed"),
        (Criterion("confidence", math.inf, 70.0, met=False), "inf %", "70 % or more", "missed"),
        (TypeCriterion("deploy", ("sdlc", "test"), ("x",), met=False), "deploy", "one of sdlc, test, not x", "missed"),
        (TypeCriterion(None, (), ("x",), met=True), "none", "any, not x", "met"),
    ],
)
def test_a_criterion_reads_as_value_bound_and_how_much_is_missing(
    criterion: Criterion | TypeCriterion, value: str, bound: str, verdict: str
) -> None:
    assert (value_of(criterion), bound_of(criterion), verdict_of(criterion)) == (value, bound, verdict)


def test_the_json_form_has_the_numbers_beside_the_words() -> None:
    endless = Criterion("confidence", math.inf, 70.0, met=False)
    document = document_of(explanation(MISSED, endless, TypeCriterion("a", ("b",), (), met=False)))
    assert [(item["number"], item["minimum"], item["missing_by"]) for item in document["criteria"]] == [
        (12.0, 1_000.0, 988.0),
        (None, 70.0, None),
        (None, None, None),
    ]
    assert document["shortfalls"] == document["criteria"]
    assert json.loads(json.dumps(document, allow_nan=False))["reason"] == document["reason"]
