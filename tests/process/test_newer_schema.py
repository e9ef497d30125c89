"""A schema that a newer version has migrated with additive steps only: this version warns and works on."""

import json
from functools import partial
from urllib.request import urlopen

import pytest

from pattern_sync.database.version import SCHEMA_VERSION
from tests.support.command import run_command
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import eventually

NEWER = SCHEMA_VERSION + 1


@pytest.fixture
def extended(database: TestDatabase) -> TestDatabase:
    extend(database)
    return database


def extend(database: TestDatabase) -> None:
    """Do what every additive migration does."""
    database.execute(
        "UPDATE pattern_sync.migrations SET extended_to = %s"
        " WHERE version = (SELECT max(version) FROM pattern_sync.migrations)",
        NEWER,
    )


def test_a_daemon_warns_once_of_a_newer_schema_and_works_on(database: TestDatabase) -> None:
    with running_daemon(database.url) as daemon:
        extend(database)
        for number in range(3):
            database.execute("SELECT pattern_sync.request()")
            database.add_pattern(f"p{number}")
            eventually(partial(database.entry, f"p{number}"))
        warning = daemon.wait_for("schema.newer")
        assert (warning["version"], warning["own_version"], warning["level"]) == (NEWER, SCHEMA_VERSION, "warning")
        with urlopen(f"{daemon.http_url}/api/v1/system/health") as answer:  # 200: nothing is degraded
            assert json.load(answer)["schema_version"] == NEWER
        # A connect is followed by a catch-up, which reads the version again.
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pattern-%'"
        )
        daemon.wait_for("scan.finished", kind="catch-up", times=2)
        assert len(daemon.lines("schema.newer")) == 1


def test_a_daemon_starts_on_a_newer_schema(extended: TestDatabase) -> None:
    with running_daemon(extended.url) as daemon:
        assert daemon.lines("schema.newer")


@pytest.mark.parametrize("command", ["status", "sync", "review list", "migrate"])
def test_a_command_works_with_a_newer_schema(extended: TestDatabase, command: str) -> None:
    done = run_command(*command.split(), PATTERN_SYNC_DATABASE_URL=extended.url)
    assert done.code == 0, done.err
    if command in {"status", "migrate"}:
        assert f"version {NEWER}, newer than this" in done.out
