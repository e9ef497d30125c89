"""Floods that anybody can send: they cost bounded memory and a few log lines, and never delay the queue."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.daemon import DaemonProcess, running_daemon, starting_daemon
from tests.support.database import TestDatabase
from tests.support.scrape import scrape
from tests.support.waiting import eventually, show

FILES = 256
KILL_LISTENER = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name ~ '^pattern-sync .*listener$' AND datname = current_database()"
)
HEAD = b"POST /api/v1/patterns/x/comment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


class Crowd:
    """Raw connections to the API, closed at the end."""

    def __init__(self, daemon: DaemonProcess, stack: ExitStack) -> None:
        address = urlsplit(daemon.http_url)
        self._address = (str(address.hostname), int(address.port or 0))
        self._stack = stack

    def connect(self, data: bytes = b"") -> socket.socket:
        connection = self._stack.enter_context(socket.create_connection(self._address, timeout=10))
        with suppress(ConnectionError):  # one beyond the limit is closed
            connection.sendall(data)
        return connection


@contextmanager
def crowd(daemon: DaemonProcess) -> Iterator[Crowd]:
    with ExitStack() as stack:
        yield Crowd(daemon, stack)


def files_of(daemon: DaemonProcess) -> int:
    return len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))


def test_a_flood_of_half_open_clients_leaves_files_for_the_event_path_and_the_probes(database: TestDatabase) -> None:
    with starting_daemon(database.url, fresh=True) as daemon:
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (FILES, FILES))  # Python is still loading
        daemon.ready()
        said = len(daemon.text)
        with crowd(daemon) as clients:
            for number in range(600):
                clients.connect(b"GET /livez HTTP/1.1\r\nHost: lo" if number % 2 else b"")
                if number % 100 == 99:
                    assert httpx.get(f"{daemon.http_url}/livez", timeout=5).status_code == 200
            assert files_of(daemon) < FILES - 50
            database.execute(KILL_LISTENER)
            database.add_pattern("during")
            assert eventually(lambda: database.entry("during")) < 5
            daemon.wait_for("listener.listening", times=2)
        assert len(daemon.lines("http.crowded")) == 1
        assert len(daemon.text) - said < 3_000, daemon.text[said:]


def test_running_out_of_files_logs_one_line_a_minute_and_passes(database: TestDatabase) -> None:
    with running_daemon(database.url) as daemon:
        said = len(daemon.text)
        before = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        # One more than there are: open connections stay open, and no other is accepted.
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (files_of(daemon) + 1, before[1]))
        with crowd(daemon) as clients:
            for _ in range(100):
                clients.connect()
            daemon.wait_for("http.out_of_files")
            database.add_pattern("during")
            assert eventually(lambda: database.entry("during")) < 5
            time.sleep(3)  # asyncio tries again every second
            assert len(daemon.lines("http.out_of_files")) == 1
            assert len(daemon.text) - said < 3_000, daemon.text[said:]
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, before)
        eventually(lambda: httpx.get(f"{daemon.http_url}/livez", timeout=10).status_code == 200)


@pytest.mark.timing
def test_half_sent_bodies_take_no_memory_and_block_no_request(database: TestDatabase) -> None:
    half = HEAD + b"Content-Length: 65000\r\n\r\n" + b"x" * 64_000
    with running_daemon(database.url, fresh=True) as daemon, crowd(daemon) as clients:
        database.add_pattern("commented")
        eventually(lambda: database.entry("commented"))
        httpx.get(f"{daemon.http_url}/livez")
        before, peak, took = daemon.resident_kilobytes(), 0, 0.0
        for number in range(600):
            clients.connect(half)
            if number % 100 == 99:
                begun = time.monotonic()
                answer = httpx.post(f"{daemon.http_url}/api/v1/patterns/commented/comment", json={"comment": "x"})
                assert answer.status_code == 200
                took = max(took, time.monotonic() - begun)
            peak = max(peak, daemon.resident_kilobytes())
        grown = (peak - before) / 1024
        show(f"600 half-sent bodies of 64 KB: {grown:.0f} MB more, a comment in {took * 1000:.0f} ms at worst")
        assert grown < 40
        assert took < 2


def test_a_request_without_the_token_is_refused_before_its_body(database: TestDatabase) -> None:
    with running_daemon(database.url, PATTERN_SYNC_API_TOKEN="s3cret") as daemon, crowd(daemon) as clients:
        stranger = clients.connect(HEAD + b"Content-Length: 65000\r\n\r\n")
        assert stranger.recv(4096).startswith(b"HTTP/1.1 401")


@pytest.mark.timing
def test_a_flood_of_requests_takes_a_bounded_share_of_the_time(database: TestDatabase) -> None:
    database.add_patterns(3_000)
    flood = (
        "DO $$ BEGIN FOR i IN 1..60 LOOP PERFORM pg_notify('pattern_sync', CASE i % 3 WHEN 0 THEN 'settings' ELSE '*'"
        " END); COMMIT; PERFORM pg_sleep(0.05); END LOOP; END $$"
    )
    with running_daemon(database.url) as daemon:
        before = scrape(daemon.http_url)
        begun = time.monotonic()
        database.execute(flood)
        elapsed_seconds = time.monotonic() - begun
        after = scrape(daemon.http_url)
        looks = after.sum_of("run_duration_seconds_count") - before.sum_of("run_duration_seconds_count")
        busy_seconds = after.sum_of("run_duration_seconds_sum") - before.sum_of("run_duration_seconds_sum")
        busy = busy_seconds / elapsed_seconds
        show(f"60 requests in {elapsed_seconds:.1f} s: {looks:.0f} looks, {busy:.1%} of the time")
        assert looks >= 1, "the first is served at once"
        assert busy < 0.15
        # And new patterns are queued meanwhile as ever.
        database.add_pattern("after the flood")
        assert eventually(lambda: database.entry("after the flood")) < 2
