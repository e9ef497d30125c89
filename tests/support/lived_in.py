"""A database as after a year of use: an application's own, full, analysed, altered, with two roles of few rights.

A template is built once for each server, in about three seconds; a test gets a clone of it, in a tenth of one.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.rows import DictRow, dict_row

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from tests.support.application import APPLICATION_TABLES
from tests.support.database import TestDatabase

GRANTS = Path(__file__).parents[2] / "docs" / "operate.md"
PATTERNS, ENTRIES, OCCURRENCES = 20_000, 5_000, 200_000
# By the default filter; 250 of them have an entry, 100 of these a pending one, and of these 10 with old figures.
QUALIFYING, ENTERED, PENDING, STALE = 400, 250, 100, 10
_DATA = Path(__file__).with_name("lived_in_data.sql")
_AGE = Path(__file__).with_name("lived_in_age.sql")
# What a purge leaves behind: the statistics and the space of deleted rows.
_PURGED = (
    "pattern_confidence_history",
    "pattern_executions",
    "pattern_review_history",
    "pattern_approvals",
    "pattern_occurrences",
    "operation_patterns",
    "audit_log",
)
_PASSWORD = "throw-away"


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of one application: the owner of its tables and the daemon's. Both log in with a password."""

    owner: str
    daemon: str

    @classmethod
    @contextmanager
    def created(cls, admin: "psycopg.Connection[dict[str, object]]", prefix: str) -> Iterator["Roles"]:
        """Create them; at the end they must own nothing."""
        roles = cls(f"{prefix}_owner", f"{prefix}_daemon")
        for role in (roles.owner, roles.daemon):
            admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{_PASSWORD}'".encode())
        try:
            yield roles
        finally:
            for role in (roles.owner, roles.daemon):
                admin.execute(f"DROP ROLE {role}".encode())


class LivedInDatabase(TestDatabase):
    """`url` is a superuser's, for the parts of detector and person; `daemon_url` has the documented rights."""

    def __init__(self, url: str, name: str, roles: Roles) -> None:
        super().__init__(url, name)
        self.roles = roles

    @property
    def daemon_url(self) -> str:
        return url_of(self.url, self.roles.daemon)

    @property
    def owner_url(self) -> str:
        return url_of(self.url, self.roles.owner)


def url_of(url: str, role: str) -> str:
    """Return the URL with which one of the roles logs in."""
    parts = urlsplit(url)
    # A file with the superuser's password is of no use to it.
    query = "&".join(each for each in parts.query.split("&") if each and not each.startswith("passfile="))
    return urlunsplit(parts._replace(netloc=f"{role}:{_PASSWORD}@{parts.netloc.rpartition('@')[2]}", query=query))


def documented_rights(document: Path = GRANTS) -> Sequence[str]:
    """Return the documented grants of the daemon's role: the text between GRANT and TO."""
    (block,) = re.findall(r"```sql\n((?:\s*GRANT .*\n)+)\s*```", document.read_text(encoding="utf-8"))
    return re.findall(r"GRANT (.+) TO pattern_sync_daemon;", block)


def fill(database: LivedInDatabase) -> None:
    """Fill the owner's empty database as after a year of use, with Pattern Sync installed by the owner."""

    def install() -> None:
        Installer(DatabaseAddress.parse(database.owner_url)).migrate()

    fill_around(database, install, documented_rights())


def fill_around(database: LivedInDatabase, install: Callable[[], object], rights: Sequence[str]) -> None:
    """Do the same with another installation, and other rights of the daemon's role."""
    with _maintenance(database) as session:
        session.execute(f"SET ROLE {database.roles.owner}".encode())
        session.execute(APPLICATION_TABLES.read_bytes())
        session.execute(b"RESET ROLE")
        with _bulk_load(session, database.roles):
            session.execute(_DATA.read_bytes())
        session.execute(b"ANALYZE")
        install()
        for right in rights:
            session.execute(f"GRANT {right} TO {database.roles.daemon}".encode())
        session.execute(b"VACUUM (ANALYZE)")
        with _bulk_load(session, database.roles):
            session.execute(_AGE.read_bytes())


def purge(database: LivedInDatabase) -> None:
    """Delete the application's rows; their statistics stay behind."""
    with _maintenance(database) as session, session.transaction():
        session.execute(b"SET LOCAL session_replication_role = replica")
        for table in _PURGED:
            session.execute(f"DELETE FROM {table}".encode())


@contextmanager
def _maintenance(database: TestDatabase) -> Iterator["psycopg.Connection[DictRow]"]:
    with psycopg.connect(database.url, autocommit=True, row_factory=dict_row) as session:
        yield session


@contextmanager
def _bulk_load(session: "psycopg.Connection[DictRow]", roles: Roles) -> Iterator[None]:
    """Let the owner write at full speed: without foreign keys and triggers."""
    session.execute(b"SET session_replication_role = replica")
    session.execute(f"SET ROLE {roles.owner}".encode())
    yield
    session.execute(b"RESET ROLE")
    session.execute(b"RESET session_replication_role")
