"""The criteria of what was seen: days since the last time, and distinct workflows; off unless somebody sets them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pattern_sync import PatternSyncService, SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome
from tests.support.command import run_command
from tests.support.database import TestDatabase
from tests.support.notifications import Listener, listening
from tests.support.paths import with_gateway
from tests.support.seed import add_occurrences

pytestmark = pytest.mark.lived_in_too
NOW = datetime.now(UTC)


@pytest.fixture
def listener(database: TestDatabase) -> Iterator[Listener]:
    with listening(database) as listener:
        yield listener


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def seen(database: TestDatabase, signature: str, *, ago: float | None, workflows: int = 0, recorded: float = 1) -> int:
    """Insert a pattern that was last seen so many days ago, with so many workflows until `recorded` days ago."""
    last = None if ago is None else days_ago(ago)
    row_id = database.add_pattern(signature, last_seen=last)
    if workflows:
        add_occurrences(database, row_id, workflows, days_ago(recorded + 1), days_ago(recorded))
    return row_id


def sample(database: TestDatabase) -> dict[str, int]:
    return {
        "old": seen(database, "old", ago=40, workflows=5),
        "young": seen(database, "young", ago=3, workflows=2),
        "young and often": seen(database, "young and often", ago=3, workflows=3),
        "only recorded": seen(database, "only recorded", ago=None, workflows=3, recorded=2),
        "recorded long ago": seen(database, "recorded long ago", ago=None, workflows=3, recorded=50),
        "nothing known": seen(database, "nothing known", ago=None),
    }


CASES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "young": ({"max_age_days": 30}, {"young", "young and often", "only recorded"}),
    "old as well": ({"max_age_days": 45}, {"old", "young", "young and often", "only recorded"}),
    "often": ({"min_workflows": 3}, {"old", "young and often", "only recorded", "recorded long ago"}),
    "both": ({"max_age_days": 30, "min_workflows": 3}, {"young and often", "only recorded"}),
    "no workflow is asked for": (
        {"min_workflows": 0},
        {"old", "young", "young and often", "only recorded", "recorded long ago", "nothing known"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_sync_an_event_a_preview_and_the_statistics_agree(database: TestDatabase, case: str) -> None:
    criteria, expected = CASES[case]
    wanted = SyncFilter(None, None, None, None, **criteria)
    ids = sample(database)
    database.execute(
        "UPDATE pattern_sync.settings SET max_age_days = %s, min_workflows = %s",
        criteria.get("max_age_days"),
        criteria.get("min_workflows"),
    )
    service = PatternSyncService(database.daemon_url)
    assert set(service.sync_patterns(wanted, dry_run=True).synced_pattern_ids) == expected
    statistics = service.get_sync_statistics()
    assert (statistics.qualifying, statistics.qualifying_missing) == (len(expected), len(expected))
    outcomes = with_gateway(database, lambda gateway: gateway.reconcile([RowId(each) for each in ids.values()], wanted))
    assert {each.signature for each in outcomes if each.outcome is Outcome.QUEUED} == expected
    assert {each.signature for each in outcomes if each.outcome is Outcome.SHORT} == set(ids) - expected
    assert database.queue() == expected
    database.empty("pattern_approvals")
    service.sync_patterns(wanted)
    assert database.queue() == expected


def test_explain_names_what_is_missed_with_its_bound(database: TestDatabase) -> None:
    sample(database)
    database.execute("UPDATE pattern_sync.settings SET max_age_days = 30, min_workflows = 4")
    service = PatternSyncService(database.daemon_url)
    reason = service.explain("old").reason
    assert "it was last seen 40.0 days ago, the filter requires 30.0 days or less" in reason
    assert "workflows" not in reason
    reason = service.explain("young").reason
    assert "workflows is 2, the filter requires 4 or more" in reason
    assert "ago" not in reason
    reason = service.explain("nothing known").reason
    assert "it is not known when it was last seen, the filter requires 30.0 days or less" in reason
    lacking = {each.name: each for each in service.explain("old").shortfalls}
    assert lacking["age"].missing_by == pytest.approx(10, abs=0.1)  # type: ignore[union-attr]
    assert service.explain("nobody").outcome is None


def test_a_pending_entry_that_ages_stays_and_is_refreshed(database: TestDatabase) -> None:
    row_id = seen(database, "ages", ago=3)
    wanted = SyncFilter(max_age_days=30)
    with_gateway(database, lambda gateway: gateway.reconcile([RowId(row_id)], wanted))
    database.execute(
        "UPDATE operation_patterns SET last_seen = %s, occurrence_count = 4711 WHERE id = %s", days_ago(90), row_id
    )
    outcomes = with_gateway(database, lambda gateway: gateway.reconcile([RowId(row_id)], wanted))
    assert [each.outcome for each in outcomes] == [Outcome.REFRESHED]
    entry = database.entry("ages")
    assert entry is not None
    assert (entry["status"], entry["occurrence_count"]) == ("pending", 4711)


def test_an_update_that_makes_a_pattern_young_is_announced_and_one_that_does_not_is_silent(
    database: TestDatabase, listener: Listener
) -> None:
    database.execute("UPDATE pattern_sync.settings SET max_age_days = 30")
    listener.received()
    row_id = seen(database, "returns", ago=40)
    assert listener.received() == []
    database.execute("UPDATE operation_patterns SET occurrence_count = occurrence_count + 1 WHERE id = %s", row_id)
    assert listener.received() == []
    database.execute("UPDATE operation_patterns SET last_seen = now() WHERE id = %s", row_id)
    assert listener.received() == [str(row_id)]
    database.execute("UPDATE operation_patterns SET last_seen = now() WHERE id = %s", row_id)
    assert listener.received() == []


def test_each_further_observation_is_announced_while_workflows_are_asked_for(
    database: TestDatabase, listener: Listener
) -> None:
    row_id = seen(database, "grows", ago=1)
    database.execute("UPDATE pattern_sync.settings SET min_workflows = 3")
    listener.received()
    database.execute("UPDATE operation_patterns SET occurrence_count = occurrence_count + 1 WHERE id = %s", row_id)
    assert listener.received() == [str(row_id)]
    database.execute("UPDATE operation_patterns SET last_seen = now() WHERE id = %s", row_id)
    assert listener.received() == []


def test_without_the_criteria_the_trigger_is_what_it_was(database: TestDatabase) -> None:
    body = database.execute("SELECT pattern_sync.announce_body() AS body")[0]["body"]
    assert "last_seen" not in body
    assert "workflow" not in body


def test_occurrences_that_somebody_has_locked_hold_the_pattern(database: TestDatabase) -> None:
    row_id = seen(database, "held", ago=1, workflows=3)
    wanted = SyncFilter(min_workflows=3)
    with database.another_connection(autocommit=False) as other:
        other.execute("LOCK TABLE pattern_occurrences IN ACCESS EXCLUSIVE MODE")
        outcomes = with_gateway(database, lambda gateway: gateway.reconcile([RowId(row_id)], wanted))
        assert [each.outcome for each in outcomes] == [Outcome.HELD]
    assert database.queue() == set()


def test_an_application_without_the_column_is_measured_by_its_occurrences(database: TestDatabase) -> None:
    sample(database)
    try:
        database.execute("ALTER TABLE operation_patterns DROP COLUMN last_seen CASCADE")
    except psycopg.errors.DependentObjectsStillExist:
        pytest.skip("this application needs the column itself")
    PatternSyncService(database.daemon_url).sync_patterns(SyncFilter(None, None, None, None, max_age_days=30))
    assert database.queue() == {"old", "young", "young and often", "only recorded"}


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        ({"max_age_days": 30}, ["40 days", "60 days", "never"]),
        ({"min_workflows": 6}, ["5 workflows", "3 workflows", "40 days", "60 days", "never"]),
        ({"max_age_days": 30, "min_workflows": 4}, ["3 workflows", "40 days", "60 days", "never"]),
    ],
    ids=str,
)
def test_what_is_nearest_to_qualifying_is_ranked_by_what_was_seen_too(
    database: TestDatabase, criteria: dict[str, float], names: list[str]
) -> None:
    for name, bound in criteria.items():
        database.execute(f"UPDATE pattern_sync.settings SET {name} = %s", bound)
    for name, ago, workflows in (
        ("never", None, 0),
        ("60 days", 60, 1),
        ("40 days", 40, 2),
        ("3 workflows", 1, 3),
        ("5 workflows", 1, 5),
    ):
        seen(database, name, ago=ago, workflows=workflows)
    found = PatternSyncService(database.url).nearest(20)
    ranked = [each.signature for each in found]
    assert [name for name in ranked if name in names] == names
    missed = {each.signature: {miss.name for miss in each.shortfalls} for each in found}
    asked = {
        name: shown for name, shown in (("max_age_days", "age"), ("min_workflows", "workflows")) if name in criteria
    }
    assert missed["never"] == set(asked.values())
    assert all(missed[name] for name in names)


def test_what_is_nearest_says_what_it_misses_of_what_was_seen(database: TestDatabase) -> None:
    database.execute("UPDATE pattern_sync.settings SET max_age_days = 30, min_workflows = 4")
    seen(database, "old", ago=40, workflows=3)
    told = " ".join(
        run_command("review", "nearest", PATTERN_SYNC_DATABASE_URL=database.url).out.replace("│", " ").split()
    )
    assert "30.0 days" in told
    assert "workflows is 3, the filter requires 4 or more" in told
