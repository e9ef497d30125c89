"""Every change in the queue reaches every open page within a second, whoever made it, and every gap is filled."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Self

import httpx
import psycopg
import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer, Supervision
from pattern_sync.services.timings import Timings
from tests.conftest import embedded_server
from tests.support.command import run_command
from tests.support.daemon import DaemonProcess, running_daemon, starting_daemon
from tests.support.database import TestDatabase
from tests.support.proxy import WithoutNotifications, proxy_to
from tests.support.seed import SIGNATURE, add_seed
from tests.support.waiting import AT_WORST_SECONDS, PATIENCE_SECONDS, assert_soon, eventually, show
from tests.support.websocket import Document, Page, first_state
from tests.web.conftest import path_of

if TYPE_CHECKING:
    from psycopg.rows import DictRow

# Shorter than the daemons' safety net, which would correct everything by itself.
RIGHT_SECONDS = 20.0
ENOUGH_CHANGES = 300
KILL_LISTENERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name ~ '^pattern-sync .*listener$' AND datname = current_database()"
)
COLUMNS = "pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence"
INSERT = f"INSERT INTO pattern_approvals ({COLUMNS}) VALUES (%s, %s, 0.5, %s, 2000, 'Read')"
INSERT_MANY = (
    f"INSERT INTO pattern_approvals ({COLUMNS})"
    " SELECT %s || i, 'pending', 0.5, i, 2000, 'Read' FROM generate_series(1, %s) AS i"
)
NOTE = "INSERT INTO pattern_review_history (pattern_id, action, reviewer, notes) VALUES (%s, 'commented', 'ann', 'hm')"


@dataclass(frozen=True)
class Replicas:
    """Two daemons on one database, each with its own pages."""

    database: TestDatabase
    daemons: tuple[DaemonProcess, ...]

    @contextmanager
    def pages(self) -> Iterator[list[Page]]:
        """Open two pages at each daemon; all of them have got the state."""
        with ExitStack() as stack:
            pages = [stack.enter_context(Page(each.http_url)) for each in self.daemons for _ in range(2)]
            for page in pages:
                first_state(page)
            yield pages

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever the path answers
        return httpx.get(self.daemons[0].http_url + path, timeout=PATIENCE_SECONDS).raise_for_status().json()

    def post(self, path: str, document: object) -> None:
        httpx.post(self.daemons[0].http_url + path, json=document, timeout=PATIENCE_SECONDS).raise_for_status()

    def review(self, *arguments: str) -> None:
        done = run_command("review", *arguments, PATTERN_SYNC_DATABASE_URL=self.database.url)
        assert done.code == 0, done.err


@pytest.fixture(scope="module")
def replicas(module_database: TestDatabase) -> Iterator[Replicas]:
    quick = Timings(refresh_seconds=0.5)
    with (
        running_daemon(module_database.url, timings=quick) as one,
        running_daemon(module_database.url, timings=quick) as other,
    ):
        yield Replicas(module_database, (one, other))


def test_the_first_message_is_the_state_of_that_moment(replicas: Replicas) -> None:
    replicas.database.execute(INSERT_MANY, "first:", 30)
    for daemon in replicas.daemons:
        with Page(daemon.http_url) as page:
            state = first_state(page)
            assert state["counts"] == replicas.get("/api/v1/patterns/statistics")
            assert state["entries"] == replicas.get("/api/v1/patterns/pending?limit=20")
            assert len(state["entries"]) == 20


def test_a_queued_pattern_reaches_the_pages_of_all_daemons(replicas: Replicas) -> None:
    took = []
    with replicas.pages() as pages:
        for number in range(5):
            name = f"event:{number}"
            replicas.database.add_pattern(name)
            committed = time.monotonic()
            for page in pages:
                received, change = page.wait_for_change(name, "queued", seconds=5)
                took.append(received.at - committed)
                assert change["entry"] == replicas.get(path_of(name))
                assert received.document["counts"]["total"] == replicas.database.count("pattern_approvals")
    show(f"commit of a pattern -> every page: {max(took) * 1000:.0f} ms at worst of {len(took)}")
    assert_soon(took)


Act = Callable[[Replicas, str], object]
SQL_APPROVE = "UPDATE pattern_approvals SET status = 'approved', reviewed_by = 'ann', reviewed_at = now()"
ACTS: dict[str, tuple[Act, str]] = {
    "SQL approves": (lambda our, name: our.database.execute(SQL_APPROVE + " WHERE pattern_id = %s", name), "decided"),
    "SQL writes figures": (
        lambda our, name: our.database.execute(
            "UPDATE pattern_approvals SET occurrence_count = 9 WHERE pattern_id = %s", name
        ),
        "refreshed",
    ),
    "SQL deletes": (
        lambda our, name: our.database.execute("DELETE FROM pattern_approvals WHERE pattern_id = %s", name),
        "removed",
    ),
    "SQL comments": (lambda our, name: our.database.execute(NOTE, name), "commented"),
    "the API approves": (lambda our, name: our.post(path_of(name) + "/approve", {"reviewer": "bob"}), "decided"),
    "the API rejects": (lambda our, name: our.post(path_of(name) + "/reject", {"reason": "a one-off"}), "decided"),
    "the API comments": (lambda our, name: our.post(path_of(name) + "/comment", {"comment": "whose?"}), "commented"),
    "the command approves": (lambda our, name: our.review("approve", name, "--reviewer", "cleo"), "decided"),
    "the command rejects": (lambda our, name: our.review("reject", name, "--reason", "no"), "decided"),
    "the command comments": (lambda our, name: our.review("comment", name, "hm"), "commented"),
}


@pytest.mark.parametrize(("act", "change"), ACTS.values(), ids=ACTS.keys())
def test_a_change_by_any_writer_reaches_every_page_of_every_daemon(replicas: Replicas, act: Act, change: str) -> None:
    # Markup, a slash, a percent sign: any text is a valid id.
    name = f"act:{change}:a/b%2F<b>'\"{time.monotonic_ns()} 🎉"
    with replicas.pages() as pages:
        replicas.database.execute(INSERT, name, "pending", 3)
        committed = time.monotonic()
        queued = [page.wait_for_change(name, "queued", seconds=5)[0] for page in pages]
        took = [each.at - committed for each in queued]
        seen = [len(page.received()) for page in pages]
        act(replicas, name)
        acted = time.monotonic()
        for page, since in zip(pages, seen, strict=True):
            received, told = page.wait_for_change(name, change, since=since, seconds=5)
            took.append(received.at - acted)
            assert told["entry"] == (None if change == "removed" else replicas.get(path_of(name)))
            assert received.document["counts"] == replicas.get("/api/v1/patterns/statistics")
    assert_soon(took)


def test_a_doubtful_claim_reaches_every_page_with_its_flags(replicas: Replicas) -> None:
    with replicas.pages() as pages:
        replicas.database.execute("BEGIN")
        add_seed(replicas.database, entered=False)
        replicas.database.execute("COMMIT")
        for page in pages:
            received, change = page.wait_for_change(SIGNATURE, "queued", seconds=5)
            flags = [flag["name"] for flag in change["entry"]["evidence"]["flags"]]
            assert flags[:6] == ["counted-twice", "short-span", "all-time", "assumed-cost", "no-steps", "gone-quiet"]
            assert received.document["counts"]["claimed_usd"] >= 183_844.06


def test_newer_figures_are_broadcast_as_a_refreshed_entry(replicas: Replicas) -> None:
    replicas.database.add_pattern("figures")
    with replicas.pages() as pages:
        eventually(lambda: replicas.database.entry("figures"))
        seen = [len(page.received()) for page in pages]
        replicas.database.execute(
            "UPDATE operation_patterns SET occurrence_count = 99999 WHERE pattern_signature = 'figures'"
        )
        for page, since in zip(pages, seen, strict=True):
            _, told = page.wait_for_change("figures", "refreshed", since=since)
            assert told["entry"]["occurrence_count"] == 99_999


def test_a_large_change_is_broadcast_entry_by_entry(replicas: Replicas) -> None:
    names = [f"large:{number}" for number in range(1, 901)]
    with replicas.pages() as pages:
        seen = [len(page.received()) for page in pages]
        replicas.database.execute(INSERT_MANY, "large:", len(names))
        committed = time.monotonic()
        for page, since in zip(pages, seen, strict=True):
            # A change that PostgreSQL sends in two payloads may be broadcast in two messages.
            eventually(partial(tells_all, page, since, len(names)))
            assert page.received()[-1].at - committed < AT_WORST_SECONDS
            assert sorted(named_in(page, since)) == sorted(names)


def test_a_huge_change_is_broadcast_as_a_state(replicas: Replicas) -> None:
    with replicas.pages() as pages:
        seen = [len(page.received()) for page in pages]
        replicas.database.execute(INSERT_MANY, "huge:", 5_000)
        committed = time.monotonic()
        total = replicas.database.count("pattern_approvals")
        for page, since in zip(pages, seen, strict=True):
            state = page.wait_for(partial(counts_to, total=total), since=since)
            assert state.at - committed < AT_WORST_SECONDS
            assert state.document["type"] == "state"
            assert named_in(page, since) == []


def test_an_emptied_queue_is_broadcast_as_a_state(replicas: Replicas) -> None:
    with replicas.pages() as pages:
        seen = [len(page.received()) for page in pages]
        # Patterns that still qualify would be queued again at once.
        replicas.database.execute("UPDATE operation_patterns SET automation_status = 'active'")
        replicas.database.execute("TRUNCATE pattern_approvals CASCADE")
        committed = time.monotonic()
        for page, since in zip(pages, seen, strict=True):
            received = page.wait_for_type("state", since=since)
            assert received.at - committed < AT_WORST_SECONDS
            assert (received.document["counts"]["total"], received.document["entries"]) == (0, [])


STRANGE = {
    "a figure that is none": "confidence_score = 'NaN', estimated_savings_usd = 'Infinity'",
    "figures beyond reason": "confidence_score = -3e38, occurrence_count = -2147483648, estimated_savings_usd = 3e38",
    "a time before all calendars": "created_at = '4713-01-01 BC', reviewed_at = '-infinity'",
    "a time after all calendars": "created_at = 'infinity', reviewed_at = '294276-12-31'",
    "sessions that are not JSON": "example_sessions = 'nonsense'",
    "sessions that are too much": "example_sessions = repeat('[', 100000)",
    "sessions of a strange kind": """example_sessions = '[1, null, {"a": "\\ud800"}, "\\u0000"]'""",
    "control characters": "tool_sequence = E'\\x01\\x1b[31m\\u2028', reviewed_by = E'\\t\\r\\n'",
    "a very long text": "pattern_context = repeat('x', 900000), approval_notes = repeat(E'\\U0001F389', 10000)",
}


@pytest.mark.parametrize(("number", "change"), list(enumerate(STRANGE.values())), ids=STRANGE.keys())
def test_odd_entries_of_an_application_are_broadcast_and_stop_nothing(
    replicas: Replicas, number: int, change: str
) -> None:
    name = f"strange:{number}"
    with replicas.pages() as pages:
        replicas.database.execute(INSERT, name, "pending", 1)
        replicas.database.execute(f"UPDATE pattern_approvals SET {change} WHERE pattern_id = %s", name)
        committed = time.monotonic()
        for page in pages:
            received, told = page.wait_for_change(name, "refreshed", seconds=5)
            assert received.at - committed < AT_WORST_SECONDS
            assert told["entry"] == replicas.get(path_of(name))
        # And as part of the first state.
        with Page(replicas.daemons[0].http_url) as newcomer:
            first_state(newcomer)
        replicas.database.execute("DELETE FROM pattern_approvals WHERE pattern_id = %s", name)
    for daemon in replicas.daemons:
        assert daemon.process.poll() is None
        assert "Traceback" not in daemon.text


def counts_to(document: Document, total: int) -> bool:
    return bool(document.get("counts", {}).get("total") == total)


def named_in(page: Page, since: int) -> list[str]:
    told = [each.document for each in page.received()[since:]]
    return [each["pattern_id"] for document in told for each in document.get("changes", [])]


def tells_all(page: Page, since: int, number: int) -> bool:
    return len(named_in(page, since)) >= number


class Mirror:
    """What a page shows in the end: it loads everything anew after each state, and applies every change.

    Messages are handled one after the other, so that a change that comes during a load is applied after it.
    """

    def __init__(self, http_url: str) -> None:
        self._http = httpx.Client(base_url=http_url, timeout=30)
        self.entries: dict[str, Document] = {}
        self.counts: Document = {}
        self.page = Page(http_url, on_message=self._take)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.page.__exit__()
        self._http.close()

    def _take(self, document: Document) -> None:
        self.counts = document.get("counts", self.counts)
        if document["type"] == "state":
            self.entries = {entry["pattern_id"]: entry for entry in self._load()}
        for change in document.get("changes", []):
            if change["entry"] is None:
                self.entries.pop(change["pattern_id"], None)
            else:
                self.entries[change["pattern_id"]] = change["entry"]

    def _load(self) -> Iterator[Document]:
        for status in ("pending", "approved", "rejected", "auto-approved", "auto-rejected"):
            path = f"/api/v1/patterns?status={status}&limit=25"
            while path:
                answer = self._http.get(path).raise_for_status()
                yield from answer.json()
                path = answer.links.get("next", {}).get("url", "")

    def shown(self) -> list[tuple[Any, ...]]:
        return sorted(
            (entry["pattern_id"], entry["status"], entry["occurrence_count"], entry["reviewed_by"])
            for entry in list(self.entries.values())  # the reader's thread keeps changing it
        )


def table(database: TestDatabase) -> list[tuple[Any, ...]]:
    rows = database.execute("SELECT pattern_id, status, occurrence_count, reviewed_by FROM pattern_approvals")
    return sorted(tuple(row.values()) for row in rows)


class Writer(threading.Thread):
    """Changes entries at random and without a pause, each time in a transaction of its own."""

    NAMES = 40

    def __init__(self, replicas: Replicas, seed: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._chance = Random(seed)
        self._replicas = replicas
        # TestDatabase's own connection belongs to the test.
        self._connection: psycopg.Connection[DictRow] = replicas.database.another_connection()
        self._stop_asked = stop
        self.done = 0
        self.fault: Exception | None = None

    def run(self) -> None:
        try:
            with self._connection:
                while not self._stop_asked.wait(self._chance.uniform(0, 0.02)):
                    # Two writers that change everything may deadlock; the server then ends one transaction.
                    with suppress(psycopg.errors.DeadlockDetected):
                        self._act()
                    self.done += 1
        except Exception as fault:  # noqa: BLE001 - a thread's fault is the test's
            self.fault = fault

    def _act(self) -> None:
        chance = self._chance
        name, count = f"p{chance.randrange(self.NAMES)}", chance.randrange(1_000)
        match chance.choices(
            ["write", "decide", "reopen", "remove", "all", "comment", "api", "many", "empty"],
            [30, 15, 10, 12, 3, 5, 10, 2, 0.3],
        )[0]:
            case "write":
                self._run(f"{INSERT} ON CONFLICT (pattern_id) DO UPDATE SET occurrence_count = %s", name, "pending", count, count)  # noqa: E501  # fmt: skip
            case "decide":
                self._run(SQL_APPROVE + " WHERE pattern_id = %s", name)
            case "reopen":
                self._run(
                    "UPDATE pattern_approvals SET status = 'pending', reviewed_by = NULL WHERE pattern_id = %s", name
                )
            case "remove":
                self._run("DELETE FROM pattern_approvals WHERE pattern_id = %s", name)
            case "all":
                self._run("UPDATE pattern_approvals SET occurrence_count = %s", count)
            case "comment":
                with suppress(psycopg.errors.ForeignKeyViolation):
                    self._run(NOTE, name)
            case "api":
                daemon = chance.choice(self._replicas.daemons)
                body = {"reason": "no", "reviewer": str(count)}
                httpx.post(f"{daemon.http_url}{path_of(name)}/reject", json=body, timeout=PATIENCE_SECONDS)
            case "many":
                self._run(INSERT_MANY + " ON CONFLICT DO NOTHING", f"many{count}:", chance.choice([60, 1_200]))
                self._run("DELETE FROM pattern_approvals WHERE pattern_id LIKE 'many%%' AND occurrence_count > %s", 5)
            case "empty":
                self._run("TRUNCATE pattern_approvals CASCADE")

    def _run(self, sql: str, *arguments: object) -> None:
        self._connection.execute(sql.encode(), arguments or None)


def all_alive(writers: Sequence[Writer]) -> bool:
    return all(writer.is_alive() for writer in writers)


@pytest.mark.parametrize("seed", ["one", "two"])
def test_a_page_ends_up_equal_to_the_table_whatever_happened_when_it_joined(replicas: Replicas, seed: str) -> None:
    database, chance, stop = replicas.database, Random(seed), threading.Event()
    database.empty("operation_patterns", "pattern_approvals")
    with ExitStack() as stack:
        writers = [Writer(replicas, f"{seed}{number}", stop) for number in range(3)]
        for writer in writers:
            writer.start()
        mirrors: list[Mirror] = []
        for number in range(12):
            # Pages join at any moment of the writers' work, and now and then the daemons lose their LISTEN sessions.
            mirrors.append(stack.enter_context(Mirror(replicas.daemons[number % 2].http_url)))
            if number in (5, 9):
                database.execute(KILL_LISTENERS)
            database.add_pattern(f"pattern:{number}")
            stop.wait(chance.uniform(0.1, 0.5))
        # A slow machine takes longer to reach enough changes.
        eventually(lambda: sum(writer.done for writer in writers) >= ENOUGH_CHANGES or not all_alive(writers))
        stop.set()
        for writer in writers:
            writer.join()
            assert writer.fault is None, writer.fault
        stopped = time.monotonic()
        for number, mirror in enumerate(mirrors):
            first_state(mirror.page)
            try:
                eventually(lambda mirror=mirror: mirror.shown() == table(database), RIGHT_SECONDS)  # type: ignore[misc]
            except AssertionError:
                assert mirror.shown() == table(database), f"page {number} got: {mirror.page.documents()[-5:]}"
            eventually(lambda mirror=mirror: mirror.counts["total"] == len(mirror.entries))  # type: ignore[misc]
        messages = sum(len(mirror.page.received()) for mirror in mirrors)
        told = sum(len(each.get("changes", [])) for mirror in mirrors for each in mirror.page.documents("changes"))
        show(
            f"{sum(writer.done for writer in writers)} changes, {messages} messages, {told} told;"
            f" {len(mirrors)} pages were right {time.monotonic() - stopped:.2f} s after the last change"
        )
        assert told > ENOUGH_CHANGES, "or nothing was tested"
    for daemon in replicas.daemons:
        assert "Traceback" not in daemon.text


def test_a_commit_while_the_daemon_did_not_listen_is_in_a_new_state(database: TestDatabase) -> None:
    with running_daemon(database.url) as daemon, Page(daemon.http_url) as page:
        first_state(page)
        for number in range(3):
            seen = len(page.received())
            with database.another_connection(autocommit=False) as killer:
                assert killer.execute(KILL_LISTENERS.encode()).rowcount == 1
                killer.execute(INSERT.encode(), [f"unheard:{number}", "pending", 1])
                killer.commit()
            committed = time.monotonic()
            state = page.wait_for(
                lambda document, total=number + 1: document.get("counts", {}).get("total") == total,  # type: ignore[misc]
                since=seen,
            )
            assert state.document["type"] == "state"
            show(f"listener killed: told {state.at - committed:.2f} s after the commit")
            assert state.at - committed < 3
            daemon.wait_for("listener.listening", times=number + 2)


def test_a_lost_database_is_broadcast_and_its_return_brings_a_state(database: TestDatabase) -> None:
    with proxy_to(database.url) as (proxy, url), running_daemon(url) as daemon, Page(daemon.http_url) as page:
        first_state(page)
        for times in (1, 2):
            proxy.refuse(refusing=True)
            proxy.cut()
            cut = time.monotonic()
            eventually(lambda times=times: len(page.documents("outage")) == times)  # type: ignore[misc]
            show(f"link cut: said after {page.received()[-1].at - cut:.1f} s")
            seen = len(page.received())
            database.execute(INSERT, f"meanwhile:{times}", "pending", 1)
            proxy.refuse(refusing=False)
            back = time.monotonic()
            state = page.wait_for_type("state", since=seen)
            show(f"link back: state after {state.at - back:.1f} s")
            assert [entry["pattern_id"] for entry in state.document["entries"]][-1] == f"meanwhile:{times}"
            assert state.at - back < 5
            database.execute(INSERT, f"after:{times}", "approved", 1)
            page.wait_for(lambda document: document["counts"]["approved"] == 1, since=seen, seconds=3)
            daemon.wait_for("listener.listening", times=times + 1)
            database.execute("TRUNCATE pattern_approvals CASCADE")
            page.wait_for(lambda document: document["counts"]["total"] == 0, since=seen)


def test_a_page_opened_in_an_outage_gets_the_state_after_it(database: TestDatabase) -> None:
    database.execute(INSERT, "a", "pending", 1)
    with proxy_to(database.url) as (proxy, url), running_daemon(url) as daemon:
        proxy.refuse(refusing=True)
        proxy.cut()
        with Page(daemon.http_url) as early:  # before the daemon has detected it
            daemon.wait_for("database.lost")
            with Page(daemon.http_url) as late:
                proxy.refuse(refusing=False)
                for page in (early, late):
                    state = page.wait_for_type("state").document
                    assert [entry["pattern_id"] for entry in state["entries"]] == ["a"]


def test_a_silent_link_is_detected_and_its_gap_filled(database: TestDatabase) -> None:
    with proxy_to(database.url) as (proxy, url), running_daemon(url) as daemon, Page(daemon.http_url) as page:
        first_state(page)
        proxy.half_open()
        database.execute(INSERT, "in the gap", "pending", 1)
        committed = time.monotonic()
        state = page.wait_for(lambda document: document["type"] == "state" and document["entries"])
        show(f"link half-open: told {state.at - committed:.1f} s after the commit")
        assert state.at - committed < 15


def test_behind_a_pooler_that_drops_notifications_every_change_is_broadcast_as_a_state(database: TestDatabase) -> None:
    took = []
    with proxy_to(database.url, new_filter=WithoutNotifications) as (_, url), starting_daemon(url) as daemon:
        daemon.wait_for("daemon.ready")
        with Page(daemon.http_url) as page:
            first_state(page)
            # A change that mostly comes before the daemon has detected its deafness.
            database.execute(INSERT, "unheard:0", "pending", 1)
            page.wait_for(lambda document: document["counts"]["total"] == 1, seconds=10)
            daemon.wait_for("listener.lost")
            for number in (1, 2, 3):
                seen = len(page.received())
                database.execute(INSERT, f"unheard:{number}", "pending", 1)
                committed = time.monotonic()
                with Page(daemon.http_url) as newcomer:  # its joining must not hide the change from the others
                    first_state(newcomer)
                state = page.wait_for_type("state", since=seen, seconds=5)
                took.append(state.at - committed)
                assert state.document["counts"]["total"] == number + 1
            # The last state must not be repeated for ever.
            seen = len(page.received())
            time.sleep(2.5)
            assert len(page.received()) - seen <= 1
    show(f"behind a pooler: told {max(took):.1f} s after the commit at worst")
    assert max(took) < 3


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with embedded_server() as server:
        Installer(DatabaseAddress.parse(server.url)).migrate()
        yield server


def is_told_of(pattern_id: str, document: Document) -> bool:
    told = document["entries"] if document["type"] == "state" else document.get("changes", [])
    return any(each["pattern_id"] == pattern_id and each.get("change", "queued") == "queued" for each in told)


def test_a_server_restart_is_broadcast_and_ends_with_a_state(server: EmbeddedServer) -> None:
    with running_daemon(server.url) as daemon, Page(daemon.http_url) as page:
        first_state(page)
        with psycopg.connect(server.url) as connection:
            row: Sequence[Any] | None = connection.execute("SELECT current_setting('data_directory')").fetchone()
        assert row is not None
        with open(f"{row[0]}/postmaster.pid", encoding="ascii") as file:  # noqa: PTH123 - one line of it
            os.kill(int(file.readline()), signal.SIGINT)
        page.wait_for_type("outage")
        seen = len(page.received())
        eventually(lambda: server.check() is Supervision.RESTARTED)
        accepting = time.monotonic()
        state = page.wait_for_type("state", since=seen)
        show(f"server restarted: state {state.at - accepting:.2f} s after it accepts again")
        assert state.at - accepting < 5
        daemon.wait_for("listener.listening", times=2)
        database = TestDatabase(server.url, "pattern_sync")
        with database.connect():
            database.execute(INSERT, "after", "pending", 1)
        # It is in the last of the states if it comes before the daemon listens for the pages again.
        page.wait_for(lambda document: is_told_of("after", document), what="word of the entry")


def test_a_daemon_restart_closes_the_pages_and_ends_with_a_new_state(database: TestDatabase) -> None:
    with running_daemon(database.url) as daemon, Page(daemon.http_url) as page:
        first_state(page)
        port = daemon.http_url.rpartition(":")[2]
        daemon.stop()
        assert page.wait_until_closed() in {1001, 1012}
        database.execute(INSERT, "between", "pending", 1)
    with running_daemon(database.url, PATTERN_SYNC_HTTP_PORT=port) as daemon, Page(daemon.http_url) as page:
        assert [entry["pattern_id"] for entry in first_state(page)["entries"]] == ["between"]
