"""Whether the roles that write can run our triggers: what each of them lacks, and the grants that help."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.rows.overview import to_lacking_roles
from pattern_sync.domain.reception import Audience, LackingRole
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
    with BlockingDatabase.connect(DatabaseAddress.parse(database.url)) as connection:
        return {role.role: role for role in to_lacking_roles(connection.fetch("writers_without_rights"))}


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
