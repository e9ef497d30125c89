"""Translates the drivers' errors into ours; the only module that reads SQLSTATEs."""

import asyncio
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg
import psycopg

from pattern_sync.domain.errors import (
    AccessRefused,
    DatabaseError,
    DatabaseUnavailable,
    NoAnswer,
    PlanOutdated,
    PoolerInTheWay,
    SchemaError,
    SchemaMissing,
    StatementFailed,
    TransactionConflict,
)

_CONFLICT = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock timeout
_UNAVAILABLE_CLASSES = {"53", "57"}
_UNAVAILABLE = {
    "25006",  # read-only: a standby, or a primary that was demoted during the session
}
_POOLED = {
    "26000",
    "42P05",
}  # a prepared statement is missing, or exists already: the pooler has switched the server session
_REFUSED_CLASSES = {"28"}
_REFUSED = {"3D000", "42501"}
_NOT_INSTALLED = {"3F000", "42P01", "42883", "42703", "42704"}
# At the start of a session these errors would recur: the role, the database or the settings are refused.
_REFUSED_AT_START = {"08P01", "0A", "22", "28", "3D", "42"}
# The server's functions that detect a table altered after the statement was prepared; messages may be translated.
_OUTDATED_PLAN = {"RevalidateCachedQuery", "ExecEvalParamExtern", "CheckVarSlotCompatibility"}
_OUTDATED_WORDS = ("cached plan must not change result type", "does not match that when preparing the plan")
_ROW_SECURITY = "check_enable_rls"
_RAISE = "exec_stmt_raise"
# libpq reports no SQLSTATE before a session exists; only the message shows which errors will not pass.
_REFUSED_WORDS = (
    "authentication failed",
    "no password",
    "does not exist",
    "pg_hba.conf",
    "permission denied for",
    "unrecognized configuration parameter",
    "unsupported startup parameter",
    "invalid value for parameter",
    "certificate",
    "private key",
    "does not support SSL",
    " alert ",
    "no protocols available",
    "unsupported protocol",
)
# Of ssl_min_protocol_version and ssl_max_protocol_version, or of a library that forbids old versions.
_NO_COMMON_TLS = {"no ciphers available", "no protocols available", "unsupported protocol"}


@dataclass(frozen=True, slots=True)
class _Report:
    """A server's error: `fatal` if it ended the session, `source` the function in its code that raised it."""

    sqlstate: str
    message: str
    fatal: bool
    source: str | None


@contextmanager
def translated() -> Iterator[None]:
    """Turn every fault of both drivers into ours; bugs pass unchanged."""
    try:
        yield
    except asyncpg.OutdatedSchemaCacheError as fault:
        raise PlanOutdated("a type was altered during the session") from fault
    except (asyncpg.PostgresError, psycopg.Error) as fault:
        raise from_driver(fault) from fault
    except asyncpg.InterfaceError as fault:
        raise _from_interface_error(fault) from fault
    except asyncpg.InternalClientError as fault:
        # asyncpg's "cannot switch to state …": the connection was lost within a message.
        raise DatabaseUnavailable("the connection was lost") from fault
    except TimeoutError as fault:
        raise NoAnswer("no answer in time (a lock, an overload or a dead link)") from fault
    except ssl.SSLError as fault:  # before OSError, its base class: its errno would read "Operation not permitted"
        raise _from_tls(fault) from fault
    except OSError as fault:
        # asyncio's own strerror is always "Connect call failed".
        reason = os.strerror(fault.errno) if fault.errno and fault.errno > 0 else fault.strerror or str(fault)
        raise DatabaseUnavailable(reason or type(fault).__name__) from fault
    except asyncio.IncompleteReadError as fault:
        raise DatabaseUnavailable("the connection was lost") from fault
    except UnicodeError as fault:
        raise StatementFailed("a text is not UTF-8, which a SQL_ASCII database allows") from fault


def from_driver(fault: asyncpg.PostgresError | psycopg.Error) -> DatabaseError | SchemaError:
    """Return our error for a driver's."""
    if isinstance(fault.__cause__, ssl.SSLError):  # with TLS 1.3, a server refuses our certificate after the handshake
        return _from_tls(fault.__cause__)
    message = _message(fault)
    if fault.sqlstate is None:
        if isinstance(fault, psycopg.DataError | psycopg.NotSupportedError):
            return StatementFailed(message)  # psycopg itself refuses a value, such as a text with a zero byte
        refused = any(words in message for words in _REFUSED_WORDS)
        return AccessRefused(message) if refused else DatabaseUnavailable(message)
    report = _report(fault, fault.sqlstate, message)
    kind = _kind(report)
    if kind is PoolerInTheWay:
        message = "a prepared statement was lost, as happens behind a transaction-mode pooler"
    if kind is PlanOutdated:
        message = "a table was altered, and the session's prepared statements no longer fit"
    if kind is SchemaMissing:
        message = f"The schema is missing or incomplete: {message}. Run: pattern-sync migrate"
    if report.source == _ROW_SECURITY:
        message = (
            f"{message}: row-level security hides rows from this role, and Pattern Sync has to read every row."
            " As a superuser: ALTER ROLE … BYPASSRLS (policies do not help);"
            " if the role owns the table: ALTER TABLE … NO FORCE ROW LEVEL SECURITY"
        )
    return kind(message, sqlstate=report.sqlstate)


def _kind(report: _Report) -> type[DatabaseError | SchemaError]:
    """Return the kind of error that a report is.

    An SQLSTATE does not identify the culprit: triggers and rules of the application run in our statements, may call
    other servers, and can RAISE any code. An error that leaves the session alive concerns only its statement, unless
    it is clearly something else.
    """
    if report.fatal:
        in_class = report.sqlstate[:2]
        return AccessRefused if {report.sqlstate, in_class} & _REFUSED_AT_START else DatabaseUnavailable
    if report.source == _RAISE:
        return StatementFailed
    return _kind_of_living(report)


def _kind_of_living(report: _Report) -> type[DatabaseError | SchemaError]:
    sqlstate, in_class = report.sqlstate, report.sqlstate[:2]
    outdated = report.source in _OUTDATED_PLAN or any(words in report.message for words in _OUTDATED_WORDS)
    # Without a source, the driver or a pooler raised it. With one, the server reports that another server was lost.
    lost = in_class == "08" and report.source is None
    kinds: dict[type[DatabaseError | SchemaError], bool] = {
        PlanOutdated: outdated,
        TransactionConflict: sqlstate in _CONFLICT,
        PoolerInTheWay: sqlstate in _POOLED,
        DatabaseUnavailable: lost or sqlstate in _UNAVAILABLE or in_class in _UNAVAILABLE_CLASSES,
        AccessRefused: sqlstate in _REFUSED or in_class in _REFUSED_CLASSES,
        SchemaMissing: sqlstate in _NOT_INSTALLED,
    }
    return next((kind for kind, is_it in kinds.items() if is_it), StatementFailed)


def _report(fault: asyncpg.PostgresError | psycopg.Error, sqlstate: str, message: str) -> _Report:
    if isinstance(fault, psycopg.Error):
        severity, source = fault.diag.severity_nonlocalized or fault.diag.severity, fault.diag.source_function
    else:
        severity, source = fault.severity_en or fault.severity, fault.server_source_function
        if isinstance(fault, asyncpg.InvalidCachedStatementError):
            source = "RevalidateCachedQuery"
    return _Report(sqlstate, message, severity in {"FATAL", "PANIC"}, source)


def _from_tls(fault: ssl.SSLError) -> DatabaseError:
    reason = (fault.reason or str(fault)).replace("_", " ").lower()
    if "alert" in reason:  # the server refused our certificate, or the versions and ciphers
        return AccessRefused(f"the server refused TLS or the client's certificate: {reason}")
    if reason in _NO_COMMON_TLS:
        return AccessRefused(f"TLS failed: {reason} (check ssl_min_protocol_version and ssl_max_protocol_version)")
    return DatabaseUnavailable(f"TLS failed: {reason}")


def _from_interface_error(fault: asyncpg.InterfaceError) -> DatabaseError:
    message = str(fault)
    if "closed" in message or "closing" in message or "in progress" in message or "released" in message:
        return DatabaseUnavailable("the connection was lost")
    return AccessRefused(message)


def _message(fault: Exception) -> str:
    # Without the detail, which quotes the row.
    primary = fault.diag.message_primary if isinstance(fault, psycopg.Error) else fault.args and fault.args[0]
    return " ".join(str(primary or fault).split()) or type(fault).__name__
