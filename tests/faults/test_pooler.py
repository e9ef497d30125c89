"""Behind a transaction-mode pooler: our settings travel with each transaction and never leak to another client."""

import psycopg
import pytest

from pattern_sync import AccessRefused, PatternSyncService
from pattern_sync.database import blocking
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.connector import Connector
from pattern_sync.database.pool import Pool
from pattern_sync.database.session_settings import AT_STARTUP
from pattern_sync.database.statements import Statement, load_statements
from tests.support.asynchronous import run
from tests.support.daemon import starting_daemon
from tests.support.database import TestDatabase
from tests.support.pooler import pooler_to
from tests.support.waiting import eventually

NAMES = [*AT_STARTUP, "transaction_isolation"]
OURS = [*AT_STARTUP.values(), "read committed"]
PROBE = Statement("probe", "", "SELECT split_part(current_setting(n), ',', 1) AS value FROM unnest($1::text[]) AS n")
STATEMENTS = {**load_statements(), "probe": PROBE}
# Every parameter that we set, as an operator may have a pooler ignore them: accepted, and never applied.
PASSED_OVER = ",".join([*AT_STARTUP, "options"]).lower()


def in_pool(url: str) -> list[str]:
    async def go() -> list[str]:
        async with Pool(Connector(DatabaseAddress.parse(url), STATEMENTS)) as pool:
            for _ in range(3):
                rows = await pool.fetch("probe", NAMES, deadline_seconds=5)
        return [row["value"] for row in rows]

    return run(go())


def in_program(url: str, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    monkeypatch.setattr(blocking, "load_statements", lambda: STATEMENTS)
    with BlockingDatabase.connect(DatabaseAddress.parse(url)) as database:
        for _ in range(8):
            alone = database.fetch("probe", NAMES)
        with database.transaction():
            together = database.fetch("probe", NAMES)
    return [[row["value"] for row in rows] for rows in (alone, together)]


def left_behind(url: str) -> tuple[object, ...]:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        row = connection.execute(
            "SELECT current_setting('row_security'), current_setting('jit'), current_setting('DateStyle'),"
            " (SELECT count(*) FROM pg_prepared_statements)"
        ).fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize("ignored", ["", PASSED_OVER], ids=["refused", "passed over"])
def test_settings_hold_in_each_transaction_and_do_not_leak_to_the_next_client(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch, ignored: str
) -> None:
    database.execute(f'ALTER DATABASE "{database.name}" SET default_transaction_isolation = serializable')
    database.execute(f"ALTER DATABASE \"{database.name}\" SET DateStyle = 'SQL, DMY'")
    with pooler_to(database.url, connections=1, ignored=ignored) as url:
        assert in_pool(url) == OURS
        assert in_program(url, monkeypatch) == [OURS, OURS]
        assert left_behind(url) == ("on", left_behind(database.url)[1], "SQL, DMY", 0)


def test_prepared_statements_come_back_when_the_pooler_is_gone(database: TestDatabase) -> None:
    prepared = Statement("prepared", "", "SELECT count(*) AS prepared FROM pg_prepared_statements WHERE name <> ''")

    async def go() -> list[int]:
        connector = Connector(DatabaseAddress.parse(database.url), {**STATEMENTS, "prepared": prepared})
        async with Pool(connector) as pool:

            async def count() -> int:
                return int((await pool.fetch("prepared", deadline_seconds=5))[0]["prepared"])

            found = [await count()]
            await pool.adapt_to_pooler()
            found.append(await count())
            await pool.leave_pooler_mode()
            return [*found, await count()]

    assert run(go()) == [1, 0, 1]


def test_options_that_a_pooler_refuses_are_named(database: TestDatabase) -> None:
    with pooler_to(database.url) as url:
        given = f"{url}&options=-csearch_path%3Dapp"

        async def connect() -> None:
            await Connector(DatabaseAddress.parse(given), STATEMENTS).connect("pattern-sync")

        with pytest.raises(AccessRefused, match="options"):
            run(connect())
        with pytest.raises(AccessRefused, match="options"), BlockingDatabase.connect(DatabaseAddress.parse(given)):
            pass


def test_a_daemon_behind_a_pooler_queues_and_a_program_decides(database: TestDatabase) -> None:
    database.execute(f'ALTER DATABASE "{database.name}" SET default_transaction_isolation = serializable')
    database.add_pattern("before")
    with pooler_to(database.url) as url, starting_daemon(url) as daemon:
        daemon.wait_for("daemon.ready")
        assert "pooler" in daemon.wait_for("listener.lost")["reason"]
        assert database.entry("before") is not None
        database.add_pattern("unheard")
        eventually(lambda: database.entry("unheard"))
        assert PatternSyncService(url).approve("before", "worth it", reviewer="ann").status == "approved"
        assert not daemon.lines("database.lost")
