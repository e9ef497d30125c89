"""What the checks examine: this machine's settings, the hosts of the URL, and a session that only reads."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pattern_sync.config import Settings
from pattern_sync.database.address import DatabaseAddress, Host
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.rows import Row
from pattern_sync.database.survey import OwnSchema
from pattern_sync.doctor.check import SUPERUSER
from pattern_sync.domain.errors import DatabaseError, DatabaseUnavailable

URL_VARIABLE = "PATTERN_SYNC_DATABASE_URL"
RELOAD = "SELECT pg_reload_conf();"
NOT_INSTALLED = "the schema pattern_sync is not installed, or has no tables"
NOT_REACHED = "no host of the database could be reached"
STATEMENT_SECONDS = 30
LOCK_SECONDS = 2
# Between two looks at what may only be on its way.
SECOND_LOOK_SECONDS = 5.0
LONG_TRANSACTION_SECONDS = 3_600.0
LONG_LOCK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class HostState:
    """How a host describes itself; it read its own clock at some time between `asked_at` and `answered_at` of ours."""

    server_version: str
    version_number: int
    in_recovery: bool
    read_only: bool
    role: str
    grant_to_see_sessions: str | None
    needed_path: str | None
    server_time: datetime
    asked_at: datetime
    answered_at: datetime

    @property
    def skew_seconds(self) -> float:
        """Return by how much its clock and ours differ at least."""
        before, after = self.asked_at - self.server_time, self.server_time - self.answered_at
        return max(before.total_seconds(), after.total_seconds(), 0.0)


@dataclass(frozen=True, slots=True)
class Reached:
    """A host of the URL with a session to it."""

    host: Host
    database: BlockingDatabase
    state: HostState

    @property
    def accepts_writes(self) -> bool:
        """Return whether the daemon could work there."""
        return not (self.state.in_recovery or self.state.read_only)


@dataclass(frozen=True, slots=True)
class Unreached:
    """A host of the URL that could not be reached."""

    host: Host
    fault: DatabaseError


@dataclass(frozen=True, slots=True)
class Clocks:
    """This machine's time, how to let some of it pass, and what counts as long; tests have their own."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    second_look_seconds: float = SECOND_LOOK_SECONDS
    long_transaction_seconds: float = LONG_TRANSACTION_SECONDS
    long_lock_seconds: float = LONG_LOCK_SECONDS

    def wait_for_second_look(self) -> None:
        """Wait until what is on its way has arrived."""
        self.sleep(self.second_look_seconds)


@dataclass(frozen=True, slots=True)
class Patient:
    """An installation; `settings` and `address` are None where they cannot be used, and `complaint` says why.

    `embedded`: the database is the embedded server's.
    """

    settings: Settings | None = field(default=None, repr=False)
    address: DatabaseAddress | None = None
    hosts: tuple[Reached | Unreached, ...] = ()
    embedded: bool = False
    complaint: str = ""
    clocks: Clocks = field(default_factory=Clocks)

    @property
    def reached(self) -> tuple[Reached, ...]:
        """Return the hosts that answered."""
        return tuple(each for each in self.hosts if isinstance(each, Reached))

    @property
    def main(self) -> Reached:
        """Return the host that a daemon would use, or one that can at least be read. Raises DatabaseUnavailable."""
        if not self.reached:
            raise DatabaseUnavailable(self.complaint or NOT_REACHED)
        return next((each for each in self.reached if each.accepts_writes), self.reached[0])

    @property
    def database(self) -> BlockingDatabase:
        """Return the session on the main host."""
        return self.main.database

    @property
    def state(self) -> HostState:
        """Return the state of the main host."""
        return self.main.state

    @contextmanager
    def reading(self) -> Iterator[BlockingDatabase]:
        """Yield the session in a transaction of its own that only reads, under our deadlines."""
        with reading(self.database) as database:
            yield database

    def fetch(self, statement: str, *arguments: object) -> list[Row]:
        """Run one named statement so."""
        with self.reading() as database:
            return list(database.fetch(statement, *arguments))

    def on_path(self, statements: str) -> str:
        """Return statements about the application's tables so that they find them in anybody's session."""
        path = self.state.needed_path
        return statements if path is None else f"SET search_path TO {path}; {statements}"

    def installed(self) -> bool:
        """Return whether any table of ours is there."""
        return bool(self.fetch("own_tables"))

    def owner(self) -> str:
        """Return the role that owns our schema, which is the owner of the patterns."""
        with self.reading() as database:
            return OwnSchema.read(database).owner or SUPERUSER


@contextmanager
def reading(database: BlockingDatabase) -> Iterator[BlockingDatabase]:
    """Yield a session in a transaction that only reads, under our deadlines."""
    with database.transaction(read_only=True):
        set_deadlines(database)
        yield database


def set_deadlines(database: BlockingDatabase) -> None:
    """Let no statement of this transaction last for long, nor wait for a lock."""
    deadlines = {"statement_timeout": f"{STATEMENT_SECONDS}s", "lock_timeout": f"{LOCK_SECONDS}s"}
    database.fetch("settle", list(deadlines), list(deadlines.values()), True)
