"""What ends the daemon, with which exit code and which message."""

import json
import os
import signal
import socket
from pathlib import Path

import httpx
import psycopg
import pytest

from pattern_sync.services.timings import Timings
from tests.support.application import adopt
from tests.support.command import run_command
from tests.support.daemon import starting_daemon
from tests.support.database import TestDatabase
from tests.support.lived_in import LivedInDatabase
from tests.support.proxy import proxy_to, with_address
from tests.support.waiting import eventually

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


def test_a_role_without_review_rights_gets_the_grants_it_needs(empty_database: TestDatabase) -> None:
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


def test_rights_that_a_restore_lost_are_reported_with_their_remedy(
    lived_in: LivedInDatabase,
) -> None:
    lived_in.execute("REVOKE USAGE ON SCHEMA pattern_sync FROM PUBLIC")
    done = run_command("run", PATTERN_SYNC_DATABASE_URL=lived_in.daemon_url)
    assert done.code == 3
    assert f"GRANT USAGE ON SCHEMA pattern_sync TO {lived_in.roles.daemon};" in done.err


@pytest.mark.parametrize("command", ["run", "status", "sync", "migrate"])
def test_a_wrong_password_is_reported_without_the_password(database: TestDatabase, command: str) -> None:
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
def test_an_invalid_setting_is_named_with_its_value_and_bound(name: str, value: str, words: list[str]) -> None:
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


def test_a_token_from_both_a_variable_and_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)
    done = run_command(
        "run", PATTERN_SYNC_API_TOKEN=SECRET, PATTERN_SYNC_API_TOKEN_FILE=str(tmp_path / "token"), cwd=tmp_path
    )
    assert done.code == 2
    assert "PATTERN_SYNC_API_TOKEN and PATTERN_SYNC_API_TOKEN_FILE are both set" in done.err
    assert SECRET not in done.err + done.out


def test_patterns_are_queued_while_the_name_to_listen_on_is_unknown(database: TestDatabase) -> None:
    host = "no-such-host.invalid"
    with starting_daemon(database.url, PATTERN_SYNC_HTTP_HOST=host, PATTERN_SYNC_API_TOKEN=SECRET) as daemon:
        reason = daemon.wait_for("http.waiting")["reason"]
        for word in (host, "PATTERN_SYNC_HTTP_HOST"):
            assert word in reason
        daemon.ready()
        database.add_pattern("without the page")
        assert eventually(lambda: database.entry("without the page")) < 3
        daemon.stop()
        assert SECRET not in daemon.text


def test_what_can_be_no_host_name_is_reported_with_a_remedy() -> None:
    done = run_command(
        "run",
        PATTERN_SYNC_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x",
        PATTERN_SYNC_HTTP_HOST="review..example",
        PATTERN_SYNC_API_TOKEN=SECRET,
    )
    assert done.code == 2
    for word in ("'review..example'", "PATTERN_SYNC_HTTP_HOST", "Correct the setting"):
        assert word in done.err
    assert SECRET not in done.err


def test_a_taken_port_does_not_stop_queueing_and_is_served_once_free(
    database: TestDatabase,
) -> None:
    with starting_daemon(database.url) as first:
        port = first.ready().http_url.rpartition(":")[2]
        quick = Timings(http_retry_seconds=0.3)
        with starting_daemon(database.url, timings=quick, PATTERN_SYNC_HTTP_PORT=port) as second:
            reason = second.wait_for("http.waiting")["reason"]
            for words in (f"port {port}", f"process {first.pid}", "PATTERN_SYNC_HTTP_PORT"):
                assert words in reason
            second.ready()
            first.stop()
            database.add_pattern("without the page")
            assert eventually(lambda: database.entry("without the page")) < 3
            assert second.http_url.endswith(f":{port}")
            assert httpx.get(f"{second.http_url}/readyz").status_code == 200
            assert len(second.lines("http.waiting")) == 1


def test_a_daemon_that_waits_for_its_port_can_be_stopped(database: TestDatabase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with starting_daemon(database.url, PATTERN_SYNC_HTTP_PORT=port) as daemon:
            assert f"process {os.getpid()}" in daemon.wait_for("http.waiting")["reason"]
            daemon.ready()
            daemon.stop()
            assert not daemon.lines("http.serving")


def test_the_daemon_waits_for_an_address_that_this_machine_lacks(database: TestDatabase) -> None:
    with starting_daemon(database.url, PATTERN_SYNC_HTTP_HOST="203.0.113.77", PATTERN_SYNC_API_TOKEN=SECRET) as daemon:
        reason = daemon.wait_for("http.waiting")["reason"]
        assert "203.0.113.77" in reason
        assert "PATTERN_SYNC_HTTP_HOST" in reason
        daemon.ready()
        assert SECRET not in daemon.text


def test_a_misspelt_line_of_the_env_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PATTERN_SYNC_MIN_SAVING=1\n")
    done = run_command("run", cwd=tmp_path)
    assert done.code == 2
    assert "PATTERN_SYNC_MIN_SAVINGS" in done.err


def test_a_daemon_waits_for_its_database_and_logs_one_line(database: TestDatabase) -> None:
    database.add_pattern("before")
    with proxy_to(database.url) as (proxy, url):
        proxy.refuse(refusing=True)
        with starting_daemon(url) as daemon:
            waiting = daemon.wait_for("database.lost")
            assert "127.0.0.1" in waiting["reason"]
            assert not daemon.lines("daemon.ready")
            proxy.refuse(refusing=False)
            daemon.ready()
            assert database.entry("before") is not None
            assert len(daemon.lines("database.lost")) == 1
            daemon.wait_for("database.back")


def test_a_daemon_that_still_waits_for_its_database_can_be_stopped() -> None:
    with starting_daemon(f"postgresql://nobody:{SECRET}@127.0.0.1:1/x") as daemon:
        daemon.wait_for("database.lost")
        daemon.stop(signal.SIGTERM)
        assert not daemon.lines("daemon.ready")
        assert SECRET not in daemon.text


def test_a_daemon_waits_for_a_dropped_schema_and_logs_the_remedy(database: TestDatabase) -> None:
    with starting_daemon(database.url, timings=Timings(refresh_seconds=0.3, watch_seconds=0.3)) as daemon:
        daemon.ready()
        assert run_command("uninstall", PATTERN_SYNC_DATABASE_URL=database.url).code == 0
        # No trigger is left to notify; the next pending entry, sweep, reload or reconnect meets the missing functions.
        assert "pattern-sync migrate" in daemon.wait_for("database.lost")["reason"]
        database.add_pattern("meanwhile")
        assert run_command("migrate", PATTERN_SYNC_DATABASE_URL=database.url).code == 0
        daemon.wait_for("database.back")
        database.execute("SELECT pattern_sync.request()")
        eventually(lambda: database.entry("meanwhile"))
        assert len(daemon.lines("database.lost")) == 1


def test_a_daemon_whose_database_was_migrated_by_a_newer_one_ends_and_says_why(database: TestDatabase) -> None:
    with starting_daemon(database.url) as daemon:
        daemon.ready()
        database.execute("INSERT INTO pattern_sync.migrations (version) VALUES (999)")
        database.execute("SELECT pattern_sync.request()")
        assert daemon.exit_code() == 4
        assert "newer" in daemon.text
        assert "Traceback" not in daemon.text


def test_a_daemon_survives_a_table_that_is_renamed_for_a_moment(database: TestDatabase) -> None:
    with starting_daemon(database.url) as daemon:
        daemon.ready()
        database.execute("ALTER TABLE pattern_approvals RENAME TO elsewhere")
        database.execute("SELECT pattern_sync.request()")
        daemon.wait_for("database.lost")
        database.execute("ALTER TABLE elsewhere RENAME TO pattern_approvals")
        daemon.wait_for("database.back")
        database.add_pattern("after")
        assert eventually(lambda: database.entry("after")) < 5


def test_a_daemon_waits_for_a_notification_queue_that_is_full_at_the_start(database: TestDatabase) -> None:
    database.execute(
        "CREATE FUNCTION full_queue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE program_limit_exceeded USING MESSAGE = 'too many notifications in the NOTIFY queue'; END $$"
    )
    database.execute(
        "CREATE TRIGGER full_queue BEFORE UPDATE ON pattern_sync.settings FOR EACH ROW EXECUTE FUNCTION full_queue()"
    )
    with starting_daemon(database.url, PATTERN_SYNC_MIN_CONFIDENCE="71") as daemon:
        assert "NOTIFY queue" in daemon.wait_for("database.lost")["reason"]
        database.execute("DROP TRIGGER full_queue ON pattern_sync.settings")
        daemon.ready()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["run", "--chek"], "No such option"),
        (["--databse-url", "postgresql://a", "run"], "No such option"),
        (["run", "now"], "unexpected extra argument"),
    ],
)
def test_a_service_that_is_called_wrongly_says_so_in_one_line_of_its_log(words: list[str], reason: str) -> None:
    done = run_command(*words)
    line = json.loads(done.err)
    assert (done.code, done.out) == (2, "")
    assert (line["level"], line["event"], line["exit_code"]) == ("critical", "daemon.failed", 2)
    assert reason in line["reason"]
    assert "run --help" in line["remedy"]


def test_the_help_of_the_daemon_and_the_usage_of_other_commands_are_for_people() -> None:
    assert run_command("run", "--help").code == 0
    done = run_command("explain", "--chek", "run")
    assert done.code == 2
    assert "Usage: " in done.err
