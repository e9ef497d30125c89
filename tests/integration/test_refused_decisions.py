"""Decisions and comments that the application's own triggers, rules, policies or rights refuse."""

from collections.abc import Callable

import pytest

from pattern_sync import DecisionRefused, PatternSyncService
from tests.support.application import adopt, installer
from tests.support.database import TestDatabase, snapshot

TABLES = ("operation_patterns", "pattern_approvals", "pattern_review_history", "pattern_sync.rejections")
QUEUE, HISTORY = "pattern_approvals", "pattern_review_history"
KEPT_OUT = "A trigger or policy of the application refused the"

Say = Callable[[PatternSyncService], object]
SAYINGS = {
    "approval": lambda service: service.approve("a", reviewer="ann"),
    "rejection": lambda service: service.reject("a", "no", reviewer="ann"),
    "comment": lambda service: service.comment("a", "no", reviewer="ann"),
}


@pytest.fixture
def adopted(empty_database: TestDatabase) -> TestDatabase:
    """Return an application's own tables, migrated, with a pattern whose entry is pending."""
    adopt(empty_database)
    installer(empty_database).migrate()
    empty_database.add_pattern("a")
    PatternSyncService(empty_database.url).sync_patterns()
    return empty_database


def add_trigger(database: TestDatabase, when: str, table: str, body: str) -> None:
    database.execute(f"CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")
    database.execute(f"CREATE TRIGGER own {when} ON {table} FOR EACH ROW EXECUTE FUNCTION own()")


def assert_kept_out(database: TestDatabase, said: str, *words: str, url: str | None = None) -> None:
    before = snapshot(database, TABLES)
    with pytest.raises(DecisionRefused) as caught:
        SAYINGS[said](PatternSyncService(url or database.url))
    for word in words:
        assert word in str(caught.value)
    assert "nothing was written" in str(caught.value)
    assert snapshot(database, TABLES) == before


@pytest.mark.parametrize("said", ["approval", "rejection"])
@pytest.mark.parametrize(
    ("when", "table", "body"),
    [
        ("BEFORE UPDATE", QUEUE, "RETURN NULL;"),
        ("BEFORE UPDATE", QUEUE, "NEW.status := OLD.status; RETURN NEW;"),
        ("BEFORE UPDATE", QUEUE, "NEW.status := 'auto-approved'; RETURN NEW;"),
        ("AFTER INSERT", HISTORY, "UPDATE pattern_approvals SET status = 'pending'; RETURN NULL;"),
        ("BEFORE INSERT", HISTORY, "RETURN NULL;"),
        ("AFTER UPDATE", "operation_patterns", "DELETE FROM pattern_approvals; RETURN NULL;"),
    ],
    ids=["vanishes", "is undone", "is rewritten", "is undone later", "has no history", "is deleted"],
)
def test_a_decision_that_a_trigger_drops_is_reported_as_refused(
    adopted: TestDatabase, said: str, when: str, table: str, body: str
) -> None:
    add_trigger(adopted, when, table, body)
    assert_kept_out(adopted, said, f"{KEPT_OUT} decision on 'a'")


def test_a_comment_that_a_trigger_drops_is_reported_as_refused(adopted: TestDatabase) -> None:
    add_trigger(adopted, "BEFORE INSERT", HISTORY, "RETURN NULL;")
    assert_kept_out(adopted, "comment", f"{KEPT_OUT} comment on 'a'")


@pytest.mark.parametrize(
    ("event", "table", "said"),
    [("UPDATE", QUEUE, "approval"), ("INSERT", HISTORY, "rejection"), ("INSERT", HISTORY, "comment")],
)
def test_a_decision_that_a_rule_drops_is_reported_as_refused(
    adopted: TestDatabase, event: str, table: str, said: str
) -> None:
    adopted.execute(f"CREATE RULE own AS ON {event} TO {table} DO INSTEAD NOTHING")
    assert_kept_out(adopted, said, KEPT_OUT)


@pytest.mark.parametrize("said", SAYINGS)
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("RAISE EXCEPTION 'no ticket';", "no ticket (SQLSTATE P0001)"),
        ("RAISE EXCEPTION 'no ticket' USING ERRCODE = 'AP001';", "no ticket (SQLSTATE AP001)"),
        ("RAISE EXCEPTION 'no ticket' USING ERRCODE = '42501';", "no ticket (SQLSTATE 42501)"),
        ("INSERT INTO audit VALUES (1);", 'relation "audit" does not exist (SQLSTATE 42P01)'),
        ("PERFORM audit();", "audit() does not exist"),
        ("NEW.ticket := 1; RETURN NEW;", "(SQLSTATE 42703)"),
        ("PERFORM 1 / 0;", "division by zero"),
    ],
)
def test_a_decision_that_a_trigger_refuses_is_reported_in_the_servers_words(
    adopted: TestDatabase, said: str, body: str, words: str
) -> None:
    table, when = (HISTORY, "BEFORE INSERT") if said == "comment" else (QUEUE, "BEFORE UPDATE")
    add_trigger(adopted, when, table, body)
    assert_kept_out(adopted, said, "The database refused the", words)


@pytest.mark.parametrize("said", SAYINGS)
def test_a_decision_that_a_deferred_constraint_refuses_is_reported_before_the_commit(
    adopted: TestDatabase, said: str
) -> None:
    table, event = (HISTORY, "INSERT") if said == "comment" else (QUEUE, "UPDATE")
    adopted.execute(
        "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no ticket'; END $$"
    )
    adopted.execute(
        f"CREATE CONSTRAINT TRIGGER own AFTER {event} ON {table} DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION own()"
    )
    assert_kept_out(adopted, said, "The database refused the", "no ticket (SQLSTATE P0001)")


@pytest.mark.parametrize(("command", "words"), [("UPDATE", "row-level security"), ("SELECT", None)])
def test_a_decision_that_a_policy_refuses_is_reported_as_refused(
    adopted: TestDatabase, command: str, words: str | None
) -> None:
    rights = ("SELECT", "INSERT", "UPDATE", "DELETE")
    tables = ", ".join(TABLES)
    with adopted.role(
        f"{', '.join(rights)} ON {tables} ",
        "SELECT ON ALL TABLES IN SCHEMA pattern_sync",
        "USAGE ON ALL SEQUENCES IN SCHEMA public",
    ) as role:
        adopted.execute("ALTER TABLE pattern_approvals ENABLE ROW LEVEL SECURITY")
        adopted.execute("CREATE POLICY read ON pattern_approvals FOR SELECT USING (true)")
        check = "WITH CHECK (status = 'pending')" if words else ""
        if command == "UPDATE":
            adopted.execute(f"CREATE POLICY own ON pattern_approvals FOR UPDATE USING (true) {check}")
        assert_kept_out(adopted, "approval", words or "nothing was written", url=adopted.url_as(role))
        adopted.execute("ALTER TABLE pattern_approvals DISABLE ROW LEVEL SECURITY")


def test_a_history_row_that_a_trigger_redirects_is_kept(adopted: TestDatabase) -> None:
    adopted.execute("CREATE TABLE history_of_today () INHERITS (pattern_review_history)")
    add_trigger(adopted, "BEFORE INSERT", HISTORY, "INSERT INTO history_of_today SELECT (NEW).*; RETURN NULL;")
    service = PatternSyncService(adopted.url)
    service.comment("a", "whose is this?", reviewer="ann")
    service.approve("a", reviewer="ann")
    assert [row["action"] for row in adopted.history_of("a")] == ["commented", "approved"]


def test_a_status_that_is_no_decision_is_refused(adopted: TestDatabase) -> None:
    with pytest.raises(Exception, match="'pending' is no decision"):
        adopted.execute("SELECT pattern_sync.decide('a', 'pending', 'ann', NULL, 'pending')")


TYPES = {
    "enums": (
        "CREATE TYPE verdict AS ENUM ('pending', 'approved', 'rejected', 'auto-approved', 'auto-rejected')",
        "CREATE TYPE deed AS ENUM ('approved', 'rejected', 'flagged', 'commented')",
        "CREATE TYPE stage AS ENUM ('detected', 'candidate', 'approved')",
        "ALTER TABLE pattern_approvals DROP CONSTRAINT pattern_approvals_status_check",
        "ALTER TABLE pattern_review_history DROP CONSTRAINT pattern_review_history_action_check",
        "ALTER TABLE operation_patterns DROP CONSTRAINT operation_patterns_automation_status_check",
        "ALTER TABLE operation_patterns ALTER automation_status DROP DEFAULT",
        "ALTER TABLE pattern_approvals ALTER status TYPE verdict USING status::verdict",
        "ALTER TABLE pattern_review_history ALTER action TYPE deed USING action::deed",
        "ALTER TABLE operation_patterns ALTER automation_status TYPE stage USING automation_status::stage",
    ),
    "domains": (
        "CREATE DOMAIN name AS text NOT NULL CHECK (length(VALUE) < 300)",
        "CREATE DOMAIN verdict AS varchar(20) NOT NULL",
        "ALTER TABLE pattern_approvals ALTER pattern_id TYPE name, ALTER status TYPE verdict",
        "ALTER TABLE pattern_review_history ALTER pattern_id TYPE name, ALTER action TYPE verdict",
        "ALTER TABLE pattern_review_history ALTER reviewer TYPE name",
        "ALTER TABLE operation_patterns ALTER automation_status TYPE verdict",
    ),
    "short": (
        "ALTER TABLE pattern_approvals ALTER status TYPE varchar(20)",
        "ALTER TABLE pattern_review_history ALTER action TYPE varchar(20)",
        "ALTER TABLE operation_patterns DROP CONSTRAINT operation_patterns_automation_status_check",
        "ALTER TABLE operation_patterns ALTER automation_status DROP DEFAULT",
        'ALTER TABLE operation_patterns ALTER automation_status TYPE "char" USING NULL',
    ),
}


@pytest.mark.parametrize("types", TYPES)
def test_columns_that_change_their_type_hold_decisions_of_open_sessions(adopted: TestDatabase, types: str) -> None:
    decide = "SELECT pattern_sync.decide('a', %s, 'ann', 'so be it', %s) AS decided"
    adopted.execute(decide, "approved", "pending")
    for statement in TYPES[types]:
        adopted.execute(statement)
    assert adopted.execute(decide, "rejected", "approved") == [{"decided": True}]
    assert adopted.execute("SELECT pattern_sync.remark('a', 'ann', 'hm') AS noted") == [{"noted": True}]
    service = PatternSyncService(adopted.url)
    entry, history = service.get_entry("a")
    assert (entry.status, entry.approval_notes) == ("rejected", "REJECTED: so be it")
    assert [item.action for item in history] == ["approved", "rejected", "commented"]
    assert service.approve("a", replaces=entry.status).status == "approved"  # type: ignore[arg-type]
