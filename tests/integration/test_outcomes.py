"""The outcome of a reconcile, case by case, on the daemon's path and on the blocking one."""

import pytest

from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome
from tests.support.database import TestDatabase, snapshot
from tests.support.paths import (
    UNCAPPED,
    Everything,
    daemon_everything,
    reconcile,
    reconcile_outcomes,
    service_everything,
    with_gateway,
)

pytestmark = pytest.mark.lived_in_too
QUEUE = ("pattern_approvals", "pattern_review_history", "operation_patterns")
DECIDED = ("approved", "rejected", "auto-approved", "auto-rejected")
SHORT = {"confidence_score": 69.9}
POISON = """
CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.pattern_id = 'poison' THEN RAISE EXCEPTION 'poison is refused'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_one BEFORE INSERT ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION refuse_one();
"""


@pytest.fixture(params=[daemon_everything, service_everything], ids=["daemon", "service"])
def everything(request: pytest.FixtureRequest) -> Everything:
    path: Everything = request.param
    return path


def outdate(database: TestDatabase) -> None:
    database.execute("UPDATE operation_patterns SET occurrence_count = occurrence_count + 1")


def test_a_pattern_that_qualifies_is_queued_as_pending(database: TestDatabase, everything: Everything) -> None:
    database.add_pattern("a")
    database.add_pattern("b", automation_status=None)
    database.add_pattern("taken further", automation_status="active")
    result = everything(database, UNCAPPED)
    assert set(result.synced_pattern_ids) == database.queue() == {"a", "b"}
    assert (result.synced_count, result.total_candidates) == (2, 2)


def test_columns_of_the_application_may_share_our_names(database: TestDatabase, everything: Everything) -> None:
    for name in ("p", "f", "place", "pattern", "is_candidate", "confidence", "any_moved", "signature"):
        database.execute(f"ALTER TABLE operation_patterns ADD COLUMN {name} text DEFAULT 'x'")
    database.add_pattern("a")
    assert everything(database, UNCAPPED).synced_count == 1
    outdate(database)
    assert everything(database, UNCAPPED).refreshed_count == 1
    assert reconcile(database) == {"a": Outcome.UNCHANGED}


def test_a_pending_entry_gets_the_new_figures_and_keeps_all_else(
    database: TestDatabase, everything: Everything
) -> None:
    database.add_pattern("a")
    everything(database, UNCAPPED)
    before = database.entry("a")
    database.execute(
        "UPDATE operation_patterns SET confidence_score = 12.5, occurrence_count = 3, potential_monthly_savings = 7.25,"
        " typical_operations = '[\"Other\"]', typical_input_pattern = 'other', automation_status = 'candidate'"
    )
    result = everything(database, UNCAPPED)
    after = database.entry("a")
    assert before is not None
    assert after is not None
    assert (after["confidence_score"], after["occurrence_count"], float(after["estimated_savings_usd"])) == (
        0.125,
        3,
        7.25,
    )
    figures = {"confidence_score", "occurrence_count", "estimated_savings_usd", "updated_at"}
    assert {name: after[name] for name in set(after) - figures} == {
        name: before[name] for name in set(before) - figures
    }
    assert (result.refreshed_count, result.synced_count, result.total_candidates) == (1, 0, 0)


def test_an_entry_with_the_same_figures_is_not_written_at_all(database: TestDatabase, everything: Everything) -> None:
    # A third and a tenth have no exact form in every type: a careless comparison would rewrite them each time.
    database.add_pattern("a", confidence_score=100 / 3, potential_monthly_savings=1000.1)
    wanted = SyncFilter.everything()
    everything(database, wanted)
    before = snapshot(database, QUEUE)
    result = everything(database, wanted)
    assert snapshot(database, QUEUE) == before
    assert (result.skipped_count, result.refreshed_count) == (1, 0)


@pytest.mark.parametrize("status", DECIDED)
def test_a_decided_entry_is_never_touched(database: TestDatabase, everything: Everything, status: str) -> None:
    database.add_pattern("a")
    everything(database, UNCAPPED)
    database.decide("a", status)
    outdate(database)
    before = snapshot(database, QUEUE)
    result = everything(database, UNCAPPED)
    assert reconcile(database) == {"a": Outcome.DECIDED}
    assert snapshot(database, QUEUE) == before
    assert (result.skipped_count, result.refreshed_count, result.synced_count) == (1, 0, 0)


def test_a_pattern_that_falls_short_is_not_queued(database: TestDatabase, everything: Everything) -> None:
    database.add_pattern("a", **SHORT)
    assert reconcile(database) == {"a": Outcome.SHORT}
    assert everything(database, UNCAPPED).total_candidates == 0
    assert database.queue() == set()


def test_a_pending_entry_whose_pattern_falls_short_now_stays(database: TestDatabase, everything: Everything) -> None:
    database.add_pattern("a")
    everything(database, UNCAPPED)
    database.execute("UPDATE operation_patterns SET confidence_score = 0, automation_status = 'deprecated'")
    everything(database, UNCAPPED)
    entry = database.entry("a")
    assert entry is not None
    assert (entry["status"], entry["confidence_score"]) == ("pending", 0.0)


def test_the_entry_of_a_deleted_pattern_is_kept_and_counted(database: TestDatabase, everything: Everything) -> None:
    database.add_pattern("a")
    everything(database, UNCAPPED)
    database.execute("DELETE FROM operation_patterns")
    before = snapshot(database, QUEUE)
    result = everything(database, UNCAPPED)
    assert snapshot(database, QUEUE) == before
    assert (result.gone_count, result.total_candidates) == (1, 0)
    database.decide("a")
    assert everything(database, UNCAPPED).gone_count == 0


def test_a_pattern_deleted_after_its_notification_is_skipped(database: TestDatabase) -> None:
    outcomes = with_gateway(database, lambda gateway: gateway.reconcile([RowId(4_711)], UNCAPPED))
    assert outcomes == []


def test_a_poison_row_fails_and_the_others_go_through(database: TestDatabase, everything: Everything) -> None:
    database.execute(POISON)
    database.add_patterns(25)
    database.add_pattern("poison")
    result = everything(database, UNCAPPED)
    assert (result.synced_count, result.error_count, result.total_candidates) == (25, 1, 26)
    assert "poison" in result.errors[0]
    assert "poison is refused" in result.errors[0]
    assert len(database.queue()) == 25
    again = everything(database, UNCAPPED)
    assert (again.skipped_count, again.error_count) == (25, 1)


def test_the_event_path_isolates_a_poison_row_too(database: TestDatabase) -> None:
    database.execute(POISON)
    database.add_pattern("poison")
    database.add_pattern("a")
    outcomes = {item.signature: item for item in reconcile_outcomes(database)}
    assert outcomes["a"].outcome is Outcome.QUEUED
    assert outcomes["poison"].outcome is Outcome.FAILED
    assert outcomes["poison"].error == "poison is refused"


@pytest.mark.parametrize(("pending", "looked_up"), [(10, True), (20_000, False)])
def test_stale_entries_are_found_whether_they_are_looked_up_or_joined(
    database: TestDatabase, everything: Everything, pending: int, looked_up: object
) -> None:
    database.add_patterns(pending)
    everything(database, UNCAPPED)
    assert database.execute("SELECT pattern_sync.has_few_pending() AS few") == [{"few": looked_up}]
    moved = database.execute("SELECT pattern_signature AS name FROM operation_patterns ORDER BY id LIMIT 3")
    database.decide(moved[0]["name"])
    database.execute(
        "UPDATE operation_patterns SET occurrence_count = occurrence_count + 1 WHERE pattern_signature = ANY (%s)",
        [row["name"] for row in moved],
    )
    assert everything(database, UNCAPPED).refreshed_count == 2
    assert everything(database, UNCAPPED).refreshed_count == 0
