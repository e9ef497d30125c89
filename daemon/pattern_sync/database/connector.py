"""New connections for the event loop: host by host, each with a deadline, to a server that accepts writes."""

import asyncio
import random
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from pattern_sync.database.address import DatabaseAddress, Host
from pattern_sync.database.faults import translated
from pattern_sync.database.session_settings import AT_STARTUP, known_to
from pattern_sync.database.statements import Statement
from pattern_sync.database.tls import tls_context, why_untrusted
from pattern_sync.domain.errors import AccessRefused, DatabaseUnavailable, InvalidSettings, StandbyServer
from pattern_sync.domain.facts import DatabaseReached, Emit

STATEMENT_CACHE_SIZE = 100
_SOCKET_OPTIONS = {
    "keepalives_idle": "TCP_KEEPIDLE",
    "keepalives_interval": "TCP_KEEPINTVL",
    "keepalives_count": "TCP_KEEPCNT",
    "tcp_user_timeout": "TCP_USER_TIMEOUT",
}
# The order in which connections with and without TLS are tried, by sslmode.
_WITH_TLS = {"disable": (False,), "allow": (False, True), "prefer": (True, False)}

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection, and the role in effect; `settled` if the session has our settings.

    Behind a pooler, each transaction has to set them.
    """

    connection: "Connection"
    settled: bool
    role: str


class Connector:
    """Connects to the first host that accepts writes, starting with the one that did last time."""

    def __init__(
        self, address: DatabaseAddress, statements: Mapping[str, Statement], emit: Emit = lambda _fact: None
    ) -> None:
        self.statements = statements
        self._address = address
        self._emit = emit
        self._reached: DatabaseReached | None = None
        self._hosts = list(address.hosts)
        if address.parameters.get("load_balance_hosts") == "random":
            random.shuffle(self._hosts)

    @property
    def longest_seconds(self) -> float:
        """Return how long a connect may take if no host answers."""
        return self._address.connect_seconds * len(self._hosts) + 1

    async def connect(self, application_name: str, *, statement_cache_size: int = STATEMENT_CACHE_SIZE) -> "Connection":
        """Return a connection; raises what `open` raises."""
        return (await self.open(application_name, statement_cache_size=statement_cache_size)).connection

    async def open(self, application_name: str, *, statement_cache_size: int = STATEMENT_CACHE_SIZE) -> Opened:
        """Return a connection. Raises DatabaseUnavailable with the tried hosts, or AccessRefused from a server."""
        tried = []
        passing: DatabaseUnavailable | None = None
        for host in tuple(self._hosts):
            try:
                opened = await self._open_host(host, application_name, statement_cache_size)
            except DatabaseUnavailable as fault:
                tried.append(f"{host}: {fault}")
                passing = fault
                continue
            except AccessRefused as fault:
                if fault.sqlstate is not None:
                    refusal = self._address.explain(str(fault))
                    raise AccessRefused(f"{host}: {refusal}", sqlstate=fault.sqlstate) from fault
                tried.append(f"{host}: {fault}")  # such as a certificate: the next host may have a better one
                continue
            # A dead host costs seconds, so the one that answered is tried first next time.
            self._hosts.sort(key=host.__ne__)
            self._report(host, opened)
            return opened
        raise (AccessRefused if passing is None else type(passing))("; ".join(tried))

    def _report(self, host: Host, opened: Opened) -> None:
        version = opened.connection.get_server_version()  # a minor version of PostgreSQL is asyncpg's `micro`
        # asyncpg offers no public access to its transport.
        tls = opened.connection._transport.get_extra_info("ssl_object")  # type: ignore[attr-defined]  # noqa: SLF001
        reached = DatabaseReached(
            server=str(host),
            server_version=f"{version.major}.{version.micro}",
            database=self._address.database,
            user=opened.role,
            encryption=tls.version() if tls else None,
        )
        if reached != self._reached:
            self._reached = reached
            self._emit(reached)

    async def _open_host(self, host: Host, application_name: str, statement_cache_size: int) -> Opened:
        try:
            connection = await self._connect_host(host, application_name, AT_STARTUP, statement_cache_size)
            opened = await self._settle(connection)
            if opened.settled:
                return opened
            connection.terminate()
        except _SettingsRefused:
            pass
        # A pooler shares its server sessions: a session's settings would apply to other clients.
        connection = await self._connect_host(host, application_name, {}, statement_cache_size=0)
        return replace(await self._settle(connection), settled=False)

    async def _connect_host(
        self, host: Host, application_name: str, settings: Mapping[str, str], statement_cache_size: int
    ) -> "Connection":
        mode = self._address.parameters["sslmode"]
        attempts = (False,) if host.is_socket else _WITH_TLS.get(mode, (True,))
        given = {"options": options} if (options := self._address.parameters.get("options")) else {}
        password = self._address.password_for(host)
        with translated():
            for number, with_tls in enumerate(attempts, 1):
                try:
                    connection = await asyncpg.connect(
                        # All are given explicitly, as asyncpg would otherwise read the environment.
                        host=host.address,
                        port=host.port,
                        user=self._address.user,
                        password=password,
                        database=self._address.database,
                        ssl=self._tls(host) if with_tls else False,
                        direct_tls=with_tls and self._address.parameters.get("sslnegotiation") == "direct",
                        krbsrvname=self._address.parameters.get("krbsrvname", "postgres"),
                        gsslib="gssapi",
                        target_session_attrs=SessionAttribute.any,
                        timeout=self._address.connect_seconds,
                        statement_cache_size=statement_cache_size,
                        max_cached_statement_lifetime=0,  # an idle daemon has to react at once even after minutes
                        server_settings={**given, **settings, "application_name": application_name},
                    )
                except (OSError, asyncpg.InvalidAuthorizationSpecificationError) as fault:
                    if number < len(attempts) and _is_worth_other_mode(fault):
                        continue
                    if isinstance(fault, ssl.SSLCertVerificationError):
                        raise AccessRefused(why_untrusted(fault, self._address.parameters)) from fault
                    if refusal := _refusal(fault, password):
                        raise refusal from fault
                    raise
                except (asyncpg.ProtocolViolationError, asyncpg.UndefinedObjectError, asyncpg.DataError) as fault:
                    if settings:
                        raise _SettingsRefused from fault
                    raise
                else:
                    break
        self._keep_alive(connection)
        return connection

    def _tls(self, host: Host) -> ssl.SSLContext:
        try:
            return tls_context(self._address.parameters, host.name)
        except InvalidSettings as fault:  # a file that has changed since the start
            raise AccessRefused(str(fault)) from fault

    async def _settle(self, connection: "Connection") -> Opened:
        """Give the session the settings that it takes. Raises DatabaseUnavailable if it accepts no writes."""
        names, values = known_to(connection.get_server_version().major)
        state = None
        try:
            # In a transaction, as a pooler may otherwise prepare the statement in one session and run it in another.
            # Without a name, as a named statement would stay in the session.
            with translated():
                async with asyncio.timeout(self._address.connect_seconds), connection.transaction():
                    statement = await connection.prepare(self.statements["server_state"].sql, name="")
                    state = await statement.fetchrow(names, values)
                lacking = [] if state is None else state["lacking"]
                settled = AT_STARTUP.keys().isdisjoint(lacking)
                if settled and lacking:
                    late = [values[names.index(name)] for name in lacking]
                    await connection.fetch(self.statements["settle"].sql, lacking, late, False)
            role = _check_writable(state)["role"]
        except BaseException:
            connection.terminate()
            raise
        return Opened(connection, settled, role)

    def _keep_alive(self, connection: "Connection") -> None:
        # asyncpg offers no public access to its socket.
        transport = connection._transport  # type: ignore[attr-defined]  # noqa: SLF001
        peer = transport.get_extra_info("socket")
        wanted = self._address.keepalive
        if not wanted or peer is None or peer.family not in (socket.AF_INET, socket.AF_INET6):
            return
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in wanted.items():
            option = getattr(socket, _SOCKET_OPTIONS[name], None)
            if option is not None and value > 0:
                peer.setsockopt(socket.IPPROTO_TCP, option, value)


class _SettingsRefused(Exception):
    """The server, or a pooler before it, does not accept these settings at the start of a session."""


def _check_writable(state: "asyncpg.Record | None") -> "asyncpg.Record":
    if state is not None and state["in_recovery"]:
        raise StandbyServer("a standby, which accepts no writes")
    if state is None or state["read_only"]:
        raise DatabaseUnavailable("read-only (default_transaction_read_only is on)")
    return state


def _is_worth_other_mode(fault: Exception) -> bool:
    # For sslmode=allow and =prefer: a server may accept only connections with TLS, or only those without.
    return isinstance(fault, ssl.SSLError | ConnectionError | asyncpg.InvalidAuthorizationSpecificationError) and not (
        isinstance(fault, asyncpg.InvalidPasswordError | ConnectionRefusedError)
    )


def _refusal(fault: Exception, password: str) -> AccessRefused | None:
    if "rejected SSL upgrade" in str(fault):
        return AccessRefused("the server does not support SSL, which sslmode requires")
    if isinstance(fault, asyncpg.InvalidPasswordError) and not password:
        return AccessRefused(f"{fault.args[0]} (no password was given)", sqlstate=fault.sqlstate)
    return None
