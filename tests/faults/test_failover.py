"""A primary with a streaming standby, promoted while patterns are written: daemons follow, and nothing is lost.

Replication is synchronous in these tests: otherwise what the standby has not received yet is lost by the server's
doing, and nobody could tell that from a loss by ours.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer, find_binaries
from tests.support.database import TestDatabase
from tests.support.doctor import examined
from tests.support.folders import open_folder
from tests.support.traffic import traffic
from tests.support.waiting import eventually, show
from tests.support.world import Installation

PATIENCE_SECONDS = 20.0
DAEMONS = 2
TRAFFIC_SECONDS = 2.0
DEMOTION_SECONDS = 0.5


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


@contextmanager
def installation_on(folder: Path, *servers: EmbeddedServer) -> Iterator[Installation]:
    """Yield daemons that know all servers, and share with the traffic the address of whoever takes writes."""
    url = multi_host_url(folder, *servers)
    database = TestDatabase(f"{url}&target_session_attrs=read-write", "pattern_sync")
    installation = Installation(database=database, daemon_url=url)
    with database.connect(), ExitStack() as stack:
        stack.callback(installation.close)
        for _ in range(DAEMONS):
            installation.start_daemon()
        installation.begin()
        yield installation


@contextmanager
def commits_wait_for_the_standby(primary: EmbeddedServer) -> Iterator[None]:
    with psycopg.connect(primary.url, autocommit=True) as session:
        session.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        session.execute("SELECT pg_reload_conf()")
        eventually(lambda: session.execute("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'").rowcount == 1)
    yield


def promote(standby: EmbeddedServer) -> None:
    with psycopg.connect(standby.url, autocommit=True) as replica:
        assert replica.execute("SELECT pg_promote()").fetchone() == (True,)


def demote(primary: EmbeddedServer) -> None:
    """Let the old primary take no writes any more, and keep its sessions open, as some managed services do."""
    with psycopg.connect(primary.url, autocommit=True) as old:
        old.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        old.execute("SELECT pg_reload_conf()")
        # Its sessions have taken notice, and every commit until then is on the standby.
        time.sleep(DEMOTION_SECONDS)


@pytest.mark.timing
@pytest.mark.parametrize("way", ["killed", "demoted"])
def test_daemons_follow_a_promoted_standby_and_nothing_is_lost(folder: Path, way: str) -> None:
    with (
        primary_and_standby(folder) as (primary, standby),
        commits_wait_for_the_standby(primary),
        installation_on(folder, primary, standby) as installation,
    ):
        with traffic(installation.database.url, installation.ledger, name=way):
            time.sleep(TRAFFIC_SECONDS)
            with installation.ledger.excusing():
                if way == "killed":
                    kill_server(folder)
                else:
                    demote(primary)
                before = installation.ledger.qualifying_total
                promote(standby)
                installation.database.reconnect()
                took = installation.recover(PATIENCE_SECONDS)
            time.sleep(TRAFFIC_SECONDS)
            took_after = installation.recover(PATIENCE_SECONDS)
        show(f"{way}: {before} patterns before; nothing missing {took:.1f} s after it, {took_after:.1f} s later on")
        assert installation.ledger.qualifying_total > before > 0
        for daemon in installation.daemons:
            assert daemon.lines("listener.lost")
            assert len(daemon.lines("listener.listening")) > 1
        with psycopg.connect(standby.url) as promoted:
            assert promoted.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
        installation.check()
