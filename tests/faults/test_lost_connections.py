"""Connections that die, and what the daemon does meanwhile."""

import asyncio
import socket
import threading
import time

import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.connector import Connector
from pattern_sync.database.pool import Pool
from pattern_sync.database.statements import load_statements
from pattern_sync.domain.errors import PassingFault
from pattern_sync.services.timings import Timings
from tests.support.asynchronous import run
from tests.support.daemon import running_daemon, starting_daemon
from tests.support.database import TestDatabase
from tests.support.manager import service_manager
from tests.support.proxy import WithoutNotifications, proxy_to, with_address
from tests.support.waiting import eventually, show

KILL_LISTENER = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name ~ '^pattern-sync .*listener$' AND datname = current_database()"
)


def test_a_commit_while_the_listen_backend_is_dead_is_queued_by_the_catch_up(database: TestDatabase) -> None:
    took = []
    with running_daemon(database.url) as daemon:
        for number in range(5):
            signature = f"during:{number}"
            # The pattern is committed in the transaction that kills the listener.
            with database.another_connection(autocommit=False) as killer:
                assert killer.execute(KILL_LISTENER).rowcount == 1
                killer.execute(
                    "INSERT INTO operation_patterns"
                    " (pattern_signature, pattern_type, confidence_score, occurrence_count, potential_monthly_savings)"
                    " VALUES (%s, 'sdlc', 90, 100, 5000)",
                    [signature],
                )
                killer.commit()
            took.append(eventually(lambda name=signature: database.entry(name), what=signature))  # type: ignore[misc]
            daemon.wait_for("listener.listening", times=number + 2)
        assert len(daemon.lines("listener.lost")) == 5
    show(f"after the LISTEN backend was killed: caught up in {max(took):.2f} s at worst of 5")
    assert max(took) < 3


def test_the_daemon_reconnects_after_all_connections_are_cut(database: TestDatabase) -> None:
    with proxy_to(database.url) as (proxy, url), running_daemon(url) as daemon:
        proxy.cut()
        database.add_pattern("during")
        assert eventually(lambda: database.entry("during")) < 5
        daemon.wait_for("listener.listening", times=2)
        database.add_pattern("after")
        assert eventually(lambda: database.entry("after")) < 2


def test_a_half_open_link_is_detected_and_the_gap_is_caught_up(database: TestDatabase) -> None:
    with proxy_to(database.url) as (proxy, url), running_daemon(url) as daemon:
        proxy.half_open()
        database.add_pattern("during")
        took = eventually(lambda: database.entry("during"))
        show(f"after the link went half-open: caught up in {took:.1f} s")
        assert took < 15
        assert daemon.wait_for("listener.lost")["reason"]
        daemon.wait_for("listener.listening", times=2)
        # A statement that hangs on the dead link has a deadline of its own: it must not hold up the stop for longer.
        begun = time.monotonic()
        daemon.stop()
        assert time.monotonic() - begun < 20


@pytest.mark.parametrize("before", ["schema_version", "count_pending"])
def test_what_will_never_be_answered_is_given_up_long_before_its_deadline(database: TestDatabase, before: str) -> None:
    """Where the same statement went before, it is the statement that gets no answer, else its preparation."""

    async def go(url: str) -> None:
        async with Pool(Connector(DatabaseAddress.parse(url), load_statements())) as pool, asyncio.timeout(20):
            await pool.fetch(before, deadline_seconds=5)
            proxy.half_open(to_server=False)
            unanswered = asyncio.ensure_future(pool.fetch("count_pending", deadline_seconds=60))
            while not unanswered.done():
                await asyncio.wait([unanswered], timeout=0.5)
                await pool.give_up_unanswered()
            with pytest.raises(PassingFault):
                await unanswered

    with proxy_to(database.url) as (proxy, url):
        run(go(url))


def test_an_outage_logs_one_line_per_change_and_keeps_feeding_the_watchdog(database: TestDatabase) -> None:
    with (
        service_manager() as manager,
        proxy_to(database.url) as (proxy, url),
        running_daemon(
            url, timings=Timings(retry_cap_seconds=0.2), NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="300000"
        ) as daemon,
    ):
        proxy.refuse(refusing=True)
        proxy.cut()
        daemon.wait_for("listener.lost")
        daemon.wait_for("database.lost")
        # Long enough for several retries of every service, and for several feedings of the watchdog.
        fed = manager.messages().count("WATCHDOG=1")
        manager.wait_for("WATCHDOG=1", times=fed + 20)
        database.add_pattern("during")
        proxy.refuse(refusing=False)
        took = eventually(lambda: database.entry("during"))
        show(f"after an outage of the network: caught up in {took:.2f} s")
        assert took < 5
        daemon.wait_for("database.back")
        daemon.wait_for("listener.listening", times=2)
        for event in ("listener.lost", "database.lost", "database.back"):
            assert len(daemon.lines(event)) == 1, daemon.text
        assert any(text.startswith("STATUS=polling") for text in manager.messages())


def test_a_host_that_accepts_but_never_answers_is_skipped_for_the_next_host(database: TestDatabase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        database.add_pattern("before")
        hole = f"127.0.0.1:{black_hole.getsockname()[1]}"
        with database.another_connection() as connection:
            real = f"{connection.info.host}:{connection.info.port}"
        url = with_address(database.url, f"{hole},{real}")
        begun = time.monotonic()
        with starting_daemon(url) as daemon:
            daemon.wait_for("daemon.ready", seconds=60)
            show(f"ready past a black hole in {time.monotonic() - begun:.1f} s")
            daemon.wait_for("listener.listening", seconds=60)
            assert database.entry("before") is not None
            database.add_pattern("after")
            assert eventually(lambda: database.entry("after")) < 5


def test_the_daemon_listens_again_seconds_after_a_link_lost_notifications(
    database: TestDatabase,
) -> None:
    losing = threading.Event()
    losing.set()

    class Losing(WithoutNotifications):
        def __call__(self, data: bytes) -> bytes:
            return super().__call__(data) if losing.is_set() else data

    quick = Timings(deaf_base_seconds=0.5)
    with proxy_to(database.url, new_filter=Losing) as (_, url), starting_daemon(url, timings=quick) as daemon:
        daemon.wait_for("listener.lost")
        daemon.wait_for("daemon.ready")
        losing.clear()
        took = eventually(lambda: daemon.lines("listener.listening"))
        show(f"after it lost notifications: listening again in {took:.1f} s")
        assert took < 15
        database.add_pattern("heard")
        assert eventually(lambda: database.entry("heard")) < 2
        # Behind a pooler every statement is wrapped in a transaction of its own.
        alone = (
            "SELECT 1 FROM pg_stat_activity"
            " WHERE application_name ~ '^pattern-sync [^ ]+$' AND datname = current_database()"
            " AND state = 'idle' AND query !~ '^(COMMIT|BEGIN)'"
        )
        eventually(lambda: database.execute(alone), what="the end of the pooler mode")


def test_a_pooler_that_drops_notifications_is_reported_and_the_daemon_polls(database: TestDatabase) -> None:
    with proxy_to(database.url, new_filter=WithoutNotifications) as (_, url), starting_daemon(url) as daemon:
        daemon.wait_for("daemon.ready")
        reason = daemon.wait_for("listener.lost")["reason"]
        assert "pooler" in reason
        assert "PATTERN_SYNC_DATABASE_URL" in reason
        database.add_pattern("unheard")
        took = eventually(lambda: database.entry("unheard"))
        show(f"behind a pooler: queued in {took:.1f} s")
        assert took < 10
        assert not daemon.lines("listener.listening")
