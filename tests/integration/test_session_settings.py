"""Whatever is set for the role or the database, our sessions have the settings they need and change no others."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from pattern_sync import AccessRefused, PatternSyncService
from pattern_sync.database import blocking
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.connector import Connector
from pattern_sync.database.pool import Pool
from pattern_sync.database.session_settings import SETTINGS
from pattern_sync.database.statements import Statement, load_statements
from pattern_sync.domain.errors import DatabaseUnavailable, PlanOutdated, SchemaMissing, StatementFailed
from pattern_sync.domain.outcomes import Outcome
from tests.support.asynchronous import run
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase, a_login
from tests.support.paths import UNCAPPED, daemon_everything, reconcile, service_everything
from tests.support.waiting import eventually

# A setting that an operator may have made, beside the value that we need.
HOSTILE: Mapping[str, str] = {
    "default_transaction_isolation": "serializable",
    "statement_timeout": "1ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1ms",
    # Only a transaction can take this one back; on a busy machine a shorter one would end that transaction, too.
    "transaction_timeout": "1s",
    "row_security": "on",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "client_encoding": "LATIN1",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "on",
}
OURS = {**{each.name: each.value for each in SETTINGS}, "client_encoding": "UTF8"}
# Costs nothing, and prevents harm.
MORE = {"jit_above_cost": "0", "jit_optimize_above_cost": "0", "escape_string_warning": "on"}
OPERATORS = {"search_path": "public, elsewhere", "TimeZone": "Pacific/Chatham"}
PROBE = Statement("probe", "", "SELECT current_setting(n) AS value FROM unnest($1::text[]) AS n")


def known_names(database: TestDatabase) -> set[str]:
    return {str(row["name"]).lower() for row in database.execute("SELECT name FROM pg_settings")}


@pytest.fixture(params=["the role", "the database", "the role in the database"])
def hostile(request: pytest.FixtureRequest, database: TestDatabase) -> Iterator[TestDatabase]:
    """Return a database with hostile settings of a superuser; its own connection is older than these."""
    present = known_names(database)
    with a_login(database, "SUPERUSER") as (role, url):
        whose = {
            "the role": f"ROLE {role}",
            "the database": f'DATABASE "{database.name}"',
            "the role in the database": f'ROLE {role} IN DATABASE "{database.name}"',
        }[request.param]
        for name, value in {**HOSTILE, **MORE, **OPERATORS}.items():
            if name.lower() in present:
                values = ", ".join(f"'{item.strip()}'" for item in value.split(",")) if "," in value else f"'{value}'"
                database.execute(f"ALTER {whose} SET {name} = {values}")
        yield database.reached_by(url)


def in_session(database: TestDatabase, names: Sequence[str]) -> list[dict[str, str]]:
    """Return the settings in a session of the daemon and in one of the command line."""

    async def over_the_loop() -> list[str]:
        connector = Connector(DatabaseAddress.parse(database.url), {**load_statements(), "probe": PROBE})
        async with Pool(connector) as pool:
            return [row["value"] for row in await pool.fetch("probe", names, deadline_seconds=5)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocking, "load_statements", lambda: {**load_statements(), "probe": PROBE})
        with BlockingDatabase.connect(DatabaseAddress.parse(database.url)) as blocked:
            found = [row["value"] for row in blocked.fetch("probe", names)]
    return [dict(zip(names, values, strict=True)) for values in (run(over_the_loop()), found)]


def test_every_session_setting_is_ours_whatever_was_set(hostile: TestDatabase) -> None:
    present = known_names(hostile)
    wanted = {name: value for name, value in OURS.items() if name.lower() in present}
    assert set(HOSTILE) == set(OURS), "list every setting in this test"
    for found in in_session(hostile, list(wanted)):
        # The order of day and month stays as the operator set it.
        assert {name: value.partition(",")[0] for name, value in found.items()} == wanted


def test_settings_that_the_applications_triggers_rely_on_stay_the_operators(hostile: TestDatabase) -> None:
    for found in in_session(hostile, list(OPERATORS)):
        assert found == OPERATORS


def test_options_in_the_url_are_in_force_beside_ours(database: TestDatabase) -> None:
    options = "options=-c%20search_path%3Dapp,%5C%20le%20-c%20statement_timeout%3D7"
    given = TestDatabase(f"{database.url}{'&' if '?' in database.url else '?'}{options}", database.name)
    for found in in_session(given, ["search_path", "statement_timeout"]):
        assert found == {"search_path": "app, le", "statement_timeout": "0"}


def test_patterns_are_queued_and_decided_under_hostile_settings(hostile: TestDatabase) -> None:
    for number, everything in enumerate((daemon_everything, service_everything)):
        hostile.add_pattern(f"n:{number}")
        result = everything(hostile, UNCAPPED)
        assert (result.synced_count, result.error_count) == (1, 0)
    assert reconcile(hostile) == {"n:0": Outcome.UNCHANGED, "n:1": Outcome.UNCHANGED}
    service = PatternSyncService(hostile.url)
    decided = service.approve("n:0", "worth it", reviewer="ann")
    assert decided.status == "approved"
    assert decided.reviewed_at is not None
    assert service.get_review_statistics().approved == 1
    assert service.explain("n:1").reason


def test_a_daemon_works_under_hostile_settings(hostile: TestDatabase) -> None:
    hostile.add_pattern("before")
    with running_daemon(hostile.url) as daemon:
        hostile.add_pattern("after")
        eventually(lambda: hostile.entry("after"))
        hostile.execute("UPDATE operation_patterns SET occurrence_count = 9 WHERE pattern_signature = 'before'")
        eventually(lambda: (hostile.entry("before") or {})["occurrence_count"] == 9)
        assert not daemon.lines("database.lost")


@pytest.mark.parametrize("encoding", ["LATIN1", "LATIN9", "SQL_ASCII"])
def test_a_database_in_another_encoding_gets_utf_8_clients(
    database: TestDatabase, server_url: str, encoding: str
) -> None:
    name = f"{database.name}_{encoding.lower()}"
    locale = "LC_COLLATE 'C' LC_CTYPE 'C'"
    database.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' {locale}")
    try:
        encoded = TestDatabase.named(server_url, name)
        for found in in_session(encoded, ["client_encoding", "server_encoding", "row_security"]):
            assert found == {"client_encoding": "UTF8", "server_encoding": encoding, "row_security": "off"}
        # SQL_ASCII stores and returns any bytes; the others lack most characters.
        wanted = "convert_from('\\xff'::bytea, 'SQL_ASCII')" if encoding == "SQL_ASCII" else "U&'\\2192'"
        for fault in fetch_once(encoded, f"SELECT {wanted}"):
            assert isinstance(fault, StatementFailed), repr(fault)
    finally:
        database.execute(f"DROP DATABASE {name} WITH (FORCE)")


def fetch_once(database: TestDatabase, sql: str, *arguments: object) -> list[Exception | None]:
    """Run one statement over each driver and return what was raised."""
    statements = {**load_statements(), "probe": Statement("probe", "", sql)}

    async def over_the_loop() -> None:
        async with Pool(Connector(DatabaseAddress.parse(database.url), statements)) as pool:
            await pool.fetch("probe", *arguments, deadline_seconds=5)

    def blocked() -> None:
        with BlockingDatabase.connect(DatabaseAddress.parse(database.url)) as connection:
            connection.fetch("probe", *arguments)

    faults: list[Exception | None] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocking, "load_statements", lambda: statements)
        attempts: list[Callable[[], None]] = [lambda: run(over_the_loop()), blocked]
        for attempt in attempts:
            try:
                attempt()
            except Exception as fault:  # noqa: BLE001 - what it is is what is tested
                faults.append(fault)
            else:
                faults.append(None)
    return faults


def test_rows_that_a_policy_hides_are_an_error_with_the_grant_that_helps(database: TestDatabase) -> None:
    with a_login(database) as (role, url):
        database.execute(f"GRANT SELECT ON operation_patterns TO {role}")
        database.execute("ALTER TABLE operation_patterns ENABLE ROW LEVEL SECURITY")
        database.execute("CREATE POLICY everything ON operation_patterns USING (true)")
        under_policy = TestDatabase(url, database.name)
        for fault in fetch_once(under_policy, "SELECT count(*) FROM operation_patterns"):
            assert isinstance(fault, AccessRefused)
            assert fault.sqlstate == "42501"
            for words in ("operation_patterns", "row-level security", "BYPASSRLS"):
                assert words in str(fault)
        database.execute(f"ALTER ROLE {role} BYPASSRLS")
        assert fetch_once(under_policy, "SELECT count(*) FROM operation_patterns") == [None, None]


@pytest.mark.parametrize(
    "sqlstate", ["P0001", "ZZ999", "57014", "57P01", "53300", "08006", "40001", "42501", "42P01", "28000", "25006"]
)
def test_an_error_that_the_application_raises_fails_only_its_statement(database: TestDatabase, sqlstate: str) -> None:
    database.execute(
        "CREATE FUNCTION refuse() RETURNS int LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION 'we do not want it' USING ERRCODE = '{sqlstate}'; END $$"
    )
    for fault in fetch_once(database, "SELECT refuse()"):
        assert isinstance(fault, StatementFailed)
        assert (str(fault), fault.sqlstate) == ("we do not want it", sqlstate)


@pytest.mark.parametrize(
    ("sql", "kind", "sqlstate"),
    [
        ("SELECT 1 / 0", StatementFailed, "22012"),
        ("SELECT no_such_column FROM operation_patterns", SchemaMissing, "42703"),
        ("SELECT no_such_function()", SchemaMissing, "42883"),
        ("SELECT FROM no_such_table", SchemaMissing, "42P01"),
        ("SELECT 1 +", StatementFailed, "42601"),
        ("SELECT 'x'::text COLLATE \"C\" < 'y' COLLATE \"POSIX\"", StatementFailed, "42P21"),
        ("SELECT lo_get(1)", SchemaMissing, "42704"),
        ("SELECT pg_read_file('/nonexistent')", StatementFailed, "58P01"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", DatabaseUnavailable, "57P01"),
        ("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)", DatabaseUnavailable, "57014"),
        (
            "SELECT set_config('transaction_read_only', 'on', true), nextval('operation_patterns_id_seq')",
            DatabaseUnavailable,
            "25006",
        ),
    ],
)
def test_every_server_error_becomes_an_error_of_ours(
    database: TestDatabase, sql: str, kind: type[Exception], sqlstate: str
) -> None:
    for fault in fetch_once(database, sql):
        assert isinstance(fault, kind), repr(fault)
        assert getattr(fault, "sqlstate", None) in {sqlstate, None}, repr(fault)


def test_a_text_that_cannot_be_stored_fails_only_its_statement(database: TestDatabase) -> None:
    for fault in fetch_once(database, "SELECT $1::text", "a\0b"):
        assert isinstance(fault, StatementFailed), repr(fault)


def test_too_many_connections_of_a_role_are_a_passing_fault(database: TestDatabase) -> None:
    with a_login(database, "CONNECTION LIMIT 0") as (_, url):
        for fault in fetch_once(TestDatabase(url, database.name), "SELECT 1"):
            assert isinstance(fault, DatabaseUnavailable), repr(fault)
            assert "too many connections" in str(fault)


def test_a_table_altered_under_a_session_is_a_passing_fault(database: TestDatabase) -> None:
    database.add_patterns(3)
    statements = {**load_statements(), "probe": Statement("probe", "", "SELECT p.* FROM operation_patterns AS p")}

    async def go() -> None:
        async with Pool(Connector(DatabaseAddress.parse(database.url), statements)) as pool:
            assert len(await pool.fetch("probe", deadline_seconds=5)) == 3
            await asyncio.to_thread(database.execute, "ALTER TABLE operation_patterns ADD COLUMN more int")
            assert len(await pool.fetch("probe", deadline_seconds=5)) == 3

    run(go())


def test_a_function_whose_rows_were_altered_is_run_in_a_new_session(database: TestDatabase) -> None:
    database.add_pattern("x")
    database.execute(
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF NEW.pattern_type = 'never' THEN RETURN NULL; END IF; RETURN NEW; END $$"
    )
    database.execute("CREATE TRIGGER note BEFORE UPDATE ON operation_patterns FOR EACH ROW EXECUTE FUNCTION note()")
    write = "UPDATE operation_patterns SET occurrence_count = occurrence_count + 1"
    statements = {**load_statements(), "probe": Statement("probe", "", write)}

    async def go() -> None:
        async with Pool(Connector(DatabaseAddress.parse(database.url), statements)) as pool:
            await pool.fetch("probe", deadline_seconds=5)
            alter = "ALTER TABLE operation_patterns ALTER COLUMN pattern_type TYPE text"
            await asyncio.to_thread(database.execute, alter)
            with pytest.raises(PlanOutdated):
                await pool.fetch("probe", deadline_seconds=5)
            await pool.fetch("probe", deadline_seconds=5)

    run(go())
