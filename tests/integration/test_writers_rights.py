"""Whether the roles that write can run our triggers: what each of them lacks, and the grants that help."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.rows.overview import to_lacking_roles
from pattern_sync.domain.reception import Audience, LackingRole
from tests.support.application import abouts
from tests.support.database import TestDatabase
from tests.support.notifications import listening

pytestmark = pytest.mark.lived_in_too
INSERTS = ("INSERT ON operation_patterns", "USAGE ON ALL SEQUENCES IN SCHEMA public")
DETECTORS_FUNCTIONS = (
    "pattern_sync.announce_pattern(bigint,text)",
    "pattern_sync.mark(text,text)",
    "pattern_sync.notify(text)",
    "pattern_sync.send(text,text)",
)
HARDENED = (
    "REVOKE ALL ON SCHEMA pattern_sync FROM PUBLIC",
    "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA pattern_sync FROM PUBLIC",
)


def lacking(database: TestDatabase) -> Mapping[str, LackingRole]:
    """Return the roles that lack something but the daemon's own, which a test closes out with all others."""
    with BlockingDatabase.connect(DatabaseAddress.parse(database.url)) as connection:
        found = to_lacking_roles(connection.fetch("writers_without_rights"))
    return {role.role: role for role in found if not role.role.endswith("_daemon")}


def harden(database: TestDatabase) -> None:
    for statement in HARDENED:
        database.execute(statement)


def as_role(database: TestDatabase, role: str, *statements: str) -> Sequence[str]:
    """Run statements in one transaction of a role; return what our triggers wrote to the server's log."""
    notices: list[str] = []
    with psycopg.connect(database.url) as session:
        session.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
        session.execute("SET client_min_messages = log")
        session.execute(f"SET ROLE {role}".encode())
        for statement in statements:
            session.execute(statement.encode())
    return [text for text in notices if text.startswith("pattern_sync:")]


PATTERN = (
    "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
    " potential_monthly_savings) VALUES ('a', 'sdlc', 85, 100, 5000)"
)


def test_no_role_lacks_anything_after_the_installation(database: TestDatabase) -> None:
    with database.role(*INSERTS, "ALL ON pattern_approvals, pattern_review_history"):
        assert lacking(database) == {}


def test_a_detector_lacks_the_schema_that_was_closed(database: TestDatabase) -> None:
    with database.role(*INSERTS) as role:
        database.execute("REVOKE USAGE ON SCHEMA pattern_sync FROM PUBLIC")
        assert lacking(database)[role] == LackingRole(
            role,
            "may write operation_patterns",
            Audience.DAEMONS,
            "USAGE on schema pattern_sync",
            f"GRANT USAGE ON SCHEMA pattern_sync TO {role};",
        )


@pytest.mark.parametrize("function", DETECTORS_FUNCTIONS)
def test_a_detector_lacks_a_function_that_was_closed(database: TestDatabase, function: str) -> None:
    with database.role(*INSERTS) as role:
        database.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
        found = lacking(database)[role]
        assert found.lacks == f"EXECUTE on function {function}"
        assert found.remedy == f"GRANT EXECUTE ON FUNCTION {function} TO {role};"
        assert found.silenced is Audience.DAEMONS


def test_the_remedy_is_all_that_a_detector_needs(database: TestDatabase) -> None:
    with database.role(*INSERTS) as role, listening(database) as listener:
        harden(database)
        assert as_role(database, role, PATTERN) != []
        database.execute("DELETE FROM operation_patterns WHERE pattern_signature = 'a'")
        listener.received()
        for lack in lacking(database).values():
            database.execute(lack.remedy)
        assert lacking(database) == {}
        assert as_role(database, role, PATTERN) == []
        rows: list[dict[str, Any]] = database.execute("SELECT id FROM operation_patterns WHERE pattern_signature = 'a'")
        assert listener.received() == [str(rows[0]["id"])]


def test_migrate_grants_what_writers_lack_and_then_has_nothing_left_to_do(database: TestDatabase) -> None:
    with database.role(*INSERTS) as role:
        harden(database)
        assert any(f" to {role}, which may write operation_patterns" in about for about in abouts(database))
        assert lacking(database) == {}
        assert abouts(database) == []


def test_rights_are_checked_on_whatever_leads_to_the_table(database: TestDatabase) -> None:
    database.execute("CREATE TABLE public.child () INHERITS (operation_patterns)")
    database.execute("CREATE VIEW public.looked_at AS SELECT * FROM operation_patterns WHERE id > 0")
    database.execute("CREATE VIEW public.counted AS SELECT count(*) FROM operation_patterns")
    database.execute("REVOKE USAGE ON SCHEMA pattern_sync FROM PUBLIC")
    with database.role() as role:
        for right, found in (
            ("SELECT ON operation_patterns", set()),
            ("INSERT ON counted", set()),
            ("INSERT ON child", {role}),
            ("UPDATE (occurrence_count) ON operation_patterns", {role}),
            ("INSERT ON looked_at", {role}),
        ):
            database.execute(f"GRANT {right} TO {role}")
            assert set(lacking(database)) == found, right
            database.execute(f"REVOKE {right} FROM {role}")


def test_a_member_of_a_role_that_may_write_everything_is_a_writer(database: TestDatabase) -> None:
    with database.role("pg_write_all_data") as role:
        database.execute("REVOKE USAGE ON SCHEMA pattern_sync FROM PUBLIC")
        assert lacking(database) == {}, "that role may use every schema"
        database.execute("REVOKE EXECUTE ON FUNCTION pattern_sync.send FROM PUBLIC")
        assert lacking(database)[role].remedy == f"GRANT EXECUTE ON FUNCTION pattern_sync.send(text,text) TO {role};"


def test_a_group_has_the_rights_for_its_members_and_everybody_for_all(database: TestDatabase) -> None:
    with database.role(*INSERTS) as group:
        database.execute(f"CREATE ROLE {group}_member IN ROLE {group}")
        try:
            database.execute("REVOKE USAGE ON SCHEMA pattern_sync FROM PUBLIC")
            assert set(lacking(database)) == {group}
            database.execute(f"GRANT USAGE ON SCHEMA pattern_sync TO {group}")
            assert as_role(database, f"{group}_member", PATTERN) == []
        finally:
            database.execute(f"DROP ROLE {group}_member")
    database.execute("GRANT INSERT ON operation_patterns TO PUBLIC")
    assert lacking(database)["PUBLIC"].remedy == "GRANT USAGE ON SCHEMA pattern_sync TO PUBLIC;"


def test_a_role_that_only_decides_silences_only_the_pages(database: TestDatabase) -> None:
    with database.role("INSERT, UPDATE ON pattern_approvals", "INSERT ON pattern_review_history") as role:
        database.execute("REVOKE EXECUTE ON FUNCTION pattern_sync.tell_changes FROM PUBLIC")
        assert lacking(database)[role].silenced is Audience.PAGES
        database.execute("REVOKE EXECUTE ON FUNCTION pattern_sync.notify FROM PUBLIC")
        database.execute(f"GRANT DELETE ON pattern_approvals TO {role}")
        assert lacking(database)[role].silenced is Audience.DAEMONS, "what is deleted is to be queued again"


@pytest.mark.parametrize(
    ("lost", "lacks"),
    [
        ("ALTER TABLE pattern_approvals OWNER TO CURRENT_USER", "SELECT on table pattern_approvals"),
        ("ALTER TABLE pattern_sync.marks OWNER TO CURRENT_USER", "INSERT on table pattern_sync.marks"),
    ],
)
def test_the_owner_of_the_functions_needs_what_they_read_and_write(
    lived_in: TestDatabase, lost: str, lacks: str
) -> None:
    lived_in.execute(lost)
    (owner,) = lacking(lived_in).values()
    assert owner.part == "owns functions of Pattern Sync"
    assert lacks in owner.lacks
    lived_in.execute(owner.remedy)
    assert lacking(lived_in) == {}
