"""Stopping and reloading a real daemon."""

import random
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.daemon import DaemonProcess, running_daemon, starting_daemon
from tests.support.database import TestDatabase
from tests.support.proxy import proxy_to
from tests.support.waiting import QUICK_STOP_SECONDS, eventually, show

ESTABLISHED = "01"  # as /proc/net/tcp has it


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_leaves_no_session_behind(database: TestDatabase, number: signal.Signals) -> None:
    with running_daemon(database.url) as daemon:
        daemon.stop(number)
    assert [line["event"] for line in daemon.lines()][-2:] == ["daemon.stopping", "daemon.stopped"]
    sessions = "SELECT 1 FROM pg_stat_activity WHERE application_name ~ '^pattern-sync' AND datname = %s"
    eventually(lambda: not database.execute(sessions, database.name))


def test_a_stop_finishes_the_announced_patterns(database: TestDatabase) -> None:
    with running_daemon(database.url) as daemon, database.another_connection(autocommit=False) as blocker:
        # While the table is locked, marked patterns pile up.
        blocker.execute("LOCK TABLE pattern_approvals IN SHARE MODE")
        for number in range(20):
            database.add_pattern(f"announced:{number}")
        # Notifications keep their order: once this one has arrived, so have the others.
        database.execute("SELECT pg_notify('pattern_sync', 'fence')")
        daemon.wait_for("notification.ignored")
        daemon.send(signal.SIGTERM)
        daemon.wait_for("daemon.stopping")
        assert not database.queue()
        blocker.rollback()
        assert daemon.exit_code() == 0
    assert len(database.queue()) == 20
    assert not daemon.lines("daemon.unfinished")


def test_a_stop_that_cannot_finish_logs_the_rest_and_the_next_start_queues_it(database: TestDatabase) -> None:
    with database.another_connection(autocommit=False) as blocker:
        with running_daemon(database.url, PATTERN_SYNC_DRAIN_SECONDS="0.5") as daemon:
            blocker.execute("LOCK TABLE pattern_approvals IN SHARE MODE")
            database.add_pattern("left")
            database.execute("SELECT pg_notify('pattern_sync', 'fence')")
            daemon.wait_for("notification.ignored")
            begun = time.monotonic()
            daemon.stop()
            assert time.monotonic() - begun < 15
            assert daemon.lines("daemon.unfinished")
        blocker.rollback()
    assert database.entry("left") is None
    with running_daemon(database.url):
        assert database.entry("left") is not None


def test_a_stop_at_any_moment_is_orderly(database: TestDatabase) -> None:
    chance = random.Random(7)
    delays = [chance.uniform(0, 1.5) for _ in range(8)]
    for delay in delays:
        with starting_daemon(database.url, fresh=True) as daemon:
            time.sleep(delay)  # the moment varies
            daemon.send(signal.SIGTERM)
            code = daemon.exit_code()
            # Python has to load the program before our handlers can be in place.
            assert code == 0 or (code == -signal.SIGTERM and not daemon.text), (delay, daemon.text)
            assert "Traceback" not in daemon.text
            assert '"exception"' not in daemon.text
    with starting_daemon(database.url) as daemon:
        daemon.wait_for("http.serving")
        daemon.stop()


def test_a_second_stop_while_the_first_drains_changes_nothing(database: TestDatabase) -> None:
    with running_daemon(database.url) as daemon, database.another_connection(autocommit=False) as blocker:
        blocker.execute("LOCK TABLE pattern_approvals IN SHARE MODE")
        database.add_pattern("announced")
        database.execute("SELECT pg_notify('pattern_sync', 'fence')")
        daemon.wait_for("notification.ignored")
        daemon.send(signal.SIGTERM)
        daemon.wait_for("daemon.stopping")
        daemon.send(signal.SIGTERM)
        daemon.send(signal.SIGINT)
        blocker.rollback()
        assert daemon.exit_code() == 0
    assert database.queue() == {"announced"}


@contextmanager
def mute_server() -> Iterator[str]:
    """Yield the URL of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql://nobody:x@127.0.0.1:{listener.getsockname()[1]}/x?sslmode=disable"


def connects(url: str) -> int:
    """Return how many connections to a port of this machine are open."""
    port = f":{urlsplit(url).port:04X}"
    lines = Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]
    return sum(line.split()[2].endswith(port) and line.split()[3] == ESTABLISHED for line in lines)


def seconds_to_stop(daemon: DaemonProcess) -> float:
    begun = time.monotonic()
    daemon.stop()
    took = time.monotonic() - begun
    show(f"stopped in {took:.2f} s")
    return took


@pytest.mark.timing
def test_a_stop_does_not_wait_for_the_first_connect_that_hangs() -> None:
    with mute_server() as url, starting_daemon(url) as daemon:
        address = urlsplit(daemon.http_url)
        with socket.create_connection((address.hostname, address.port)) as reader:
            reader.sendall(b"GET /api/v1/patterns/statistics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            eventually(lambda: connects(url) >= 2, what="a connect for the start, and one for the reader")
            assert seconds_to_stop(daemon) < QUICK_STOP_SECONDS


@pytest.mark.timing
@pytest.mark.parametrize("is_noticed", [False, True], ids=["not yet noticed", "noticed"])
def test_a_stop_does_not_wait_for_later_connects_that_hang(database: TestDatabase, *, is_noticed: bool) -> None:
    with mute_server() as mute, proxy_to(database.url) as (proxy, url), running_daemon(url) as daemon:
        proxy.divert(urlsplit(mute).port or 0)
        proxy.cut()
        daemon.wait_for("listener.lost")
        if is_noticed:
            daemon.wait_for("database.lost")
        assert seconds_to_stop(daemon) < QUICK_STOP_SECONDS


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    file = tmp_path / "settings.env"
    file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=90\n")
    return file


def test_a_reload_puts_the_new_filter_in_force_and_catches_up_under_it(database: TestDatabase, env_file: Path) -> None:
    with running_daemon(database.url, PATTERN_SYNC_ENV_FILE=str(env_file)) as daemon:
        database.add_pattern("sure", confidence_score=95)
        database.add_pattern("less sure", confidence_score=65)
        eventually(lambda: database.queue() == {"sure"})
        env_file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=60\nPATTERN_SYNC_EXCLUDE_TYPES=docs, fix\n")
        daemon.send(signal.SIGHUP)
        eventually(lambda: database.queue() == {"sure", "less sure"})
        in_force = database.execute("SELECT min_confidence, exclude_types FROM pattern_sync.settings")[0]
        assert in_force == {"min_confidence": 60, "exclude_types": ["docs", "fix"]}
        assert daemon.wait_for("settings.reloaded")["changed"] is True
        # The trigger notifies by the new filter, too: neither a sweep nor a reload queues this one.
        database.add_pattern("another", confidence_score=61)
        assert eventually(lambda: database.entry("another")) < 3
        database.add_pattern("excluded", pattern_type="docs")
        database.add_pattern("last")
        eventually(lambda: database.entry("last"))
        assert database.entry("excluded") is None


def test_a_reload_reaches_every_daemon(database: TestDatabase, env_file: Path) -> None:
    with (
        running_daemon(database.url, PATTERN_SYNC_ENV_FILE=str(env_file)) as first,
        running_daemon(database.url, PATTERN_SYNC_ENV_FILE=str(env_file)) as second,
    ):
        env_file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=55\n")
        first.send(signal.SIGHUP)
        first.wait_for("settings.reloaded")
        assert "55 %" in second.wait_for("filter.published", times=2)["filter"]


@pytest.mark.parametrize(
    ("nonsense", "named"),
    [
        ("PATTERN_SYNC_MIN_CONFIDENCE=1000\n", "PATTERN_SYNC_MIN_CONFIDENCE is 1000"),
        ("PATTERN_SYNC_MIN_CONFIDENC=50\n", "Did you mean PATTERN_SYNC_MIN_CONFIDENCE"),
        (None, "no such file"),
    ],
)
def test_a_reload_with_invalid_settings_changes_nothing(
    database: TestDatabase, env_file: Path, nonsense: str | None, named: str
) -> None:
    with running_daemon(database.url, PATTERN_SYNC_ENV_FILE=str(env_file)) as daemon:
        before = database.execute("SELECT * FROM pattern_sync.settings")
        if nonsense is None:
            env_file.unlink()
        else:
            env_file.write_text(nonsense)
        daemon.send(signal.SIGHUP)
        refusal = daemon.wait_for("settings.refused")
        assert named in refusal["reason"]
        assert refusal["level"] == "error"
        database.add_pattern("sure", confidence_score=95)
        eventually(lambda: database.entry("sure"))
        assert database.execute("SELECT * FROM pattern_sync.settings") == before
