"""The daemon's messages to systemd, on a real datagram socket."""

import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from pattern_sync.services.timings import Timings
from tests.support.command import run_command
from tests.support.daemon import running_daemon, starting_daemon
from tests.support.database import TestDatabase
from tests.support.manager import service_manager
from tests.support.proxy import proxy_to
from tests.support.waiting import eventually


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


def test_an_outage_at_the_start_is_reported_and_does_not_hold_the_start_up_for_ever(database: TestDatabase) -> None:
    with service_manager() as manager, proxy_to(database.daemon_url) as (proxy, url):
        proxy.refuse(refusing=True)
        begun = time.monotonic()
        with starting_daemon(
            url, timings=Timings(start_outage_seconds=1.0), NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="1500000"
        ) as daemon:
            assert "127.0.0.1" in manager.wait_for("STATUS=waiting for the database"), "the host is named"
            manager.wait_for("READY=1")
            assert manager.times_of("READY=1")[0] - begun > 1.0
            daemon.wait_for("daemon.waiting")
            assert httpx.get(f"{daemon.http_url}/readyz").status_code == 503, "the outage is no secret"
            fed = len(manager.times_of("WATCHDOG=1"))
            manager.wait_for("WATCHDOG=1", times=fed + 2)
            assert not daemon.lines("daemon.ready")
            proxy.refuse(refusing=False)
            daemon.ready()
            assert manager.wait_for("STATUS=listening")
        told = manager.messages()
    assert told.count("READY=1") == 1


def test_a_start_that_takes_long_feeds_the_watchdog_and_asks_for_time(database: TestDatabase) -> None:
    with service_manager() as manager, database.another_connection(autocommit=False) as blocker:
        blocker.execute("LOCK TABLE pattern_approvals IN ACCESS EXCLUSIVE MODE")
        with starting_daemon(database.daemon_url, NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="1500000"):
            manager.wait_for("WATCHDOG=1", times=4)
            manager.wait_for("EXTEND_TIMEOUT_USEC=30000000", times=4)
            assert "READY=1" not in manager.messages()
            blocker.rollback()
            manager.wait_for("READY=1")
            fed = len(manager.times_of("WATCHDOG=1"))
            asked = manager.messages().count("EXTEND_TIMEOUT_USEC=30000000")
            manager.wait_for("WATCHDOG=1", times=fed + 3)
            assert manager.messages().count("EXTEND_TIMEOUT_USEC=30000000") <= asked + 1


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


def test_a_reload_in_an_outage_does_not_wait_for_the_database_and_takes_effect_when_it_is_back(
    database: TestDatabase, tmp_path: Path
) -> None:
    env_file = tmp_path / "settings.env"
    env_file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=71\n")
    with (
        service_manager() as manager,
        proxy_to(database.daemon_url) as (proxy, url),
        running_daemon(url, NOTIFY_SOCKET=manager.path, PATTERN_SYNC_ENV_FILE=str(env_file)) as daemon,
    ):
        proxy.refuse(refusing=True)
        proxy.cut()
        daemon.wait_for("database.lost")
        env_file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=66\n")
        daemon.send(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        manager.wait_for("READY=1", times=2)
        assert "66 %" in daemon.wait_for("settings.deferred")["filter"]
        assert "the new filter waits for the database" in manager.messages_of("STATUS=")[-1]
        assert httpx.get(f"{daemon.http_url}/livez").status_code == 200
        proxy.refuse(refusing=False)
        assert daemon.wait_for("settings.reloaded")["changed"] is True
        assert database.execute("SELECT min_confidence FROM pattern_sync.settings") == [{"min_confidence": 66}]
        eventually(lambda: "waits" not in manager.messages_of("STATUS=")[-1])


def test_a_refused_reload_is_in_the_status_line(database: TestDatabase, tmp_path: Path) -> None:
    env_file = tmp_path / "settings.env"
    env_file.write_text("PATTERN_SYNC_INTERVAL=3600\n")
    with (
        service_manager() as manager,
        running_daemon(database.daemon_url, NOTIFY_SOCKET=manager.path, PATTERN_SYNC_ENV_FILE=str(env_file)) as daemon,
    ):
        env_file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=abc\n")
        daemon.send(signal.SIGHUP)
        manager.wait_for("READY=1", times=2)
        assert "PATTERN_SYNC_MIN_CONFIDENCE is 'abc'" in manager.messages_of("STATUS=")[-1]
        env_file.write_text("PATTERN_SYNC_INTERVAL=60\n")
        daemon.send(signal.SIGHUP)
        assert "PATTERN_SYNC_INTERVAL" in daemon.wait_for("settings.unread")["reason"]
        manager.wait_for("READY=1", times=3)
        assert "refused" not in manager.messages_of("STATUS=")[-1]


def test_an_abstract_name_and_a_dead_notify_socket_do_no_harm(database: TestDatabase) -> None:
    for name in ("@pattern-sync-test-of-nobody", "/nonexistent/socket"):
        with running_daemon(database.daemon_url, NOTIFY_SOCKET=name):
            pass


@pytest.mark.parametrize(
    ("settings", "code", "complaint"),
    [
        ({}, 0, ""),
        ({"PATTERN_SYNC_INTERVAL": "0"}, 2, "PATTERN_SYNC_INTERVAL is '0'"),
        ({"PATTERN_SYNC_HTTP_HOST": "0.0.0.0"}, 2, "there is no API token"),
        ({"PATTERN_SYNC_DATABASE_URL": "mysql://a/b"}, 2, "cannot be parsed"),
        ({"PATTERN_SYNC_METRICS_TOKEN_FILE": "/nonexistent"}, 2, "PATTERN_SYNC_METRICS_TOKEN_FILE, '/nonexistent',"),
    ],
)
def test_a_check_of_the_settings_starts_nothing(settings: dict[str, str], code: int, complaint: str) -> None:
    nowhere = {"PATTERN_SYNC_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}
    done = run_command("run", "--check", environ={**nowhere, **settings})
    assert (done.code, done.out) == (code, "")
    assert complaint in done.err
