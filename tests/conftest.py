"""The server for the tests, and a database for each of them."""

import gc
import itertools
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import hypothesis
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer
from tests.support import lived_in
from tests.support.database import TestDatabase
from tests.support.folders import open_folder
from tests.support.lived_in import LivedInDatabase, Roles

if TYPE_CHECKING:
    from testcontainers.community.postgres import PostgresContainer

# The machine may be busy: how long an example takes is no property of what is tested.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

_numbers = itertools.count(1)
_SLOWEST_FIRST = {
    folder: rank for rank, folder in enumerate(("web", "faults", "process", "properties", "integration", "unit"))
}


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


def _container() -> "PostgresContainer | None":
    # Imported here, as most runs need no container and every one would wait for the import.
    from docker.errors import DockerException  # noqa: PLC0415
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415

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
    """Yield a server of our own: nothing of it has to outlive the tests."""
    with open_folder() as folder, EmbeddedServer(folder / "server", durable=False) as server:
        with psycopg.connect(server.url, autocommit=True) as session:
            if session.info.server_version >= 160_000:
                _hash_passwords_once(session)
        yield server


def _hash_passwords_once(session: psycopg.Connection) -> None:
    """Make a login ten times as fast: there are thousands of them, and these passwords guard nothing."""
    for scope in ("ALTER SYSTEM SET", "SET"):
        session.execute(f"{scope} scram_iterations = 1".encode())
    session.execute("SELECT pg_reload_conf()")
    session.execute(sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(session.info.password))


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


@pytest.fixture(scope="session")
def roles(admin: "psycopg.Connection[dict[str, object]]") -> Iterator[Roles]:
    """Return the owner and the daemon's role of every lived-in database."""
    with Roles.created(admin, f"pattern_sync_test_{os.getpid()}") as roles:
        yield roles


@pytest.fixture(scope="session")
def lived_in_template(
    server_url: str, admin: "psycopg.Connection[dict[str, object]]", roles: Roles
) -> Iterator[LivedInDatabase]:
    """Return a database as after a year of use, to be cloned."""
    with fresh_database(server_url, admin, None, owner=roles.owner) as empty:
        database = LivedInDatabase(empty.url, empty.name, roles)
        lived_in.fill(database)
        yield database


@pytest.fixture(scope="session")
def purged_template(
    server_url: str, admin: "psycopg.Connection[dict[str, object]]", lived_in_template: LivedInDatabase
) -> Iterator[LivedInDatabase]:
    """Return the same after a purge: the application's rows are gone, their statistics and all else are left."""
    with cloned(server_url, admin, lived_in_template) as database:
        lived_in.purge(database)
        yield database


@pytest.fixture(name="lived_in")
def lived_in_database(
    server_url: str, admin: "psycopg.Connection[dict[str, object]]", lived_in_template: LivedInDatabase
) -> Iterator[LivedInDatabase]:
    """Return a database of its own for one test, as after a year of use; see tests/support/lived_in.py."""
    with cloned(server_url, admin, lived_in_template) as database, database.connect():
        yield database


def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for `--numprocesses auto`: most tests wait, so two per core."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(tryfirst=True)  # xdist looks for the groups afterwards
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a fixture of their file on one worker, and start with the slowest."""
    for item in items:
        if _shares_with_its_file(item):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, int]:
    return item.get_closest_marker("xdist_group") is None, _SLOWEST_FIRST.get(item.path.parent.name, 0)


def _shares_with_its_file(item: pytest.Item) -> bool:
    fixtures: Mapping[str, Sequence[pytest.FixtureDef[object]]] = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]  # noqa: SLF001 - no public way
    return any(definitions[-1].scope == "module" for definitions in fixtures.values())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that is marked `lived_in_too` on a fresh `database` and on a lived-in one."""
    if "database" in metafunc.fixturenames and metafunc.definition.get_closest_marker("lived_in_too"):
        metafunc.parametrize("database", ["fresh", "lived-in"], indirect=True)


@pytest.fixture
def database(
    request: pytest.FixtureRequest, server_url: str, admin: "psycopg.Connection[dict[str, object]]"
) -> Iterator[TestDatabase]:
    """Return a migrated database for one test, without patterns; fresh unless its parameter is "lived-in"."""
    opened: AbstractContextManager[TestDatabase]
    if getattr(request, "param", "fresh") == "lived-in":
        opened = cloned(server_url, admin, request.getfixturevalue("purged_template"))
    else:
        opened = fresh_database(server_url, admin, request.getfixturevalue("template"))
    with opened as database, database.connect():
        yield database


@pytest.fixture
def empty_database(server_url: str, admin: "psycopg.Connection[dict[str, object]]") -> Iterator[TestDatabase]:
    """Return an empty database."""
    with fresh_database(server_url, admin, None) as database, database.connect():
        yield database


@contextmanager
def fresh_database(
    server_url: str, admin: "psycopg.Connection[dict[str, object]]", template: str | None, *, owner: str | None = None
) -> Iterator[TestDatabase]:
    """Create a database, cloned from the template or empty, and drop it at the end."""
    name = f"pattern_sync_test_{os.getpid()}_{next(_numbers)}"
    source = template if template and template.startswith("pattern_sync_test") else "template0"
    # File by file: copying block by block through the WAL takes several times as long for a large database.
    by_file = " STRATEGY file_copy" if admin.info.server_version >= 150_000 else ""
    owned = f' OWNER "{owner}"' if owner else ""
    admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"{owned}{by_file}'.encode())
    try:
        yield TestDatabase.named(server_url, name)
    finally:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextmanager
def cloned(
    server_url: str, admin: "psycopg.Connection[dict[str, object]]", template: LivedInDatabase
) -> Iterator[LivedInDatabase]:
    """Create a copy of a lived-in database, and drop it at the end."""
    with fresh_database(server_url, admin, template.name, owner=template.roles.owner) as copy:
        yield LivedInDatabase(copy.url, copy.name, template.roles)
