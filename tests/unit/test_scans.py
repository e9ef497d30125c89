"""Scans of all patterns, over a queue in memory: counts, caps, progress and previews."""

import pytest

from pattern_sync.domain.filter import SyncFilter
from pattern_sync.sync.reconciler import Reconciler
from tests.support.asynchronous import run
from tests.support.fakes import Clock, FakeQueue


def capped(most: int | None) -> SyncFilter:
    return SyncFilter.everything(max_patterns=most)


@pytest.mark.parametrize(("most", "synced"), [(None, 10), (1, 1), (4, 4), (7, 7), (10, 10), (50, 10)])
def test_the_cap_takes_the_best_and_counts_the_rest(most: int | None, synced: int) -> None:
    queue = FakeQueue(range(1, 11))
    result = run(Reconciler(queue, Clock()).reconcile_everything(capped(most)))
    assert result.synced_count == synced
    assert result.remaining_count == 10 - synced
    assert result.total_candidates == 10
    assert queue.entries == set(range(1, synced + 1))


def test_entries_that_exist_never_use_up_the_cap() -> None:
    queue = FakeQueue(range(1, 11))
    queue.entries = {1, 2, 3}
    result = run(Reconciler(queue, Clock()).reconcile_everything(capped(5)))
    assert (result.synced_count, result.skipped_count, result.remaining_count) == (5, 3, 2)
    assert result.synced_pattern_ids == ("s4", "s5", "s6", "s7", "s8")


def test_a_poison_row_is_an_error_in_this_scan_and_in_the_next() -> None:
    queue = FakeQueue(range(1, 7), poison=[2])
    reconciler = Reconciler(queue, Clock())
    first = run(reconciler.reconcile_everything(capped(None)))
    assert (first.synced_count, first.error_count, first.total_candidates) == (5, 1, 6)
    assert first.errors == ("s2: row 2 is poison",)
    queue.calls.clear()
    second = run(reconciler.reconcile_everything(capped(None)))
    assert (second.synced_count, second.skipped_count, second.error_count) == (0, 5, 1)
    assert second.total_candidates == 6
    assert queue.calls == [], "it is in quarantine and not tried by every scan"


def test_stale_entries_are_refreshed_and_are_no_candidates_of_their_own() -> None:
    queue = FakeQueue(range(1, 4))
    queue.entries = {1, 2, 3}
    queue.stale = {1, 3}
    result = run(Reconciler(queue, Clock()).reconcile_everything(capped(None)))
    assert (result.refreshed_count, result.skipped_count, result.total_candidates) == (2, 3, 3)


def test_a_refresh_queues_nothing() -> None:
    queue = FakeQueue(range(1, 4))
    queue.entries = {1}
    queue.stale = {1}
    result = run(Reconciler(queue, Clock()).refresh_stale(capped(None)))
    assert result.refreshed_count == 1
    assert queue.entries == {1}


def test_entries_without_a_pattern_are_counted_as_gone() -> None:
    queue = FakeQueue([1])
    queue.entries = {1, 8, 9}
    assert run(Reconciler(queue, Clock()).reconcile_everything(capped(None))).gone_count == 2


def test_a_preview_counts_what_a_scan_would_do_and_writes_nothing() -> None:
    queue = FakeQueue(range(1, 11))
    queue.entries = {1}
    queue.stale = {1}
    reconciler = Reconciler(queue, Clock())
    preview = run(reconciler.preview_everything(capped(6)))
    assert queue.calls == []
    assert preview.dry_run
    result = run(reconciler.reconcile_everything(capped(6)))
    assert {**preview.to_dict(), "dry_run": False} == result.to_dict()


def test_progress_counts_the_missing_patterns() -> None:
    steps: list[tuple[int, int]] = []
    run(Reconciler(FakeQueue(range(10)), Clock()).reconcile_everything(capped(6), lambda *step: steps.append(step)))
    assert steps == [(4, 6), (6, 6)]
