"""Patterns that a subscription writes are announced: its worker fires only ENABLE ALWAYS triggers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from psycopg.rows import dict_row

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer, all_binaries
from tests.conftest import fresh_database
from tests.support.application import adopt
from tests.support.database import TestDatabase
from tests.support.doctor import examined
from tests.support.folders import open_folder
from tests.support.notifications import listening
from tests.support.waiting import eventually


@pytest.fixture
def replicating() -> Iterator[str]:
    """Yield a server with logical decoding, of the oldest version from 15 on: before, a worker's NOTIFY waits."""
    binaries = min((each for each in all_binaries() if each.major >= 15), key=lambda each: each.major, default=None)
    with open_folder() as folder:
        settings = {"wal_level": "logical"}
        with EmbeddedServer(folder / "server", durable=False, binaries=binaries, settings=settings) as server:
            yield server.url


def test_rows_that_a_subscription_writes_are_announced(replicating: str) -> None:
    with (
        psycopg.connect(replicating, autocommit=True, row_factory=dict_row) as admin,
        fresh_database(replicating, admin, None) as publisher,
        fresh_database(replicating, admin, None) as subscriber,
        publisher.connect(),
        subscriber.connect(),
    ):
        for database in (publisher, subscriber):
            adopt(database)
            database.execute("TRUNCATE operation_patterns CASCADE")
        Installer(DatabaseAddress.parse(subscriber.url)).migrate()
        with subscribed(publisher, subscriber), listening(subscriber) as listener:
            publisher.add_pattern("replicated")
            eventually(lambda: subscriber.count("operation_patterns"))
            assert len(listener.received()) == 1
            assert "a subscription writes operation_patterns" in examined(subscriber.url).text("bypass")


@contextmanager
def subscribed(publisher: TestDatabase, subscriber: TestDatabase) -> Iterator[None]:
    publisher.execute("CREATE PUBLICATION theirs FOR TABLE operation_patterns")
    publisher.execute("SELECT pg_create_logical_replication_slot('ours', 'pgoutput')")
    parts = urlsplit(publisher.url)
    passfile = Path(parse_qs(parts.query)["passfile"][0])
    password = passfile.read_text().strip().rpartition(":")[2]
    address = f"host={parts.hostname} port={parts.port} user={parts.username} password={password}"
    address += f" dbname={publisher.name}"
    subscriber.execute(
        f"CREATE SUBSCRIPTION ours CONNECTION '{address}' PUBLICATION theirs"
        " WITH (create_slot = false, slot_name = 'ours')"
    )
    try:
        yield
    finally:
        subscriber.execute("ALTER SUBSCRIPTION ours DISABLE")
        subscriber.execute("ALTER SUBSCRIPTION ours SET (slot_name = NONE)")
        subscriber.execute("DROP SUBSCRIPTION ours")
        eventually(
            lambda: not publisher.execute("SELECT 1 FROM pg_replication_slots WHERE active"),
            what="the end of the worker",
        )
        publisher.execute("SELECT pg_drop_replication_slot('ours')")
