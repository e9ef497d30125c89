"""The servers of the measurements, and a database for each measurement, fresh or lived-in."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.report import Machine
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer, PostgresBinaries, all_binaries
from tests.support import lived_in
from tests.support.application import APPLICATION_TABLES
from tests.support.lived_in import LivedInDatabase, Roles


class Database:
    """A database; `run` is autocommit, as a superuser. The daemon's URL, `daemon_url`, may have fewer rights."""

    def __init__(self, url: str, name: str, connection: psycopg.Connection, daemon_url: str | None = None) -> None:
        self.url = url
        self.daemon_url = daemon_url or url
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

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Run the body in one transaction, and roll it back."""
        with self._connection.transaction(force_rollback=True):
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the body in one transaction."""
        with self._connection.transaction():
            yield

    def announce(self, *, enabled: bool) -> None:
        """Switch our trigger on, as it was installed, or off."""
        self.run(
            "ALTER TABLE operation_patterns ENABLE ALWAYS TRIGGER pattern_sync_announce"
            if enabled
            else "ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce"
        )

    def settle(self) -> None:
        """Clean up after the loading, so that no vacuum or checkpoint runs during a measurement."""
        self.run("VACUUM ANALYZE")
        self.run("CHECKPOINT")


class Server:
    """A server; `log` is its log file, if that can be read from here."""

    def __init__(self, url: str, log: Path | None) -> None:
        self.url = url
        self.log = log
        self.admin = psycopg.connect(url, autocommit=True)
        self.major = self.admin.info.server_version // 10000
        self._numbers = itertools.count(1)

    def machine(self) -> Machine:
        row = self.admin.execute("SELECT current_setting('server_version'), current_setting('fsync')").fetchone()
        assert row is not None
        return Machine(str(row[0]), f"fsync {row[1]}")

    def url_of(self, database: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    @contextmanager
    def empty(self, template: str = "template0") -> Iterator[str]:
        """Create a database, and drop it at the end; yields its name."""
        name = f"pattern_sync_bench_{os.getpid()}_{next(self._numbers)}"
        self.admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        try:
            yield name
        finally:
            self.admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


class Venue:
    """A server, and the state of its databases: fresh, or (with a template) as after a year of use."""

    def __init__(self, server: Server, template: LivedInDatabase | None = None) -> None:
        self.server = server
        self._template = template

    @property
    def lived_in(self) -> bool:
        return self._template is not None

    def __str__(self) -> str:
        return f"{self.server.major} {'lived-in' if self.lived_in else 'fresh'}"

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Yield a migrated database."""
        template = self._template
        with self.server.empty("template0" if template is None else template.name) as name:
            url = self.server.url_of(name)
            if template is None:
                Installer(DatabaseAddress.parse(url)).migrate()
            with psycopg.connect(url, autocommit=True) as connection:
                daemon_url = None if template is None else LivedInDatabase(url, name, template.roles).daemon_url
                yield Database(url, name, connection, daemon_url)

    @contextmanager
    def application(self) -> Iterator[Database]:
        """Yield a database with the application's empty tables and nothing of ours."""
        with self.server.empty() as name:
            url = self.server.url_of(name)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(APPLICATION_TABLES.read_bytes())
                yield Database(url, name, connection)


@contextmanager
def open_servers() -> Iterator[list[Server]]:
    """Yield the server of BENCH_DATABASE_URL, else the lowest and the highest at hand, with fsync on."""
    if url := os.environ.get("BENCH_DATABASE_URL"):
        yield [Server(url, None)]
        return
    by_major = {binaries.major: binaries for binaries in reversed(all_binaries())}
    with ExitStack() as stack:
        yield [stack.enter_context(_embedded(by_major[major])) for major in sorted({min(by_major), max(by_major)})]


@contextmanager
def _embedded(binaries: PostgresBinaries) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="pattern-sync-bench-") as folder:
        Path(folder).chmod(0o755)
        state = Path(folder) / "server"
        with EmbeddedServer(state, durable=True, binaries=binaries) as embedded:
            server = Server(embedded.url, state / "postgres.log")
            try:
                yield server
            finally:
                server.admin.close()


@contextmanager
def venues(server: Server) -> Iterator[tuple[Venue, Venue]]:
    """Yield the fresh and the lived-in venue of a server."""
    with (
        Roles.created(server.admin, f"bench_{os.getpid()}") as roles,  # type: ignore[arg-type]
        server.empty() as name,
    ):
        server.admin.execute(f'ALTER DATABASE "{name}" OWNER TO {roles.owner}'.encode())
        template = LivedInDatabase(server.url_of(name), name, roles)
        lived_in.fill(template)
        yield Venue(server), Venue(server, template)
