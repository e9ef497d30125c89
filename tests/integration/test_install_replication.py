"""Installing beside logical replication: our tables never enter a publication whose subscribers lack them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pattern_sync import PatternSyncService
from pattern_sync.domain.errors import UnfitApplication
from pattern_sync.embedded import EmbeddedServer, all_binaries
from tests.support.application import adopt, dump, installer, server_major
from tests.support.database import TestDatabase
from tests.support.folders import open_folder
from tests.support.paths import UNCAPPED
from tests.support.waiting import eventually

OWN_TABLES = {"migrations", "settings", "runs", "written", "refusals", "rejections", "marks"} | {
    *("traits", "batches", "batch_items", "decisions", "snoozes", "answers"),
    *("messages", "told", "channels"),
    *("detected_sessions", "reported_events", "routines"),
    *("recorded_savings", "savings_by_day", "savings_kept", "adjustments"),
    *("rules", "rule_log"),
    *("models", "predictions"),
}


def test_a_publication_of_all_tables_is_named_before_anything_is_changed(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    empty_database.execute("CREATE PUBLICATION whole FOR ALL TABLES")
    before = dump(empty_database)
    for attempt in (installer(empty_database).migrate, installer(empty_database).plan):
        with pytest.raises(UnfitApplication) as refusal:
            attempt()
        for words in ("Publication whole", "FOR TABLE", "pattern-sync migrate --replicated", "Nothing was changed"):
            assert words in str(refusal.value)
    assert dump(empty_database) == before
    assert installer(empty_database).plan(replicated=True) != []
    assert installer(empty_database).migrate(replicated=True) != []
    assert installer(empty_database).migrate() == [], "without a new table there is no danger"
    # A release, or a repair, that adds a table is the same danger again.
    empty_database.execute("DROP TABLE pattern_sync.marks")
    with pytest.raises(UnfitApplication, match="Publication whole"):
        installer(empty_database).migrate()
    assert installer(empty_database).migrate(replicated=True) != []
    # So is one that adds a column.
    empty_database.execute("ALTER TABLE pattern_sync.migrations DROP COLUMN extended_to")
    with pytest.raises(UnfitApplication, match="Publication whole"):
        installer(empty_database).migrate()
    assert installer(empty_database).migrate(replicated=True) != []


def test_a_publication_that_names_its_tables_is_no_hindrance(empty_database: TestDatabase) -> None:
    adopt(empty_database)
    empty_database.execute("CREATE PUBLICATION few FOR TABLE operation_patterns, pattern_approvals")
    assert installer(empty_database).migrate() != []
    assert dump(empty_database, "--schema=pattern_sync").count("PUBLICATION") == 0


@pytest.mark.parametrize("table", sorted(OWN_TABLES))
def test_our_tables_accept_deletes_where_they_are_published(database: TestDatabase, table: str) -> None:
    database.execute("CREATE PUBLICATION whole FOR ALL TABLES")
    database.execute(f"DELETE FROM pattern_sync.{table}")


@contextmanager
def replicating(major: int) -> Iterator[tuple[TestDatabase, TestDatabase]]:
    """Yield an application that publishes all its tables, and one that subscribes to them."""
    with open_folder() as folder:
        settings = {"wal_level": "logical", "wal_retrieve_retry_interval": "100ms"}
        binaries = next((found for found in all_binaries() if found.major == major), None)
        with EmbeddedServer(folder / "server", durable=False, settings=settings, binaries=binaries) as server:
            names = ("publisher", "subscriber")
            with psycopg.connect(server.url, autocommit=True) as admin:
                for name in names:
                    admin.execute(f"CREATE DATABASE {name}".encode())
            publisher, subscriber = (TestDatabase.named(server.url, name) for name in names)
            with publisher.connect(), subscriber.connect():
                for database in (publisher, subscriber):
                    adopt(database)
                subscriber.execute("TRUNCATE operation_patterns, pattern_approvals CASCADE")
                publisher.execute("CREATE PUBLICATION whole FOR ALL TABLES")
                # Both databases are on one server: the slot has to exist before the subscription uses it.
                publisher.execute("SELECT pg_create_logical_replication_slot('whole', 'pgoutput')")
                address = with_password(publisher.url)
                subscriber.execute(
                    f"CREATE SUBSCRIPTION whole CONNECTION '{address}' PUBLICATION whole"
                    " WITH (create_slot = false, slot_name = 'whole')"
                )
                eventually(lambda: arrived(subscriber, "old"), what="the first copy")
                try:
                    yield publisher, subscriber
                finally:
                    subscriber.execute("ALTER SUBSCRIPTION whole DISABLE")
                    subscriber.execute("ALTER SUBSCRIPTION whole SET (slot_name = NONE)")
                    subscriber.execute("DROP SUBSCRIPTION whole")
                    eventually(
                        lambda: not publisher.execute("SELECT slot_name FROM pg_replication_slots WHERE active"),
                        what="the end of the sender",
                    )
                    publisher.execute("SELECT pg_drop_replication_slot('whole')")


def with_password(url: str) -> str:
    """Return a connection string for the server itself, which cannot read our password file."""
    parameters = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    passfile = Path(parameters.pop("passfile"))
    password = passfile.read_text(encoding="utf-8").strip().rsplit(":", 1)[1]
    return make_conninfo(**parameters, password=password).replace("'", "''")


def arrived(subscriber: TestDatabase, signature: str) -> bool:
    found = subscriber.execute("SELECT id FROM operation_patterns WHERE pattern_signature = %s", signature)
    return bool(found)


def test_a_publisher_keeps_replicating_when_its_subscriber_is_installed_first(empty_database: TestDatabase) -> None:
    with replicating(server_major(empty_database)) as (publisher, subscriber):
        with pytest.raises(UnfitApplication, match="Publication whole"):
            installer(publisher).migrate()
        assert installer(subscriber).migrate() != []
        assert installer(publisher).migrate(replicated=True) != []
        publisher.add_pattern("a")
        assert PatternSyncService(publisher.url).sync_patterns(UNCAPPED).synced_count == 1
        eventually(lambda: arrived(subscriber, "a"), what="a pattern")
        eventually(lambda: "a" in subscriber.queue(), what="its entry")
        # Our own tables may be subscribed to as well, without the initial copy: the subscriber has rows of its own.
        subscriber.execute("ALTER SUBSCRIPTION whole REFRESH PUBLICATION WITH (copy_data = false)")
        for change in (
            "UPDATE pattern_sync.settings SET min_savings = 7",
            "INSERT INTO pattern_sync.written (pattern_id) VALUES ('x'); DELETE FROM pattern_sync.written",
            "INSERT INTO pattern_sync.rejections (pattern_id) VALUES ('x'); DELETE FROM pattern_sync.rejections",
            "DELETE FROM pattern_sync.runs",
        ):
            publisher.execute(change)
        publisher.add_pattern("b")
        eventually(lambda: arrived(subscriber, "b"), what="a pattern after changes of our own tables")
        subscribed = subscriber.execute(
            "SELECT c.relname AS name FROM pg_subscription_rel AS s JOIN pg_class AS c ON c.oid = s.srrelid"
            " WHERE c.relnamespace = 'pattern_sync'::regnamespace"
        )
        assert {row["name"] for row in subscribed} == OWN_TABLES


def test_a_subscriber_installs_like_any_other_application(empty_database: TestDatabase) -> None:
    with replicating(server_major(empty_database)) as (publisher, subscriber):
        assert installer(subscriber).migrate() != []
        publisher.add_pattern("a")
        eventually(lambda: arrived(subscriber, "a"), what="a pattern")
        assert PatternSyncService(subscriber.url).sync_patterns(UNCAPPED).synced_count == 1
        subscriber.execute("ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce")
        assert installer(subscriber).migrate() != []
        (trigger,) = subscriber.execute(
            "SELECT tgenabled FROM pg_trigger WHERE tgname = 'pattern_sync_announce' AND tgparentid = 0"
        )
        assert trigger["tgenabled"] == "A", "it fires for what the subscription writes"
        assert installer(subscriber).migrate() == []
