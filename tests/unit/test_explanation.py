"""Why a pattern is in the queue or is not, in the words that a person reads."""

from dataclasses import replace

import pytest

from pattern_sync import Criterion, Explanation
from pattern_sync.domain.outcomes import Outcome

MET = Criterion("confidence", "85 %", "70 % or more", met=True)
MISSED = Criterion("savings", "12.00 USD a month", "1,000.00 USD a month or more", met=False)


def explanation(
    *criteria: Criterion,
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
        (explanation(exists=False, entry="pending", written_by_us=False), Outcome.GONE, "written by another program"),
        (explanation(MET, entry="pending"), Outcome.UNCHANGED, "waits for a decision"),
        (explanation(MET, MISSED, entry="pending"), Outcome.UNCHANGED, "waits for a decision"),
        (explanation(MET), Outcome.QUEUED, "no daemon is connected"),
        (replace(explanation(MET), daemons=1), Outcome.QUEUED, "about to be queued"),
        (replace(explanation(MET), daemons=1, refusal="no"), Outcome.FAILED, "could not be queued"),
        (replace(explanation(MET, MISSED), refusal="no"), Outcome.SHORT, "savings is"),
        (explanation(MET, status=None), Outcome.QUEUED, "no daemon is connected"),
        (explanation(MET, MISSED), Outcome.SHORT, "savings is 12.00 USD a month, the filter asks for 1,000.00"),
        (explanation(MET, status="active"), Outcome.SHORT, "automation_status is 'active', not 'detected'"),
    ],
)
def test_each_case_has_its_outcome_and_its_reason(given: Explanation, outcome: Outcome | None, words: str) -> None:
    assert given.outcome is outcome
    assert words in given.reason


def test_every_shortfall_is_named_and_nothing_that_is_met() -> None:
    occurrences = Criterion("occurrences", "3", "5 or more", met=False)
    given = explanation(MET, MISSED, occurrences, status="deprecated")
    assert given.shortfalls == (MISSED, occurrences)
    assert "savings" in given.reason
    assert "occurrences" in given.reason
    assert "deprecated" in given.reason
    assert "confidence" not in given.reason
