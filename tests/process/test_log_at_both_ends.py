"""The first line of a daemon's log and its last one, and the streams that it is written to."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest

from tests.support.command import QUIET_FOLDER, environment, run_command
from tests.support.daemon import running_daemon, starting_daemon
from tests.support.database import TestDatabase
from tests.support.manager import service_manager
from tests.support.waiting import eventually

SECRET = "s3cret-that-nobody-reads"
PIPE_BYTES = 65_536
LONG_SIGNATURE = "x" * 200


def test_the_first_line_names_what_runs_where_and_what_it_was_asked_to_do(
    database: TestDatabase, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PATTERN_SYNC_INTERVAL=60\n")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "pattern_sync_api_token").write_text(SECRET)
    url = f"{database.daemon_url}{'&' if '?' in database.daemon_url else '?'}application_name={SECRET}"
    with running_daemon(url, cwd=tmp_path, CREDENTIALS_DIRECTORY=str(credentials)) as daemon:
        first = daemon.lines()[0]
        assert list(first)[2:] == [
            *("event", "message", "version", "pid", "python", "embedded", "database", "user", "options", "variables"),
            *("env_file", "env_file_settings", "credentials_folder", "credentials"),
        ]
        assert (first["event"], first["version"], first["pid"]) == (
            "daemon.starting",
            version("pattern-sync"),
            daemon.pid,
        )
        assert first["embedded"] is False
        with psycopg.connect(database.daemon_url) as connection:
            place = f"{connection.info.host}:{connection.info.port}"
            user, name = connection.info.user, connection.info.dbname
            release = connection.info.server_version
        assert first["database"] == f"postgresql://{user}@{place}/{name}"
        assert first["user"] == user
        assert first["variables"] == [
            *("PATTERN_SYNC_DATABASE_URL", "PATTERN_SYNC_HTTP_PORT", "PATTERN_SYNC_LOG_FORMAT"),
        ]
        assert (first["env_file"], first["env_file_settings"]) == (str(tmp_path / ".env"), ["PATTERN_SYNC_INTERVAL"])
        assert (first["credentials_folder"], first["credentials"]) == (str(credentials), ["pattern_sync_api_token"])
        reached = daemon.wait_for("database.reached")
        assert (reached["server"], reached["database"], reached["user"]) == (place, name, user)
        assert reached["server_version"] == f"{release // 10_000}.{release % 10_000}"
        assert daemon.lines("daemon.ready")[0]["mode"] in {"listening", "starting"}
        assert len(daemon.lines("database.reached")) == 1
        assert SECRET not in daemon.text


def test_the_first_line_is_there_while_the_database_is_away() -> None:
    url = f"postgresql://app:{SECRET}@127.0.0.1:1,[::1]:2/work"
    with starting_daemon(url, PATTERN_SYNC_MIN_CONFIDENCE="0.7") as daemon:
        daemon.wait_for("database.lost")
        assert daemon.lines()[0]["database"] == "postgresql://app@127.0.0.1:1,[::1]:2/work"
        assert "which means 0.7 %" in daemon.lines("settings.doubtful")[0]["hint"]
        assert not daemon.lines("database.reached")
        assert SECRET not in daemon.text


def test_a_service_whose_database_is_misspelt_ends_and_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with service_manager() as manager:
        done = run_command("run", cwd=tmp_path, NOTIFY_SOCKET=manager.path)
    assert done.code == 2
    line = json.loads(done.err)
    assert (line["event"], line["exit_code"]) == ("daemon.failed", 2)
    assert line["reason"].startswith("PATTERN_SYNC_DATABASE_URL is not set, and under a service manager")


@pytest.mark.parametrize("command", ["status", "sync", "migrate"])
def test_a_command_of_a_service_starts_no_embedded_server_either(tmp_path: Path, command: str) -> None:
    done = run_command(command, cwd=tmp_path, CREDENTIALS_DIRECTORY=str(tmp_path), HOME=str(tmp_path))
    assert done.code == 2
    assert done.err.startswith("Error: PATTERN_SYNC_DATABASE_URL is not set, and with a credentials folder")
    assert list(tmp_path.iterdir()) == []


def test_a_fatal_fault_is_one_line_of_json_for_each_exit_code(empty_database: TestDatabase) -> None:
    url = empty_database.url
    for code, settings in {
        2: {"PATTERN_SYNC_INTERVAL": "0"},
        3: {"PATTERN_SYNC_DATABASE_URL": url.replace(empty_database.name, "no_such_database")},
        4: {"PATTERN_SYNC_DATABASE_URL": url},
    }.items():
        done = run_command("run", environ=settings)
        lines = [json.loads(text) for text in done.err.splitlines()]
        assert done.code == code
        assert (lines[-1]["event"], lines[-1]["level"], lines[-1]["exit_code"]) == ("daemon.failed", "critical", code)
        assert lines[-1]["remedy"]


def test_a_person_gets_plain_words(tmp_path: Path) -> None:
    leader, follower = os.openpty()
    process = subprocess.run(
        [sys.executable, "-m", "pattern_sync", "run"],
        env=environment(PATTERN_SYNC_INTERVAL="0", TERM="dumb"),
        cwd=tmp_path,
        stderr=follower,
        check=False,
    )
    os.close(follower)
    assert process.returncode == 2
    assert os.read(leader, 4096).decode().startswith("Error: PATTERN_SYNC_INTERVAL is '0'")
    os.close(leader)


def test_a_role_without_any_rights_gets_the_grants_from_every_command(database: TestDatabase) -> None:
    with database.role() as role:
        url = database.url_as(role)
        refused = [
            run_command(*command.split(), PATTERN_SYNC_DATABASE_URL=url)
            for command in ("run", "status", "sync", "explain x", "review list")
        ]
        for done in refused:
            assert done.code == 3
            assert "This role lacks rights. As the owner of the tables: GRANT SELECT ON operation_patterns" in done.err
            assert f"GRANT SELECT ON pattern_sync.migrations TO {role};" in done.err


@pytest.mark.parametrize("closed", [[2], [0, 1, 2]])
def test_a_closed_stream_changes_no_exit_code_and_reaches_no_socket(database: TestDatabase, closed: list[int]) -> None:
    redirections = " ".join(f"{number}{'<' if number == 0 else '>'}&-" for number in closed)
    program = f"exec {sys.executable} -m pattern_sync"
    for command, code in {"status": 0, "run": 2}.items():
        settings = {"PATTERN_SYNC_INTERVAL": "0"} if code == 2 else {}
        done = subprocess.run(
            ["/bin/sh", "-c", f"{program} {command} {redirections}"],
            env=environment(PATTERN_SYNC_DATABASE_URL=database.url, **settings),
            cwd=QUIET_FOLDER,
            capture_output=True,
            check=False,
        )
        assert (command, done.returncode) == (command, code)


def test_a_log_that_nobody_reads_holds_up_neither_the_queue_nor_the_stop(database: TestDatabase) -> None:
    with running_daemon(database.url) as daemon:
        with daemon.unread():
            written = 0
            # A line for each statement, with the signatures of all its patterns: more than a pipe holds.
            while written < PIPE_BYTES:
                prefix = f"{written}:{LONG_SIGNATURE}"
                database.add_patterns(5, prefix)
                eventually(partial(database.entry, f"{prefix}:5"), 5)
                written += 5 * len(prefix)
            daemon.send(signal.SIGTERM)
            assert daemon.process.wait(5) == 0
        daemon.exit_code()
