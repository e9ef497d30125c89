"""A transaction-mode PgBouncer before a test's database."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.support.waiting import eventually

_SETTINGS = """
[databases]
{name} = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
ignore_startup_parameters = {ignored}
"""


@contextmanager
def pooler_to(url: str, *, connections: int = 20, ignored: str = "") -> Iterator[str]:
    """Yield the URL that leads through a pooler with so many connections to the server; skip where there is none."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("there is no pgbouncer")
    with psycopg.connect(url) as connection, socket.create_server(("127.0.0.1", 0)) as free:
        info, own_port = connection.info, int(free.getsockname()[1])
        user, name = info.user, info.dbname
        server = {"host": info.host, "port": info.port, "user": user, "password": info.password}
    with tempfile.TemporaryDirectory(prefix="pattern-sync-pooler-") as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "pgbouncer.ini"
        text = _SETTINGS.format(name=name, own_port=own_port, connections=connections, ignored=ignored, **server)
        file.write_text(text)
        account = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        process = subprocess.Popen([program, "--quiet", str(file)], stderr=subprocess.DEVNULL, user=account)
        through = f"127.0.0.1:{own_port}"
        try:
            eventually(lambda: _answers(own_port), what="the pooler")
            yield urlunsplit(urlsplit(url)._replace(netloc=f"{user}@{through}", query="sslmode=disable"))
        finally:
            process.terminate()
            process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
