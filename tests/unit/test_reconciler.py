"""The one step in which every path ends, over a queue in memory."""

import pytest

from pattern_sync.domain.conflicts import MOST_CONFLICTS
from pattern_sync.domain.errors import DatabaseUnavailable, TransactionConflict
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.sync.reconciler import MOST_LOOKS, Reconciler
from tests.support.asynchronous import run
from tests.support.fakes import Clock, FakeQueue, row_ids

FILTER = SyncFilter.everything(max_patterns=None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_reconcile_repeats_until_nothing_is_written(clock: Clock) -> None:
    queue = FakeQueue([1, 2])
    queue.entries = {2}
    outcomes = run(Reconciler(queue, clock).reconcile(row_ids(1, 2), FILTER))
    assert {item.row_id: item.outcome for item in outcomes} == {1: Outcome.QUEUED, 2: Outcome.UNCHANGED}
    assert queue.calls == [(1, 2), (1,)], "only written patterns are reconciled again"


def test_a_figure_that_changes_during_a_reconcile_is_not_missed(clock: Clock) -> None:
    queue = FakeQueue([1])
    queue.stale = {1}
    run(Reconciler(queue, clock).reconcile(row_ids(1), FILTER))
    assert queue.stale == set()
    assert len(queue.calls) == 3


def test_a_pattern_that_keeps_changing_is_left_after_a_few_rounds(clock: Clock) -> None:
    queue = FakeQueue([1])
    queue.restless = {1}
    outcomes = run(Reconciler(queue, clock).reconcile(row_ids(1), FILTER))
    assert [item.outcome for item in outcomes] == [Outcome.QUEUED], "the first round decides the outcome"
    assert len(queue.calls) == MOST_LOOKS


def test_an_empty_reconcile_runs_no_statement(clock: Clock) -> None:
    queue = FakeQueue()
    assert run(Reconciler(queue, clock).reconcile(row_ids(), FILTER)) == []
    assert queue.calls == []


def test_a_pattern_that_is_gone_is_not_in_the_result(clock: Clock) -> None:
    assert run(Reconciler(FakeQueue([1]), clock).reconcile(row_ids(9), FILTER)) == []


def test_a_poison_row_fails_with_its_reason_and_the_others_go_through(clock: Clock) -> None:
    queue = FakeQueue(range(1, 65), poison=[37])
    outcomes = run(Reconciler(queue, clock).reconcile(row_ids(*range(1, 65)), FILTER))
    failed = [item for item in outcomes if item.outcome is Outcome.FAILED]
    assert [(item.row_id, item.signature, item.error) for item in failed] == [(37, "s37", "row 37 is poison")]
    assert queue.entries == set(range(1, 65)) - {37}
    assert len(outcomes) == 64


def test_a_locked_entry_is_held(clock: Clock) -> None:
    queue = FakeQueue([1, 2])
    queue.held = {2}
    outcomes = run(Reconciler(queue, clock).reconcile(row_ids(1, 2), FILTER))
    assert [item.row_id for item in outcomes if item.outcome is Outcome.HELD] == [2]
    assert queue.entries == {1}


def test_a_retry_is_tried_again_after_a_conflict(clock: Clock) -> None:
    queue = FakeQueue([1])
    queue.refused = {1}
    queue.faults = [TransactionConflict("deadlock")]
    retried = run(Reconciler(queue, clock).retry_refused(FILTER, 50))
    assert (retried.tried, retried.refused, retried.queued_signatures) == (1, 0, ("s1",))


def test_a_conflict_is_tried_again(clock: Clock) -> None:
    queue = FakeQueue([1])
    queue.faults = [TransactionConflict("deadlock")] * MOST_CONFLICTS
    outcomes = run(Reconciler(queue, clock).reconcile(row_ids(1), FILTER))
    assert [item.outcome for item in outcomes] == [Outcome.QUEUED]


def test_an_endless_conflict_is_an_outage_and_blames_no_row(clock: Clock) -> None:
    queue = FakeQueue([1])
    queue.faults = [TransactionConflict("deadlock")] * (MOST_CONFLICTS + 1)
    with pytest.raises(TransactionConflict):
        run(Reconciler(queue, clock).reconcile(row_ids(1), FILTER))
    assert queue.refused == set()


def test_an_outage_blames_no_row(clock: Clock) -> None:
    queue = FakeQueue([1, 2])
    queue.faults = [DatabaseUnavailable("gone")]
    with pytest.raises(DatabaseUnavailable):
        run(Reconciler(queue, clock).reconcile(row_ids(1, 2), FILTER))
    assert queue.calls == [(1, 2)]
