"""A primary with a streaming standby, killed and promoted: the daemon follows, and nothing is lost."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg.rows import dict_row

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer, find_binaries
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.doctor import examined
from tests.support.folders import open_folder
from tests.support.waiting import eventually, show

PATIENCE_SECONDS = 20.0


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@contextmanager
def primary_and_standby(folder: Path) -> Iterator[tuple[EmbeddedServer, EmbeddedServer]]:
    with ExitStack() as stack:
        primary = stack.enter_context(EmbeddedServer(folder / "primary", durable=False))
        Installer(DatabaseAddress.parse(primary.url)).migrate()
        clone(folder, primary)
        standby = stack.enter_context(EmbeddedServer(folder / "standby", durable=False))
        yield primary, standby


def clone(folder: Path, primary: EmbeddedServer) -> None:
    data = folder / "standby" / "postgres"
    data.parent.mkdir(mode=0o755)
    shutil.copy(folder / "primary" / "pgpass", data.parent / "pgpass")
    backup = find_binaries().directory / "pg_basebackup"
    if not backup.exists():
        pytest.skip("these PostgreSQL programs come without pg_basebackup")
    # -R stores the address for the standby, whose user cannot read our password file.
    password = (data.parent / "pgpass").read_text().strip().rpartition(":")[2]
    address = primary.url.replace("postgres@", f"postgres:{password}@", 1)
    subprocess.run([backup, "-D", data, "-d", address, "-R", "-X", "stream", "-c", "fast"], check=True)
    owner = (folder / "primary" / "postgres").stat()
    if os.geteuid() == 0:
        for path in (data, *data.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def multi_host_url(folder: Path, *servers: EmbeddedServer) -> str:
    hosts = ",".join(urlsplit(server.url).netloc.rpartition("@")[2] for server in servers)
    passfile = quote(str(folder / "primary" / "pgpass"))
    return f"postgresql://postgres@{hosts}/pattern_sync?passfile={passfile}&sslmode=disable"


def kill_server(folder: Path) -> None:
    pid = int((folder / "primary" / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)


def test_the_doctor_knows_a_standby_and_is_content_after_its_promotion(folder: Path) -> None:
    with primary_and_standby(folder) as (primary, standby):
        both = examined(multi_host_url(folder, standby, primary))
        assert both.state("hosts") == both.state("schema-objects") == "ok"
        url = multi_host_url(folder, standby)
        alone = examined(url)
        assert alone.state("hosts") == "problem"
        assert (alone.state("notifications"), alone.state("triggers")) == ("cannot check", "ok")
        assert (alone.state("daemons"), alone.remedies("daemons")) == ("cannot check", [])
        assert "SELECT pg_promote();" in alone.remedies("hosts")[0]["text"]
        with psycopg.connect(standby.url, autocommit=True) as replica:
            replica.execute("SELECT pg_promote()")
        promoted = examined(url)
        assert set(promoted.in_state("problem")) == {"daemons"}


def test_the_daemon_follows_a_promoted_standby_and_catches_up(folder: Path) -> None:
    with primary_and_standby(folder) as (primary, standby):
        url = multi_host_url(folder, primary, standby)
        with running_daemon(url) as daemon:
            on_primary = TestDatabase(primary.url, "pattern_sync")
            with on_primary.connect():
                on_primary.add_pattern("before:failover:1")
                eventually(lambda: on_primary.entry("before:failover:1"))
            with psycopg.connect(standby.url, autocommit=True, row_factory=dict_row) as replica:
                eventually(lambda: replica.execute("SELECT FROM pattern_approvals").rowcount == 1)
                kill_server(folder)
                daemon.wait_for("listener.lost")
                replica.execute("SELECT pg_promote()")
            after = TestDatabase(standby.url, "pattern_sync")
            with after.connect():
                # Written before the daemon can have reconnected: only the catch-up finds it.
                after.add_pattern("after:failover:1")
                eventually(lambda: after.entry("after:failover:1"), PATIENCE_SECONDS)
                assert after.queue() == {"before:failover:1", "after:failover:1"}
            daemon.wait_for("listener.listening", times=2)


def test_a_primary_that_is_demoted_without_closing_its_connections_is_left(folder: Path) -> None:
    """As some managed services do it: the old primary accepts no writes any more, and every session stays open."""
    with (
        primary_and_standby(folder) as (primary, standby),
        running_daemon(multi_host_url(folder, primary, standby)) as daemon,
    ):
        with (
            psycopg.connect(standby.url, autocommit=True) as replica,
            psycopg.connect(primary.url, autocommit=True) as old,
        ):
            replica.execute("SELECT pg_promote()")
            old.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            old.execute("SELECT pg_reload_conf()")
        after = TestDatabase(standby.url, "pattern_sync")
        with after.connect():
            after.add_pattern("after:demotion")
            took = eventually(lambda: after.entry("after:demotion"), PATIENCE_SECONDS)
            daemon.wait_for("listener.listening", times=2)
            show(f"after the demotion: queued in {took:.1f} s")
            after.add_pattern("heard")
            assert eventually(lambda: after.entry("heard")) < 2
