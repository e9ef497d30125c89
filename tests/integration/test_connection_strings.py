"""Addresses as people write them, over both drivers: the same server, the same result, the same refusal."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from pattern_sync import AccessRefused, DatabaseUnavailable, InvalidSettings, PatternSyncService
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.connector import Connector
from pattern_sync.database.installer import Installer
from pattern_sync.database.statements import load_statements
from pattern_sync.embedded import EmbeddedServer, PostgresBinaries, all_binaries
from tests.support.asynchronous import run, settle
from tests.support.certificates import Authority, Certificate, self_signed
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.doctor import examined
from tests.support.folders import open_folder
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
    """Connect as the daemon does and return the session's identity."""

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
            # asyncpg closes a refused TLS connection in the background.
            await settle(lambda: len(sockets) <= before)

    return run(ask_and_see_it_closed())


def program_at(url: str) -> dict[str, Any]:
    """Connect as the command line does and return the session's identity."""
    address = DatabaseAddress.parse(url)
    with BlockingDatabase.connect(address):
        pass
    with psycopg.connect("", **address.for_libpq(with_settings=True), row_factory=dict_row) as connection:  # type: ignore[arg-type]
        return dict(connection.execute(WHO).fetchone() or {})


def both_at(url: str) -> dict[str, Any]:
    found = [ask(url) for ask in (daemon_at, program_at)]
    for each in found:
        assert each.pop("pid")
        assert each.pop("application_name").startswith("pattern-sync")
    assert found[0] == found[1]
    return found[0]


def both_refuse(url: str, *words: str, kind: type[Exception] = AccessRefused) -> None:
    for ask in (daemon_at, program_at):
        with pytest.raises(kind) as refusal:
            ask(url)
        assert any(word in str(refusal.value) for word in words), str(refusal.value)
        assert PASSWORD not in str(refusal.value)


def both_say(url: str, message: str, kind: type[Exception] = AccessRefused) -> None:
    """See that both drivers' refusals are one and the same sentence."""
    for ask in (daemon_at, program_at):
        with pytest.raises(kind) as refusal:
            ask(url)
        assert str(refusal.value) == message


class Server:
    """A server with roles for every way to log in, or to be refused."""

    def __init__(self, host: str, port: int, admin: str) -> None:
        self.host = host
        self.port = port
        self.admin = admin

    def at(self, parameters: str = "", user: str = "ann", host: str | None = None) -> str:
        return f"postgresql://{user}:{PASSWORD}@{host or self.host}:{self.port}/{DATABASE}?{parameters}"


class TlsServer(Server):
    """A server that presents certificates."""

    def __init__(self, server: Server, folder: Path) -> None:
        super().__init__(server.host, server.port, server.admin)
        self.folder = folder
        self.authority = Authority(folder, "authority")

    def trusting(self, parameters: str, **others: str) -> str:
        return self.at(f"{parameters}&sslrootcert={self.authority.own.file}", **others)

    def present(self, certificate: Certificate) -> None:
        """Have the server present another certificate on new connections."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            self._copy(connection, certificate.file)
            self._copy(connection, certificate.key)
            connection.execute(f"ALTER SYSTEM SET ssl_cert_file = '{certificate.file.name}'".encode())
            connection.execute(f"ALTER SYSTEM SET ssl_key_file = '{certificate.key.name}'".encode())
        self.switch_tls("on")
        eventually(lambda: self._setting("ssl_cert_file") == certificate.file.name)

    def trust_clients(self) -> None:
        """Have the server accept client certificates of our authority."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            self._copy(connection, self.authority.own.file)
            connection.execute(f"ALTER SYSTEM SET ssl_ca_file = '{self.authority.own.file.name}'".encode())

    def switch_tls(self, state: str) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET ssl = {state}".encode())
            connection.execute("SELECT pg_reload_conf()")
        eventually(lambda: self._setting("ssl") == state)

    def _setting(self, name: str) -> str:
        with psycopg.connect(self.admin) as connection:
            return setting(connection, name)

    def _copy(self, connection: psycopg.Connection[Any], source: Path) -> None:
        data = Path(setting(connection, "data_directory"))
        target = data / source.name
        shutil.copy(source, target)
        if os.geteuid() == 0:
            owner = data.stat()
            os.chown(target, owner.st_uid, owner.st_gid)
        target.chmod(0o600)


HBA = """
hostnossl all only_tls 127.0.0.1/32 reject
host all of_old 127.0.0.1/32 md5
host all trusted 127.0.0.1/32 trust
"""
# A server built without TLS accepts none of these.
HBA_WITH_TLS = """
hostssl all only_plain 127.0.0.1/32 reject
hostssl all carl 127.0.0.1/32 cert
"""
ROLES = ("ann", "only_tls", "only_plain", "trusted", "carl")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with (
        open_folder() as folder,
        EmbeddedServer(folder / "server", durable=False, binaries=preferably_with_tls()) as embedded,
    ):
        Installer(DatabaseAddress.parse(embedded.url)).migrate()
        with psycopg.connect(embedded.url, autocommit=True) as connection:
            for role in ROLES:
                connection.execute(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{PASSWORD}'".encode())
            connection.execute("SET password_encryption = md5")
            connection.execute(f"CREATE ROLE of_old LOGIN SUPERUSER PASSWORD '{PASSWORD}'".encode())
            rules = Path(setting(connection, "hba_file"))
            with_tls = HBA_WITH_TLS if setting(connection, "ssl_library") else ""
            rules.write_text(HBA + with_tls + rules.read_text())
            connection.execute("SELECT pg_reload_conf()")
            eventually(lambda: lets_in(connection.info.host, connection.info.port, "trusted"))
            yield Server(connection.info.host, connection.info.port, embedded.url)


@pytest.fixture(scope="module")
def tls(server: Server) -> Iterator[TlsServer]:
    with psycopg.connect(server.admin) as connection:
        if not setting(connection, "ssl_library"):
            pytest.skip("no PostgreSQL with TLS is here")
    with tempfile.TemporaryDirectory(prefix="pattern-sync-certificates-") as name:
        made = TlsServer(server, Path(name))
        made.trust_clients()
        made.present(made.authority.sign("server", "IP:127.0.0.1,DNS:localhost"))
        yield made
        made.switch_tls("off")


def preferably_with_tls() -> PostgresBinaries | None:
    for binaries in all_binaries():
        linked = subprocess.run(["ldd", binaries.directory / "postgres"], capture_output=True, text=True, check=False)
        if "libssl" in linked.stdout:
            return binaries
    return None


def lets_in(host: str, port: int, user: str) -> bool:
    try:
        psycopg.connect(host=host, port=port, user=user, dbname=DATABASE, sslmode="disable").close()
    except psycopg.OperationalError:
        return False
    return True


def setting(connection: psycopg.Connection[Any], name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def own_address() -> str:
    """Return an address of this machine that is not loopback; skips where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no network")
        return str(probe.getsockname()[0])


def test_the_doctor_warns_of_a_link_to_another_machine_until_it_is_encrypted(tls: TlsServer) -> None:
    with Proxy(tls.host, tls.port, listen_on=own_address()) as proxy:
        beyond = f"postgresql://ann:{PASSWORD}@{own_address()}:{proxy.port}/{DATABASE}"
        found = examined(f"{beyond}?sslmode=disable")
        assert found.state("encryption") == "warning"
        assert "sslmode=verify-full" in found.remedies("encryption")[0]["text"]
        assert examined(f"{beyond}?sslmode=verify-ca&sslrootcert={tls.authority.own.file}").state("encryption") == "ok"
    assert examined(tls.at("sslmode=disable")).state("encryption") == "ok"


def test_a_certificate_that_is_not_trusted_is_a_finding(tls: TlsServer, tmp_path: Path) -> None:
    other = self_signed(tmp_path, "other")
    found = examined(tls.at(f"sslmode=verify-full&sslrootcert={other.file}"))
    assert set(found.in_state("problem")) == {"hosts"}
    assert "certificate" in found.text("hosts")


def test_every_sslmode_does_what_its_name_promises(tls: TlsServer) -> None:
    for mode, encrypted in {"disable": False, "allow": False, "prefer": True, "require": True}.items():
        assert both_at(tls.at(f"sslmode={mode}"))["tls"] is encrypted, mode
    for mode in ("verify-ca", "verify-full"):
        assert both_at(tls.trusting(f"sslmode={mode}"))["tls"], mode
    assert both_at(tls.at())["tls"]
    # A mode that requires TLS, or refuses it, gets its way.
    assert both_at(tls.at("sslmode=allow", user="only_tls"))["tls"]
    assert not both_at(tls.at("sslmode=prefer", user="only_plain"))["tls"]
    both_refuse(tls.at("sslmode=disable", user="only_tls"), "rejects connection", "no encryption")
    both_refuse(tls.at("sslmode=require", user="only_plain"), "rejects connection", "SSL encryption")


def test_a_hosted_services_default_url_is_accepted(tls: TlsServer) -> None:
    assert both_at(tls.at("sslmode=require&channel_binding=require"))["tls"]
    assert both_at(tls.at("channel_binding=require"))["tls"]
    extras = "connect_timeout=10&gssencmode=disable&keepalives=1&keepalives_idle=30&load_balance_hosts=random"
    assert both_at(tls.at(f"sslmode=require&{extras}&target_session_attrs=primary"))["tls"]
    assert both_at(tls.at("application_name=mine&client_encoding=latin1&fallback_application_name=x"))["role"] == "ann"


def test_a_refused_certificate_is_reported_with_its_cause(tls: TlsServer) -> None:
    here, trusted = f"{tls.host}:{tls.port}", "The authorities that are trusted come from sslrootcert"
    try:
        stranger = Authority(tls.folder, "stranger").own.file
        both_say(
            tls.at(f"sslmode=verify-ca&sslrootcert={stranger}"),
            f"{here}: the server's certificate is not trusted: self-signed certificate in certificate chain."
            f" {trusted} '{stranger}'; name the file of those that signed it",
        )
        # As in libpq: named authorities are checked in weaker modes, too.
        both_refuse(tls.at(f"sslmode=require&sslrootcert={stranger}"), "certificate")
        tls.present(tls.authority.sign("elsewhere", "DNS:elsewhere.example"))
        both_say(
            tls.trusting("sslmode=verify-full"),
            f"{here}: the server's certificate is for another name: IP address mismatch, certificate is not valid for"
            f" '{tls.host}'. Put a name that the certificate holds into the URL",
        )
        assert both_at(tls.trusting("sslmode=verify-ca"))["tls"]
        tls.present(tls.authority.sign("expired", "IP:127.0.0.1", days=-1))
        both_say(
            tls.trusting("sslmode=verify-full"),
            f"{here}: the server's certificate has expired. Renew it on the server",
        )
        alone = self_signed(tls.folder, "alone", "IP:127.0.0.1")
        tls.present(alone)
        both_say(
            tls.trusting("sslmode=verify-full"),
            f"{here}: the server's certificate is not trusted: self-signed certificate."
            f" {trusted} '{tls.authority.own.file}'; name the file of those that signed it",
        )
        assert both_at(tls.at("sslmode=require"))["tls"]
        assert both_at(tls.at(f"sslmode=verify-full&sslrootcert={alone.file}"))["tls"]
    finally:
        tls.present(tls.authority.sign("server", "IP:127.0.0.1,DNS:localhost"))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_protocols_that_no_side_has_are_refused_and_not_waited_for(tls: TlsServer) -> None:
    old = "sslmode=require&ssl_min_protocol_version=TLSv1.1&ssl_max_protocol_version=TLSv1.1"
    both_refuse(tls.at(old), "(check ssl_min_protocol_version and ssl_max_protocol_version)")


def test_a_fault_has_the_same_words_over_both_drivers(server: Server) -> None:
    here = f"{server.host}:{server.port}"
    refused = f'{here}: password authentication failed for user "ann"'
    both_say(server.at().replace(PASSWORD, "wrong"), refused)
    both_say(f"host={server.host} port={server.port} user=ann dbname=x", f"{refused} (no password was given)")
    both_say(server.at().replace(f"/{DATABASE}", "/nowhere"), f'{here}: database "nowhere" does not exist')
    both_say(server.at("options=-cno_such%3D1"), f'{here}: unrecognized configuration parameter "no_such"')
    with psycopg.connect(server.admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE poor LOGIN PASSWORD 's3cr3t'")
        connection.execute(f"REVOKE CONNECT ON DATABASE {DATABASE} FROM PUBLIC".encode())
    both_say(
        server.at(user="poor"),
        f'{here}: permission denied for database "{DATABASE}". As the database\'s owner: GRANT CONNECT ON DATABASE'
        f" {DATABASE} TO poor;",
    )
    gone = "Connection refused"
    both_say("postgresql://ann@127.0.0.1:1/x", f"127.0.0.1:1: {gone}", DatabaseUnavailable)
    two = f"127.0.0.1:1: {gone}; localhost:2: {gone}"
    both_say("postgresql://ann@127.0.0.1:1,localhost:2/x", two, DatabaseUnavailable)
    both_say("host=/nowhere user=ann", "/nowhere:5432: No such file or directory", DatabaseUnavailable)
    unknown = "no-such-host.invalid"
    both_refuse(f"postgresql://ann@{unknown}/x", f"{unknown}:5432: ", kind=DatabaseUnavailable)


def test_files_that_cannot_be_used_are_named_with_their_parameter(tls: TlsServer, tmp_path: Path) -> None:
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
    # A missing file counts as no certificate, as in libpq.
    assert both_at(tls.at(f"sslmode=require&sslcert={missing}"))["client_dn"] is None


def test_a_client_presents_its_own_certificate(tls: TlsServer, tmp_path: Path) -> None:
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


def test_sslrootcert_system_uses_the_systems_authorities(tls: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    both_refuse(tls.at("sslrootcert=system"), "certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority.own.file))
    assert both_at(tls.at("sslrootcert=system"))["tls"]


def test_a_numeric_address_is_connected_to_under_the_hosts_name(tls: TlsServer) -> None:
    assert both_at(tls.trusting("sslmode=verify-full&hostaddr=127.0.0.1", host="localhost"))["tls"]
    both_refuse(tls.trusting("sslmode=verify-full&hostaddr=127.0.0.1", host="db.example"), "certificate")


def test_a_server_without_tls_gets_no_plain_text_where_tls_is_required(tls: TlsServer) -> None:
    tls.switch_tls("off")
    try:
        assert not both_at(tls.at("sslmode=prefer"))["tls"]
        both_refuse(tls.at("sslmode=require"), "does not support SSL")
    finally:
        tls.switch_tls("on")


def test_passwords_of_every_kind_are_accepted_and_wrong_ones_refused(server: Server, tmp_path: Path) -> None:
    assert both_at(server.at(user="of_old"))["role"] == "of_old"
    assert both_at(f"host={server.host} port={server.port} user=trusted dbname={DATABASE}")["role"] == "trusted"
    without = f"host={server.host} port={server.port} user=ann dbname={DATABASE}"
    both_refuse(without, "no password")
    both_refuse(f"{without} password=wrong", "password authentication failed")
    file = tmp_path / "pass"
    file.write_text(f"{server.host}:{server.port}:*:ann:{PASSWORD}\n")
    file.chmod(0o600)
    assert both_at(f"{without} passfile={file}")["role"] == "ann"
    file.chmod(0o644)
    both_refuse(f"{without} passfile={file}", "no password")
    both_refuse(f"{without} password={PASSWORD} dbname=nowhere", "nowhere")


def test_the_environment_and_service_files_lead_both_drivers_to_one_database(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGHOST", server.host)
    monkeypatch.setenv("PGPORT", str(server.port))
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


def test_the_environment_cannot_lead_one_of_the_drivers_elsewhere(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = server.at("sslmode=disable")
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "any")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGSSLNEGOTIATION", "postgres")
    monkeypatch.setenv("PGUSER", "nobody")
    monkeypatch.setenv("PGOPTIONS", "-csearch_path=elsewhere")
    assert both_at(address)["search_path"] == "elsewhere"


def test_several_hosts_are_tried_in_order(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = int(closed.getsockname()[1])
    for hosts in (f"127.0.0.1:{dead},{server.host}:{server.port}", f"[::1]:{dead},{server.host}:{server.port}"):
        assert both_at(f"postgresql://ann:{PASSWORD}@{hosts}/{DATABASE}")["role"] == "ann"
    spoken = f"host=127.0.0.1,{server.host} port={dead},{server.port} user=ann password={PASSWORD} dbname={DATABASE}"
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
def test_a_folder_is_a_unix_socket(server: Server, form: str) -> None:
    with tempfile.TemporaryDirectory(prefix="ps-") as folder:
        url = form.format(quoted=folder.replace("/", "%2F"), folder=folder, name=DATABASE)
        with SocketProxy(server.host, server.port, Path(folder) / ".s.PGSQL.5432"):
            # TLS is for networks: it is never requested over a Unix socket.
            assert not both_at(f"{url}password={PASSWORD}")["tls"]
            separator = "&" if "?" in url else " "
            assert not both_at(f"{url}password={PASSWORD}{separator}sslmode=require")["tls"]
        both_refuse(url, "refused", kind=DatabaseUnavailable)


def test_an_unknown_server_option_is_not_reported_as_a_missing_schema(server: Server) -> None:
    both_refuse(server.at("options=-cno_such_setting%3D1"), "no_such_setting")
    both_refuse(server.at("options=-crole%3Dno_such_role"), "no_such_role")


def test_a_daemon_queues_over_a_verified_connection_and_a_program_sees_it(tls: TlsServer) -> None:
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
