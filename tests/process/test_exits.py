"""What makes the daemon give up, with which code and which words."""

import signal
from pathlib import Path

import psycopg
import pytest

from tests.support.application import adopt
from tests.support.command import run_command
from tests.support.daemon import starting_daemon
from tests.support.database import TestDatabase
from tests.support.proxy import proxy_to, with_address

SECRET = "s3cret-that-nobody-reads"


def wrong_password(database: TestDatabase) -> str:
    with psycopg.connect(database.url) as connection:
        address = f"{connection.info.host}:{connection.info.port}"
        url = f"postgresql://{connection.info.user}:{SECRET}@{address}/{database.name}"
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return url
    pytest.skip("this server trusts everybody")


def test_a_role_that_may_not_review_is_told_what_to_grant(empty_database: TestDatabase) -> None:
    database = empty_database
    adopt(database)
    assert run_command("migrate", PATTERN_SYNC_DATABASE_URL=database.url).code == 0
    with database.role(
        "SELECT, INSERT, UPDATE ON pattern_approvals",
        "SELECT ON operation_patterns, pattern_occurrences, pattern_review_history",
        "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pattern_sync",
    ) as role:
        done = run_command("run", PATTERN_SYNC_DATABASE_URL=database.url_as(role))
    assert done.code == 3
    assert f"GRANT INSERT ON pattern_review_history TO {role};" in done.err
    for column in ("automation_status", "reviewed_by", "reviewed_at", "review_notes"):
        assert f"GRANT UPDATE ({column}) ON operation_patterns TO {role};" in done.err
    assert f"GRANT USAGE ON SEQUENCE pattern_review_history_id_seq TO {role};" in done.err
    assert "GRANT SELECT" not in done.err


@pytest.mark.parametrize("command", ["run", "status", "sync", "migrate"])
def test_a_wrong_password_is_told_without_the_password(database: TestDatabase, command: str) -> None:
    done = run_command(command, PATTERN_SYNC_DATABASE_URL=wrong_password(database))
    assert done.code == 3
    assert "password authentication failed" in done.err
    assert SECRET not in done.err + done.out


@pytest.mark.parametrize("command", ["run", "status"])
def test_an_unknown_database_is_named(database: TestDatabase, command: str) -> None:
    url = with_address(database.url, "HERE").replace(database.name, "no_such_database")
    with database.another_connection() as connection:
        url = url.replace("HERE", f"{connection.info.host}:{connection.info.port}")
    done = run_command(command, PATTERN_SYNC_DATABASE_URL=url)
    assert done.code == 3
    assert "no_such_database" in done.err


@pytest.mark.parametrize("command", ["run", "status", "sync", "explain"])
def test_a_missing_schema_names_the_command_that_installs_it(empty_database: TestDatabase, command: str) -> None:
    signature = ["x"] if command == "explain" else []
    done = run_command(command, *signature, PATTERN_SYNC_DATABASE_URL=empty_database.url)
    assert done.code == 4
    assert "pattern-sync migrate" in done.err


@pytest.mark.parametrize("command", ["run", "status", "migrate"])
def test_a_newer_schema_is_refused_and_left_alone(database: TestDatabase, command: str) -> None:
    database.execute("INSERT INTO pattern_sync.migrations (version) VALUES (999)")
    done = run_command(command, PATTERN_SYNC_DATABASE_URL=database.url)
    assert done.code == 4
    assert "999" in done.err
    assert "newer" in done.err


def test_an_older_schema_is_refused(database: TestDatabase) -> None:
    database.execute("DELETE FROM pattern_sync.migrations")
    done = run_command("run", PATTERN_SYNC_DATABASE_URL=database.url)
    assert done.code == 4
    assert "pattern-sync migrate" in done.err


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PATTERN_SYNC_MIN_CONFIDENC", "70", ["Did you mean PATTERN_SYNC_MIN_CONFIDENCE?"]),
        ("PATTERN_SYNC_MIN_CONFIDENCE", "101", ["101", "100"]),
        ("PATTERN_SYNC_MIN_OCCURRENCES", "many", ["many", "integer"]),
        ("PATTERN_SYNC_MIN_SAVINGS", "-1", ["-1", "0"]),
        ("PATTERN_SYNC_MIN_SAVINGS", "nan", ["nan"]),
        ("PATTERN_SYNC_INTERVAL", "0", ["0", "1"]),
        ("PATTERN_SYNC_DRAIN_SECONDS", "301", ["301", "300"]),
        ("PATTERN_SYNC_LOG_LEVEL", "loud", ["loud", "debug", "error"]),
        ("PATTERN_SYNC_DATABASE_URL", f"mysql://root:{SECRET}@localhost/x", ["postgresql://"]),
        ("PATTERN_SYNC_DATABASE_URL", f"postgresql://root:{SECRET}@localhost:port/x", ["postgresql://"]),
        ("PATTERN_SYNC_API_TOKEN", f"two {SECRET}", ["one word"]),
        ("PATTERN_SYNC_API_TOKEN_FILE", "/nonexistent/token", ["/nonexistent/token", "cannot be read"]),
        ("PATTERN_SYNC_HTTP_HOST", "0.0.0.0", ["0.0.0.0", "PATTERN_SYNC_API_TOKEN", "127.0.0.1"]),
        ("PATTERN_SYNC_HTTP_HOST", "::", ["'::'", "PATTERN_SYNC_API_TOKEN"]),
        ("PATTERN_SYNC_HTTP_HOST", "192.0.2.20", ["192.0.2.20", "PATTERN_SYNC_API_TOKEN"]),
        ("PATTERN_SYNC_ENV_FILE", "/nonexistent/file", ["/nonexistent/file"]),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_value_and_bound(name: str, value: str, words: list[str]) -> None:
    done = run_command("run", environ={name: value})
    assert done.code == 2
    for word in [name, *words]:
        assert word in done.err
    assert SECRET not in done.err + done.out


def test_a_contradiction_between_two_settings_names_both() -> None:
    done = run_command("run", PATTERN_SYNC_ONLY_TYPES="sdlc,docs", PATTERN_SYNC_EXCLUDE_TYPES="docs")
    assert done.code == 2
    for word in ("PATTERN_SYNC_ONLY_TYPES", "PATTERN_SYNC_EXCLUDE_TYPES", "docs"):
        assert word in done.err


def test_a_token_from_a_variable_and_from_a_file_is_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)
    done = run_command(
        "run", PATTERN_SYNC_API_TOKEN=SECRET, PATTERN_SYNC_API_TOKEN_FILE=str(tmp_path / "token"), cwd=tmp_path
    )
    assert done.code == 2
    assert "PATTERN_SYNC_API_TOKEN and PATTERN_SYNC_API_TOKEN_FILE are both set" in done.err
    assert SECRET not in done.err + done.out


@pytest.mark.parametrize("host", ["203.0.113.77", "no-such-host.invalid"])
def test_an_address_that_is_not_this_machines_is_told_with_a_way_out(host: str) -> None:
    done = run_command(
        "run",
        PATTERN_SYNC_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x",
        PATTERN_SYNC_HTTP_HOST=host,
        PATTERN_SYNC_HTTP_PORT="8002",
        PATTERN_SYNC_API_TOKEN=SECRET,
    )
    assert done.code == 2
    for word in (host, "port 8002", "PATTERN_SYNC_HTTP_PORT", "PATTERN_SYNC_HTTP_HOST"):
        assert word in done.err
    assert SECRET not in done.err


def test_two_daemons_on_one_port_leave_the_first_alone(database: TestDatabase) -> None:
    with starting_daemon(database.url) as first:
        port = first.http_url.rpartition(":")[2]
        second = run_command("run", PATTERN_SYNC_DATABASE_URL=database.url, PATTERN_SYNC_HTTP_PORT=port)
        assert second.code == 2
        assert f"port {port}" in second.err
        assert "Is another daemon running here?" in second.err
        first.ready()


def test_a_misspelt_line_of_the_env_file_is_found_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PATTERN_SYNC_MIN_SAVING=1\n")
    done = run_command("run", cwd=tmp_path)
    assert done.code == 2
    assert "PATTERN_SYNC_MIN_SAVINGS" in done.err


def test_a_database_that_comes_late_is_waited_for_with_one_line(database: TestDatabase) -> None:
    database.add_pattern("before")
    with proxy_to(database.url) as (proxy, url):
        proxy.refuse(refusing=True)
        with starting_daemon(url) as daemon:
            waiting = daemon.wait_for("waiting for the database")
            assert "127.0.0.1" in waiting["reason"]
            assert not daemon.lines("ready")
            proxy.refuse(refusing=False)
            daemon.ready()
            assert database.entry("before") is not None
            assert len(daemon.lines("waiting for the database")) == 1
            daemon.wait_for("database back")


def test_a_daemon_that_still_waits_for_its_database_can_be_stopped() -> None:
    with starting_daemon(f"postgresql://nobody:{SECRET}@127.0.0.1:1/x") as daemon:
        daemon.wait_for("waiting for the database")
        daemon.stop(signal.SIGTERM)
        assert not daemon.lines("ready")
        assert SECRET not in daemon.text


def test_a_daemon_whose_schema_is_taken_away_ends_and_says_why(database: TestDatabase) -> None:
    with starting_daemon(database.url) as daemon:
        daemon.ready()
        assert run_command("uninstall", PATTERN_SYNC_DATABASE_URL=database.url).code == 0
        # Nothing announces any more; the next pending entry, sweep, reload or reconnect meets the missing functions.
        assert daemon.exit_code() == 4
        assert "pattern-sync migrate" in daemon.text
        assert "Traceback" not in daemon.text
    assert database.count("operation_patterns") == 0
