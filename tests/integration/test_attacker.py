"""No session of ours runs an attacker's code: there is a trap for every operator and function, and none is sprung.

The test's own SQL compares nothing, or it would be a victim, too.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial

import asyncpg
import psycopg
import pytest

from pattern_sync import PatternSyncService, SyncFilter
from pattern_sync.database.statements import load_statements
from pattern_sync.domain.entry import Status
from pattern_sync.domain.errors import PatternSyncError
from pattern_sync.domain.identity import RowId
from tests.conftest import cloned, fresh_database
from tests.integration.test_statements import arguments
from tests.support.application import APPLICATION_TABLES, installer
from tests.support.asynchronous import run
from tests.support.attacker import ROOT, Parser, attacker, set_traps, trapped
from tests.support.database import TestDatabase
from tests.support.lived_in import LivedInDatabase, Roles, documented_rights
from tests.support.paths import UNCAPPED, daemon_everything, with_gateway

Admin = psycopg.Connection[dict[str, object]]
PATTERN = (
    "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
    " potential_monthly_savings, typical_operations, typical_input_pattern)"
    " VALUES ('{0}', 'sdlc', {1}, 100, 5000, '[\"Read\", {{\"name\": \"Edit\"}}]', 'x')"
)
ENTRY = (
    "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
    " tool_sequence) VALUES ('{0}', '{1}', 0.1, 1, 1, 'x')"
)
NO_FUNCTIONS = frozenset({"application_tables.sql", "review_history.sql", "trigger.sql", "uninstall.sql", "roles.sql"})
DETECTED: dict[str, str] = {
    "a pattern that qualifies": PATTERN.format("new", 85),
    "a pattern that does not": PATTERN.format("poor", 5),
    "patterns that are changed": "UPDATE operation_patterns SET occurrence_count = 7, confidence_score = 90",
    "an entry": ENTRY.format("theirs", "approved"),
    "entries that are changed": "UPDATE pattern_approvals SET occurrence_count = 8",
    "an entry that is renamed": "UPDATE pattern_approvals SET pattern_id = 'renamed' WHERE ctid = '(0,1)'::tid",
    "history": "INSERT INTO pattern_review_history (pattern_id, action, reviewer) VALUES ('x', 'flagged', 'x')",
    "entries that are deleted": "DELETE FROM pattern_approvals",
    "entries that are truncated": "TRUNCATE pattern_approvals CASCADE",
    "a filter": "UPDATE pattern_sync.settings SET min_confidence = 50",
}


class Victim:
    """Runs one action after the other, and records which of them ran an attacker's code."""

    def __init__(self, database: LivedInDatabase) -> None:
        self._database = database
        self.found: dict[str, str] = {}

    def does(self, what: str, act: Callable[[], object]) -> None:
        before = trapped(self._database)
        try:
            act()
        except (psycopg.Error, asyncpg.PostgresError, PatternSyncError, ExceptionGroup) as fault:
            self.found[what] = str(fault).partition("\n")[0]
        else:
            if trapped(self._database) > before:
                self.found[what] = "hijacked, and swallowed"

    def report(self) -> str:
        return "\n".join(f"{what}: {fault}" for what, fault in self.found.items())


@pytest.fixture(scope="module")
def trapped_template(server_url: str, admin: Admin, roles: Roles) -> Iterator[LivedInDatabase]:
    """Return an application's database with Pattern Sync and traps that were set after the installation."""
    with (
        attacker(admin, roles.owner.replace("_owner", "_attacker")) as role,
        fresh_database(server_url, admin, None, owner=roles.owner) as empty,
    ):
        database = LivedInDatabase(empty.url, empty.name, roles)
        with psycopg.connect(database.url, autocommit=True) as session:
            session.execute(APPLICATION_TABLES.read_bytes())
            installer(database).migrate()
            for right in documented_rights():
                session.execute(f"GRANT {right} TO {roles.daemon}".encode())
            for name, confidence in (("x", 85), ("waits", 85), ("decided", 85), ("short", 5)):
                session.execute(PATTERN.format(name, confidence).encode())
            session.execute(ENTRY.format("x", "pending").encode())
            session.execute(ENTRY.format("decided", "approved").encode())
            session.execute(ENTRY.format("gone", "pending").encode())
        set_traps(database, role)
        yield database


@pytest.fixture
def trapped_database(server_url: str, admin: Admin, trapped_template: LivedInDatabase) -> Iterator[LivedInDatabase]:
    with cloned(server_url, admin, trapped_template) as database, database.connect():
        yield database


@pytest.fixture(params=["superuser", "daemon"])
def url(request: pytest.FixtureRequest, trapped_database: LivedInDatabase) -> str:
    return trapped_database.url if request.param == "superuser" else trapped_database.daemon_url


def test_the_traps_catch_a_victim(trapped_database: LivedInDatabase) -> None:
    with pytest.raises(psycopg.Error, match="hijacked by an operator of varchar and text"):
        trapped_database.execute("SELECT FROM operation_patterns WHERE pattern_signature = 'x'::text")
    assert trapped(trapped_database) == 1


def test_no_statement_resolves_to_an_attackers_code(trapped_database: LivedInDatabase) -> None:
    victim = Victim(trapped_database)
    with psycopg.connect(trapped_database.url, cursor_factory=psycopg.RawCursor) as session:
        parser = Parser(session)
        for name, statement in load_statements().items():
            victim.does(name, partial(session.execute, statement.sql.encode(), arguments(name)))
            session.rollback()
            if chosen := parser.chosen():
                victim.found[name] = f"{victim.found.get(name, '')}: {', '.join(chosen)}"
    assert not victim.found, victim.report()


def test_no_function_of_ours_resolves_to_an_attackers_code(trapped_database: LivedInDatabase) -> None:
    """PostgreSQL parses the body of an SQL function at its creation; the other tests cover those in PL/pgSQL."""
    with psycopg.connect(trapped_database.url) as session:
        parser = Parser(session)
        for path in sorted((ROOT / "sql").glob("*.sql")):
            if path.name not in NO_FUNCTIONS:
                session.execute(path.read_bytes())
                session.rollback()
        chosen = parser.chosen()
    assert not chosen, "\n".join(chosen)


def test_the_driver_looks_up_no_type(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its catalog query for an unknown type (even an array of bigint) names no schema."""
    unknown: dict[str, list[str]] = {}
    introspect = asyncpg.Connection._introspect_types  # type: ignore[attr-defined]  # noqa: SLF001 - no public way

    async def prepare_all() -> None:
        connection = await asyncpg.connect(database.url)
        try:
            for name, statement in load_statements().items():

                async def spy(self: object, oids: object, seconds: object, name: str = name) -> object:
                    types, ask = await introspect(self, oids, seconds)
                    unknown[name] = [str(kind["name"]) for kind in types]
                    return types, ask

                monkeypatch.setattr(asyncpg.Connection, "_introspect_types", spy)
                await connection.prepare(statement.sql)
        finally:
            await connection.close()

    run(prepare_all())
    assert unknown == {}


def test_no_path_to_the_queue_runs_an_attackers_code(trapped_database: LivedInDatabase, url: str) -> None:
    as_victim = TestDatabase(url, trapped_database.name)
    service = PatternSyncService(url)
    victim = Victim(trapped_database)
    victim.does("a dry run", lambda: service.sync_all_patterns(dry_run=True))
    row_ids = [RowId(1), RowId(2), RowId(3)]
    victim.does("an event", lambda: with_gateway(as_victim, lambda gateway: gateway.reconcile(row_ids, UNCAPPED)))
    trapped_database.execute("UPDATE operation_patterns SET occurrence_count = 101, automation_status = DEFAULT")
    victim.does("a sweep", lambda: daemon_everything(as_victim, UNCAPPED))
    trapped_database.execute(PATTERN.format("by hand", 85))
    victim.does("a sync", lambda: service.sync_patterns(SyncFilter(only_types=("sdlc",), exclude_types=("test",))))
    victim.does("statistics", service.get_sync_statistics)
    victim.does("an overview", service.overview)
    victim.does("a list", service.list_entries)
    victim.does("an entry", lambda: service.get_entry("x"))
    victim.does("explain", lambda: service.explain("short"))
    victim.does("a comment", lambda: service.comment("x", "hm"))
    victim.does("an approval", lambda: service.approve("x", "fine", reviewer="ann"))
    victim.does("a rejection", lambda: service.reject("waits", "no"))
    victim.does("decisions", lambda: service.decide_many(["x", "waits"], "approved", replaces=Status.REJECTED))
    victim.does("batches", lambda: [service.undo(batch.id) for batch in service.batches() if batch.undoable])
    victim.does("the log", service.decision_log)
    victim.does("counts", service.get_review_statistics)
    assert not victim.found, victim.report()


@pytest.mark.parametrize("asked", ["pattern_sync.request()", "pattern_sync.request('x')"])
def test_no_request_runs_an_attackers_code_with_our_rights(trapped_database: LivedInDatabase, asked: str) -> None:
    with trapped_database.role() as anybody, psycopg.connect(trapped_database.url_as(anybody)) as session:
        session.execute(f"SELECT {asked}".encode())
    assert trapped(trapped_database) == 0


@pytest.mark.parametrize("written", DETECTED)
def test_no_trigger_of_ours_runs_an_attackers_code(trapped_database: LivedInDatabase, written: str) -> None:
    notices: list[str] = []
    with psycopg.connect(trapped_database.url, autocommit=True) as session:
        session.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
        parser = Parser(session)
        session.execute(DETECTED[written].encode())
    assert parser.chosen() == []
    # A trap may also make our code fail before it is sprung: a string becomes a literal of another type.
    assert [text for text in notices if text.startswith(("pattern_sync", "hijacked"))] == []
    assert trapped(trapped_database) == 0


def test_neither_install_nor_uninstall_runs_an_attackers_code(trapped_database: LivedInDatabase) -> None:
    victim = Victim(trapped_database)
    victim.does("uninstall", lambda: installer(trapped_database).uninstall())
    trapped_database.execute("DROP SCHEMA IF EXISTS pattern_sync CASCADE")
    victim.does("plan", lambda: installer(trapped_database).plan())
    victim.does("migrate", lambda: installer(trapped_database).migrate())
    victim.does("migrate once more", lambda: installer(trapped_database).migrate())
    assert not victim.found, victim.report()


# Writers of patterns run these, or may request a scan: they only announce with the owner's rights.
EVERYBODYS = {
    *("announce_pattern", "mark", "request"),
    "trigger_faults",  # only reads
    "remember_rejections",  # checks whether the caller may delete entries
}
DYNAMIC = re.compile(r"^\s*EXECUTE\b", re.MULTILINE)
OURS = (
    "SELECT p.proname AS name, p.prosecdef AS with_the_owners_rights, p.proconfig AS settings, p.prosrc AS body,"
    " p.prorettype = 'trigger'::regtype AS is_trigger, has_function_privilege('public', p.oid, 'EXECUTE') AS everybodys"
    " FROM pg_proc AS p WHERE p.pronamespace = 'pattern_sync'::regnamespace"
)


def test_only_announcing_functions_run_with_the_owners_rights_for_everybody(database: TestDatabase) -> None:
    callable_by_all = [row for row in database.execute(OURS) if row["everybodys"] and not row["is_trigger"]]
    assert {row["name"] for row in callable_by_all if row["with_the_owners_rights"]} <= EVERYBODYS
    assert [row["name"] for row in callable_by_all if DYNAMIC.search(row["body"])] == []


def test_security_definer_functions_search_temporary_tables_last(database: TestDatabase) -> None:
    for row in database.execute(OURS):
        if row["with_the_owners_rights"]:
            paths = [each for each in row["settings"] or () if each.startswith("search_path=")]
            assert [path.endswith(", pg_temp") for path in paths] == [True], (row["name"], paths)
