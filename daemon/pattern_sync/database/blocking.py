"""The same statements without an event loop, over psycopg."""

import math
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Self, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from pattern_sync.database.address import DatabaseAddress, Host
from pattern_sync.database.faults import translated
from pattern_sync.database.libpq_words import in_our_words
from pattern_sync.database.session_settings import AT_STARTUP, known_to
from pattern_sync.database.statements import Statement, load_statements
from pattern_sync.domain.errors import AccessRefused, RightsMissing

# The errors of a server, or of a pooler before it, that does not accept settings at the start of a session. libpq
# passes on the message without an SQLSTATE; in another language it counts as any other refusal.
_SETTINGS_REFUSED = ("unsupported startup parameter", "unrecognized configuration parameter")

Result = TypeVar("Result")


class BlockingDatabase:
    """One connection in autocommit, and named statements on it."""

    def __init__(self, connection: "psycopg.Connection[DictRow]", statements: Mapping[str, Statement]) -> None:
        self._connection = connection
        self._statements = statements
        self._settled = True

    @classmethod
    @contextmanager
    def connect(cls, address: DatabaseAddress) -> Iterator[Self]:
        """Connect to the first host that accepts writes. Raises DatabaseUnavailable or AccessRefused."""
        with in_our_words(address), translated():
            connection = _open(address.for_libpq)
        with translated(), connection:
            database = cls(connection, load_statements())
            database._settle_session()
            yield database

    @classmethod
    @contextmanager
    def connect_to(cls, address: DatabaseAddress, host: Host) -> Iterator[Self]:
        """Connect to one host, even a standby. Raises DatabaseUnavailable or AccessRefused."""
        with in_our_words(address), translated():
            connection = _open(partial(address.at, host))
        with translated(), connection:
            database = cls(connection, load_statements())
            database._settle_session()
            yield database

    def fetch(self, name: str, *arguments: object) -> list[DictRow]:
        """Run one named statement and return its rows."""
        with self._settled_transaction():
            return self._fetch(name, *arguments)

    @property
    def in_transactions(self) -> bool:
        """Return whether each statement runs in its own transaction, as the session is shared with other clients."""
        return not self._settled

    @property
    def encrypted(self) -> bool:
        """Return whether the connection uses TLS."""
        return self._connection.pgconn.ssl_in_use

    def listen(self, channel: str) -> None:
        """Listen to a channel."""
        with translated():
            self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

    def hears(self, payload: str, *, within_seconds: float) -> bool:
        """Return whether a notification with this payload arrives on a channel that the session listens to."""
        with translated():
            heard = self._connection.notifies(timeout=within_seconds)
            return any(notification.payload == payload for notification in heard)

    def run_script(self, script: str) -> None:
        """Run the statements of a file of sql/."""
        with self._settled_transaction():
            self._connection.execute(script.encode())

    @contextmanager
    def transaction(self, *, read_only: bool = False, discarded: bool = False) -> Iterator[None]:
        """Run the block in one transaction; a read-only one sees one snapshot, a discarded one is rolled back."""
        isolation = psycopg.IsolationLevel.REPEATABLE_READ if read_only else psycopg.IsolationLevel.READ_COMMITTED
        with translated():  # they fail on a connection that was lost
            self._connection.read_only = read_only
            # Not the role's or the database's default: an installer has to see what others did while it waited.
            self._connection.isolation_level = isolation
        with translated(), self._connection.transaction(force_rollback=discarded):
            if not self._settled:
                self._settle(*self._known(), for_transaction=True)
            yield

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Run the block so that what it raises leaves the open transaction as it was."""
        with translated(), self._connection.transaction():
            yield

    @contextmanager
    def naming_grants(self) -> Iterator[None]:
        """Run the block. Raises RightsMissing, instead of AccessRefused, where the role lacks rights that we need."""
        try:
            yield
        except AccessRefused as fault:
            if missing := self.fetch("missing_rights"):
                raise RightsMissing(row["remedy"] for row in missing) from fault
            raise

    @contextmanager
    def _settled_transaction(self) -> Iterator[None]:
        """Run the block with our settings: the session's, those of the open transaction, or those of a new one."""
        idle = self._connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        with translated() if self._settled or not idle else self.transaction():
            yield

    def _settle_session(self) -> None:
        names, values = self._known()
        lacking: list[str] = self._fetch("server_state", names, values)[0]["lacking"]
        self._settled = AT_STARTUP.keys().isdisjoint(lacking)
        if not self._settled:
            # A pooler shares its server sessions: neither settings nor prepared statements may stay in them.
            self._connection.prepare_threshold = None
        elif lacking:
            self._settle(lacking, [values[names.index(name)] for name in lacking], for_transaction=False)

    def _settle(self, names: list[str], values: list[str], *, for_transaction: bool) -> None:
        self._fetch("settle", names, values, for_transaction)

    def _known(self) -> tuple[list[str], list[str]]:
        return known_to(self._connection.info.server_version // 10_000)

    def _fetch(self, name: str, *arguments: object) -> list[DictRow]:
        cursor = self._connection.execute(self._statements[name].sql.encode(), arguments)
        return cursor.fetchall() if cursor.description else []


def _open(parameters: Callable[..., dict[str, str]]) -> "psycopg.Connection[DictRow]":
    try:
        return _connect(parameters(with_settings=True))
    except psycopg.OperationalError as fault:
        if not any(words in str(fault) for words in _SETTINGS_REFUSED):
            raise
    return _connect(parameters(with_settings=False))


def _connect(parameters: Mapping[str, Any]) -> "psycopg.Connection[DictRow]":
    return psycopg.connect("", autocommit=True, row_factory=dict_row, cursor_factory=psycopg.RawCursor, **parameters)


class BlockingSession:
    """The connection for coroutines; they never suspend here, and no deadline applies."""

    def __init__(self, database: BlockingDatabase) -> None:
        self._database = database

    @property
    def in_transactions(self) -> bool:
        """Return whether each statement runs in its own transaction, as the session is shared with other clients."""
        return self._database.in_transactions

    async def fetch(self, name: str, *arguments: object, deadline_seconds: float = math.inf) -> list[DictRow]:  # noqa: ARG002
        """Run one named statement and return its rows."""
        return self._database.fetch(name, *arguments)

    def notify_pages(self, queued: Sequence[str], refreshed: Sequence[str]) -> None:
        """Notify the review pages of what a reconcile has written."""
        if queued or refreshed:
            self._database.fetch("notify_pages", list(queued), list(refreshed), False)


def run_blocking(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that never suspends, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    coroutine.close()
    raise RuntimeError("A coroutine over a blocking connection was suspended.")
