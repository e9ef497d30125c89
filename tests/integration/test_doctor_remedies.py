"""The doctor's remedies touch nobody but whom they are for, and its checks find what is not in the usual place."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import psycopg
import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.definitions import load_definitions
from pattern_sync.doctor.schema import changed_bodies
from tests.integration.test_quiet_writers import two_phase  # noqa: F401 - the fixture
from tests.process.test_deafness import fill, narrow  # noqa: F401 - the fixture
from tests.support.application import adopt, installer
from tests.support.command import run_command
from tests.support.database import TestDatabase
from tests.support.doctor import QUICK, Examined, carry_out, examined, listening_daemon
from tests.support.lived_in import LivedInDatabase
from tests.support.waiting import eventually

IMPATIENT = replace(QUICK, long_transaction_seconds=0.2, long_lock_seconds=0.2)
STORED = "SELECT unnest(setconfig) AS stored FROM pg_db_role_setting WHERE setrole = %s::regrole"
# The tables are in a schema whose name has to be quoted.
BREAKING_ELSEWHERE = {
    "triggers": 'ALTER TABLE "My App".operation_patterns DISABLE TRIGGER pattern_sync_announce',
    "schema-objects": "DROP TABLE pattern_sync.marks",
    "filter": "DELETE FROM pattern_sync.settings",
}


@pytest.fixture
def watched(database: TestDatabase) -> Iterator[TestDatabase]:
    """Return a database with a session that looks like a daemon's."""
    with listening_daemon(database):
        yield database


def unwell(found: Examined) -> dict[str, str]:
    return found.in_state("problem", "warning")


def texts(found: Examined, check: str) -> list[str]:
    return [each["text"] for each in found.remedies(check)]


def with_options(url: str, options: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}options={options}"


@contextmanager
def settings_of(database: LivedInDatabase, **settings: str) -> Iterator[None]:
    """Store settings for the role of the owner; everything is gone at the end."""
    roles = database.roles
    try:
        for name, value in settings.items():
            database.execute(f"ALTER ROLE {roles.owner} SET {name} = {value}")
        yield
    finally:
        for role in (roles.owner, roles.daemon):
            database.execute(f"ALTER ROLE {role} RESET ALL")


def test_a_role_that_only_reads_is_mended_without_a_change_to_another(lived_in: LivedInDatabase) -> None:
    roles = lived_in.roles
    with settings_of(lived_in, default_transaction_read_only="on"):
        lived_in.execute(f"ALTER ROLE {roles.daemon} SET default_transaction_read_only = on")
        found = examined(lived_in.daemon_url)
        assert found.state("hosts") == "problem"
        carry_out(found.remedies("hosts"), lived_in)
        assert examined(lived_in.daemon_url).state("hosts") == "ok"
        assert lived_in.execute(STORED, roles.owner) == [{"stored": "default_transaction_read_only=on"}]


def test_a_url_that_only_reads_is_not_mended_by_a_statement(watched: TestDatabase) -> None:
    found = examined(with_options(watched.url, "-cdefault_transaction_read_only%3Don"))
    assert found.state("hosts") == "problem"
    assert {each["means"] for each in found.remedies("hosts")} == {"advice"}
    assert "options of PATTERN_SYNC_DATABASE_URL" in texts(found, "hosts")[0]


def test_the_search_path_is_mended_for_one_role_in_one_database(lived_in: LivedInDatabase) -> None:
    roles = lived_in.roles
    with settings_of(lived_in, search_path="elsewhere, public"):
        lived_in.execute("CREATE SCHEMA front; CREATE TABLE front.operation_patterns (LIKE public.operation_patterns)")
        lived_in.execute(f"GRANT USAGE ON SCHEMA front TO {roles.daemon}")
        lived_in.execute(f"ALTER DATABASE {lived_in.name} SET search_path = front, public")
        found = examined(lived_in.daemon_url)
        assert found.state("application") == "problem"
        carry_out(found.remedies("application"), lived_in)
        assert examined(lived_in.daemon_url).state("application") == "ok"
        assert lived_in.execute(STORED, roles.owner) == [{"stored": "search_path=elsewhere, public"}]
        stored = lived_in.execute("SELECT setconfig FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase <> 0")
        assert {"setconfig": ["search_path=front, public"]} in stored


def test_tables_that_are_not_on_the_search_path_are_put_there(empty_database: TestDatabase) -> None:
    adopt(empty_database, '"My App"')
    installer(empty_database, "options=-csearch_path%3D%22My%5C%20App%22").migrate()
    found = examined(empty_database.url)
    assert found.state("application") == "problem"
    carry_out(found.remedies("application"), empty_database)
    with listening_daemon(empty_database):
        assert unwell(examined(empty_database.url)) == {}
        for check, breaking in BREAKING_ELSEWHERE.items():
            empty_database.execute(breaking)
            found = examined(empty_database.url)
            assert found.state(check) == "problem", check
            carry_out(found.remedies(check), empty_database)
            assert unwell(examined(empty_database.url)) == {}


def test_a_column_that_is_missing_is_no_matter_of_the_search_path(empty_database: TestDatabase) -> None:
    adopt(empty_database, "app")
    empty_database.execute(f"ALTER DATABASE {empty_database.name} SET search_path = app")
    assert installer(empty_database).migrate()
    empty_database.execute("ALTER TABLE app.pattern_approvals DROP COLUMN tool_sequence CASCADE")
    found = examined(empty_database.url)
    assert found.state("application") == "problem"
    assert {each["means"] for each in found.remedies("application")} == {"advice"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("session_replication_role", "origin"),
        ("session_replication_role", "local"),
        ("pattern_sync.announced_later", "off"),
    ],
)
def test_a_stored_setting_that_does_no_harm_is_none(lived_in: LivedInDatabase, name: str, value: str) -> None:
    with settings_of(lived_in, **{name: value}):
        found = examined(lived_in.daemon_url)
    assert (found.state("bypass"), found.text("bypass")) == (
        "ok",
        "no setting and no subscription writes past the triggers",
    )


@pytest.mark.parametrize(
    ("check", "name", "value"),
    [
        ("bypass", "session_replication_role", "replica"),
        ("bypass", "pattern_sync.announced_later", "on"),
        ("bypass", "pattern_sync.quiet", "on"),
        ("hosts", "default_transaction_read_only", "on"),
    ],
)
def test_the_configuration_of_the_server_is_looked_at(
    two_phase: TestDatabase,  # noqa: F811
    check: str,
    name: str,
    value: str,
) -> None:
    with psycopg.connect(two_phase.url, autocommit=True) as admin:
        admin.execute(f"SET {name} = {value}")  # a name with a dot has to be known
        admin.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
        admin.execute("SELECT pg_reload_conf()")
        eventually(lambda: examined(two_phase.url).state(check) in {"warning", "problem"})
        found = examined(two_phase.url)
        carry_out([each for each in found.remedies(check) if each["means"] == "sql"], two_phase)
        eventually(lambda: examined(two_phase.url).state(check) == "ok")
        admin.execute("SET default_transaction_read_only = off")
        admin.execute(f"ALTER SYSTEM RESET {name}".encode())
        admin.execute("SELECT pg_reload_conf()")


def test_a_prepared_transaction_that_was_forgotten_is_named_and_can_be_ended(two_phase: TestDatabase) -> None:  # noqa: F811
    two_phase.add_pattern("held", confidence_score=1)
    with two_phase.another_connection(autocommit=False) as writer:
        writer.execute("UPDATE operation_patterns SET occurrence_count = 2 WHERE pattern_signature = 'held'")
        writer.execute("PREPARE TRANSACTION 'it''s forgotten'")
        writer.rollback()
    eventually(lambda: examined(two_phase.url, clocks=IMPATIENT).state("transactions") == "warning")
    with waiting(two_phase, "UPDATE operation_patterns SET occurrence_count = 3"):
        found = examined(two_phase.url)
        assert found.state("locks") == "warning"
        assert "blocks 1 sessions" in found.text("locks")
        assert texts(found, "locks") == ["ROLLBACK PREPARED 'it''s forgotten';"]
        carry_out(found.remedies("locks"), two_phase)
    ended = examined(two_phase.url, clocks=IMPATIENT)
    assert (ended.state("locks"), ended.state("transactions")) == ("ok", "ok")


@contextmanager
def waiting(database: TestDatabase, statement: str) -> Iterator[None]:
    """Keep a session waiting for a lock that somebody holds."""

    def wait() -> None:
        with suppress(psycopg.errors.QueryCanceled):
            waiter.execute(statement.encode())

    waiter = database.another_connection()
    thread = threading.Thread(target=wait)
    thread.start()
    try:
        pid = waiter.info.backend_pid
        eventually(lambda: database.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pid = %s", pid))
        yield
    finally:
        waiter.cancel()
        thread.join()
        waiter.close()


@pytest.mark.parametrize("table", ["grandchild", "pattern_sync.written"])
def test_locks_on_descendants_and_on_our_tables_count(watched: TestDatabase, table: str) -> None:
    watched.execute("CREATE TABLE child () INHERITS (operation_patterns)")
    watched.execute("CREATE TABLE grandchild () INHERITS (child)")
    holder = watched.another_connection(autocommit=False)
    holder.execute(f"LOCK TABLE {table} IN SHARE MODE".encode())
    with waiting(watched, f"DELETE FROM {table}"):
        found = examined(watched.url)
        assert found.state("locks") == "warning"
        carry_out(found.remedies("locks"), watched)
    holder.close()


def test_a_full_notification_queue_names_the_session_that_the_watch_names(narrow: TestDatabase) -> None:  # noqa: F811
    with narrow.connect():
        innocent = narrow.another_connection()
        sleeper = narrow.another_connection(autocommit=False)
        sleeper.execute("LISTEN somebody")
        sleeper.commit()
        sleeper.execute("SELECT 1")
        fill(narrow, 0.6)
        found = examined(narrow.url)
        with (
            BlockingDatabase.connect(DatabaseAddress.parse(narrow.url)) as database,
            database.transaction(discarded=True),
        ):
            (seen,) = database.fetch("watch")
        assert texts(found, "notification-queue") == [f"SELECT pg_terminate_backend({seen['blocker_pid']});"]
        assert seen["blocker_pid"] == sleeper.info.backend_pid
        for each in (innocent, sleeper):
            each.close()


@pytest.mark.lived_in_too
def test_no_body_of_ours_is_taken_for_changed(database: TestDatabase) -> None:
    with BlockingDatabase.connect(DatabaseAddress.parse(database.url)) as reading, reading.transaction(read_only=True):
        assert changed_bodies(reading, load_definitions()) == []


@pytest.mark.parametrize("name", ["qualifies", "eligible", "is_candidate", "predicate", "notify"])
def test_a_function_that_somebody_replaced_is_named(watched: TestDatabase, name: str) -> None:
    (row,) = watched.execute(
        "SELECT pg_get_functiondef(oid) AS text, prosrc FROM pg_proc WHERE proname = %s"
        " AND pronamespace = 'pattern_sync'::regnamespace",
        name,
    )
    with watched.another_connection() as session:
        session.execute(row["text"].replace(row["prosrc"], f"{row['prosrc']} -- replaced\n").encode())
    found = examined(watched.url)
    assert found.state("schema-objects") == "problem"
    assert re.search(rf"\(changed: .*\b{name}\(", found.text("schema-objects"))


def test_a_newer_schema_that_is_compatible_is_a_warning(watched: TestDatabase) -> None:
    watched.execute("UPDATE pattern_sync.migrations SET extended_to = 999")
    found = examined(watched.url)
    assert (found.state("schema-version"), found.content) == ("warning", True)
    assert "999" in found.text("schema-version")


def test_what_is_not_installed_has_no_rights_to_check(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    found = examined(empty_database.url)
    assert found.state("rights") == found.state("writers") == "cannot check"


def test_a_daemon_whose_address_this_role_may_not_see_is_not_taken_for_a_local_one(lived_in: LivedInDatabase) -> None:
    with listening_daemon(lived_in):
        seen = run_command("status", "--json", PATTERN_SYNC_DATABASE_URL=lived_in.daemon_url).document["daemons"]
        assert [(each["host"], each["connected_at"]) for each in seen] == [("not visible", None)]
        assert run_command("status", PATTERN_SYNC_DATABASE_URL=lived_in.daemon_url).code == 0
