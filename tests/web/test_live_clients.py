"""What clients can do to the live updates: come in crowds, be slow or dead, send garbage, be of a foreign origin."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.support.asynchronous import run
from tests.support.connections import connections_at
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.proxy import Proxy
from tests.support.scrape import scrape
from tests.support.waiting import AT_WORST_SECONDS, assert_soon, eventually, show
from tests.support.websocket import (
    SUBPROTOCOL,
    Document,
    MutePage,
    Page,
    crowd_of,
    first_state,
    live_url,
    subprotocols,
)
from tests.web.conftest import Served

CROWD = 500
# 20 seconds until a ping and 20 for its pong, and some for a busy machine.
DEAD_AFTER_SECONDS = 50.0
# Ten seconds for a message, two for the close, and some.
GIVEN_UP_AFTER_SECONDS = 13.5
COLUMNS = "pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence"
INSERT = f"INSERT INTO pattern_approvals ({COLUMNS}) VALUES (%s, 'approved', 0.5, 1, 2000, 'Read')"
INSERT_LARGE = (
    f"INSERT INTO pattern_approvals ({COLUMNS}, pattern_context)"
    " SELECT %s || i, 'approved', 0.5, 1, 2000, 'Read', repeat('x', %s) FROM generate_series(1, %s) AS i"
)
# Characters of an entry's context, and entries: the longest message that still consists of changes, about 0.9 MB.
LARGE = (1_400, 400)
TOUCH_ALL = "UPDATE pattern_approvals SET occurrence_count = occurrence_count + 1"
# Opens a page, prints that it is open, and reads for ever; the test stops it.
SLEEPER = """
import sys
from websockets.sync.client import connect
with connect(sys.argv[1], proxy=None) as page:
    page.recv()
    print("open", flush=True)
    try:
        for message in page:
            pass
    except Exception:
        pass
print("closed", flush=True)
"""


@contextmanager
def raw_connection(http_url: str) -> Iterator[Callable[..., bytes]]:
    """Yield a function that sends bytes and, on request, returns the daemon's response."""
    host, port = http_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as link:

        def send(data: bytes, *, answer: bool = False) -> bytes:
            with suppress(ConnectionError):  # the daemon may have closed the connection
                link.sendall(data)
            return link.recv(65_536) if answer else b""

        yield send


def seconds_to(page: Page, database: TestDatabase, name: str) -> float:
    """Change the queue and return how long that took to reach a page, as a change or in the counts of a state."""
    total = database.count("pattern_approvals") + 1
    database.execute(INSERT, name)
    committed = time.monotonic()
    told = page.wait_for(lambda document: document.get("counts", {}).get("total") == total, what=name)
    return told.at - committed


@dataclass(frozen=True)
class Dead:
    """Clients that died silently: a stopped process, and one behind a link that forwards nothing."""

    since: float
    connections_before: int
    process: subprocess.Popen[str]


@pytest.fixture(scope="module")
def dead(served: Served) -> Iterator[Dead]:
    """Open them for the first test of the module: the last test sees them dropped, 40 seconds later."""
    host, port = served.daemon.http_url.removeprefix("http://").split(":")
    before = connections_at(int(port))
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", SLEEPER, live_url(served.daemon.http_url)], stdout=subprocess.PIPE, text=True
            )
        )
        stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        process.send_signal(signal.SIGSTOP)
        proxy = stack.enter_context(Proxy(host, int(port)))
        vanished = stack.enter_context(Page(f"http://127.0.0.1:{proxy.port}"))
        first_state(vanished)
        proxy.half_open()
        assert connections_at(int(port)) == before + 2
        yield Dead(time.monotonic(), before, process)
        proxy.cut()


def test_dead_clients_cost_the_others_nothing(served: Served, dead: Dead) -> None:
    assert dead.process.poll() is None
    with Page(served.daemon.http_url) as page:
        first_state(page)
        assert_soon([seconds_to(page, served.database, f"beside the dead:{number}") for number in range(10)])


@pytest.mark.timing
def test_five_hundred_clients_get_a_change_within_a_second(served: Served) -> None:
    async def check() -> list[float]:
        took = []
        async with crowd_of(CROWD, served.daemon.http_url) as crowd:
            assert {each["type"] for each in await crowd.states()} == {"state"}
            for number in range(5):
                name = f"crowd:{number}"
                arrivals = asyncio.create_task(crowd.until_each_got(f'"{name}"'))
                await asyncio.to_thread(served.database.execute, INSERT, name)
                committed = time.monotonic()
                took.append(max(await arrivals) - committed)
        return took

    before = served.daemon.resident_kilobytes()
    took = run(check(), 60)
    grown = (served.daemon.resident_kilobytes() - before) / 1024
    show(
        f"{CROWD} clients: commit -> last client {min(took) * 1000:.0f} to {max(took) * 1000:.0f} ms,"
        f" {grown:.0f} MB more in the daemon"
    )
    assert_soon(took)
    assert grown < 100


NONSENSE: dict[str, Sequence[str | bytes]] = {
    "text": ["hello", "{}", '{"type": "state"}', "\0"],
    "binary": [b"\x00\xff" * 100],
    "much": ["x" * 4_000] * 200,
    "too large": ["x" * 100_000],
    "nothing": [""],
}


@pytest.mark.parametrize("messages", NONSENSE.values(), ids=NONSENSE.keys())
def test_messages_from_a_client_are_ignored_and_do_no_harm(served: Served, messages: Sequence[str | bytes]) -> None:
    with Page(served.daemon.http_url) as page, connect(live_url(served.daemon.http_url), proxy=None) as talker:
        first_state(page)
        assert json.loads(talker.recv())["type"] == "state"
        for message in messages:
            talker.send(message)
        if any(len(message) > 4_096 for message in messages):
            with suppress(ConnectionClosed):
                while True:
                    talker.recv(timeout=10)
            assert talker.close_code == 1009
        assert seconds_to(page, served.database, f"beside {messages[0]!r:.20}{len(messages)}") < AT_WORST_SECONDS


HANDSHAKE = (
    b"GET /api/v1/ws/patterns HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
RAW = {
    "no key": HANDSHAKE.partition(b"Sec-")[0] + b"\r\n",
    "frames before the handshake": b"\x81\x05hello",
    "an endless header": b"GET /api/v1/ws/patterns HTTP/1.1\r\nX: " + b"x" * 200_000,
    "half a request": b"GET /api/v1/ws/patterns HTTP/1.1\r\nHost: loc",
}


@pytest.mark.parametrize("garbage", RAW.values(), ids=RAW.keys())
def test_garbage_instead_of_a_handshake_does_no_harm(served: Served, garbage: bytes) -> None:
    with Page(served.daemon.http_url) as page, raw_connection(served.daemon.http_url) as sender:
        first_state(page)
        sender(garbage)
        assert seconds_to(page, served.database, f"beside garbage {len(garbage)}") < AT_WORST_SECONDS


@pytest.mark.parametrize(
    "frame",
    [
        b"\x81\x05hello",  # not masked
        b"\xff\x80\0\0\0\0",  # reserved bits
        b"\x83\x80\0\0\0\0",  # no such opcode
        b"\x81\xff" + b"\xff" * 8 + b"\0" * 4,  # of 2^64 bytes
        b"\x81\x82\0\0\0\0\xff\xfe",  # text that is not UTF-8
        b"\x88\x82\0\0\0\0\x00\x01",  # closed with an invalid code
        b"\x01\x80\0\0\0\0" * 1_000,  # a thousand first fragments of a message
        b"\x89\x80\0\0\0\0" * 5_000,  # many pings
    ],
)
def test_broken_frames_do_no_harm(served: Served, frame: bytes) -> None:
    with Page(served.daemon.http_url) as page, raw_connection(served.daemon.http_url) as sender:
        first_state(page)
        assert sender(HANDSHAKE, answer=True).startswith(b"HTTP/1.1 101 ")
        sender(frame)
        assert seconds_to(page, served.database, f"beside a frame {frame[:12].hex()}") < AT_WORST_SECONDS


FORGED = [
    "",
    "garbage",
    "null",
    '{"queued": ["\\ud800"]}',
    '{"queued": ["nul\\u0000"]}',
    '{"queued": 7}',
    '{"exploded": ["a"]}',
    "[" * 7_900,
    '{"queued":' * 780,
    '{"queued": ["' + "x" * 7_900 + '"]}',
    json.dumps({"removed": [f"{number}" for number in range(800)]}),
]


def test_forged_notifications_do_no_harm(served: Served) -> None:
    said = len(served.daemon.text)
    with Page(served.daemon.http_url) as page:
        first_state(page)
        for payload in FORGED:
            served.database.execute("SELECT pg_notify('pattern_sync_queue', %s)", payload)
        assert seconds_to(page, served.database, "beside the forged") < AT_WORST_SECONDS
        gone = [each for document in page.documents("changes") for each in document["changes"] if not each["entry"]]
        assert {each["change"] for each in gone} == {"removed"}
        for about, forged in {
            "garbage": "'garbage' || i",
            "stars": "'*'",
            "ids that do not exist": "'{\"queued\": [\"nobody:' || i || '\"]}'",
        }.items():
            seen = len(page.received())
            # Each in a transaction of its own: PostgreSQL merges equal ones within a transaction.
            served.database.execute(
                "DO $$ BEGIN FOR i IN 1..40000 LOOP"
                f" PERFORM pg_notify('pattern_sync_queue', {forged}); IF i % 50 = 0 THEN COMMIT; END IF;"
                " END LOOP; END $$"
            )
            took = seconds_to(page, served.database, f"after 40,000 of {about}")
            show(f"40,000 forged ({about}): {len(page.received()) - seen} messages, the next change in {took:.2f} s")
            assert took < AT_WORST_SECONDS
    assert "Traceback" not in served.daemon.text[said:]
    assert '"exception"' not in served.daemon.text[said:]


TOKEN = "s3cret/token+with=signs~"


@pytest.fixture(scope="module")
def guarded(module_database: TestDatabase) -> Iterator[DaemonProcess]:
    with running_daemon(
        module_database.url, PATTERN_SYNC_API_TOKEN=TOKEN, PATTERN_SYNC_CORS_ORIGINS="https://panel.example:8443"
    ) as daemon:
        yield daemon


@contextmanager
def opened(
    daemon: DaemonProcess,
    *,
    offered: Sequence[Subprotocol] | None = None,
    headers: dict[str, str] | None = None,
    origin: str | None = None,
) -> Iterator[ClientConnection]:
    with connect(
        live_url(daemon.http_url),
        subprotocols=offered,
        additional_headers=headers,
        origin=None if origin is None else Origin(origin),
        proxy=None,
    ) as connection:
        yield connection


def refusal(daemon: DaemonProcess, **options: object) -> tuple[int, Document]:
    with pytest.raises(InvalidStatus) as refused, opened(daemon, **options):  # type: ignore[arg-type]
        pass
    response = refused.value.response
    assert TOKEN not in str(response)
    return response.status_code, json.loads(response.body or b"")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"offered": [SUBPROTOCOL]},
        {"offered": subprotocols("wrong")},
        {"offered": subprotocols("")},
        {"offered": [Subprotocol("bearer.a")]},
        {"offered": [SUBPROTOCOL, Subprotocol("bearer.!!!")]},
        {"offered": [SUBPROTOCOL, Subprotocol(f"bearer.{TOKEN.replace('/', '_').replace('=', '-')}")]},
        {"headers": {"Authorization": "Bearer wrong"}},
        {"headers": {"Authorization": f"Basic {TOKEN}"}},
        {"headers": {"Authorization": TOKEN}},
        {"headers": {"Authorization": "Bearer"}},
        {"headers": {"Authorization": f"Bearer {TOKEN}x"}},
        # The header takes precedence.
        {"headers": {"Authorization": "Bearer wrong"}, "offered": subprotocols(TOKEN)},
    ],
)
def test_a_websocket_without_the_token_is_refused(guarded: DaemonProcess, options: dict[str, object]) -> None:
    status, document = refusal(guarded, **options)
    assert status == 401
    assert "token" in document["detail"]


def test_a_token_in_the_query_of_a_websocket_is_ignored(guarded: DaemonProcess) -> None:
    with pytest.raises(InvalidStatus, match="401"), connect(f"{live_url(guarded.http_url)}?token={TOKEN}", proxy=None):
        pass


def test_a_websocket_with_the_token_is_accepted_and_never_gets_it_back(guarded: DaemonProcess) -> None:
    with opened(guarded, offered=subprotocols(TOKEN)) as page:
        assert page.subprotocol == SUBPROTOCOL
        assert json.loads(page.recv())["type"] == "state"
    with opened(guarded, offered=subprotocols(TOKEN)[::-1]) as page:
        assert page.subprotocol == SUBPROTOCOL
    for scheme in ("Bearer", "bearer"):
        with opened(guarded, headers={"Authorization": f"{scheme} {TOKEN}"}) as page:
            assert page.subprotocol is None
            assert json.loads(page.recv())["type"] == "state"
    with opened(guarded, offered=[SUBPROTOCOL], headers={"Authorization": f"Bearer {TOKEN}"}) as page:
        assert page.subprotocol == SUBPROTOCOL
    assert TOKEN not in guarded.text


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:1", "null", "http://127.0.0.1", "file://"]
)
def test_a_websocket_of_a_foreign_origin_is_refused(guarded: DaemonProcess, served: Served, origin: str) -> None:
    for daemon, options in ((guarded, {"offered": subprotocols(TOKEN)}), (served.daemon, {})):
        status, document = refusal(daemon, origin=origin, **options)
        assert status == 403
        assert "PATTERN_SYNC_CORS_ORIGINS" in document["detail"]
        assert "PATTERN_SYNC_PUBLIC_URL" in document["detail"]
        assert scrape(daemon.http_url).sum_of("http_requests_total", route="refused", code="403") >= 1
        assert "PATTERN_SYNC_PUBLIC_URL" in str(daemon.lines("live.refused")[0]["reason"])
        assert document["request_id"]
        assert daemon.lines("live.refused")[0]["request_id"]


def test_a_websocket_of_our_own_or_a_listed_origin_is_accepted(guarded: DaemonProcess, served: Served) -> None:
    for daemon, origin in (
        (guarded, "https://panel.example:8443"),
        (guarded, guarded.http_url),
        (served.daemon, served.daemon.http_url),
        (served.daemon, "http://localhost:9213"),  # the application's panel, allowed by default
    ):
        with opened(daemon, offered=subprotocols(TOKEN), origin=origin) as page:
            assert json.loads(page.recv())["type"] == "state"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8002", "", "127.0.0.1.evil.example"])
def test_a_websocket_to_a_foreign_host_name_is_refused(served: Served, host: str) -> None:
    handshake = HANDSHAKE.replace(b"localhost", f"{host}\r\nOrigin: http://{host}".encode())
    with raw_connection(served.daemon.http_url) as sender:
        assert sender(handshake, answer=True).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", ["/", "/api/v1/patterns/pending", "/api/v1/ws", "/index.html", "/nothing"])
def test_a_websocket_on_another_path_is_refused(served: Served, path: str) -> None:
    with pytest.raises(InvalidStatus), connect(served.daemon.http_url.replace("http", "ws", 1) + path, proxy=None):
        pass


def test_a_subprotocol_is_optional_and_an_unknown_one_is_not_selected(served: Served) -> None:
    for offered in (None, [Subprotocol("chat")]):
        with opened(served.daemon, offered=offered) as page:
            assert page.subprotocol is None
            assert json.loads(page.recv())["type"] == "state"


def test_no_client_made_the_daemon_log_a_bug(served: Served, guarded: DaemonProcess) -> None:
    for daemon in (served.daemon, guarded):
        assert "Traceback" not in daemon.text
        assert '"exception"' not in daemon.text
        assert not [line for line in daemon.lines() if line["level"] == "error"]


def test_a_stop_closes_the_pages_within_a_few_seconds(database: TestDatabase) -> None:
    database.execute(INSERT_LARGE, "large:", *LARGE)
    with ExitStack() as stack:
        daemon = stack.enter_context(running_daemon(database.url))
        pages = [stack.enter_context(Page(daemon.http_url)) for _ in range(20)]
        mute = [stack.enter_context(MutePage(daemon.http_url)) for _ in range(3)]
        assert len(mute) == 3
        for page in pages:
            first_state(page)
        # Until the buffers of the mute pages are full and their senders wait.
        for _ in range(12):
            seen = [len(page.received()) for page in pages]
            database.execute(TOUCH_ALL)
            for page, since in zip(pages, seen, strict=True):
                page.wait_for_type("changes", since=since)
        begun = time.monotonic()
        daemon.stop()
        took = time.monotonic() - begun
        show(f"stopped with 20 open pages and 3 that never read in {took:.1f} s")
        assert took < 6
        assert {page.wait_until_closed() for page in pages} <= {1001, 1012}


def test_a_client_that_never_reads_is_dropped_at_no_cost_to_others_memory_or_the_stop(
    database: TestDatabase,
) -> None:
    database.execute(INSERT_LARGE, "large:", *LARGE)
    with ExitStack() as stack:
        daemon = stack.enter_context(running_daemon(database.url, fresh=True))
        page = stack.enter_context(Page(daemon.http_url))
        first_state(page)
        before, peak = daemon.resident_kilobytes(), 0
        waited: list[float] = []

        def change_everything(until: float) -> None:
            """Change all entries, so that each daemon sends a message of the largest size."""
            nonlocal peak
            while time.monotonic() < until:
                seen = len(page.received())
                database.execute(TOUCH_ALL)
                committed = time.monotonic()
                received = page.wait_for_type("changes", since=seen)
                waited.append(received.at - committed)
                peak = max(peak, daemon.resident_kilobytes())

        begun = time.monotonic()
        first = stack.enter_context(MutePage(daemon.http_url))
        change_everything(begun + 3)
        stack.enter_context(MutePage(daemon.http_url))
        # The daemon waits ten seconds for a message, and then for the close: both are long over for the first.
        change_everything(begun + GIVEN_UP_AFTER_SECONDS)
        waiting = first.read_to_the_end(10)
        grown = (peak - before) / 1024
        show(
            f"a client that never reads: given up with {waiting / 1e6:.1f} MB on the way, others heard in"
            f" {max(waited):.2f} s at worst, {grown:.0f} MB more in the daemon at the peak"
        )
        assert_soon(waited)
        assert scrape(daemon.http_url).value("pages_lagging_closed_total") in {1, 2}, "the second may be gone as well"
        # The daemon is dropping the second right now.
        begun = time.monotonic()
        daemon.stop()
        assert time.monotonic() - begun < 6
        assert grown < 100


def test_a_daemon_that_has_to_end_does_so_in_order_with_pages_open(database: TestDatabase) -> None:
    with ExitStack() as stack:
        daemon = stack.enter_context(running_daemon(database.url))
        pages = [stack.enter_context(Page(daemon.http_url)) for _ in range(5)]
        stack.enter_context(MutePage(daemon.http_url))
        for page in pages:
            first_state(page)
        database.execute("INSERT INTO pattern_sync.migrations (version) VALUES (999)")
        database.execute("SELECT pattern_sync.request()")
        assert daemon.exit_code() == 4
        assert "newer" in daemon.text
        assert "Traceback" not in daemon.text
        assert '"exception"' not in daemon.text
        for page in pages:
            assert page.wait_until_closed() in {1001, 1006, 1012}


def test_dead_clients_are_dropped(served: Served, dead: Dead) -> None:
    """Last in this file: it waits for the rest of the clients' time."""
    patience = max(1.0, dead.since + DEAD_AFTER_SECONDS - time.monotonic())
    port = int(served.daemon.http_url.rpartition(":")[2])
    eventually(lambda: connections_at(port) <= dead.connections_before, patience, what="the end of the dead")
    show(f"dead clients were gone {time.monotonic() - dead.since:.0f} s after they died, at the latest")
    dead.process.send_signal(signal.SIGCONT)
    assert dead.process.stdout is not None
    assert dead.process.stdout.readline() == "closed\n"
