"""The health check of a container, against real daemons."""

import socket
import subprocess
import sys
from pathlib import Path

from tests.support.command import environment
from tests.support.daemon import DaemonProcess, running_daemon, starting_daemon
from tests.support.database import TestDatabase

PROBE = Path(__file__).parents[2] / "containers" / "probe.py"


def probe(path: str, port: object) -> tuple[int, str]:
    settings = environment(PATTERN_SYNC_HTTP_HOST="0.0.0.0", PATTERN_SYNC_HTTP_PORT=str(port))
    done = subprocess.run([sys.executable, "-IS", PROBE, path], env=settings, capture_output=True, check=False)
    assert done.stderr == b""
    return done.returncode, done.stdout.decode().strip()


def port_of(daemon: DaemonProcess) -> str:
    return daemon.http_url.rpartition(":")[2]


def test_the_probe_prints_what_a_daemon_answers(database: TestDatabase) -> None:
    with running_daemon(database.url) as daemon:
        for path in ("/livez", "/readyz"):
            assert probe(path, port_of(daemon)) == (0, '{"status":"ok","reasons":[]}')


def test_a_daemon_without_its_database_is_alive_and_not_ready() -> None:
    with starting_daemon("postgresql://127.0.0.1:1/nothing") as daemon:
        assert probe("/livez", port_of(daemon))[0] == 0
        code, answer = probe("/readyz", port_of(daemon))
    assert code == 1
    assert '"status":"unavailable"' in answer


def test_a_port_where_nobody_answers_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert probe("/livez", port) == (1, f"No answer on port {port}: Connection refused.")
