"""The three roles of sql/roles.sql: enough rights for their work, no others, each with its reason in the documents."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from pattern_sync import PatternSyncService
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from tests.conftest import fresh_database
from tests.integration.test_rights import missing_rights
from tests.integration.test_writers_rights import HARDENED, PATTERN, as_role, lacking
from tests.support.application import APPLICATION_TABLES
from tests.support.database import TestDatabase
from tests.support.lived_in import Roles, documented_rights
from tests.support.notifications import listening
from tests.support.psql import run_psql

ROOT = Path(__file__).parents[2]
ROLES = ROOT / "sql" / "roles.sql"
KINDS = ("installer", "runtime", "detector")
_GRANT = re.compile(r"^GRANT (?P<right>.+?)(?: ON (?P<object>.+?))? TO (?P<roles>.+)$")
_ROW = re.compile(r"^\| (installer|runtime|detector) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
ACLS = (
    "SELECT c.oid::regclass::text AS name, c.relacl::text FROM pg_class AS c WHERE c.relacl IS NOT NULL"
    " UNION ALL SELECT p.oid::regprocedure::text, p.proacl::text FROM pg_proc AS p WHERE p.proacl IS NOT NULL"
    " ORDER BY 1"
)
Right = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Site:
    """A database whose tables belong to a role that is no superuser, and the names of the three roles there."""

    database: TestDatabase
    owner: str
    names: Mapping[str, str]

    @property
    def owner_url(self) -> str:
        return self.database.url_as(self.owner)

    def grant(self, **others: str) -> Sequence[str]:
        return run_psql(self.database.url, ROLES, **{**self.names, **others})


@pytest.fixture
def site(server_url: str, admin: "psycopg.Connection[dict[str, object]]", roles: Roles) -> Iterator[Site]:
    """Yield the adopted tables of an application that was not yet installed into."""
    with (
        _dropped(admin, f"{roles.owner}_r") as names,
        fresh_database(server_url, admin, None, owner=roles.owner) as empty,
        empty.connect(),
    ):
        site = Site(empty, roles.owner, names)
        with psycopg.connect(site.owner_url, autocommit=True) as session:
            session.execute(APPLICATION_TABLES.read_bytes())
        yield site


@contextmanager
def _dropped(admin: "psycopg.Connection[dict[str, object]]", prefix: str) -> Iterator[Mapping[str, str]]:
    names = {kind: f"{prefix}_{kind}" for kind in KINDS}
    try:
        yield names
    finally:
        for name in names.values():
            admin.execute(f"DROP ROLE IF EXISTS {name}".encode())


def install(site: Site) -> Sequence[str]:
    """Create the roles, migrate as the installer, grant the rest; return what the second run granted."""
    site.grant()
    Installer(DatabaseAddress.parse(site.database.url_as(site.names["installer"]))).migrate()
    return site.grant()


def rights(statements: Sequence[str], site: Site) -> set[Right]:
    """Return role, right and object of each GRANT, in the words of the documents."""
    found = set()
    for statement in statements:
        if match := _GRANT.match(statement):
            for name in match["roles"].split(", "):
                found |= _worded(KINDS[list(site.names.values()).index(name)], match["right"], match["object"])
    return found


def _worded(kind: str, right: str, thing: str | None) -> set[Right]:
    if thing is None:
        return {(kind, "membership", "the owner of operation_patterns")}
    thing = re.sub(r"^DATABASE .+", "the database", thing).replace("SCHEMA public", "the application's schema")
    thing = thing.removeprefix("SCHEMA ").removeprefix("SEQUENCE ")
    if thing.startswith("ROUTINE ") and kind == "runtime":
        return {(kind, right, "our functions, but install_trigger and create_announce")}
    thing = re.sub(r"^ROUTINE pattern_sync\.(\w+)\(.*\)$", r"\1", thing)
    return {(kind, right, thing)}


def documented() -> set[Right]:
    """Return the rows of the table in docs/roles.md, one for each function that a row names."""
    found = set()
    for kind, right, thing, reason in _ROW.findall((ROOT / "docs" / "roles.md").read_text(encoding="utf-8")):
        assert reason.strip(), (kind, right, thing)
        bare = thing.replace("`", "")
        for each in bare.split(", ") if right == "`EXECUTE`" and kind == "detector" else [bare]:
            found.add((kind, right.replace("`", ""), each))
    return found


def test_each_right_is_documented_with_its_reason_and_no_other(site: Site) -> None:
    first = [line for line in site.grant() if "CREATE ON SCHEMA" not in line]
    Installer(DatabaseAddress.parse(site.owner_url)).migrate()
    where_there_is_nothing = ("installer", "USAGE, CREATE", "the application's schema")
    assert rights([*first, *site.grant()], site) | {where_there_is_nothing} == documented()


def test_the_runtime_role_has_exactly_the_grants_that_a_daemon_in_the_tests_of_lived_in_databases_has(
    site: Site,
) -> None:
    granted = {
        (match["right"], match["object"].removeprefix("SEQUENCE "))
        for line in install(site)
        if (match := _GRANT.match(line)) and match["roles"] == site.names["runtime"] and "ROUTINE" not in line
    }
    wanted = set()
    for right in (*documented_rights(), *documented_rights(ROOT / "docs" / "roi.md")):
        privileges, _, things = right.removeprefix("GRANT ").partition(" ON ")
        wanted |= {(privileges, thing) for thing in things.removeprefix("SEQUENCE ").split(", ")}
    assert granted == wanted


def test_a_member_of_the_installer_installs_beside_tables_of_another_role(site: Site) -> None:
    install(site)
    found = site.database.execute(
        "SELECT pg_get_userbyid(nspowner)::text AS owner FROM pg_namespace WHERE nspname = 'pattern_sync'"
    )
    assert found == [{"owner": site.owner}]
    assert lacking(site.database) == {}


def test_the_owner_of_the_tables_is_the_installer_where_nobody_is_a_superuser(site: Site) -> None:
    site.database.execute(f"ALTER ROLE {site.owner} CREATEROLE")
    try:
        names = {**site.names, "installer": site.owner}
        run_psql(site.owner_url, ROLES, **names)
        Installer(DatabaseAddress.parse(site.owner_url)).migrate()
        run_psql(site.owner_url, ROLES, **names)
        assert missing_rights(site.database, site.names["runtime"]) == []
    finally:
        site.database.execute(f"ALTER ROLE {site.owner} NOCREATEROLE")


def test_nobody_becomes_a_member_of_a_superuser(site: Site) -> None:
    site.database.execute("ALTER TABLE operation_patterns OWNER TO CURRENT_USER")
    assert ("installer", "membership", "the owner of operation_patterns") not in rights(site.grant(), site)


def test_the_runtime_role_lacks_nothing_and_a_second_run_changes_nothing(site: Site) -> None:
    install(site)
    assert missing_rights(site.database, site.names["runtime"]) == []
    before = site.database.execute(ACLS)
    site.grant()
    assert site.database.execute(ACLS) == before


@pytest.mark.parametrize("revoked", [(), HARDENED], ids=["as installed", "closed"])
def test_a_detector_announces_and_the_runtime_role_works_also_where_the_schema_is_closed_to_others(
    site: Site, revoked: Sequence[str]
) -> None:
    install(site)
    for statement in revoked:
        site.database.execute(statement)
    assert missing_rights(site.database, site.names["runtime"]) == []
    assert set(lacking(site.database)) == set()
    with listening(site.database) as listener:
        assert as_role(site.database, site.names["detector"], PATTERN, "SELECT pattern_sync.request('a')") == []
        assert len(listener.received()) == 1, "the same row is named once"
    service = PatternSyncService(site.database.url_as(site.names["runtime"]))
    assert service.sync_high_priority_patterns().synced_count == 1
    assert service.approve("a", "fine", reviewer="ann") is not None
    assert service.overview().trigger_faults == ()
    assert service.explain("a").signature == "a"


def test_the_runtime_role_may_do_nothing_that_the_daemon_does_not(site: Site) -> None:
    install(site)
    for statement in (
        "DELETE FROM pattern_approvals",
        "UPDATE operation_patterns SET confidence_score = 1",
        "INSERT INTO operation_patterns DEFAULT VALUES",
        "DELETE FROM pattern_review_history",
        "UPDATE pattern_sync.migrations SET version = 9",
        "DELETE FROM pattern_sync.settings",
        "ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce",
        "SELECT pattern_sync.create_announce()",
        "CREATE TABLE pattern_sync.mine ()",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_role(site.database, site.names["runtime"], statement)


def test_one_role_may_have_two_parts(site: Site) -> None:
    both = site.names["runtime"]
    install(site)
    for statement in HARDENED:
        site.database.execute(statement)
    site.grant(detector=both)
    assert missing_rights(site.database, both) == []
    assert both not in lacking(site.database)


def test_migrate_grants_the_runtime_role_what_a_later_version_adds_and_nothing_on_what_is_not_ours(site: Site) -> None:
    install(site)
    with psycopg.connect(site.owner_url, autocommit=True) as later:
        later.execute("CREATE TABLE pattern_sync.of_a_later_version (id int)")
        later.execute("CREATE FUNCTION pattern_sync.of_a_later_version() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        later.execute("REVOKE EXECUTE ON FUNCTION pattern_sync.of_a_later_version FROM PUBLIC")
    site.database.execute("CREATE TABLE pattern_sync.somebody_elses (id int)")
    done = Installer(DatabaseAddress.parse(site.owner_url)).migrate()
    assert f"grant the rights on what is new to the daemon's role {site.names['runtime']}" in [
        step.about for step in done
    ]
    works = "INSERT INTO pattern_sync.of_a_later_version SELECT pattern_sync.of_a_later_version()"
    as_role(site.database, site.names["runtime"], works, "DELETE FROM pattern_sync.of_a_later_version")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(site.database, site.names["runtime"], "SELECT FROM pattern_sync.somebody_elses")
    assert Installer(DatabaseAddress.parse(site.owner_url)).migrate() == []


def test_tables_in_a_schema_off_the_path_are_found_by_its_name(site: Site) -> None:
    site.database.execute(f"CREATE SCHEMA app AUTHORIZATION {site.owner}")
    for table in ("operation_patterns", "pattern_approvals", "pattern_occurrences"):
        site.database.execute(f"ALTER TABLE {table} SET SCHEMA app")
    granted = site.grant(schema="app")
    assert f"GRANT SELECT ON operation_patterns TO {site.names['runtime']}" in granted
    assert f"GRANT USAGE ON SCHEMA app TO {site.names['runtime']}, {site.names['detector']}" in granted
