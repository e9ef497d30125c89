"""A database address as people write it, parsed once for both drivers, and its form without the password."""

import os
import traceback
from importlib.metadata import version
from pathlib import Path

import pytest

from pattern_sync import InvalidSettings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.libpq import socket_folder

SECRET = "s3cr3t"
SOCKETS = socket_folder()


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def places(url: str) -> list[tuple[str, int]]:
    return [(host.name, host.port) for host in DatabaseAddress.parse(url).hosts]


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://u@db/work", [("db", 5432)]),
        ("postgres://u@db:6432/work", [("db", 6432)]),
        ("postgresql+psycopg://u@db/work", [("db", 5432)]),
        ("postgresql+psycopg2://u@db/work", [("db", 5432)]),
        ("postgresql+asyncpg://u@db/work", [("db", 5432)]),
        ("host=db dbname=work user=u", [("db", 5432)]),
        ("host='db' port = 6000", [("db", 6000)]),
        ("postgresql://u@one,two:6000/work", [("one", 5432), ("two", 6000)]),
        ("postgresql://u@one:1,two:2,three:3/work", [("one", 1), ("two", 2), ("three", 3)]),
        ("postgresql://u@[::1]:6000/work", [("::1", 6000)]),
        ("postgresql://u@[2001:db8::1]/work", [("2001:db8::1", 5432)]),
        ("postgresql://u@[::1]:1,[2001:db8::1],db:3/work", [("::1", 1), ("2001:db8::1", 5432), ("db", 3)]),
        ("host=::1,db port=1,2", [("::1", 1), ("db", 2)]),
        ("postgresql:///work?host=/run/postgresql", [("/run/postgresql", 5432)]),
        ("postgresql://u@%2Frun%2Fpostgresql:99/work", [("/run/postgresql", 99)]),
        ("host=/tmp,db", [("/tmp", 5432), ("db", 5432)]),
        ("postgresql://u@/work?host=one,two&port=6000", [("one", 6000), ("two", 6000)]),
        ("postgresql:///work", [(SOCKETS, 5432)]),
        ("host=one,,two", [("one", 5432), (SOCKETS, 5432), ("two", 5432)]),
        ("postgresql://u@/work?hostaddr=10.0.0.1", [("10.0.0.1", 5432)]),
        ("host=db hostaddr=10.0.0.1", [("db", 5432)]),
        (f"postgresql://ann:{SECRET}℀@db/work", [("db", 5432)]),
    ],
)
def test_the_hosts_come_one_by_one(url: str, hosts: list[tuple[str, int]]) -> None:
    assert places(url) == hosts


def test_hostaddr_is_connected_to_and_host_is_checked_against_the_certificate() -> None:
    host, other = DatabaseAddress.parse("host=db,two hostaddr=10.0.0.1,::1").hosts
    assert (host.name, host.address) == ("db", "10.0.0.1")
    assert (other.name, other.address) == ("two", "::1")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}@db/work",
        f"postgresql://db/work?user=ann&password={SECRET}",
        f"postgresql://ann:{SECRET}@one,two/work?sslpassword={SECRET}",
        f"host=db user=ann password={SECRET} dbname=work",
    ],
)
def test_the_password_is_in_no_form_of_an_address(url: str) -> None:
    address = DatabaseAddress.parse(url)
    assert SECRET in address.url
    assert SECRET not in f"{address} {address!r}"
    assert "ann@" in str(address)
    assert address.password_for(address.hosts[0]) == SECRET


def test_an_address_reads_like_a_url() -> None:
    assert str(DatabaseAddress.parse("postgresql://ann:x@one,two:6000/work")) == (
        "postgresql://ann@one:5432,two:6000/work"
    )
    assert str(DatabaseAddress.parse("postgresql://ann@[::1]/work")) == "postgresql://ann@[::1]:5432/work"
    assert str(DatabaseAddress.parse("host=/run/pg user=ann dbname=work")) == "postgresql://ann@%2Frun%2Fpg:5432/work"


def test_the_database_name_defaults_to_the_user() -> None:
    assert DatabaseAddress.parse("postgresql://ann@db").database == "ann"


def test_the_environment_is_followed_as_psql_follows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"PGHOST": "env", "PGPORT": "7000", "PGUSER": "eve", "PGDATABASE": "base", "PGPASSWORD": SECRET}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    address = DatabaseAddress.parse("postgresql://")
    assert str(address) == "postgresql://eve@env:7000/base"
    assert address.password_for(address.hosts[0]) == SECRET
    assert str(DatabaseAddress.parse("postgresql://ann@db:1/work")) == "postgresql://ann@db:1/work"
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert DatabaseAddress.parse("postgresql://db").parameters["sslmode"] == "disable"


def test_both_drivers_get_what_a_service_file_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    services = tmp_path / "services"
    services.write_text("[here]\nhost=one,two\nport=1,2\nuser=sue\ndbname=work\nload_balance_hosts=random\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    for url in ("service=here", "postgresql:///?service=here"):
        address = DatabaseAddress.parse(url)
        assert str(address) == "postgresql://sue@one:1,two:2/work"
        assert address.parameters["load_balance_hosts"] == "random"
        passed = address.for_libpq(with_settings=True)
        assert (passed["host"], passed["port"], passed["user"]) == ("one,two", "1,2", "sue")
        assert "service" not in passed
    assert str(DatabaseAddress.parse("service=here user=ann")) == "postgresql://ann@one:1,two:2/work"
    monkeypatch.setenv("PGSERVICE", "here")
    assert str(DatabaseAddress.parse("postgresql://db:3")) == "postgresql://sue@db:3/work"
    with pytest.raises(InvalidSettings, match='service "nowhere" not found'):
        DatabaseAddress.parse("service=nowhere")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "none"))
    with pytest.raises(InvalidSettings, match="none"):
        DatabaseAddress.parse("service=here")


def test_a_password_file_is_searched_for_each_host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pass"
    file.write_text(f"one:1:*:ann:first\ntwo:2:work:*:sec\\:ond\n/run/pg:5432:*:*:{SECRET}\n")
    file.chmod(0o600)
    address = DatabaseAddress.parse(f"host=one,two,three port=1,2,3 user=ann dbname=work passfile={file}")
    assert [address.password_for(host) for host in address.hosts] == ["first", "sec:ond", ""]
    file.write_text("*:*:*:*:changed\n")
    assert address.password_for(address.hosts[2]) == "changed"
    file.chmod(0o644)
    assert address.password_for(address.hosts[0]) == ""
    assert capfd.readouterr().err == ""
    again = DatabaseAddress.parse(f"host=one user=ann passfile={file}")  # psql prints this once, too
    assert "group or world access" in capfd.readouterr().err
    assert again.password_for(again.hosts[0]) == ""
    assert "password" not in again.for_libpq(with_settings=True)


def test_the_default_password_file_is_found(tmp_path: Path) -> None:
    (tmp_path / ".pgpass").write_text("db:5432:work:ann:usual\n")
    (tmp_path / ".pgpass").chmod(0o600)
    address = DatabaseAddress.parse("postgresql://ann@db/work")
    assert address.password_for(address.hosts[0]) == "usual"


@pytest.mark.parametrize(
    ("parameters", "seconds"),
    [
        ("", 5),
        ("connect_timeout=10", 10),
        ("connect_timeout=0", 5),
        ("connect_timeout=-1", 5),
        ("connect_timeout=900", 60),
    ],
)
def test_every_connect_has_a_deadline_whatever_the_url_says(parameters: str, seconds: float) -> None:
    address = DatabaseAddress.parse(f"postgresql://db/work?{parameters}")
    assert address.connect_seconds == seconds
    assert address.for_libpq(with_settings=True)["connect_timeout"] == str(seconds)


def test_our_keepalive_applies_unless_the_url_sets_or_disables_it() -> None:
    assert DatabaseAddress.parse("host=db").keepalive["keepalives_idle"] == 2
    given = DatabaseAddress.parse("host=db keepalives_idle=30 tcp_user_timeout=0")
    assert given.keepalive == {
        "keepalives_idle": 30,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "tcp_user_timeout": 0,
    }
    assert given.for_libpq(with_settings=True)["keepalives_idle"] == "30"
    assert not DatabaseAddress.parse("host=db keepalives=0").keepalive


def test_parameters_that_we_set_override_those_of_the_url() -> None:
    passed = DatabaseAddress.parse(
        "host=db application_name=mine fallback_application_name=x client_encoding=latin1 target_session_attrs=any"
        " options='-c search_path=app'"
    ).for_libpq(with_settings=True)
    assert passed["application_name"] == f"pattern-sync {version('pattern-sync')} command"
    assert passed["client_encoding"] == "UTF8"
    assert passed["target_session_attrs"] == "read-write"
    assert passed["options"].startswith("-c search_path=app -c ")
    assert r"default_transaction_isolation=read\ committed" in passed["options"]


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
def test_channel_binding_requires_tls(mode: str) -> None:
    assert DatabaseAddress.parse(f"host=db sslmode={mode} channel_binding=require").parameters["sslmode"] == "require"
    assert DatabaseAddress.parse(f"host=db sslmode={mode} channel_binding=prefer").parameters["sslmode"] == mode


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("sslmod=require", ["sslmod", "sslmode"]),
        ("nonsense=1", ["nonsense", "target_session_attrs"]),
        ("sslmode=maybe", ["sslmode", "maybe"]),
        ("port=0", ["port", "'0'", "65535"]),
        ("port=65536", ["port", "65536"]),
        ("port=1,2", ["2 port numbers to 1 hosts"]),
        ("hostaddr=1.2.3.4,1.2.3.5", ["1 host names to 2 hostaddr"]),
        ("connect_timeout=soon", ["connect_timeout", "soon", "whole number"]),
        ("keepalives=2", ["keepalives", "2"]),
        ("keepalives_idle=x", ["keepalives_idle", "x"]),
        ("load_balance_hosts=always", ["load_balance_hosts", "always", "random"]),
        ("channel_binding=maybe", ["channel_binding", "maybe"]),
        ("target_session_attrs=standby", ["target_session_attrs", "standby", "read-write"]),
        ("target_session_attrs=nothing", ["target_session_attrs", "nothing"]),
        ("require_auth=scram-sha-256", ["require_auth", "verify-full"]),
        ("requirepeer=postgres", ["requirepeer"]),
        ("replication=database", ["replication"]),
        ("sslcertmode=require", ["sslcertmode", "require"]),
        ("sslnegotiation=direct", ["sslnegotiation", "prefer"]),
        ("sslmode=verify-full sslrootcert=/nonexistent/ca", ["sslrootcert", "/nonexistent/ca"]),
        ("sslmode=verify-ca", ["root.crt", "sslrootcert", "system"]),
        ("sslmode=require sslrootcert=system", ["sslmode", "require", "system"]),
        ("ssl_min_protocol_version=TLSv9", ["ssl_min_protocol_version", "TLSv9"]),
    ],
)
def test_unsupported_parameters_are_refused_by_name(parameters: str, words: list[str]) -> None:
    for url in (
        f"host=db password={SECRET} {parameters}",
        f"postgresql://ann:{SECRET}@db/work?{parameters.replace(' ', '&')}",
    ):
        with pytest.raises(InvalidSettings) as refusal:
            DatabaseAddress.parse(url)
        for word in ("PATTERN_SYNC_DATABASE_URL", *words):
            assert word in str(refusal.value)
        assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://app:p@{SECRET}/word@db/work",
        f"postgresql://app:p@{SECRET}@db/work",
        "postgresql://app:p@db/work@2",
        "postgresql+psycopg://a@b:c@db/work?sslmode=require",
    ],
)
def test_a_password_that_holds_an_at_sign_is_not_taken_for_a_host(url: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        DatabaseAddress.parse(url)
    assert str(refusal.value) == (
        "PATTERN_SYNC_DATABASE_URL holds more than one @, so where the password ends is unclear. It has to look like"
        " postgresql://user:password@host:5432/database, with every other @ percent-encoded as %40, and / as %2F."
    )


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_url_in_quotation_marks_is_refused(quote: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        DatabaseAddress.parse(f"{quote}postgresql://app@db/work{quote}")
    assert str(refusal.value) == (
        "PATTERN_SYNC_DATABASE_URL begins with a quotation mark. Leave the quotation marks out."
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        SECRET,
        f"mysql://ann:{SECRET}@db/work",
        f"mysql://ann:{SECRET}@db/work?x=1",
        f"postgresql//ann:{SECRET}@db/work",
        f"postgresql://ann:{SECRET}%zz@db/work",
        f"postgresql://ann:{SECRET}@db:port/work",
        f"postgresql://ann:x@{SECRET}@db/work",
        f"postgresql://ann:x@y:{SECRET}@db/work",
        f"postgresql://ann:{SECRET}/x@db/work",
        f"postgresql://ann:{SECRET}@[::1/work",
        f"host=db password={SECRET} {SECRET}",
        f"postgresql://ann@db/work?password=x&{SECRET}",
        f"postgresql://ann@db/work?password=x&{SECRET}=1",
        f"host=db password='{SECRET}",
    ],
)
def test_an_invalid_url_is_refused_with_no_password_even_in_the_traceback(url: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        DatabaseAddress.parse(url)
    assert "PATTERN_SYNC_DATABASE_URL" in str(refusal.value)
    assert "postgresql://user:password@host:5432/database" in str(refusal.value)
    shown = "".join(traceback.format_exception(refusal.value, limit=0))
    assert SECRET not in shown
