"""From a driver's error to ours: the one place that reads SQLSTATEs."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import psycopg

from pattern_sync.domain.errors import (
    AccessRefused,
    DatabaseError,
    DatabaseUnavailable,
    PatternSyncError,
    PoolerInTheWay,
    SchemaMissing,
    StatementFailed,
    TransactionConflict,
)

_CONFLICT = {"40001", "40P01", "55P03"}  # serialization, deadlock, a lock not had in time
_UNAVAILABLE_CLASSES = {"08", "53", "57", "58", "F0"}
_UNAVAILABLE = {
    "25006",  # read-only: a standby, or a primary that was demoted under us
    "25P03",  # the idle-in-transaction timeout ended the session
}
_POOLED = {"26000", "42P05"}  # a prepared statement is gone, or there already: another server connection
_REFUSED_CLASSES = {"28"}
_REFUSED = {"3D000", "42501"}
_NOT_INSTALLED = {"3F000", "42P01", "42883", "42703", "42704"}


@contextmanager
def translated() -> Iterator[None]:
    """Turn the expected faults of both drivers into ours; let bugs through."""
    try:
        yield
    except (asyncpg.PostgresError, psycopg.Error) as fault:
        raise from_driver(fault) from fault
    except asyncpg.InterfaceError as fault:
        raise _from_interface_error(fault) from fault
    except asyncpg.InternalClientError as fault:
        # asyncpg's "cannot switch to state …": the connection was lost in the middle of a message.
        raise DatabaseUnavailable("the connection was lost") from fault
    except TimeoutError as fault:
        raise DatabaseUnavailable("no answer in time (a lock, an overload or a dead link)") from fault
    except OSError as fault:
        # asyncio's own strerror is "Connect call failed" whatever happened.
        reason = os.strerror(fault.errno) if fault.errno and fault.errno > 0 else fault.strerror or str(fault)
        raise DatabaseUnavailable(reason or type(fault).__name__) from fault
    except asyncio.IncompleteReadError as fault:
        raise DatabaseUnavailable("the connection was lost") from fault


def from_driver(fault: asyncpg.PostgresError | psycopg.Error) -> PatternSyncError:
    """Return our error for a driver's: whatever a server answers, it is no bug of the process that asked."""
    message = _message(fault)
    sqlstate = fault.sqlstate
    if sqlstate is None:
        # libpq says this of everything that happens before a session exists; only the words tell which.
        refused = any(words in message for words in ("authentication failed", "no password", "does not exist"))
        return AccessRefused(message) if refused else DatabaseUnavailable(message)
    kind = _kind(sqlstate)
    if kind is PoolerInTheWay:
        message = "a prepared statement vanished, as behind a transaction-mode pooler"
    if kind is SchemaMissing:
        message = f"The schema is missing or incomplete: {message}. Run: pattern-sync migrate"
    return kind(message)


def _kind(sqlstate: str) -> type[PatternSyncError]:
    in_class = sqlstate[:2]
    if sqlstate in _CONFLICT:
        return TransactionConflict
    if sqlstate in _POOLED:
        return PoolerInTheWay
    if sqlstate in _UNAVAILABLE or in_class in _UNAVAILABLE_CLASSES:
        return DatabaseUnavailable
    if sqlstate in _REFUSED or in_class in _REFUSED_CLASSES:
        return AccessRefused
    if sqlstate in _NOT_INSTALLED:
        return SchemaMissing
    return StatementFailed


def _from_interface_error(fault: asyncpg.InterfaceError) -> DatabaseError:
    message = str(fault)
    if "closed" in message or "closing" in message or "in progress" in message or "released" in message:
        return DatabaseUnavailable("the connection was lost")
    return AccessRefused(message)


def _message(fault: Exception) -> str:
    # Without the detail, which quotes the row.
    primary = fault.diag.message_primary if isinstance(fault, psycopg.Error) else fault.args and fault.args[0]
    return " ".join(str(primary or fault).split()) or type(fault).__name__
