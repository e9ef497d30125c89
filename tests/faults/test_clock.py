"""A machine's clock jumps, the daemon's or the server's."""

from pathlib import Path

import httpx
import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer, find_binaries
from pattern_sync.embedded.binaries import PostgresBinaries
from pattern_sync.services.timings import Timings
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.folders import open_folder
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


def faketime() -> str:
    """Return the library that gives a process another clock."""
    found = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if found is None:
        pytest.skip("libfaketime is not installed")
    return str(found)


def going_by(clock: Path) -> dict[str, str]:
    """Return the environment of a process whose clock differs from the machine's by what is in a file."""
    clock.write_text("+0\n")
    clock.chmod(0o644)
    return {
        "LD_PRELOAD": faketime(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


@pytest.mark.parametrize("jump", ["+10y", "-10y", "+1h", "-1h"])
def test_a_clock_of_the_daemon_that_jumps_changes_nothing(database: TestDatabase, tmp_path: Path, jump: str) -> None:
    clock = tmp_path / "clock"
    under = ["env", *(f"{name}={value}" for name, value in going_by(clock).items())]
    quick = Timings(heartbeat_seconds=0.2, refresh_seconds=0.2, watch_seconds=0.2)
    with running_daemon(database.url, under=under, timings=quick, PATTERN_SYNC_INTERVAL="2") as daemon:
        before = httpx.get(f"{daemon.http_url}/api/v1/system/health").json()
        swept = len(daemon.lines("scan.finished", kind="sweep"))
        clock.write_text(f"{jump}\n")
        database.add_pattern("after")
        assert eventually(lambda: database.entry("after")) < 2
        sweep = daemon.wait_for("scan.finished", kind="sweep", times=swept + 2)
        assert sweep["timestamp"][:4] != before["started_at"][:4] or jump.endswith("h"), "the clock has not jumped"
        health = httpx.get(f"{daemon.http_url}/api/v1/system/health").json()
        assert health["status"] == "ok"
        assert health["started_at"] == before["started_at"]
        assert not daemon.lines("listener.lost")
        assert not daemon.lines("database.lost")


def programs_going_by(clock: Path, folder: Path) -> PostgresBinaries:
    """Return PostgreSQL's programs, each with another clock."""
    real = find_binaries()
    folder.mkdir(mode=0o755)
    variables = " ".join(f"{name}={value}" for name, value in going_by(clock).items())
    for name in ("postgres", "initdb"):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec env {variables} {real.directory / name} "$@"\n')
        program.chmod(0o755)
    return PostgresBinaries(folder, real.major)


@pytest.mark.parametrize("jump", ["+10y", "-2h", "+1h"])
def test_a_clock_of_the_server_that_jumps_delays_nothing(jump: str) -> None:
    with open_folder(runs_programs=True) as folder:
        clock = folder / "clock"
        programs = programs_going_by(clock, folder / "programs")
        with EmbeddedServer(folder / "server", durable=False, binaries=programs) as server:
            Installer(DatabaseAddress.parse(server.url)).migrate()
            database = TestDatabase(server.url, "pattern_sync")
            with database.connect(), running_daemon(server.url) as daemon:
                database.execute("ALTER TABLE pattern_approvals ADD CONSTRAINT none CHECK (pattern_id <> 'refused')")
                before = database.execute("SELECT clock_timestamp() AS at")[0]["at"]
                database.add_pattern("refused")
                daemon.wait_for("pattern.failed")
                clock.write_text(f"{jump}\n")
                after = database.execute("SELECT clock_timestamp() AS at")[0]["at"]
                assert abs((after - before).total_seconds()) > 3000, "the clock has not jumped"
                database.execute("ALTER TABLE pattern_approvals DROP CONSTRAINT none")
                database.add_pattern("prompt")
                assert eventually(lambda: database.entry("prompt")) < 2
                # Its next attempt is due by the server's clock.
                assert eventually(lambda: database.entry("refused")) < 20
                database.execute(
                    "UPDATE operation_patterns SET occurrence_count = 99 WHERE pattern_signature = 'prompt'"
                )
                eventually(lambda: (database.entry("prompt") or {})["occurrence_count"] == 99)
