"""The doctor on what is on this machine: settings, secrets, tokens, and what answers at the daemon's port."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pattern_sync.doctor.check import Check, State, fine
from pattern_sync.doctor.examination import examine
from pattern_sync.doctor.patient import Patient
from pattern_sync.domain.destinations import parse_destinations
from tests.support.database import TestDatabase
from tests.support.doctor import examined, listening_daemon


@pytest.fixture
def url_file(database: TestDatabase, tmp_path: Path) -> Path:
    file = tmp_path / "url"
    file.write_text(f"{database.url}\n")
    file.chmod(0o600)
    return file


def test_a_url_in_a_file_is_the_database(database: TestDatabase, url_file: Path) -> None:
    with listening_daemon(database):
        found = examined(None, {"PATTERN_SYNC_DATABASE_URL_FILE": str(url_file)})
    assert (found.in_state("problem", "warning"), found.content) == ({}, True)
    assert found.state("settings") == "ok"


def test_a_url_in_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    found = examined(None, {"PATTERN_SYNC_DATABASE_URL_FILE": str(tmp_path / "gone")})
    assert found.state("settings") == "problem"
    assert str(tmp_path / "gone") in found.text("settings")
    assert found.remedies("settings")[0]["means"] == "advice"


@pytest.mark.parametrize("name", ["database_url", "pattern_sync_database_ur"])
def test_a_credential_with_a_wrong_name_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("postgresql://host/app")
    found = examined(None, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert found.state("settings") == "problem"
    assert name in found.text("settings")


def test_a_settings_file_with_a_secret_that_others_may_read_is_found_as_at_a_start(
    database: TestDatabase, tmp_path: Path
) -> None:
    for line in (
        "PATTERN_SYNC_METRICS_TOKEN=x",
        "PATTERN_SYNC_NOTIFY_URLS=slack+https://chat.example/x",
        "PATTERN_SYNC_DATABASE_URL='host=db password=secret'",
    ):
        file = tmp_path / "settings.env"
        file.write_text(line)
        file.chmod(0o644)
        found = examined(database.url, {"PATTERN_SYNC_ENV_FILE": str(file)})
        assert found.state("secret-files") == "warning"
        assert found.remedies("secret-files")[0]["text"] == f"chmod 600 {file}"


def test_a_credential_that_others_may_read_is_found(database: TestDatabase, tmp_path: Path) -> None:
    credential = tmp_path / "pattern_sync_api_token"
    credential.write_text("secret")
    credential.chmod(0o644)
    found = examined(database.url, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert str(credential) in found.text("secret-files")


def test_a_token_for_the_metrics_that_cannot_be_read_is_a_problem_as_no_daemon_starts(database: TestDatabase) -> None:
    found = examined(database.url, {"PATTERN_SYNC_METRICS_TOKEN_FILE": "/nonexistent"})
    assert found.state("http") == "problem"
    assert "METRICS_TOKEN_FILE" in found.text("http")


def test_messages_that_cannot_be_sent_are_a_problem_with_the_host_and_without_the_secret(
    database: TestDatabase,
) -> None:
    wanted = {"PATTERN_SYNC_NOTIFY_URLS": "slack+https://chat.example/secret-path"}
    assert examined(database.url).state("messages") == "ok"
    assert examined(database.url, wanted).state("messages") == "ok"
    (channel,) = (each.channel for each in parse_destinations(wanted["PATTERN_SYNC_NOTIFY_URLS"]))
    for name in (channel, "of another setting"):
        database.execute(
            "INSERT INTO pattern_sync.messages (channel, kind, state, due_at) VALUES (%s, 'high_value', 'dead', now())",
            name,
        )
    found = examined(database.url, wanted)
    assert (found.state("messages"), "1 messages were given up" in found.text("messages")) == ("warning", True)
    database.execute(
        "INSERT INTO pattern_sync.channels (channel, refusals, off_since, reason)"
        " VALUES (%s, 3, now(), 'answered 404')",
        channel,
    )
    found = examined(database.url, wanted)
    assert found.state("messages") == "problem"
    assert "nothing is sent to chat.example any more: answered 404" in found.text("messages")
    assert found.remedies("messages")[0]["text"] == "pattern-sync notify test"
    assert "secret-path" not in found.text("messages")
    wrong = examined(database.url, {"PATTERN_SYNC_NOTIFY_URLS": "https://hook.example/"})
    assert (wrong.state("messages"), "PATTERN_SYNC_NOTIFY_SECRET" in wrong.text("messages")) == ("problem", True)


def send_banner(client: socket.socket) -> None:
    client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def stall_in_a_refusal(client: socket.socket) -> None:
    client.recv(4096)
    client.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\n{")
    time.sleep(20)


def drip_a_body(client: socket.socket) -> None:
    client.recv(4096)
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(200):
        client.sendall(b" ")
        time.sleep(0.1)


def drip_headers(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(200):
        client.sendall(b"x")
        time.sleep(0.1)


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve one client at a port."""

    def serve() -> None:
        with suppress(OSError):
            client, _ = server.accept()
            with client:
                answer(client)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.mark.parametrize("answer", [send_banner, stall_in_a_refusal, drip_a_body, drip_headers])
def test_whatever_answers_at_the_port_neither_ends_nor_holds_up_the_doctor(
    database: TestDatabase, answer: Callable[[socket.socket], None]
) -> None:
    began = time.monotonic()
    with answering(answer) as port:
        found = examined(database.url, {"PATTERN_SYNC_HTTP_PORT": str(port)})
    assert found.state("health") == "cannot check"
    assert "bug" not in found.text("health")
    assert found.state("triggers") == "ok"
    assert time.monotonic() - began < 15


def test_a_check_with_a_bug_leaves_the_others_as_they_are() -> None:
    def stumble(_: Patient) -> Iterator[object]:
        yield fine("so far")
        raise ZeroDivisionError("oh")

    checks = [Check("first", "", "", stumble), Check("second", "", "", lambda _: iter([fine("sound")]))]  # type: ignore[arg-type]
    first, second = examine(Patient(), checks).results
    assert (first.state, second.state) == (State.UNKNOWN, State.OK)
    assert "ZeroDivisionError: oh" in first.findings[1].text
