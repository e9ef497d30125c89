"""Connection parameters as libpq resolves them, with service files, the environment and password files."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import pq
from psycopg.conninfo import make_conninfo

# An invalid value makes libpq stop before it connects, after it has resolved all other parameters. A second pass with
# another invalid parameter resolves that one.
_INVALIDATED = "load_balance_hosts"
_INVALIDATED_SECOND = "ssl_max_protocol_version"
_INVALID = "pattern-sync-only-reads"


@dataclass(frozen=True, slots=True)
class Resolved:
    """Resolved parameters; `host` and `password` are those of the first host.

    `complaint` is libpq's error message, without secrets; empty if libpq would connect.
    """

    parameters: Mapping[str, str]
    host: str
    password: str
    complaint: str


def resolve(given: Mapping[str, str]) -> Resolved:
    """Return the parameters that libpq would connect with; does not connect."""
    resolved = _resolve(given, _INVALIDATED)
    # The password keeps libpq from reading the password file again, and from warning about it on stderr again.
    rest = _resolve({**given, "password": _INVALID}, _INVALIDATED_SECOND)
    parameters = {**resolved.parameters, _INVALIDATED: rest.parameters.get(_INVALIDATED, "")}
    return Resolved(parameters, resolved.host, resolved.password, resolved.complaint)


def find_password(parameters: Mapping[str, str]) -> str:
    """Return the password for one host, from the parameters or the password file; empty where there is none."""
    return _resolve(parameters, _INVALIDATED).password


def socket_folder() -> str:
    """Return the socket folder that libpq uses if no host is named."""
    return _resolve({"host": ""}, _INVALIDATED).host


def _resolve(given: Mapping[str, str], invalidated: str) -> Resolved:
    connection = pq.PGconn.connect_start(make_conninfo("", **{**given, invalidated: _INVALID}).encode())
    try:
        complaint = connection.error_message.decode(errors="replace").strip()
        return Resolved(
            {item.keyword.decode(): item.val.decode() for item in connection.info if item.val},
            connection.host.decode(),
            connection.password.decode(),
            "" if _INVALID in complaint else complaint,
        )
    finally:
        connection.finish()
