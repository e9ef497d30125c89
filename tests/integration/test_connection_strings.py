"""Addresses as people have them, over both drivers: the same server, the same answer, the same refusal."""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from pattern_sync import AccessRefused, DatabaseUnavailable, InvalidSettings, PatternSyncService
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.connector import Connector
from pattern_sync.database.embedded import EmbeddedServer, all_binaries
from pattern_sync.database.installer import Installer
from pattern_sync.database.statements import load_statements
from tests.support.asynchronous import run, settle
from tests.support.certificates import Authority, Certificate, self_signed
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.proxy import Proxy
from tests.support.waiting import eventually

WHO = (
    "SELECT current_user AS role, current_database() AS name, ssl.ssl AS tls, ssl.client_dn,"
    " current_setting('search_path') AS search_path, pid, application_name"
    " FROM pg_stat_ssl AS ssl JOIN pg_stat_activity USING (pid) WHERE pid = pg_backend_pid()"
)
DATABASE = "pattern_sync"
PASSWORD = "s3cr3t"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def daemon_at(url: str) -> dict[str, Any]:
    """Connect as the daemon does and return who we are there."""

    async def ask() -> dict[str, Any]:
        opened = await Connector(DatabaseAddress.parse(url), load_statements()).open("pattern-sync")
        assert opened.settled
        try:
            return dict(await opened.connection.fetchrow(WHO) or {})
        finally:
            await opened.connection.close()

    async def ask_and_see_it_closed() -> dict[str, Any]:
        sockets = asyncio.get_running_loop()._selector.get_map()  # type: ignore[attr-defined]  # noqa: SLF001
        before = len(sockets)
        try:
            return await ask()
        finally:
            # asyncpg lets a TLS connection that was refused say farewell on its own time.
            await settle(lambda: len(sockets) <= before)

    return run(ask_and_see_it_closed())


def program_at(url: str) -> dict[str, Any]:
    """Connect as the command line does and return who we are there."""
    address = DatabaseAddress.parse(url)
    with BlockingDatabase.connect(address):
        pass
    with psycopg.connect("", **address.for_libpq(with_settings=True), row_factory=dict_row) as connection:  # type: ignore[arg-type]
        return dict(connection.execute(WHO).fetchone() or {})


def both_at(url: str) -> dict[str, Any]:
    found = [ask(url) for ask in (daemon_at, program_at)]
    for each in found:
        assert each.pop("pid")
        assert each.pop("application_name") == "pattern-sync"
    assert found[0] == found[1]
    return found[0]


def both_refuse(url: str, *words: str, kind: type[Exception] = AccessRefused) -> None:
    for ask in (daemon_at, program_at):
        with pytest.raises(kind) as refusal:
            ask(url)
        assert any(word in str(refusal.value) for word in words), str(refusal.value)
        assert PASSWORD not in str(refusal.value)


@dataclass(frozen=True, slots=True)
class Server:
    """A server with TLS: whatever `host` and `port` are followed by goes through `at`."""

    host: str
    port: int
    folder: Path
    authority: Authority
    admin: str

    def at(self, parameters: str = "", user: str = "ann", host: str | None = None) -> str:
        return f"postgresql://{user}:{PASSWORD}@{host or self.host}:{self.port}/{DATABASE}?{parameters}"

    def trusting(self, parameters: str, **others: str) -> str:
        return self.at(f"{parameters}&sslrootcert={self.authority.own.file}", **others)

    def present(self, certificate: Certificate) -> None:
        """Have the server show another certificate to whoever connects from now on."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
            assert row is not None
            data = Path(row[0])
            for source in (certificate.file, certificate.key):
                target = data / source.name
                shutil.copy(source, target)
                if os.geteuid() == 0:
                    owner = data.stat()
                    os.chown(target, owner.st_uid, owner.st_gid)
                target.chmod(0o600)
            connection.execute(f"ALTER SYSTEM SET ssl_cert_file = '{certificate.file.name}'".encode())
            connection.execute(f"ALTER SYSTEM SET ssl_key_file = '{certificate.key.name}'".encode())
            connection.execute("ALTER SYSTEM SET ssl = on")
            connection.execute("SELECT pg_reload_conf()")
        eventually(lambda: self._presented() == certificate.file.name)

    def _presented(self) -> str:
        with psycopg.connect(self.admin) as connection:
            row = connection.execute("SELECT current_setting('ssl_cert_file') WHERE current_setting('ssl') = 'on'")
            return str((row.fetchone() or [""])[0])


HBA = """
hostnossl all only_tls 127.0.0.1/32 reject
hostssl all only_plain 127.0.0.1/32 reject
host all of_old 127.0.0.1/32 md5
host all trusted 127.0.0.1/32 trust
hostssl all carl 127.0.0.1/32 cert
"""
ROLES = ("ann", "only_tls", "only_plain", "trusted", "carl")


@pytest.fixture(scope="module")
def tls() -> Iterator[Server]:
    for binaries in all_binaries():
        with tempfile.TemporaryDirectory(prefix="pattern-sync-tls-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            server = EmbeddedServer(folder / "server", durable=False, binaries=binaries)
            with server, psycopg.connect(server.url, autocommit=True) as connection:
                row = connection.execute("SELECT FROM pg_settings WHERE name = 'ssl_library' AND setting <> ''")
                if row.rowcount:
                    yield prepared(server, connection, folder)
                    return
    pytest.skip("no PostgreSQL with TLS is here")


def prepared(server: EmbeddedServer, connection: psycopg.Connection[Any], folder: Path) -> Server:
    Installer(DatabaseAddress.parse(server.url)).migrate()
    for role in ROLES:
        connection.execute(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{PASSWORD}'".encode())
    connection.execute("SET password_encryption = md5")
    connection.execute(f"CREATE ROLE of_old LOGIN SUPERUSER PASSWORD '{PASSWORD}'".encode())
    authority = Authority(folder, "authority")
    row = connection.execute("SELECT current_setting('hba_file'), current_setting('data_directory')").fetchone()
    assert row is not None
    rules = Path(row[0])
    rules.write_text(HBA + rules.read_text())
    trusted = Path(row[1]) / "clients.crt"
    shutil.copy(authority.own.file, trusted)
    trusted.chmod(0o644)
    connection.execute("ALTER SYSTEM SET ssl_ca_file = 'clients.crt'")
    made = Server(connection.info.host, connection.info.port, folder, authority, server.url)
    made.present(authority.sign("server", "IP:127.0.0.1,DNS:localhost"))
    return made


def test_every_sslmode_does_what_it_says(tls: Server) -> None:
    for mode, encrypted in {"disable": False, "allow": False, "prefer": True, "require": True}.items():
        assert both_at(tls.at(f"sslmode={mode}"))["tls"] is encrypted, mode
    for mode in ("verify-ca", "verify-full"):
        assert both_at(tls.trusting(f"sslmode={mode}"))["tls"], mode
    assert both_at(tls.at())["tls"]
    # Who insists on the other is met.
    assert both_at(tls.at("sslmode=allow", user="only_tls"))["tls"]
    assert not both_at(tls.at("sslmode=prefer", user="only_plain"))["tls"]
    both_refuse(tls.at("sslmode=disable", user="only_tls"), "rejects connection", "no encryption")
    both_refuse(tls.at("sslmode=require", user="only_plain"), "rejects connection", "SSL encryption")


def test_a_hosted_services_default_url_is_taken(tls: Server) -> None:
    assert both_at(tls.at("sslmode=require&channel_binding=require"))["tls"]
    assert both_at(tls.at("channel_binding=require"))["tls"]
    extras = "connect_timeout=10&gssencmode=disable&keepalives=1&keepalives_idle=30&load_balance_hosts=random"
    assert both_at(tls.at(f"sslmode=require&{extras}&target_session_attrs=primary"))["tls"]
    assert both_at(tls.at("application_name=mine&client_encoding=latin1&fallback_application_name=x"))["role"] == "ann"


def test_a_certificate_that_is_not_accepted_is_called_one(tls: Server) -> None:
    try:
        stranger = Authority(tls.folder, "stranger").own.file
        both_refuse(tls.at(f"sslmode=verify-ca&sslrootcert={stranger}"), "certificate")
        # As libpq has it: authorities that are named are asked in weaker modes, too.
        both_refuse(tls.at(f"sslmode=require&sslrootcert={stranger}"), "certificate")
        tls.present(tls.authority.sign("elsewhere", "DNS:elsewhere.example"))
        both_refuse(tls.trusting("sslmode=verify-full"), "certificate")
        assert both_at(tls.trusting("sslmode=verify-ca"))["tls"]
        tls.present(tls.authority.sign("expired", "IP:127.0.0.1", days=-1))
        both_refuse(tls.trusting("sslmode=verify-full"), "certificate has expired", "certificate verify failed")
        alone = self_signed(tls.folder, "alone", "IP:127.0.0.1")
        tls.present(alone)
        both_refuse(tls.trusting("sslmode=verify-full"), "self-signed", "self signed", "certificate verify failed")
        assert both_at(tls.at("sslmode=require"))["tls"]
        assert both_at(tls.at(f"sslmode=verify-full&sslrootcert={alone.file}"))["tls"]
    finally:
        tls.present(tls.authority.sign("server", "IP:127.0.0.1,DNS:localhost"))


def test_files_that_cannot_be_used_are_named_with_their_parameter(tls: Server, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("no certificate")
    client = tls.authority.sign("clumsy")
    missing = "/nonexistent/file"
    for parameters, name in {
        f"sslmode=verify-full&sslrootcert={missing}": "sslrootcert",
        f"sslmode=require&sslrootcert={nonsense}": "sslrootcert",
        f"sslmode=require&sslcert={client.file}&sslkey={missing}": "sslkey",
        f"sslmode=require&sslcert={nonsense}&sslkey={client.key}": "sslcert",
        f"sslmode=require&sslcert={client.file}&sslkey={tls.authority.own.key}": "sslkey",
    }.items():
        both_refuse(tls.at(parameters), name, kind=InvalidSettings)
    client.key.chmod(0o644)
    both_refuse(tls.at(f"sslcert={client.file}&sslkey={client.key}"), "sslkey", kind=InvalidSettings)
    # A file that is not there is no certificate, as for libpq.
    assert both_at(tls.at(f"sslmode=require&sslcert={missing}"))["client_dn"] is None


def test_a_client_shows_its_own_certificate(tls: Server, tmp_path: Path) -> None:
    carl = tls.authority.sign("carl")
    own = f"sslmode=require&sslcert={carl.file}&sslkey={carl.key}"
    assert both_at(tls.at(own, user="carl"))["client_dn"] == "/CN=carl"
    both_refuse(tls.at("sslmode=require", user="carl"), "certificate")
    both_refuse(tls.at(f"{own}&sslcertmode=disable", user="carl"), "certificate")
    usual = tmp_path / ".postgresql"
    usual.mkdir()
    shutil.copy(carl.file, usual / "postgresql.crt")
    shutil.copy(carl.key, usual / "postgresql.key")
    (usual / "postgresql.key").chmod(0o600)
    assert both_at(tls.at("sslmode=require", user="carl"))["client_dn"] == "/CN=carl"


def test_the_systems_authorities_are_those_of_the_system(tls: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    both_refuse(tls.at("sslrootcert=system"), "certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority.own.file))
    assert both_at(tls.at("sslrootcert=system"))["tls"]


def test_a_numeric_address_is_connected_to_under_the_hosts_name(tls: Server) -> None:
    assert both_at(tls.trusting("sslmode=verify-full&hostaddr=127.0.0.1", host="localhost"))["tls"]
    both_refuse(tls.trusting("sslmode=verify-full&hostaddr=127.0.0.1", host="db.example"), "certificate")


def test_a_server_without_tls_is_not_talked_to_in_plain_text_where_tls_is_asked_for(tls: Server) -> None:
    with psycopg.connect(tls.admin, autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET ssl = off")
        admin.execute("SELECT pg_reload_conf()")
        try:
            eventually(lambda: not both_at(tls.at("sslmode=prefer"))["tls"])
            both_refuse(tls.at("sslmode=require"), "does no TLS", "does not support SSL")
        finally:
            admin.execute("ALTER SYSTEM SET ssl = on")
            admin.execute("SELECT pg_reload_conf()")
            eventually(lambda: both_at(tls.at("sslmode=prefer"))["tls"])


def test_passwords_of_every_kind_are_taken_and_wrong_ones_refused(tls: Server, tmp_path: Path) -> None:
    assert both_at(tls.at(user="of_old"))["role"] == "of_old"
    assert both_at(f"host={tls.host} port={tls.port} user=trusted dbname={DATABASE}")["role"] == "trusted"
    without = f"host={tls.host} port={tls.port} user=ann dbname={DATABASE}"
    both_refuse(without, "no password")
    both_refuse(f"{without} password=wrong", "password authentication failed")
    file = tmp_path / "pass"
    file.write_text(f"{tls.host}:{tls.port}:*:ann:{PASSWORD}\n")
    file.chmod(0o600)
    assert both_at(f"{without} passfile={file}")["role"] == "ann"
    file.chmod(0o644)
    both_refuse(f"{without} passfile={file}", "no password")
    both_refuse(f"{without} password={PASSWORD} dbname=nowhere", "nowhere")


def test_the_environment_and_service_files_lead_both_to_the_same_database(
    tls: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGHOST", tls.host)
    monkeypatch.setenv("PGPORT", str(tls.port))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    found = both_at(f"postgresql://ann@/{DATABASE}")
    assert (found["role"], found["name"]) == ("ann", DATABASE)
    services = tmp_path / "services"
    services.write_text(f"[here]\nuser=ann\ndbname={DATABASE}\nsslmode=disable\noptions=-csearch_path=app\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    found = both_at("postgresql:///?service=here")
    assert (found["role"], found["tls"], found["search_path"]) == ("ann", False, "app")
    monkeypatch.setenv("PGSERVICE", "here")
    assert both_at("postgresql+asyncpg://")["name"] == DATABASE


def test_the_environment_cannot_lead_one_of_the_two_astray(tls: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    address = tls.at("sslmode=disable")
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "any")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGSSLNEGOTIATION", "postgres")
    monkeypatch.setenv("PGUSER", "nobody")
    monkeypatch.setenv("PGOPTIONS", "-csearch_path=elsewhere")
    assert both_at(address)["search_path"] == "elsewhere"


def test_several_hosts_are_tried_in_order(tls: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = int(closed.getsockname()[1])
    for hosts in (f"127.0.0.1:{dead},{tls.host}:{tls.port}", f"[::1]:{dead},{tls.host}:{tls.port}"):
        assert both_at(f"postgresql://ann:{PASSWORD}@{hosts}/{DATABASE}")["role"] == "ann"
    spoken = f"host=127.0.0.1,{tls.host} port={dead},{tls.port} user=ann password={PASSWORD} dbname={DATABASE}"
    assert both_at(spoken)["role"] == "ann"
    both_refuse(f"postgresql://ann@127.0.0.1:{dead}/{DATABASE}", "refused", kind=DatabaseUnavailable)


class SocketProxy(Proxy):
    """Listens on a unix socket instead of a port."""

    def __init__(self, host: str, port: int, path: Path) -> None:
        super().__init__(host, port)
        self._listener.close()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()


@pytest.mark.parametrize("form", ["postgresql://ann@{quoted}/{name}?", "host={folder} user=ann dbname={name} "])
def test_a_folder_is_a_unix_socket(tls: Server, form: str) -> None:
    with tempfile.TemporaryDirectory(prefix="ps-") as folder:
        url = form.format(quoted=folder.replace("/", "%2F"), folder=folder, name=DATABASE)
        with SocketProxy(tls.host, tls.port, Path(folder) / ".s.PGSQL.5432"):
            # TLS is for networks: over a socket it is never asked for.
            assert not both_at(f"{url}password={PASSWORD}")["tls"]
            separator = "&" if "?" in url else " "
            assert not both_at(f"{url}password={PASSWORD}{separator}sslmode=require")["tls"]
        both_refuse(url, "refused", kind=DatabaseUnavailable)


def test_an_option_that_the_server_does_not_know_is_told_and_is_no_missing_schema(tls: Server) -> None:
    both_refuse(tls.at("options=-cno_such_setting%3D1"), "no_such_setting")
    both_refuse(tls.at("options=-crole%3Dno_such_role"), "no_such_role")


def test_a_daemon_queues_over_a_verified_connection_and_a_program_sees_it(tls: Server) -> None:
    url = tls.trusting("sslmode=verify-full&channel_binding=require&connect_timeout=10&gssencmode=disable")
    database = TestDatabase(tls.admin, DATABASE)
    with database.connect(), running_daemon(url.replace("postgresql://", "postgresql+psycopg://")):
        database.add_pattern("seen")
        eventually(lambda: database.entry("seen"))
        encrypted = (
            "SELECT bool_and(ssl) AS all FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
            " WHERE application_name ~ '^pattern-sync'"
        )
        assert database.execute(encrypted)[0]["all"]
        assert [entry.pattern_id for entry in PatternSyncService(url).list_entries()] == ["seen"]
