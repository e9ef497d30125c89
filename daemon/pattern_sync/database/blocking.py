"""The same statements without an event loop, over psycopg."""

from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import psycopg
from psycopg.rows import DictRow, dict_row

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.faults import translated
from pattern_sync.database.rows import (
    filter_arguments,
    ids_argument,
    run_argument,
    to_missing_preview,
    to_outcomes,
    to_queued_page,
    to_refreshed_page,
    to_retried,
)
from pattern_sync.database.session_settings import AT_STARTUP, known_to
from pattern_sync.database.statements import Statement, load_statements
from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.outcomes import Outcome, PatternOutcome, signatures_of
from pattern_sync.domain.results import MissingPreview, QueuedPage, RefreshedPage, Retried, SyncResult

if TYPE_CHECKING:
    from datetime import datetime

BATCH_SIZE = 4_000
# A sync over very many tells how far it is after about so long.
STEP_SECONDS = 1.0
# What a server, or the pooler before it, says of settings that it does not know when a session begins; libpq passes the
# words on and no SQLSTATE. In another language they are taken for what they are: the server cannot be used.
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
        """Connect to the first host that takes writes. Raises DatabaseUnavailable or AccessRefused."""
        with translated():
            connection = _open(address)
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
        """Return whether each statement runs in a transaction of ours, as the session may be anybody's."""
        return not self._settled

    async def fetch_at_once(self, name: str, *arguments: object) -> list[DictRow]:
        """Run one named statement, as a coroutine that never suspends."""
        return self.fetch(name, *arguments)

    def run_script(self, script: str) -> None:
        """Run the statements of a file of sql/."""
        with self._settled_transaction():
            self._connection.execute(script.encode())

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[None]:
        """Keep what is run within in one transaction; a read-only one sees one snapshot."""
        isolation = psycopg.IsolationLevel.REPEATABLE_READ if read_only else psycopg.IsolationLevel.READ_COMMITTED
        self._connection.read_only = read_only
        # Not a role's or a database's default: an installer has to see what was done while it waited for others.
        self._connection.isolation_level = isolation
        with translated(), self._connection.transaction():
            if not self._settled:
                self._settle(*self._known(), for_transaction=True)
            yield

    @contextmanager
    def _settled_transaction(self) -> Iterator[None]:
        """Run what is within with our settings: the session's, those of the open transaction, or of one of its own."""
        idle = self._connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        with translated() if self._settled or not idle else self.transaction():
            yield

    def _settle_session(self) -> None:
        names, values = self._known()
        lacking: list[str] = self._fetch("server_state", names, values)[0]["lacking"]
        self._settled = AT_STARTUP.keys().isdisjoint(lacking)
        if not self._settled:
            # A pooler shares its servers: nothing may be left in a session, settings or prepared statements.
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


def _open(address: DatabaseAddress) -> "psycopg.Connection[DictRow]":
    try:
        return _connect(address.for_libpq(with_settings=True))
    except psycopg.OperationalError as fault:
        if not any(words in str(fault) for words in _SETTINGS_REFUSED):
            raise
    return _connect(address.for_libpq(with_settings=False))


def _connect(parameters: Mapping[str, Any]) -> "psycopg.Connection[DictRow]":
    return psycopg.connect("", autocommit=True, row_factory=dict_row, cursor_factory=psycopg.RawCursor, **parameters)


class BlockingQueue:
    """The reconciler's queue over a connection that blocks: its coroutines never suspend."""

    def __init__(self, database: BlockingDatabase) -> None:
        self._database = database

    async def reconcile(self, row_ids: Sequence[RowId], sync_filter: SyncFilter) -> list[PatternOutcome]:
        """Run one step of the reconcile."""
        arguments = (*filter_arguments(sync_filter), ids_argument(row_ids))
        outcomes = to_outcomes(self._database.fetch("reconcile", *arguments))
        self._notify_pages(signatures_of(outcomes, Outcome.QUEUED), signatures_of(outcomes, Outcome.REFRESHED))
        return outcomes

    async def queue_missing(self, sync_filter: SyncFilter, *, retry: bool) -> AsyncGenerator[QueuedPage, None]:
        """Queue what qualifies and has no entry, best impact first, step by step until it is done."""
        most = sync_filter.max_patterns
        commits = not self._database.in_transactions
        begun: datetime | None = None
        held: list[str] = []
        finished = False
        while not finished:
            arguments = (*filter_arguments(sync_filter), most, retry, 0, 1, STEP_SECONDS, commits, begun, held)
            page = to_queued_page(self._database.fetch("queue_missing", *arguments)[0])
            self._notify_pages(page.queued_signatures, [])
            yield page
            most = None if most is None else most - page.taken
            begun, finished = page.begun, page.finished
            held += map(str, page.held)

    async def preview_missing(self, sync_filter: SyncFilter) -> MissingPreview:
        """Return what queue_missing would find; writes nothing."""
        arguments = (*filter_arguments(sync_filter), sync_filter.max_patterns)
        return to_missing_preview(self._database.fetch("preview_missing", *arguments)[0])

    async def refresh_stale(self, sync_filter: SyncFilter, after_id: int) -> RefreshedPage:
        """Bring the next pending entries up to date whose figures are behind."""
        arguments = (*filter_arguments(sync_filter), after_id, BATCH_SIZE)
        page = to_refreshed_page(self._database.fetch("refresh_stale", *arguments)[0])
        self._notify_pages([], page.refreshed_signatures)
        return page

    async def retry_refused(self, sync_filter: SyncFilter, most: int) -> Retried:
        """Try patterns of the quarantine again whose time has come."""
        retried = to_retried(self._database.fetch("retry_refused", *filter_arguments(sync_filter), most)[0])
        self._notify_pages(retried.queued_signatures, retried.refreshed_signatures)
        return retried

    async def count_stale(self) -> int:
        """Return how many pending entries are behind the figures of their patterns."""
        return int(self._database.fetch("count_stale")[0]["stale"])

    async def count_gone(self) -> int:
        """Return how many pending entries have lost their pattern."""
        return int(self._database.fetch("count_gone")[0]["gone"])

    async def record_run(self, kind: str, result: SyncResult) -> None:
        """Remember a run for `status`."""
        self._database.fetch("record_run", run_argument(kind, result))

    def _notify_pages(self, queued: Sequence[str], refreshed: Sequence[str]) -> None:
        if queued or refreshed:
            self._database.fetch("notify_pages", list(queued), list(refreshed), False)


def run_blocking(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Drive a coroutine that never suspends to its end, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    coroutine.close()
    raise RuntimeError("A coroutine over a blocking connection was suspended.")
