"""The server for the tests, and a fresh database for each of them."""

import gc
import itertools
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from docker.errors import DockerException
from psycopg.rows import dict_row
from testcontainers.community.postgres import PostgresContainer

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.embedded import EmbeddedServer
from pattern_sync.database.installer import Installer
from tests.support.database import TestDatabase

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """Return a server: TEST_DATABASE_URL, else a container where an engine answers, else the embedded one."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    with _container_or_embedded() as url:
        yield url


@contextmanager
def _container_or_embedded() -> Iterator[str]:
    container = _container()
    if container is None:
        with embedded_server() as server:
            yield server.url
        return
    try:
        yield container.get_connection_url()
    finally:
        container.stop()


def _container() -> PostgresContainer | None:
    try:
        return PostgresContainer("postgres:16-alpine", driver=None).start()
    except DockerException:
        pass
    # Without an engine the client library forgets to close its socket.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return None


@contextmanager
def embedded_server() -> Iterator[EmbeddedServer]:
    """Yield a server of our own, in memory where there is room: nothing of it has to outlive the tests."""
    shared_memory = Path("/dev/shm")
    base = shared_memory if shared_memory.is_dir() and os.access(shared_memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="pattern-sync-test-", dir=base) as folder:
        Path(folder).chmod(0o755)
        with EmbeddedServer(Path(folder) / "server", durable=False) as server:
            yield server


@pytest.fixture(scope="session")
def admin(server_url: str) -> Iterator["psycopg.Connection[dict[str, object]]"]:
    with psycopg.connect(server_url, autocommit=True, row_factory=dict_row) as connection:
        yield connection


@pytest.fixture(scope="session")
def template(server_url: str, admin: "psycopg.Connection[dict[str, object]]") -> Iterator[str]:
    """Return the name of a migrated database, to be cloned."""
    with fresh_database(server_url, admin, "template") as database:
        Installer(DatabaseAddress.parse(database.url)).migrate()
        yield database.name


@pytest.fixture
def database(server_url: str, admin: "psycopg.Connection[dict[str, object]]", template: str) -> Iterator[TestDatabase]:
    """Return a migrated database of its own for one test."""
    with fresh_database(server_url, admin, template) as database, database.connect():
        yield database


@pytest.fixture
def empty_database(server_url: str, admin: "psycopg.Connection[dict[str, object]]") -> Iterator[TestDatabase]:
    """Return a database without anything in it."""
    with fresh_database(server_url, admin, None) as database, database.connect():
        yield database


@contextmanager
def fresh_database(
    server_url: str, admin: "psycopg.Connection[dict[str, object]]", template: str | None
) -> Iterator[TestDatabase]:
    """Create a database, cloned from the template or empty, and drop it at the end."""
    name = f"pattern_sync_test_{os.getpid()}_{next(_numbers)}"
    source = template if template and template.startswith("pattern_sync_test") else "template0"
    admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"'.encode())
    try:
        yield TestDatabase.named(server_url, name)
    finally:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
