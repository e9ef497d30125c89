"""The server's disk is full: the daemon waits, and queues everything when there is room again."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.domain.errors import EmbeddedServerError
from pattern_sync.embedded import EmbeddedServer, Supervision
from tests.faults.injections.processes import stopped
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.folders import open_folder
from tests.support.waiting import eventually, show

DISK_MEGABYTES = 160
# A small write-ahead log, so that there is room for it and some more.
SETTINGS = {"min_wal_size": "32MB", "max_wal_size": "48MB"}
# How a daemon shows it: the server refuses its rows, or has ended.
NOTICED = ("pattern.failed", "scan.failed", "quarantine.filled", "database.lost", "listener.lost")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Yield a file system of its own. Only root may mount one."""
    disk = folder / "disk"
    disk.mkdir(mode=0o755)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=755", "tmpfs", disk],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def write_until_full(database: TestDatabase) -> int:
    """Write patterns until the server refuses more; return how many were committed."""
    written = 0
    try:
        while True:
            database.add_patterns(50, f"full:{written}")
            written += 50
    except (psycopg.errors.DiskFull, psycopg.OperationalError):
        assert written
        return written


def runs_again(server: EmbeddedServer) -> bool:
    with suppress(EmbeddedServerError):
        return server.check() in {Supervision.RUNNING, Supervision.RESTARTED}
    return False


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_a_full_disk_of_the_server_is_waited_out() -> None:
    with (
        open_folder() as folder,
        small_disk(folder) as disk,
        EmbeddedServer(disk / "server", durable=False, settings=SETTINGS) as server,
    ):
        Installer(DatabaseAddress.parse(server.url)).migrate()
        database = TestDatabase(server.url, "pattern_sync")
        with database.connect(), running_daemon(server.url) as daemon:
            database.add_patterns(2_000, "before")
            eventually(lambda: database.count("pattern_approvals") == 2_000)
            ballast = disk / "ballast"
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            ballast.write_bytes(b"\0" * (free - 1_000_000))
            # The daemon must have something left to write when there is no room any more.
            with stopped([daemon.pid]):
                written = write_until_full(database)
            eventually(lambda: any(map(daemon.lines, NOTICED)), what="that the daemon meets the full disk")
            ballast.unlink()
            eventually(lambda: runs_again(server), what="the server")
            database.reconnect()
            took = eventually(lambda: database.count("pattern_approvals") == 2_000 + written, what="every pattern")
            show(f"{written} written until the disk was full; all queued {took:.1f} s after there was room")
            database.add_pattern("after")
            assert eventually(lambda: database.entry("after")) < 5
            assert "Traceback" not in daemon.text
