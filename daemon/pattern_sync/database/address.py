"""A database address in libpq's syntax, parsed once for both drivers; its text form holds no secret."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from pattern_sync.database.libpq import find_password, resolve, socket_folder
from pattern_sync.database.naming import COMMAND, session_name
from pattern_sync.database.session_settings import as_options
from pattern_sync.database.tls import file_of_authorities, tls_context
from pattern_sync.domain.errors import InvalidSettings

_VARIABLE = "PATTERN_SYNC_DATABASE_URL"
# postgresql+psycopg:// and the like name a driver, for SQLAlchemy.
_SCHEME = re.compile(r"postgres(ql)?(\+[a-z0-9_]+)?://")
_UNKNOWN_NAME = re.compile(r'(?:URI query parameter|connection option): "([a-z_]{1,40})"|option "([a-z_]{1,40})"')

_UNREADABLE = (
    f"{_VARIABLE} cannot be parsed. It has to look like postgresql://user:password@host:5432/database, with special"
    " characters in the password percent-encoded (@ is %40, / is %2F), or like 'host=… dbname=… user=…'."
)
_AMBIGUOUS = (
    f"{_VARIABLE} holds more than one @, so where the password ends is unclear. It has to look like"
    " postgresql://user:password@host:5432/database, with every other @ percent-encoded as %40, and / as %2F."
)
_QUOTED = f"{_VARIABLE} begins with a quotation mark. Leave the quotation marks out."
CONNECT_SECONDS = 5.0
MOST_CONNECT_SECONDS = 60.0
HIGHEST_PORT = 65_535
# These detect a vanished peer within about six seconds. Neither driver sets any of them by itself.
KEEPALIVE: Mapping[str, int] = {
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}
_CHOICES: Mapping[str, Sequence[str]] = {
    "load_balance_hosts": ("disable", "random"),
    "keepalives": ("0", "1"),
}
_NUMBERS = ("connect_timeout", *KEEPALIVE)
# What the daemon's driver does not support, and what to do instead. The command line refuses it as well: otherwise an
# address would pass `migrate` and fail later in the daemon.
_NO_WRITES = "Pattern Sync has to write; use read-write, primary or any"
_REFUSED: Mapping[str, Mapping[str, str]] = {
    "target_session_attrs": dict.fromkeys(("read-only", "standby", "prefer-standby"), _NO_WRITES),
    "gssencmode": {"require": "the daemon cannot encrypt with GSSAPI; use sslmode=require or stronger"},
    "sslcertmode": {"require": "the daemon cannot enforce it; leave it out"},
    "gssdelegation": {"1": "the daemon cannot delegate credentials; leave it out"},
}
_REFUSED_ALTOGETHER: Mapping[str, str] = {
    "require_auth": "the daemon cannot enforce it; leave it out, and use sslmode=verify-full to verify the server",
    "requirepeer": "the daemon cannot check it; leave it out",
    "replication": "it is for replication only; leave it out",
    "min_protocol_version": "the daemon speaks 3.0; leave it out",
    "scram_client_key": "the daemon cannot use it; give the password",
    "scram_server_key": "the daemon cannot use it; give the password",
    "oauth_issuer": "the daemon cannot use OAuth; give a password or a certificate",
    "oauth_client_id": "the daemon cannot use OAuth; give a password or a certificate",
}
# Not passed on: resolved already, or set by us whatever the address has.
_NOT_PASSED_ON = {"service", "servicefile", "application_name", "fallback_application_name", "client_encoding"}


@dataclass(frozen=True, slots=True)
class Host:
    """One server; its certificate is checked against `name`, and connections go to `address`."""

    name: str
    port: int
    address: str

    @property
    def is_socket(self) -> bool:
        """Return whether it is a folder with a unix socket."""
        return self.address.startswith("/")

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where the database is; `url` and `parameters` hold its secrets, `str()` and `repr()` do not.

    `parameters` are libpq's, completed from a service file, the environment and libpq's defaults. Code that connects
    must not read those again, as the other driver would read them differently.
    """

    url: str = field(repr=False)
    hosts: tuple[Host, ...]
    user: str
    database: str
    parameters: Mapping[str, str] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, url: str) -> "DatabaseAddress":
        """Read a URL or a key=value string the way libpq does. Raises InvalidSettings, without the password."""
        resolved = resolve(_read(url))
        if resolved.complaint:
            raise InvalidSettings(f"{_VARIABLE}: {resolved.complaint}.")
        parameters = dict(resolved.parameters)
        _check(parameters)
        if parameters.get("channel_binding") == "require" and parameters["sslmode"] in {"disable", "allow", "prefer"}:
            # asyncpg has no channel binding, but can require TLS, on which it is based.
            parameters["sslmode"] = "require"
        address = cls(url, tuple(_hosts(parameters)), parameters["user"], parameters["dbname"], parameters)
        for host in address.hosts:
            if not host.is_socket and parameters["sslmode"] != "disable":
                address._check_tls(host)  # the files are the same for all hosts
                break
        return address

    @property
    def connect_seconds(self) -> float:
        """Return how long a connect to one host may take."""
        given = float(self.parameters.get("connect_timeout") or 0)
        return min(given, MOST_CONNECT_SECONDS) if given > 0 else CONNECT_SECONDS

    @property
    def keepalive(self) -> Mapping[str, int]:
        """Return the keepalive settings by libpq's names: 0 is the system's default; empty if keepalive is off."""
        if self.parameters.get("keepalives") == "0":
            return {}
        return {name: int(self.parameters.get(name) or default) for name, default in KEEPALIVE.items()}

    def _check_tls(self, host: Host) -> None:
        """Read the certificate files. Raises InvalidSettings if one cannot be used."""
        try:
            tls_context(self.parameters, host.name)
        except InvalidSettings as fault:
            raise InvalidSettings(f"{_VARIABLE}: {fault}") from None

    def password_for(self, host: Host) -> str:
        """Return the password from the address or from the current password file; empty if there is none."""
        if password := self.parameters.get("password"):
            return password
        file = Path(self.parameters.get("passfile", ""))
        try:
            # libpq ignores such a file as well, and would warn on stderr at every connect.
            if not file.is_file() or file.stat().st_mode & 0o077:
                return ""
        except OSError:
            return ""
        return find_password({**self.parameters, "host": host.name, "hostaddr": "", "port": str(host.port)})

    def explain(self, refusal: str) -> str:
        """Return a server's refusal with the GRANT that helps, where one does; a translated one has none."""
        if not refusal.startswith("permission denied for database"):
            return refusal
        grant = f"GRANT CONNECT ON DATABASE {_quoted(self.database)} TO {_quoted(self.user)};"
        return f"{refusal}. As the database's owner: {grant}"

    def for_libpq(self, *, with_settings: bool) -> dict[str, str]:
        """Return psycopg's parameters for the first host that accepts writes, with or without our session settings."""
        passed = {name: value for name, value in self.parameters.items() if name not in _NOT_PASSED_ON}
        options = self.parameters.get("options", "")
        if authorities := passed.get("sslrootcert"):
            passed["sslrootcert"] = file_of_authorities(authorities)
        return {
            **passed,
            **{name: str(value) for name, value in self.keepalive.items()},
            "host": ",".join(host.name for host in self.hosts),
            "port": ",".join(str(host.port) for host in self.hosts),
            "connect_timeout": str(round(self.connect_seconds)),
            "options": as_options(options) if with_settings else options,
            "application_name": session_name(COMMAND),
            "client_encoding": "UTF8",
            "target_session_attrs": "read-write",
        }

    def at(self, host: Host, *, with_settings: bool) -> dict[str, str]:
        """Return psycopg's parameters for one host, whether it accepts writes or not."""
        return {
            **self.for_libpq(with_settings=with_settings),
            "host": host.name,
            "hostaddr": "" if host.is_socket or host.address == host.name else host.address,
            "port": str(host.port),
            "target_session_attrs": "any",
        }

    def __str__(self) -> str:
        user = f"{quote(self.user)}@" if self.user else ""
        hosts = ",".join(quote(str(host), safe="[]:") for host in self.hosts)
        return f"postgresql://{user}{hosts}/{quote(self.database)}"


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'


def _read(url: str) -> dict[str, str]:
    if url.startswith(("'", '"')):
        raise InvalidSettings(_QUOTED)
    scheme = _SCHEME.match(url)
    if scheme and url.partition("?")[0].count("@") > 1:
        # libpq would take the rest of the password for the host, which is then shown, and waited for.
        raise InvalidSettings(_AMBIGUOUS)
    if scheme is None and ("://" in url or "=" not in url):
        raise InvalidSettings(_UNREADABLE)
    plain = url if scheme is None else "postgresql://" + url[scheme.end() :]
    try:
        return {name: str(value) for name, value in conninfo_to_dict(plain).items() if value is not None}
    except (psycopg.Error, ValueError) as fault:
        # libpq's message can quote the whole URL.
        if name := _UNKNOWN_NAME.search(str(fault)):
            raise _unknown(name[1] or name[2]) from None
        raise InvalidSettings(_UNREADABLE) from None


def _unknown(name: str) -> InvalidSettings:
    known = [item.keyword.decode() for item in pq.Conninfo.get_defaults()]
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {nearest[0]!r}?" if nearest else f"Known parameters: {', '.join(sorted(known))}."
    return InvalidSettings(f"{_VARIABLE}: libpq has no parameter {name!r}. {hint}")


def _check(parameters: Mapping[str, str]) -> None:
    for name, allowed in _CHOICES.items():
        if (value := parameters.get(name) or allowed[0]) not in allowed:
            raise InvalidSettings(f"{_VARIABLE}: {name} is {value!r}; it has to be {' or '.join(allowed)}.")
    for name in _NUMBERS:
        value = parameters.get(name) or "0"
        if not re.fullmatch(r"-?\d{1,9}", value.strip()):
            raise InvalidSettings(f"{_VARIABLE}: {name} is {value!r}; it has to be a whole number.")
    for name, values in _REFUSED.items():
        if reason := values.get(parameters.get(name, "")):
            raise InvalidSettings(f"{_VARIABLE}: {name}={parameters[name]} is not supported: {reason}.")
    for name, reason in _REFUSED_ALTOGETHER.items():
        if parameters.get(name):
            raise InvalidSettings(f"{_VARIABLE}: {name} is not supported: {reason}.")


def _hosts(parameters: Mapping[str, str]) -> list[Host]:
    """Return the hosts; libpq has checked that the numbers of names, ports and numeric addresses match."""
    addresses = parameters.get("hostaddr", "").split(",")
    names = parameters.get("host", "").split(",") if parameters.get("host") else [""] * len(addresses)
    ports = parameters.get("port", "").split(",")
    hosts = []
    for number, name in enumerate(names):
        given = ports[number if len(ports) > 1 else 0].strip() or "5432"
        if "@" in name[1:] or not given.isdecimal():
            # These may be the rest of a password that holds an @ or a /, so they must not be shown.
            raise InvalidSettings(_UNREADABLE)
        if not 0 < int(given) <= HIGHEST_PORT:
            raise InvalidSettings(f"{_VARIABLE}: port is {given!r}; it has to be a number from 1 to {HIGHEST_PORT}.")
        numeric = addresses[number] if len(addresses) == len(names) else ""
        place = name or numeric or socket_folder()
        if place.startswith("@"):
            raise InvalidSettings(
                f"{_VARIABLE}: host is {place!r}; abstract sockets are not supported: name the socket's folder."
            )
        hosts.append(Host(place, int(given), numeric or place))
    return hosts
