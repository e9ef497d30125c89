"""Writers that cannot notify leave a mark, and none of them fails because of us."""

from collections.abc import Iterator

import psycopg
import pytest
from rich.console import Console

from pattern_sync import PatternSyncService
from pattern_sync.cli.output import overview_table
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer
from tests.support.database import QUALIFYING, TestDatabase
from tests.support.folders import open_folder
from tests.support.notifications import listening

INSERT = (
    f"INSERT INTO operation_patterns (pattern_signature, {', '.join(QUALIFYING)})"
    " VALUES (%s, %s, %s, %s, %s) RETURNING id"
)


def marks(database: TestDatabase) -> list[tuple[str, str]]:
    rows = database.execute("SELECT channel, payload FROM pattern_sync.marks")
    return [(str(row["channel"]), str(row["payload"])) for row in rows]


@pytest.mark.parametrize("word", ["on", "true", "ON", "1", "yes"])
def test_a_quiet_transaction_leaves_a_mark_and_notifies_nobody(database: TestDatabase, word: str) -> None:
    with listening(database) as listener, database.another_connection(autocommit=False) as writer:
        writer.execute("SELECT set_config('pattern_sync.quiet', %s, true)", [word])
        row = writer.execute(INSERT.encode(), ["quiet", *QUALIFYING.values()]).fetchone()
        writer.commit()
        assert row is not None
        loud = database.add_pattern("loud")
        assert listener.received() == [str(loud)]
    assert marks(database) == [("pattern_sync", str(row["id"]))]


def test_a_quiet_transaction_that_is_undone_leaves_nothing(database: TestDatabase) -> None:
    with database.another_connection(autocommit=False) as writer:
        writer.execute("SET LOCAL pattern_sync.quiet = on")
        writer.execute(INSERT.encode(), ["quiet", *QUALIFYING.values()])
        writer.rollback()
    assert marks(database) == []


def test_a_role_can_be_quiet_without_any_right_on_our_schema(database: TestDatabase) -> None:
    rights = ("INSERT, SELECT ON operation_patterns", "USAGE ON ALL SEQUENCES IN SCHEMA public")
    with database.role(*rights) as role, psycopg.connect(database.url_as(role), autocommit=True) as writer:
        writer.execute("SET pattern_sync.quiet = on")
        writer.execute(INSERT.encode(), ["quiet", *QUALIFYING.values()])
    assert len(marks(database)) == 1


def test_many_quiet_writes_of_one_transaction_become_one_request_for_everything(database: TestDatabase) -> None:
    with database.another_connection(autocommit=False) as writer:
        writer.execute("SET LOCAL pattern_sync.quiet = on")
        for number in range(310):
            writer.execute(INSERT.encode(), [f"quiet {number}", *QUALIFYING.values()])
        writer.commit()
    assert len(marks(database)) == 301
    assert ("pattern_sync", "*") in marks(database)


@pytest.fixture(scope="module")
def two_phase() -> Iterator[TestDatabase]:
    """Yield a migrated database of a server that takes prepared transactions."""
    with open_folder() as folder:
        state = folder / "server"
        with EmbeddedServer(state, durable=False) as server, psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET max_prepared_transactions = 10")
        with EmbeddedServer(state, durable=False) as server:
            Installer(DatabaseAddress.parse(server.url)).migrate()
            database = TestDatabase(server.url, "two_phase")
            with database.connect():
                yield database


def test_a_quiet_detector_can_use_two_phase_commit(two_phase: TestDatabase) -> None:
    with two_phase.another_connection(autocommit=False) as writer:
        writer.execute("SET LOCAL pattern_sync.quiet = on")
        writer.execute(INSERT.encode(), ["prepared", *QUALIFYING.values()])
        writer.execute("PREPARE TRANSACTION 'detector'")
        writer.rollback()
    assert marks(two_phase) == [], "no mark before the commit"
    two_phase.execute("COMMIT PREPARED 'detector'")
    assert len(marks(two_phase)) == 1


def test_status_names_the_remedy_where_two_phase_commit_is_possible(two_phase: TestDatabase) -> None:
    overview = PatternSyncService(two_phase.url).overview()
    assert overview.prepared_transactions == 10
    console = Console(record=True, width=120)
    console.print(overview_table(overview, None))
    assert "pattern_sync.quiet" in console.export_text()


def test_postgresql_refuses_two_phase_commit_of_a_writer_that_is_not_quiet(two_phase: TestDatabase) -> None:
    with two_phase.another_connection(autocommit=False) as writer:
        writer.execute(INSERT.encode(), ["loud", *QUALIFYING.values()])
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="NOTIFY"):
            writer.execute("PREPARE TRANSACTION 'loud'")


def test_a_quiet_application_can_decide_under_two_phase_commit(two_phase: TestDatabase) -> None:
    two_phase.add_entry("decided")
    with two_phase.another_connection(autocommit=False) as writer:
        writer.execute("SET LOCAL pattern_sync.quiet = on")
        writer.execute("UPDATE pattern_approvals SET status = 'approved' WHERE pattern_id = 'decided'")
        writer.execute("PREPARE TRANSACTION 'decision'")
        writer.rollback()
    two_phase.execute("COMMIT PREPARED 'decision'")
    assert [channel for channel, _ in marks(two_phase)][-1] == "pattern_sync_queue"


def test_an_open_session_requests_a_scan_after_a_column_changed_its_type(database: TestDatabase) -> None:
    with listening(database) as listener, database.another_connection() as detector:
        detector.execute(INSERT.encode(), ["before", *QUALIFYING.values()])
        listener.received()
        database.execute("ALTER TABLE operation_patterns ALTER COLUMN confidence_score TYPE numeric")
        detector.execute(INSERT.encode(), ["after", *QUALIFYING.values()])
        assert listener.received() == ["*"], "a row that cannot be evaluated requests a scan"


def test_a_detector_without_rights_on_our_schema_still_requests_a_scan(database: TestDatabase) -> None:
    database.execute("REVOKE ALL ON SCHEMA pattern_sync FROM PUBLIC")
    rights = ("INSERT, SELECT ON operation_patterns", "USAGE ON ALL SEQUENCES IN SCHEMA public")
    with database.role(*rights) as role, listening(database) as listener:
        with psycopg.connect(database.url_as(role), autocommit=True) as detector:
            detector.execute(INSERT.encode(), ["x", *QUALIFYING.values()])
        assert listener.received() == ["*"]


def test_the_trigger_follows_the_filter_without_querying_it(database: TestDatabase) -> None:
    with listening(database) as listener:
        database.execute("UPDATE pattern_sync.settings SET min_savings = 500000, only_types = '{sdlc,it''s}'")
        assert listener.received() == ["settings"]
        database.add_pattern("too little")
        database.add_pattern("of no such type", potential_monthly_savings=600_000, pattern_type="other")
        wanted = database.add_pattern("enough", potential_monthly_savings=600_000, pattern_type="it's")
        assert listener.received() == [str(wanted)]
