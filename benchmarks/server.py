"""The server that everything is measured on, and a fresh database for each measurement."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.report import Machine
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.embedded import EmbeddedServer
from pattern_sync.database.installer import Installer


class Database:
    """A migrated database; `run` is autocommit."""

    def __init__(self, url: str, name: str, connection: psycopg.Connection) -> None:
        self.url = url
        self.name = name
        self._connection = connection

    def run(self, sql: LiteralString, *arguments: object) -> None:
        self._connection.execute(sql, arguments or None)

    def value(self, sql: LiteralString, *arguments: object) -> float:
        row = self._connection.execute(sql, arguments or None).fetchone()
        assert row is not None
        return float(row[0])

    def values(self, sql: LiteralString) -> list[float]:
        return [float(row[0]) for row in self._connection.execute(sql).fetchall()]

    def announce(self, *, enabled: bool) -> None:
        """Switch our trigger on or off."""
        self.run(
            "ALTER TABLE operation_patterns ENABLE TRIGGER pattern_sync_announce"
            if enabled
            else "ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce"
        )

    def settle(self) -> None:
        """Leave nothing of what was loaded to be cleaned up while something is measured."""
        self.run("VACUUM ANALYZE")
        self.run("CHECKPOINT")


class Server:
    """A server; `log` is where it logs, if that can be read from here."""

    def __init__(self, url: str, log: Path | None) -> None:
        self._url = url
        self.log = log
        self.admin = psycopg.connect(url, autocommit=True)
        self._numbers = itertools.count(1)

    def machine(self) -> Machine:
        row = self.admin.execute("SELECT current_setting('server_version'), current_setting('fsync')").fetchone()
        assert row is not None
        return Machine(str(row[0]), f"fsync {row[1]}")

    @contextmanager
    def database(self) -> Iterator[Database]:
        name = f"pattern_sync_bench_{os.getpid()}_{next(self._numbers)}"
        self.admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
        try:
            url = urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))
            Installer(DatabaseAddress.parse(url)).migrate()
            with psycopg.connect(url, autocommit=True) as connection:
                yield Database(url, name, connection)
        finally:
            self.admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextmanager
def open_server() -> Iterator[Server]:
    """Yield the server of BENCH_DATABASE_URL, else an embedded one that fsyncs like a real one."""
    if url := os.environ.get("BENCH_DATABASE_URL"):
        yield Server(url, None)
        return
    with tempfile.TemporaryDirectory(prefix="pattern-sync-bench-") as folder:
        Path(folder).chmod(0o755)
        state = Path(folder) / "server"
        with EmbeddedServer(state, durable=True) as embedded:
            server = Server(embedded.url, state / "postgres.log")
            try:
                yield server
            finally:
                server.admin.close()
