"""The doctor on the criteria of what was seen: which cannot be met, why, and what helps."""

import pytest

from tests.integration.test_seen_criteria import days_ago
from tests.support.database import TestDatabase
from tests.support.doctor import carry_out, examined
from tests.support.seed import add_occurrences

CHECK = "what-was-seen"
UNDATED = "UPDATE operation_patterns SET last_seen = NULL"


def ask(database: TestDatabase, **criteria: float) -> None:
    for name, bound in criteria.items():
        database.execute(f"UPDATE pattern_sync.settings SET {name} = %s", bound)


@pytest.fixture
def unseen(database: TestDatabase) -> int:
    """Return a pattern of which nothing is recorded."""
    row_id = database.add_pattern("unseen")
    database.execute(UNDATED)
    return row_id


@pytest.mark.usefixtures("unseen")
def test_a_filter_that_asks_for_no_record_needs_none(database: TestDatabase) -> None:
    found = examined(database.url)
    assert (found.state(CHECK), found.text(CHECK)) == ("ok", "the filter in force asks for no record of what was seen")
    ask(database, min_workflows=0)
    assert examined(database.url).state(CHECK) == "ok"


def test_an_empty_table_of_patterns_is_no_fault(database: TestDatabase) -> None:
    ask(database, min_workflows=3, max_age_days=30)
    assert examined(database.url).state(CHECK) == "ok"


def test_criteria_that_nothing_recorded_can_meet_are_named(database: TestDatabase, unseen: int) -> None:
    ask(database, min_workflows=3, max_age_days=30)
    found = examined(database.url)
    assert found.state(CHECK) == "warning"
    assert "asks for 3 distinct workflows, and pattern_occurrences has no row" in found.text(CHECK)
    assert "last seen within 30 days, no pattern has a last_seen, and pattern_occurrences" in found.text(CHECK)
    add_occurrences(database, unseen, 1, days_ago(2), days_ago(1))
    assert examined(database.url).state(CHECK) == "ok", "one workflow of three is a record"


def test_a_time_of_its_own_is_enough_for_an_age(database: TestDatabase) -> None:
    database.add_pattern("dated", last_seen=days_ago(90))
    ask(database, max_age_days=30)
    assert examined(database.url).state(CHECK) == "ok"


@pytest.mark.usefixtures("unseen")
def test_occurrences_that_are_missing_are_named(database: TestDatabase) -> None:
    ask(database, min_workflows=3)
    database.execute("ALTER TABLE pattern_occurrences RENAME TO somewhere_else")
    found = examined(database.url)
    assert "there is no pattern_occurrences" in found.text(CHECK)
    assert {"means": "setting", "text": "PATTERN_SYNC_MIN_WORKFLOWS=0", "role": None} in found.remedies(CHECK)


def test_occurrences_that_may_not_be_read_are_named_with_the_grant(database: TestDatabase, unseen: int) -> None:
    add_occurrences(database, unseen, 4, days_ago(2), days_ago(1))
    ask(database, min_workflows=3)
    with database.role("SELECT ON operation_patterns", "SELECT ON pattern_approvals") as role:
        before = examined(database.url_as(role))
        assert "this role may not read pattern_occurrences" in before.text(CHECK)
        carry_out([each for each in before.remedies(CHECK) if each["means"] == "sql"], database)
        assert examined(database.url_as(role)).state(CHECK) == "ok"


def test_occurrences_that_are_large_and_have_no_index_are_named(database: TestDatabase, unseen: int) -> None:
    database.execute("ALTER TABLE pattern_occurrences DROP CONSTRAINT pattern_occurrences_pattern_id_workflow_id_key")
    database.execute(
        "INSERT INTO pattern_occurrences (pattern_id, workflow_id, matched_characteristics)"
        " SELECT %s, i, to_jsonb(repeat('x', 200)) FROM generate_series(1, 50000) AS i",
        unseen,
    )
    ask(database, min_workflows=3)
    found = examined(database.url)
    assert "it is large and has no index on pattern_id" in found.text(CHECK)
    assert "CREATE INDEX CONCURRENTLY" in str(found.remedies("indexes"))
