"""What libpq makes of connection parameters: it reads service files, the environment and password files."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import pq
from psycopg.conninfo import make_conninfo

# libpq resolves everything, finds the last parameter to be nonsense, and gives up before it looks for a server. That
# one parameter is then read with another one spoilt.
_SPOILT = "load_balance_hosts"
_SPOILT_INSTEAD = "ssl_max_protocol_version"
_NONSENSE = "pattern-sync-only-reads"


@dataclass(frozen=True, slots=True)
class Resolved:
    """Parameters after service file, environment and defaults; `host` and `password` are those of the first host.

    `complaint` is what libpq has against them, without secrets, and empty where it would connect.
    """

    parameters: Mapping[str, str]
    host: str
    password: str
    complaint: str


def resolve(given: Mapping[str, str]) -> Resolved:
    """Return what libpq would connect with; nothing is connected."""
    resolved = _resolve(given, _SPOILT)
    # With a password, so that a password file is not looked at, and complained about on stderr, a second time.
    rest = _resolve({**given, "password": _NONSENSE}, _SPOILT_INSTEAD)
    parameters = {**resolved.parameters, _SPOILT: rest.parameters.get(_SPOILT, "")}
    return Resolved(parameters, resolved.host, resolved.password, resolved.complaint)


def find_password(parameters: Mapping[str, str]) -> str:
    """Return the password for one host, from the parameters or the password file; empty where there is none."""
    return _resolve(parameters, _SPOILT).password


def socket_folder() -> str:
    """Return where libpq looks for a server when no host is named."""
    return _resolve({"host": ""}, _SPOILT).host


def _resolve(given: Mapping[str, str], spoilt: str) -> Resolved:
    connection = pq.PGconn.connect_start(make_conninfo("", **{**given, spoilt: _NONSENSE}).encode())
    try:
        complaint = connection.error_message.decode(errors="replace").strip()
        return Resolved(
            {item.keyword.decode(): item.val.decode() for item in connection.info if item.val},
            connection.host.decode(),
            connection.password.decode(),
            "" if _NONSENSE in complaint else complaint,
        )
    finally:
        connection.finish()
