"""Dumps and restores in all common forms: migrate makes every result work; and who may dump."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from pattern_sync import PatternSyncService
from pattern_sync.embedded import EmbeddedServer, all_binaries
from tests.conftest import fresh_database
from tests.support.application import abouts, adopt, installer, server_major, server_program
from tests.support.database import TestDatabase
from tests.support.folders import open_folder
from tests.support.notifications import listening
from tests.support.paths import UNCAPPED


@pytest.fixture
def source(empty_database: TestDatabase) -> TestDatabase:
    """Return an adopted application in use: entries of ours, a decision, a filter of its own, a reader."""
    adopt(empty_database)
    abouts(empty_database)
    service = PatternSyncService(empty_database.url)
    for name in ("kept", "decided"):
        empty_database.add_pattern(name)
    service.sync_patterns(UNCAPPED)
    service.approve("decided", "good", reviewer="ann")
    empty_database.execute("UPDATE pattern_sync.settings SET min_occurrences = 4")
    return empty_database


@contextmanager
def another_database(server_url: str) -> Iterator[TestDatabase]:
    with (
        psycopg.connect(server_url, autocommit=True, row_factory=dict_row) as admin,
        fresh_database(server_url, admin, None) as target,
        target.connect(),
    ):
        yield target


@pytest.fixture
def target(server_url: str) -> Iterator[TestDatabase]:
    """Return an empty database to restore into."""
    with another_database(server_url) as database:
        yield database


def run(program: str, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def dump_to(source: TestDatabase, place: Path, *options: str, major: int | None = None) -> None:
    program = server_program(major or server_major(source), "pg_dump")
    run(program, f"--dbname={source.url}", f"--file={place}", *options)


def restore(target: TestDatabase, place: Path, *options: str, check: bool = True) -> None:
    program = server_program(server_major(target), "pg_restore")
    run(program, f"--dbname={target.url}", *options, str(place), check=check)


def assert_working(target: TestDatabase) -> None:
    """Check that migrate leaves a working installation behind."""
    abouts(target)
    assert installer(target).migrate() == []
    with listening(target) as listener:
        pattern_id = target.add_pattern("new")
        assert listener.received() == [str(pattern_id)]
    service = PatternSyncService(target.url)
    assert service.sync_patterns(UNCAPPED).synced_count >= 1
    assert "new" in target.queue()
    service.approve("new", "good", reviewer="ann")
    assert service.overview().trigger_missing_on == ()
    # The detector's own role needs no right on our schema beyond those of PUBLIC.
    with (
        target.role(
            "INSERT, SELECT, UPDATE ON operation_patterns", "USAGE ON SEQUENCE operation_patterns_id_seq"
        ) as role,
        psycopg.connect(target.url_as(role), autocommit=True) as detector,
        listening(target) as listener,
    ):
        row = detector.execute(
            "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
            " potential_monthly_savings) VALUES ('theirs', 'x', 90, 9, 9999) RETURNING id"
        ).fetchone()
        assert row is not None
        assert listener.received() == [str(row[0])]


FORMS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "custom": (["--format=custom"], []),
    "directory, by two jobs": (["--format=directory", "--jobs=2"], ["--jobs=2"]),
    "no owner": (["--format=custom"], ["--no-owner"]),
    "no privileges": (["--format=custom", "--no-privileges"], ["--no-privileges"]),
    "no comments": (["--format=custom", "--no-comments"], []),
    "in one transaction": (["--format=custom"], ["--single-transaction"]),
    "clean": (["--format=custom"], ["--clean", "--if-exists"]),
    "schema only": (["--format=custom", "--schema-only"], []),
    "without our schema": (["--format=custom", "--exclude-schema=pattern_sync"], []),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_restore_and_migrate_end_in_a_working_installation(
    source: TestDatabase, target: TestDatabase, tmp_path: Path, form: str
) -> None:
    dumping, restoring = FORMS[form]
    dump_to(source, tmp_path / "dump", *dumping)
    # Without our schema the triggers cannot be created: psql reports it and continues.
    restore(target, tmp_path / "dump", *restoring, check=form != "without our schema")
    assert_working(target)
    if "schema" not in form:
        assert {"kept", "decided"} <= target.queue()
        assert target.execute("SELECT min_occurrences AS m FROM pattern_sync.settings") == [{"m": 4}]


def test_a_plain_dump_is_restored_by_psql(source: TestDatabase, target: TestDatabase, tmp_path: Path) -> None:
    dump_to(source, tmp_path / "dump.sql")
    psql = server_program(server_major(target), "psql")
    run(psql, f"--dbname={target.url}", "--quiet", "--file", str(tmp_path / "dump.sql"))
    assert_working(target)


@pytest.mark.parametrize("migrated_between", [False, True])
def test_a_schema_dump_and_a_data_dump_are_restored_in_turn(
    source: TestDatabase, target: TestDatabase, tmp_path: Path, *, migrated_between: bool
) -> None:
    dump_to(source, tmp_path / "dump", "--format=custom")
    restore(target, tmp_path / "dump", "--schema-only")
    if migrated_between:
        abouts(target)
    # The rows that migrate has recreated conflict with our own dumped rows only.
    restore(target, tmp_path / "dump", "--data-only", "--disable-triggers", check=not migrated_between)
    assert_working(target)
    assert {"kept", "decided"} <= target.queue()


@pytest.mark.parametrize("tables", [["operation_patterns"], ["operation_patterns", "pattern_approvals"]])
def test_single_tables_are_restored(source: TestDatabase, tmp_path: Path, tables: list[str]) -> None:
    dump_to(source, tmp_path / "dump", "--format=custom")
    for table in tables:
        source.execute(f"DROP TABLE {table} CASCADE")
    restore(source, tmp_path / "dump", *(f"--table={table}" for table in tables))
    # A restore of a single table omits its keys and defaults; the operator has to recreate them.
    for table in tables:
        source.execute(
            f"ALTER TABLE {table} ADD PRIMARY KEY (id); CREATE SEQUENCE IF NOT EXISTS {table}_id_seq START 100;"
            f"ALTER TABLE {table} ALTER id SET DEFAULT nextval('{table}_id_seq')"
        )
    if "pattern_approvals" in tables:
        source.execute("ALTER TABLE pattern_approvals ADD UNIQUE (pattern_id)")
    assert_working(source)
    assert {"kept", "decided"} <= source.queue()


def fitting_major(server: EmbeddedServer, own: int, newest: int, place: Path) -> int:
    """Return the version whose pg_dump to take: the newest, unless that release is older than the server's.

    A minor release may keep marks of its own among the options of every column (15.20: `pg_attver`), which its own
    pg_dump leaves out. An older pg_dump shows them even of a table without options, and an older server refuses them.
    """
    with another_database(server.url) as source:
        source.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY)")
        dump_to(source, place, "--schema-only", "--table=plain", major=newest)
    return own if re.search(r"ALTER COLUMN id SET \(", place.read_text(encoding="utf-8")) else newest


def test_a_dump_of_the_oldest_server_is_restored_into_this_one(target: TestDatabase, tmp_path: Path) -> None:
    newest = server_major(target)
    older = sorted((found for found in all_binaries() if found.major < newest), key=lambda found: found.major)
    if not older:
        pytest.skip("no older server is at hand")
    with (
        open_folder() as folder,
        EmbeddedServer(folder / "server", durable=False, binaries=older[0]) as server,
        another_database(server.url) as source,
    ):
        adopt(source)
        abouts(source)
        source.add_pattern("kept")
        PatternSyncService(source.url).sync_patterns(UNCAPPED)
        major = fitting_major(server, older[0].major, newest, tmp_path / "plain.sql")
        dump_to(source, tmp_path / "dump", "--format=custom", major=major)
    restore(target, tmp_path / "dump")
    assert_working(target)
    assert "kept" in target.queue()


@pytest.mark.parametrize("kind", ["granted before", "granted since", "pg_read_all_data"])
def test_a_role_that_can_dump_the_application_can_dump_it_with_us(
    source: TestDatabase, tmp_path: Path, kind: str
) -> None:
    rights = {"pg_read_all_data": ["pg_read_all_data"]}
    in_public = ["SELECT ON ALL TABLES IN SCHEMA public", "SELECT ON ALL SEQUENCES IN SCHEMA public"]
    if kind == "granted before":
        installer(source).uninstall()
    with source.role(*rights.get(kind, in_public)) as role:
        step = f"grant SELECT on our tables to the readers of the application's: {role}"
        assert (step in abouts(source)) == (kind != "pg_read_all_data")
        reader = TestDatabase(source.url_as(role), source.name)
        dump_to(reader, tmp_path / "dump.sql", major=server_major(source))
        assert "kept" in (tmp_path / "dump.sql").read_text(encoding="utf-8")
        assert abouts(source) == []


def test_a_role_that_cannot_read_the_application_cannot_read_our_tables(source: TestDatabase) -> None:
    with source.role("SELECT ON operation_patterns") as role:
        abouts(source)
        readable = source.execute(
            "SELECT c.relname AS name FROM pg_class AS c WHERE c.relnamespace = 'pattern_sync'::regnamespace"
            " AND c.relkind = 'r' AND has_table_privilege(%s, c.oid, 'SELECT')",
            role,
        )
        assert readable == [{"name": "settings"}]
