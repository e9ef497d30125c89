"""The counts of a scan, added up."""

from typing import Any

import pytest

from pattern_sync import SyncResult
from pattern_sync.domain.results import KEPT_ERRORS, KEPT_SIGNATURES, QueuedPage, Tally
from pattern_sync.domain.scans import ScanKind, leading


def test_the_candidates_are_the_synced_the_skipped_the_failed_and_the_remaining() -> None:
    result = SyncResult(synced_count=1, skipped_count=20, error_count=300, remaining_count=4000, refreshed_count=7)
    assert result.total_candidates == 4321
    assert result.to_dict()["total_candidates"] == 4321
    assert result.counts == {
        "total_candidates": 4321,
        "synced_count": 1,
        "refreshed_count": 7,
        "skipped_count": 20,
        "error_count": 300,
        "remaining_count": 4000,
        "gone_count": 0,
    }
    assert result.to_dict()["synced_pattern_ids"] == ()


def page(**figures: Any) -> QueuedPage:  # noqa: ANN401 - fields of several types
    zero: dict[str, Any] = dict.fromkeys(["candidates", "missing", "refused", "handled", "queued", "failed"], 0)
    names: dict[str, Any] = dict.fromkeys(["held", "queued_signatures", "failed_signatures", "failed_reasons"], ())
    return QueuedPage(**{**zero, **names, "finished": True, **figures})


@pytest.mark.parametrize(
    ("figures", "counts"),
    [
        ({"handled": 10, "queued": 10}, (10, 5, 0, 0)),
        ({"handled": 10, "queued": 8}, (8, 7, 0, 0)),  # somebody else was faster
        ({"handled": 10, "queued": 7, "failed": 3}, (7, 5, 3, 0)),
        ({"handled": 9, "queued": 9, "refused": 1}, (9, 5, 1, 0)),  # it is in the quarantine
        ({"handled": 4, "queued": 4}, (4, 5, 0, 6)),  # the cap left the others out
        ({"handled": 10, "queued": 9, "held": (7,)}, (9, 5, 0, 1)),
    ],
)
def test_every_candidate_is_counted_once(figures: dict[str, Any], counts: tuple[int, ...]) -> None:
    tally = Tally()
    tally.add(page(candidates=15, missing=10, **figures))
    result = tally.result(gone=0, duration_ms=1.0)
    counted = (result.synced_count, result.skipped_count, result.error_count, result.remaining_count)
    assert counted == counts
    assert result.total_candidates == 15


def test_the_first_batch_sets_the_total_and_each_counts_its_held() -> None:
    tally = Tally()
    tally.add(page(candidates=10, missing=10, handled=5, queued=4, held=(1,)))
    tally.add(page(candidates=10, missing=6, handled=5, queued=4, held=(2,)))
    result = tally.result(gone=2, duration_ms=1.0)
    assert (result.synced_count, result.remaining_count, result.gone_count) == (8, 2, 2)
    assert (result.skipped_count, result.total_candidates) == (0, 10)


def test_a_million_patterns_are_counted_in_bounded_memory() -> None:
    tally = Tally()
    names = tuple(f"s{number}" for number in range(1_001))
    for _ in range(3):
        refused = {"failed_signatures": names, "failed_reasons": ("refused",) * 1_001}
        tally.add(page(handled=1_001, queued=1_001, failed=1_001, queued_signatures=names, **refused))
    assert (tally.queued, tally.failed) == (3_003, 3_003)
    assert tally.signatures == list(names[:KEPT_SIGNATURES]), "the best ones come first"
    assert len(tally.errors) == KEPT_ERRORS
    assert tally.errors[0] == "s0: refused"


def test_a_scan_of_several_kinds_is_recorded_under_the_first_kind() -> None:
    assert leading({ScanKind.POLL, ScanKind.CATCH_UP, ScanKind.SWEEP}) is ScanKind.CATCH_UP
    assert leading([ScanKind.POLL, ScanKind.REQUEST]) is ScanKind.REQUEST
