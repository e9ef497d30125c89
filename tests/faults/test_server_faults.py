"""The server dies, or takes no writes: the same process waits and goes on."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer, Supervision
from tests.conftest import embedded_server
from tests.support.daemon import running_daemon, starting_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import eventually, tell


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with embedded_server() as server:
        Installer(DatabaseAddress.parse(server.url)).migrate()
        yield server


def postmaster(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    assert row is not None
    return int((Path(row[0]) / "postmaster.pid").read_text().splitlines()[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_restart_of_the_server_is_waited_out(server: EmbeddedServer, number: signal.Signals) -> None:
    signature = f"after:{number.name}"
    with running_daemon(server.url) as daemon:
        pid = postmaster(server.url)
        os.kill(pid, number)
        daemon.wait_for("listener.lost")
        daemon.wait_for("database.lost")
        eventually(lambda: server.check() is Supervision.RESTARTED)
        database = TestDatabase(server.url, "pattern_sync")
        accepting = time.monotonic()
        with database.connect():
            database.add_pattern(signature)
            eventually(lambda: database.entry(signature))
            took = time.monotonic() - accepting
            daemon.wait_for("listener.listening", times=2)
            listened = time.monotonic() - accepting
            tell(f"after {number.name}: queued {took:.2f} s, listening {listened:.2f} s after accepting again")
            assert took < 5
            daemon.wait_for("database.back")
            assert daemon.process.poll() is None
            for event in ("listener.lost", "database.lost", "database.back"):
                assert len(daemon.lines(event)) == 1, daemon.text
            assert len(daemon.lines("daemon.ready")) == 1


def test_what_a_crash_forgets_of_a_long_run_is_queued_again(server: EmbeddedServer) -> None:
    """The pages of a long scan do not wait for the disk."""
    database = TestDatabase(server.url, "pattern_sync")
    with running_daemon(server.url):
        pid = postmaster(server.url)
        with database.connect():
            database.add_patterns(30_000, "many")
            eventually(lambda: database.count("pattern_approvals") > 5_000)
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: server.check() is Supervision.RESTARTED)
        with database.connect():
            before = database.count("pattern_approvals")
            eventually(lambda: database.count("pattern_approvals") >= 30_000)
            tell(f"{before:,} of 30,000 were there after the crash")


def test_a_server_that_turns_read_only_is_waited_for_and_named(database: TestDatabase) -> None:
    read_only = f'ALTER DATABASE "{database.name}" SET default_transaction_read_only = %s'
    database.add_pattern("before")
    with database.another_connection() as admin:
        admin.execute((read_only % "on").encode())
        with starting_daemon(database.url) as daemon:
            assert "read-only" in daemon.wait_for("database.lost")["reason"]
            assert database.queue() == set()
            admin.execute("SET default_transaction_read_only = off")
            admin.execute((read_only % "off").encode())
            daemon.ready()
            assert database.queue() == {"before"}
            # And under a daemon that was well.
            admin.execute((read_only % "on").encode())
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name ~ '^pattern-sync' AND datname = current_database()"
            )
            assert daemon.wait_for("listener.lost")["reason"]
            database.add_pattern("during")
            daemon.wait_for("database.lost")
            assert database.queue() == {"before"}
            admin.execute((read_only % "off").encode())
            daemon.wait_for("listener.listening", times=2)
            assert eventually(lambda: database.entry("during")) < 5
