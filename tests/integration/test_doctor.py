"""The doctor: each fault is found by its check, and its remedy, carried out as written, makes the doctor content."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from tests.conftest import cloned
from tests.support.application import APPLICATION_TABLES
from tests.support.database import TestDatabase
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
    "a function that is built, and that somebody replaced": (
        "schema-objects",
        (
            "CREATE OR REPLACE FUNCTION pattern_sync.eligible(automation_status text) RETURNS boolean LANGUAGE sql"
            " IMMUTABLE PARALLEL SAFE AS 'SELECT false'"
        ),
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
    "a database that is written past the triggers": (
        "bypass",
        'ALTER DATABASE "{database}" SET session_replication_role = replica',
    ),
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

MIGRATE = "pattern-sync migrate"
ENABLE = r"ALTER TABLE (public\.)?operation_patterns ENABLE ALWAYS TRIGGER pattern_sync_announce;"
CREATE = rf"CREATE TRIGGER pattern_sync_announce .* EXECUTE FUNCTION pattern_sync\.announce\(\); {ENABLE}"
GRANT = r"GRANT [A-Z]+( \(\w+\))? ON (SEQUENCE )?[\w.]+ TO {daemon};"
# What every remedy of the check looks like; nothing else may be carried out.
REMEDIES: dict[str, str] = {
    "a trigger that is missing": CREATE,
    "a trigger that is disabled": ENABLE,
    "a trigger for replicas only": ENABLE,
    "a trigger that replication skips": ENABLE,
    "a trigger that calls something else": (
        rf"DROP TRIGGER pattern_sync_announce ON (public\.)?operation_patterns; {CREATE}"
    ),
    "a child without a trigger": CREATE.replace("operation_patterns", "child"),
    "a trigger of the queue that is missing": r"CREATE TRIGGER pattern_sync_updated .* TRIGGER pattern_sync_updated;",
    "a trigger of the settings that is disabled": (
        r"ALTER TABLE pattern_sync\.settings ENABLE ALWAYS TRIGGER announce_settings;"
    ),
    "a trigger that does nothing": r"SELECT pattern_sync\.create_announce\(\);",
    "writers that may not use the schema": r"GRANT USAGE ON SCHEMA pattern_sync TO {daemon};",
    "writers that may not run a function": (
        r"GRANT EXECUTE ON FUNCTION pattern_sync\.announce_pattern\(bigint,text\) TO {daemon};"
    ),
    "a right of the daemon": r"GRANT SELECT ON pattern_sync\.runs TO {daemon};",
    "every right of the daemon": GRANT,
    "rows that are hidden from the daemon": "ALTER ROLE {daemon} BYPASSRLS;",
    "a role that plays a replica": "ALTER ROLE {owner} RESET session_replication_role;",
    "a role whose changes no page hears of": r"ALTER ROLE {owner} RESET pattern_sync\.announced_later;",
    "a database whose changes no page hears of": r"ALTER DATABASE {database} RESET pattern_sync\.announced_later;",
    "a database that is written past the triggers": "ALTER DATABASE {database} RESET session_replication_role;",
    "a role with two connections": "ALTER ROLE {daemon} CONNECTION LIMIT -1;",
    "a database with few connections": "ALTER DATABASE {database} CONNECTION LIMIT -1;",
    "a role that only reads": ("BEGIN READ WRITE; ALTER ROLE {daemon} RESET default_transaction_read_only; COMMIT;"),
    "a database that is only read": (
        "BEGIN READ WRITE; ALTER DATABASE {database} RESET default_transaction_read_only; COMMIT;"
    ),
    "a role that only reads here": (
        "BEGIN READ WRITE; ALTER ROLE {daemon} IN DATABASE {database} RESET default_transaction_read_only; COMMIT;"
    ),
    "another table of the same name in front": (
        "ALTER ROLE {daemon} IN DATABASE {database} SET search_path = public, front, public;"
    ),
    "an index that a large table lacks": (
        r"CREATE INDEX CONCURRENTLY ON (public\.)?pattern_occurrences \(pattern_id\);"
    ),
}


@pytest.fixture(scope="module")
def clinic(server_url: str, admin: Admin, purged_template: LivedInDatabase) -> Iterator[LivedInDatabase]:
    with cloned(server_url, admin, purged_template) as database, database.connect(), listening_daemon(database):
        yield database


def unwell(found: Examined) -> dict[str, str]:
    return found.in_state("problem", "warning")


def named(clinic: LivedInDatabase, text: str) -> str:
    roles = clinic.roles
    return text.replace("{owner}", roles.owner).replace("{daemon}", roles.daemon).replace("{database}", clinic.name)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_its_remedy_mends_it(clinic: LivedInDatabase, fault: str) -> None:
    check, breaking = FAULTS[fault]
    clinic.execute(named(clinic, breaking))
    found = examined(clinic.daemon_url)
    assert found.state(check) in {"problem", "warning"}, found.in_state("problem", "warning", "cannot check")
    expected = named(clinic, REMEDIES.get(fault, MIGRATE))
    assert [each["text"] for each in found.remedies(check) if not re.fullmatch(expected, each["text"])] == []
    carry_out(found.remedies(check), clinic)
    mended = examined(clinic.daemon_url)
    assert mended.state(check) == "ok", mended.text(check)
    # Another check may have seen the same fault from another side.
    for other in unwell(mended):
        carry_out(mended.remedies(other), clinic)
        mended = examined(clinic.daemon_url)
    assert unwell(mended) == {}
    assert mended.content


def test_statements_find_the_tables_of_an_application_in_a_schema_of_its_own(empty_database: TestDatabase) -> None:
    empty_database.execute('CREATE SCHEMA "My App"')
    options = quote('-csearch_path="My\\ App"')
    url = f"{empty_database.url}{'&' if '?' in empty_database.url else '?'}options={options}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(APPLICATION_TABLES.read_bytes())
    Installer(DatabaseAddress.parse(url)).migrate()
    empty_database.execute('ALTER TABLE "My App".operation_patterns DISABLE TRIGGER pattern_sync_announce')
    with empty_database.role('USAGE ON SCHEMA "My App"', "USAGE ON SCHEMA pattern_sync") as role:
        for examine_as, check in (
            (url, "triggers"),
            (url.replace("options=", f"options=-crole%3D{role}%20"), "rights"),
        ):
            found = examined(examine_as)
            assert found.state(check) == "problem", found.text(check)
            carry_out(found.remedies(check), empty_database)
            assert examined(examine_as).state(check) == "ok"
