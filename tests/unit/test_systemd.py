"""The messages to systemd, read from a real datagram socket."""

import itertools
import os
import re
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pattern_sync.domain.facts import ManagerUnreachable
from pattern_sync.observability.systemd import ServiceManager
from tests.support.fakes import RecordedFacts


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, str]]:
    if request.param == "abstract" and sys.platform != "linux":
        pytest.skip("the abstract namespace is Linux's")
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as received:
        name = f"@pattern-sync-{secrets.token_hex(8)}" if request.param == "abstract" else str(Path(folder) / "notify")
        received.bind(name.replace("@", "\0", 1))
        received.settimeout(10)
        yield received, name


def test_each_message_arrives_as_systemd_wants_it(listener: tuple[socket.socket, str]) -> None:
    received, name = listener
    facts = RecordedFacts()
    manager = ServiceManager(facts, {"NOTIFY_SOCKET": name})
    manager.ready()
    manager.stopping(30.0)
    manager.feed_watchdog()
    manager.status("two\nlines  é")
    manager.reloading()
    messages = [received.recv(4096).decode() for _ in range(6)]
    assert messages[:5] == [
        "READY=1",
        "STOPPING=1",
        "EXTEND_TIMEOUT_USEC=30000000",
        "WATCHDOG=1",
        "STATUS=two lines é",
    ]
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", messages[5])
    assert facts == []


def test_without_a_service_manager_nothing_is_sent_and_nothing_fails() -> None:
    facts = RecordedFacts()
    ServiceManager(facts, {}).ready()
    assert facts == []


def test_a_vanished_service_manager_is_no_error(tmp_path: Path) -> None:
    facts = RecordedFacts()
    ServiceManager(facts, {"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
    (fact,) = facts.of(ManagerUnreachable)
    assert "No such file" in fact.reason


@pytest.mark.filterwarnings("error")
def test_a_service_manager_that_does_not_read_blocks_nobody(listener: tuple[socket.socket, str]) -> None:
    manager = ServiceManager(RecordedFacts(), {"NOTIFY_SOCKET": listener[1]})
    for _ in range(5_000):
        manager.feed_watchdog()


def fill(name: str) -> int:
    """Send until the queue of a service manager's socket is full; return how many messages fit."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        for sent in itertools.count():
            try:
                other.sendto(b"other", name.replace("@", "\0", 1))
            except BlockingIOError:
                return sent
    raise AssertionError


def received_now(received: socket.socket) -> list[str]:
    received.setblocking(False)
    texts = []
    with suppress(BlockingIOError):
        while True:
            texts.append(received.recv(4096).decode().partition("\n")[0])
    return [text for text in texts if text != "other"]


def test_what_a_busy_service_manager_did_not_take_is_sent_again_in_order(listener: tuple[socket.socket, str]) -> None:
    received, name = listener
    facts = RecordedFacts()
    manager = ServiceManager(facts, {"NOTIFY_SOCKET": name})
    fill(name)
    manager.ready()
    manager.status("old")
    manager.feed_watchdog()
    assert manager.keeps_messages
    assert len(facts.of(ManagerUnreachable)) == 1, "a row of failures is one line"
    assert received_now(received) == []
    manager.feed_watchdog()
    assert received_now(received) == ["READY=1", "STATUS=old", "WATCHDOG=1"]
    assert not manager.keeps_messages
    fill(name)
    manager.reloading()
    manager.status("a reload")
    manager.ready()
    manager.status("new")
    received_now(received)
    manager.feed_watchdog()
    assert received_now(received) == ["RELOADING=1", "READY=1", "STATUS=new", "WATCHDOG=1"]
    assert len(facts.of(ManagerUnreachable)) == 2, "the next row is news"
    fill(name)
    manager.stopping(30.0)
    received_now(received)
    manager.feed_watchdog()
    assert received_now(received) == ["STOPPING=1", "EXTEND_TIMEOUT_USEC=30000000", "WATCHDOG=1"]


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "nonsense"}, None),
    ],
)
def test_the_watchdog_is_fed_only_if_it_watches_this_process(
    environment: dict[str, str], seconds: float | None
) -> None:
    assert ServiceManager(RecordedFacts(), environment).watchdog_seconds == seconds
