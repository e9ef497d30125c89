"""The server's name cannot be resolved for a while: the daemon waits, resolves it anew, and can be stopped."""

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.daemon import starting_daemon
from tests.support.database import TestDatabase
from tests.support.proxy import proxy_to, with_address
from tests.support.waiting import eventually, show

NAME = "database.test"
STOP_SECONDS = 3.0

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a process its own names"),
    pytest.mark.slow,
]


def own_names(folder: Path) -> list[str]:
    """Return a command that runs another one with this folder's `hosts` and `resolv.conf` in place of those in /etc."""
    mount = f"mount --bind {folder}/hosts /etc/hosts && mount --bind {folder}/resolv.conf /etc/resolv.conf"
    command = ["unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh"]
    probe = subprocess.run([*command, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"a process cannot be given its own names here: {probe.stderr.decode().strip()}")
    return command


def test_a_name_that_cannot_be_resolved_is_waited_for(database: TestDatabase, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    (tmp_path / "resolv.conf").write_text("")
    known, unknown = f"127.0.0.1 localhost {NAME}\n", "127.0.0.1 localhost\n"
    hosts.write_text(known)
    with proxy_to(database.url) as (proxy, _):
        url = with_address(database.url, f"{NAME}:{proxy.port}")
        with starting_daemon(url, under=own_names(tmp_path)) as daemon:
            daemon.ready()
            hosts.write_text(unknown)
            proxy.cut()
            lost = daemon.wait_for("database.lost")
            assert NAME in lost["reason"]
            database.add_pattern("meanwhile")
            hosts.write_text(known)
            took = eventually(lambda: database.entry("meanwhile"))
            show(f"queued {took:.1f} s after the name could be resolved again")
            daemon.wait_for("database.back")


def test_a_stop_does_not_wait_for_a_name_server_that_never_answers(database: TestDatabase, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.2\noptions timeout:20 attempts:1\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.2", 53))
        url = with_address(database.url, f"{NAME}:5432")
        with starting_daemon(url, under=own_names(tmp_path)) as daemon:
            daemon.wait_for("http.serving")
            silent.settimeout(10)
            silent.recv(512)
            begun = time.monotonic()
            daemon.stop()
            took = time.monotonic() - begun
            show(f"stopped in {took:.1f} s while a name server did not answer")
            assert took < STOP_SECONDS
