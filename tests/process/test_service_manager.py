"""The daemon's messages to systemd, on a real datagram socket."""

import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from tests.support.daemon import running_daemon, starting_daemon
from tests.support.database import TestDatabase
from tests.support.manager import service_manager
from tests.support.proxy import proxy_to

# Nothing listens on port 1 (tcpmux).
UNREACHABLE = "postgresql://nobody@127.0.0.1:1/x"


@pytest.mark.lived_in_too
def test_the_daemon_sends_ready_after_the_first_catch_up_and_stopping_before_the_end(database: TestDatabase) -> None:
    database.add_patterns(20)
    with service_manager() as manager:
        with starting_daemon(database.daemon_url, fresh=True, NOTIFY_SOCKET=manager.path) as daemon:
            manager.wait_for("READY=1")
            assert database.count("pattern_approvals") == 20
            daemon.wait_for("listener.listening")
            assert manager.wait_for("STATUS=listening; 20 queued, 0 failed")
            assert "STOPPING=1" not in manager.messages()
            daemon.stop()
        told = manager.messages()
    assert told.count("READY=1") == 1
    assert told.count("STOPPING=1") == 1
    assert told.index("READY=1") < told.index("STOPPING=1")


def test_a_daemon_that_cannot_reach_its_database_is_not_ready_and_sends_the_reason() -> None:
    with service_manager() as manager:
        with starting_daemon(UNREACHABLE, NOTIFY_SOCKET=manager.path) as daemon:
            assert "Connection refused" in manager.wait_for("STATUS=waiting for the database")
            daemon.wait_for("database.lost")
        assert "READY=1" not in manager.messages()


def test_the_watchdog_is_fed_several_times_in_its_interval(database: TestDatabase) -> None:
    with service_manager() as manager:
        with running_daemon(database.daemon_url, NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="1500000"):
            manager.wait_for("WATCHDOG=1", times=5)
        fed = manager.times_of("WATCHDOG=1")
    assert max(later - earlier for earlier, later in pairwise(fed)) < 1.5


def test_the_daemon_does_not_feed_a_watchdog_meant_for_another_process(database: TestDatabase) -> None:
    with service_manager() as manager:
        other = str(os.getpid())
        with running_daemon(database.daemon_url, NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="30000", WATCHDOG_PID=other):
            manager.wait_for("READY=1")
        # Every 10 ms, if it were its own; without one, it is every 10 s.
        assert manager.messages().count("WATCHDOG=1") <= 2


@pytest.mark.lived_in_too
def test_the_daemon_reports_a_reload_at_its_start_and_its_end(database: TestDatabase, tmp_path: Path) -> None:
    env_file = tmp_path / "settings.env"
    env_file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=71\n")
    with service_manager() as manager:
        with running_daemon(
            database.daemon_url, NOTIFY_SOCKET=manager.path, PATTERN_SYNC_ENV_FILE=str(env_file)
        ) as daemon:
            manager.wait_for("READY=1")
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            daemon.send(signal.SIGHUP)
            manager.wait_for("READY=1", times=2)
            after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        told = manager.messages()
    reloading = next(text for text in told if text.startswith("RELOADING=1"))
    first, second = (number for number, text in enumerate(told) if text == "READY=1")
    assert first < told.index(reloading) < second
    assert before <= int(reloading.partition("MONOTONIC_USEC=")[2]) <= after


def test_a_reload_before_the_first_catch_up_is_part_of_the_start(database: TestDatabase) -> None:
    with service_manager() as manager, database.another_connection(autocommit=False) as blocker:
        blocker.execute("LOCK TABLE pattern_approvals IN ACCESS EXCLUSIVE MODE")
        with starting_daemon(database.daemon_url, NOTIFY_SOCKET=manager.path) as daemon:
            daemon.wait_for("filter.published")
            daemon.send(signal.SIGHUP)
            daemon.wait_for("settings.reloaded")
            assert "READY=1" not in manager.messages(), "the first catch-up is not done"
            blocker.rollback()
            manager.wait_for("READY=1")
            daemon.ready().stop()
        told = manager.messages()
    assert told.count("READY=1") == 1
    assert not [text for text in told if text.startswith("RELOADING=1")]


def test_a_reload_in_an_outage_ends_with_the_outage_and_hangs_no_service(
    database: TestDatabase, tmp_path: Path
) -> None:
    env_file = tmp_path / "settings.env"
    env_file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=71\n")
    with (
        service_manager() as manager,
        proxy_to(database.daemon_url) as (proxy, url),
        running_daemon(
            url, NOTIFY_SOCKET=manager.path, PATTERN_SYNC_ENV_FILE=str(env_file), WATCHDOG_USEC="600000"
        ) as daemon,
    ):
        proxy.refuse(refusing=True)
        proxy.cut()
        daemon.wait_for("listener.lost")
        env_file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=66\n")
        daemon.send(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        fed = manager.messages().count("WATCHDOG=1")
        manager.wait_for("WATCHDOG=1", times=fed + 10)
        assert httpx.get(f"{daemon.http_url}/livez").status_code == 200
        assert manager.messages().count("READY=1") == 1
        proxy.refuse(refusing=False)
        daemon.wait_for("settings.reloaded")
        manager.wait_for("READY=1", times=2)
        assert database.execute("SELECT min_confidence FROM pattern_sync.settings") == [{"min_confidence": 66}]


def test_an_abstract_name_and_a_dead_notify_socket_do_no_harm(database: TestDatabase) -> None:
    for name in ("@pattern-sync-test-of-nobody", "/nonexistent/socket"):
        with running_daemon(database.daemon_url, NOTIFY_SOCKET=name):
            pass
