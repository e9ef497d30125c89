"""What a run did, added up."""

import pytest

from pattern_sync import SyncResult
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.results import KEPT_ERRORS, KEPT_SIGNATURES, Tally
from pattern_sync.domain.runs import RunKind, leading


def outcomes(outcome: Outcome, count: int = 1) -> list[PatternOutcome]:
    return [PatternOutcome(number, f"s{number}", outcome, "refused") for number in range(count)]


def test_the_candidates_are_the_synced_the_skipped_the_failed_and_the_remaining() -> None:
    result = SyncResult(synced_count=1, skipped_count=20, error_count=300, remaining_count=4000, refreshed_count=7)
    assert result.total_candidates == 4321
    assert result.to_dict()["total_candidates"] == 4321
    assert result.to_dict()["synced_pattern_ids"] == ()


@pytest.mark.parametrize(
    ("outcome", "queued", "already_queued", "failed"),
    [
        (Outcome.QUEUED, 1, 0, 0),
        (Outcome.REFRESHED, 0, 1, 0),
        (Outcome.UNCHANGED, 0, 1, 0),
        (Outcome.DECIDED, 0, 1, 0),
        (Outcome.FAILED, 0, 0, 1),
        (Outcome.SHORT, 0, 0, 0),
        (Outcome.GONE, 0, 0, 0),
    ],
)
def test_a_missing_pattern_counts_by_what_became_of_it(
    outcome: Outcome, queued: int, already_queued: int, failed: int
) -> None:
    tally = Tally()
    tally.add_missing(outcomes(outcome))
    assert (tally.queued, tally.already_queued, tally.failed) == (queued, already_queued, failed)


def test_a_stale_entry_is_no_candidate() -> None:
    tally = Tally()
    tally.add_stale([*outcomes(Outcome.REFRESHED, 3), *outcomes(Outcome.UNCHANGED), *outcomes(Outcome.DECIDED)])
    assert (tally.refreshed, tally.queued, tally.already_queued) == (3, 0, 0)


def test_a_million_patterns_are_counted_in_bounded_memory() -> None:
    tally = Tally()
    tally.add_missing(outcomes(Outcome.QUEUED, 1_000))
    tally.add_missing(outcomes(Outcome.FAILED, 1_000))
    assert (tally.queued, tally.failed) == (1_000, 1_000)
    assert tally.signatures == [f"s{number}" for number in range(KEPT_SIGNATURES)], "the best ones are the first"
    assert len(tally.errors) == KEPT_ERRORS
    assert tally.errors[0] == "s0: refused"


def test_a_run_that_serves_several_wishes_has_the_name_that_says_most() -> None:
    assert leading({RunKind.POLL, RunKind.CATCH_UP, RunKind.SWEEP}) is RunKind.CATCH_UP
    assert leading([RunKind.POLL, RunKind.REQUEST]) is RunKind.REQUEST
