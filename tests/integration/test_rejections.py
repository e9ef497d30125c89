"""A rejection outlives its entry if the pattern does not store it, whoever made it and however the entry ended."""

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.domain.entry import Status
from tests.support.application import adopt, installer
from tests.support.database import TestDatabase


@pytest.fixture
def adopted(empty_database: TestDatabase) -> TestDatabase:
    """Return an application's own tables, whose CHECK knows no rejected pattern; two patterns are in the queue."""
    adopt(empty_database)
    installer(empty_database).migrate()
    for name in ("a", "b"):
        empty_database.add_pattern(name)
    PatternSyncService(empty_database.url).sync_patterns()
    return empty_database


def remembered(database: TestDatabase) -> set[str]:
    return {row["pattern_id"] for row in database.execute("SELECT pattern_id FROM pattern_sync.rejections")}


def test_a_rejection_that_the_pattern_cannot_store_is_remembered_until_an_approval(adopted: TestDatabase) -> None:
    service = PatternSyncService(adopted.url)
    service.reject("a", "no")
    assert remembered(adopted) == {"a"}
    service.reject("a", "no, no", replaces=Status.REJECTED)
    assert remembered(adopted) == {"a"}
    service.approve("a", replaces=Status.REJECTED)
    assert remembered(adopted) == set()


def test_a_rejection_that_the_pattern_stores_is_not_remembered(database: TestDatabase) -> None:
    database.add_pattern("a")
    service = PatternSyncService(database.url)
    service.sync_patterns()
    service.reject("a", "no")
    assert database.mark_of("a")[0] == "rejected"
    assert remembered(database) == set()


@pytest.mark.parametrize("body", ["RETURN NULL;", "NEW.automation_status := 'detected'; RETURN NEW;"])
def test_a_rejection_that_a_trigger_drops_from_the_pattern_is_remembered(database: TestDatabase, body: str) -> None:
    database.add_pattern("a")
    service = PatternSyncService(database.url)
    service.sync_patterns()
    database.execute(f"CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")
    database.execute("CREATE TRIGGER own BEFORE UPDATE ON operation_patterns FOR EACH ROW EXECUTE FUNCTION own()")
    assert service.reject("a", "no").status == "rejected"
    assert remembered(database) == {"a"}


def test_a_pattern_that_was_deleted_can_be_rejected(adopted: TestDatabase) -> None:
    adopted.execute("DELETE FROM operation_patterns WHERE pattern_signature = 'a'")
    service = PatternSyncService(adopted.url)
    assert service.reject("a", "no").status == "rejected"
    adopted.execute("DELETE FROM pattern_approvals WHERE pattern_id = 'a'")
    adopted.add_pattern("a")
    assert service.explain("a").rejected


@pytest.mark.parametrize("status", ["rejected", "auto-rejected"])
def test_only_rejected_entries_are_remembered_when_deleted(adopted: TestDatabase, status: str) -> None:
    adopted.execute("UPDATE pattern_approvals SET status = %s WHERE pattern_id = 'a'", status)
    adopted.add_entry("foreign", status)
    adopted.execute("DELETE FROM pattern_approvals")
    assert remembered(adopted) == {"a"}


def test_a_deleted_rejection_that_the_patterns_status_shows_is_not_remembered(adopted: TestDatabase) -> None:
    adopted.execute("UPDATE pattern_approvals SET status = 'rejected'")
    adopted.execute("UPDATE operation_patterns SET automation_status = 'deprecated' WHERE pattern_signature = 'a'")
    adopted.execute("DELETE FROM pattern_approvals")
    assert remembered(adopted) == {"b"}


def test_a_role_may_delete_entries_without_rights_on_our_schema(adopted: TestDatabase) -> None:
    adopted.execute("UPDATE pattern_approvals SET status = 'rejected'")
    with (
        adopted.role("SELECT, DELETE ON pattern_approvals") as role,
        adopted.another_connection() as application,
    ):
        application.execute(f"SET ROLE {role}".encode())
        application.execute("DELETE FROM pattern_approvals WHERE pattern_id = 'a'")
        assert remembered(adopted) == {"a"}


def test_a_role_that_may_not_delete_entries_keeps_no_pattern_out_of_the_queue(adopted: TestDatabase) -> None:
    with (
        adopted.role("SELECT, INSERT, UPDATE ON pattern_approvals") as role,
        adopted.another_connection() as stranger,
    ):
        stranger.execute(f"SET ROLE {role}".encode())
        stranger.execute("SELECT pattern_sync.remember_rejections(ARRAY['a', 'b'])")
        assert remembered(adopted) == set()


@pytest.mark.parametrize(
    "ruin",
    [
        "DROP TABLE pattern_sync.rejections",
        "DROP FUNCTION pattern_sync.remember_rejections",
        "ALTER TABLE operation_patterns RENAME TO elsewhere",
        "ALTER TABLE operation_patterns RENAME automation_status TO stage",
    ],
)
def test_a_deletion_never_fails_because_its_rejection_cannot_be_remembered(adopted: TestDatabase, ruin: str) -> None:
    adopted.execute("UPDATE pattern_approvals SET status = 'rejected'")
    adopted.execute(ruin)
    adopted.execute("DELETE FROM pattern_approvals")
    assert adopted.count("pattern_approvals") == 0


def test_many_rejections_are_remembered_at_once(adopted: TestDatabase) -> None:
    adopted.add_patterns(3_000, "bulk")
    adopted.execute(
        "INSERT INTO pattern_approvals"
        " (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence)"
        " SELECT 'bulk:' || i, 'auto-rejected', 0.5, 1, 1, 'x' FROM generate_series(1, 3000) AS i"
    )
    adopted.execute("DELETE FROM pattern_approvals WHERE status = 'auto-rejected'")
    assert len(remembered(adopted)) == 3_000


def test_an_explanation_names_an_earlier_rejection(adopted: TestDatabase) -> None:
    service = PatternSyncService(adopted.url)
    service.reject("a", "no")
    adopted.execute("DELETE FROM pattern_approvals WHERE pattern_id = 'a'")
    explanation = service.explain("a")
    assert explanation.reason == "It is not in the queue: it was rejected before; its entry was deleted."
