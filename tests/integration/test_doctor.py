"""The doctor: each fault is found by its check, and its remedy, carried out as written, makes the doctor content."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.conftest import cloned
from tests.support.doctor import Examined, carry_out, examined, listening_daemon
from tests.support.lived_in import LivedInDatabase

Admin = psycopg.Connection[dict[str, object]]
ANNOUNCE = "pattern_sync_announce ON operation_patterns"
OF_PATTERNS = "ALTER TABLE operation_patterns"
BODY = "AS $$ BEGIN RETURN; END $$"

# What is broken, by the check that finds it; {owner} and {daemon} are roles, {database} is the database.
FAULTS: dict[str, tuple[str, str]] = {
    "a trigger that is missing": ("triggers", f"DROP TRIGGER {ANNOUNCE}"),
    "a trigger that is disabled": ("triggers", f"{OF_PATTERNS} DISABLE TRIGGER pattern_sync_announce"),
    "a trigger for replicas only": ("triggers", f"{OF_PATTERNS} ENABLE REPLICA TRIGGER pattern_sync_announce"),
    "a trigger that replication skips": ("triggers", f"{OF_PATTERNS} ENABLE TRIGGER pattern_sync_announce"),
    "a trigger that calls something else": (
        "triggers",
        (
            f"DROP TRIGGER {ANNOUNCE}; CREATE TRIGGER pattern_sync_announce AFTER INSERT OR UPDATE"
            " ON operation_patterns FOR EACH ROW EXECUTE FUNCTION pattern_sync.announce_settings()"
        ),
    ),
    "a child without a trigger": (
        "triggers",
        "SET ROLE {owner}; CREATE TABLE child () INHERITS (operation_patterns); RESET ROLE",
    ),
    "a trigger of the queue that is missing": ("triggers", "DROP TRIGGER pattern_sync_updated ON pattern_approvals"),
    "a trigger of the settings that is disabled": ("triggers", "ALTER TABLE pattern_sync.settings DISABLE TRIGGER ALL"),
    "a trigger that does nothing": (
        "triggers",
        (
            "CREATE OR REPLACE FUNCTION pattern_sync.announce() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN NULL; END $$"
        ),
    ),
    "a function behind a trigger that is missing": ("triggers", "DROP FUNCTION pattern_sync.announce() CASCADE"),
    "a schema that is older": (
        "schema-version",
        "DELETE FROM pattern_sync.migrations WHERE version = (SELECT max(version) FROM pattern_sync.migrations)",
    ),
    "a function that somebody replaced": (
        "schema-objects",
        f"CREATE OR REPLACE FUNCTION pattern_sync.notify(payload text) RETURNS void LANGUAGE plpgsql {BODY}",
    ),
    "a function that lost its search path": (
        "schema-objects",
        "ALTER FUNCTION pattern_sync.request() RESET search_path",
    ),
    "a function that runs with the caller's rights": (
        "schema-objects",
        "ALTER FUNCTION pattern_sync.announce_pattern(bigint, text) SECURITY INVOKER",
    ),
    "a table of ours that is missing": ("schema-objects", "DROP TABLE pattern_sync.marks"),
    "a filter that nobody may read": ("schema-objects", "REVOKE SELECT ON pattern_sync.settings FROM PUBLIC"),
    "writers that may not use the schema": ("writers", "REVOKE USAGE ON SCHEMA pattern_sync FROM PUBLIC"),
    "writers that may not run a function": (
        "writers",
        "REVOKE EXECUTE ON FUNCTION pattern_sync.announce_pattern(bigint, text) FROM PUBLIC",
    ),
    "a right of the daemon": ("rights", "REVOKE SELECT ON pattern_sync.runs FROM {daemon}"),
    "every right of the daemon": (
        "rights",
        (
            "REVOKE ALL ON ALL TABLES IN SCHEMA public, pattern_sync FROM {daemon};"
            " REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {daemon}"
        ),
    ),
    "rows that are hidden from the daemon": (
        "rights",
        "ALTER TABLE operation_patterns ENABLE ROW LEVEL SECURITY",
    ),
    "a role that plays a replica": ("bypass", "ALTER ROLE {owner} SET session_replication_role = replica"),
    "a role whose changes no page hears of": ("bypass", "ALTER ROLE {owner} SET pattern_sync.announced_later = 'on'"),
    "a database whose changes no page hears of": (
        "bypass",
        "ALTER DATABASE {database} SET pattern_sync.announced_later = 'on'",
    ),
    "a role with two connections": ("connections", "ALTER ROLE {daemon} CONNECTION LIMIT 2"),
    "a database with few connections": ("connections", 'ALTER DATABASE "{database}" CONNECTION LIMIT 12'),
    "a role that only reads": ("hosts", "ALTER ROLE {daemon} SET default_transaction_read_only = on"),
    "a database that is only read": ("hosts", 'ALTER DATABASE "{database}" SET default_transaction_read_only = on'),
    "a role that only reads here": (
        "hosts",
        'ALTER ROLE {daemon} IN DATABASE "{database}" SET default_transaction_read_only = on',
    ),
    "another table of the same name in front": (
        "application",
        (
            "CREATE SCHEMA front; CREATE TABLE front.operation_patterns (LIKE public.operation_patterns);"
            " GRANT USAGE ON SCHEMA front TO {daemon}; ALTER ROLE {daemon} SET search_path = front, public"
        ),
    ),
    "an index that a large table lacks": ("indexes", "DROP INDEX idx_pattern_occurrence_unique"),
    "a filter that is lost": ("filter", "DELETE FROM pattern_sync.settings"),
}


@pytest.fixture(scope="module")
def clinic(server_url: str, admin: Admin, purged_template: LivedInDatabase) -> Iterator[LivedInDatabase]:
    with cloned(server_url, admin, purged_template) as database, database.connect(), listening_daemon(database):
        yield database


def unwell(found: Examined) -> dict[str, str]:
    return found.in_state("problem", "warning")


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_its_remedy_mends_it(clinic: LivedInDatabase, fault: str) -> None:
    check, breaking = FAULTS[fault]
    roles = clinic.roles
    clinic.execute(
        breaking.replace("{owner}", roles.owner).replace("{daemon}", roles.daemon).replace("{database}", clinic.name)
    )
    found = examined(clinic.daemon_url)
    assert found.state(check) in {"problem", "warning"}, found.in_state("problem", "warning", "cannot check")
    carry_out(found.remedies(check), clinic)
    mended = examined(clinic.daemon_url)
    assert mended.state(check) == "ok", mended.text(check)
    # Another check may have seen the same fault from another side.
    for other in unwell(mended):
        carry_out(mended.remedies(other), clinic)
        mended = examined(clinic.daemon_url)
    assert unwell(mended) == {}
    assert mended.content
