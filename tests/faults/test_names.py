"""The server's name cannot be resolved for a while: the daemon waits, resolves it anew, and can be stopped meanwhile."""

import os
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
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a process its own /etc/hosts"),
    pytest.mark.slow,
]


def own_hosts(hosts: Path) -> list[str]:
    """Return a command that runs another one with this file as /etc/hosts."""
    command = ["unshare", "--mount", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh"]
    probe = subprocess.run([*command, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"a process cannot be given its own /etc/hosts here: {probe.stderr.decode().strip()}")
    return command


def test_a_name_that_cannot_be_resolved_is_waited_for(database: TestDatabase, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    known, unknown = f"127.0.0.1 localhost {NAME}\n", "127.0.0.1 localhost\n"
    hosts.write_text(known)
    with proxy_to(database.url) as (proxy, _):
        url = with_address(database.url, f"{NAME}:{proxy.port}")
        with starting_daemon(url, under=own_hosts(hosts)) as daemon:
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
            hosts.write_text(unknown)
            proxy.cut()
            daemon.wait_for("database.lost", times=2)
            begun = time.monotonic()
            daemon.stop()
            took = time.monotonic() - begun
            show(f"stopped in {took:.1f} s while the name could not be resolved")
            assert took < STOP_SECONDS
