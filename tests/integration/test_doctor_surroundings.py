"""The doctor on what is around the schema: servers, poolers, roles, sessions, daemons, settings, files."""

import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from pattern_sync.database.address import DatabaseAddress, Host
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.doctor.check import State
from pattern_sync.doctor.checks import CHECKS
from pattern_sync.doctor.patient import HostState, Patient, Reached
from tests.integration.test_roles import Site, install, site  # noqa: F401 - the fixture
from tests.integration.test_writers_rights import HARDENED
from tests.process.test_deafness import fill, narrow  # noqa: F401 - the fixture
from tests.support.command import run_command
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase, snapshot
from tests.support.doctor import QUICK, Examined, carry_out, examined, listening_daemon, set_as_told
from tests.support.lived_in import LivedInDatabase
from tests.support.pooler import pooler_to
from tests.support.proxy import proxy_to
from tests.support.waiting import eventually

IMPATIENT = replace(QUICK, long_transaction_seconds=0.2)
OUR_TABLES = (
    *("settings", "runs", "written", "refusals", "rejections", "marks", "migrations"),
    *("traits", "batches", "batch_items", "decisions", "snoozes", "answers"),
    *("messages", "told", "channels"),
    *("detected_sessions", "reported_events", "routines"),
    *("recorded_savings", "savings_by_day", "savings_kept", "adjustments"),
    *("rules", "rule_log"),
    *("models", "predictions"),
)
TABLES = ("operation_patterns", "pattern_approvals", *(f"pattern_sync.{name}" for name in OUR_TABLES))
DETECTOR = ("INSERT, UPDATE, SELECT ON operation_patterns", "USAGE ON SEQUENCE operation_patterns_id_seq")


@pytest.fixture
def watched(database: TestDatabase) -> Iterator[TestDatabase]:
    """Return a database with a session that looks like a daemon's."""
    with listening_daemon(database):
        yield database


def unwell(found: Examined) -> dict[str, str]:
    return found.in_state("problem", "warning")


@pytest.mark.lived_in_too
def test_the_doctor_is_content_with_a_sound_installation_and_writes_nothing(watched: TestDatabase) -> None:
    before = snapshot(watched, TABLES)
    found = examined(watched.url, canary=True)
    assert (unwell(found), found.content) == ({}, True)
    assert set(found.in_state("cannot check")) == {"health"}
    assert snapshot(watched, TABLES) == before


def test_every_role_is_examined_as_far_as_its_rights_go(lived_in: LivedInDatabase) -> None:
    lived_in.execute("SELECT pattern_sync.request()")
    assert run_command("sync", "--min-confidence", "70", "--no-cap", PATTERN_SYNC_DATABASE_URL=lived_in.url).code == 0
    with listening_daemon(lived_in), lived_in.role(*DETECTOR) as detector:
        unseen = {
            lived_in.url: {"health"},
            lived_in.owner_url: {"health", "transactions", "locks"},
            lived_in.daemon_url: {"health", "transactions", "locks"},
            lived_in.url_as(detector): {
                "health",
                "transactions",
                "locks",
                "rights",
                "schema-version",
                "schema-objects",
                "queue",
                "rules",
            },
        }
        for url, names in unseen.items():
            found = examined(url)
            assert (unwell(found), found.content) == ({}, True)
            assert set(found.in_state("cannot check")) - {"refusals", "indexes"} == names


def test_each_role_that_is_shipped_has_what_its_part_needs(site: Site) -> None:  # noqa: F811
    install(site)
    with site.database.connect(), listening_daemon(site.database):
        for kind, name in site.names.items():
            found = examined(site.database.url_as(name), canary=kind == "detector")
            assert (unwell(found), found.content) == ({}, True), kind
            assert (found.state("rights") == "ok") == (kind != "detector")
            assert kind != "detector" or found.state("canary") == "ok"


def test_a_schema_that_is_closed_to_everybody_is_no_problem_where_roles_have_their_own_rights(site: Site) -> None:  # noqa: F811
    install(site)
    for statement in HARDENED:
        site.database.execute(statement)
    with listening_daemon(site.database):
        for name in site.names.values():
            found = examined(site.database.url_as(name))
            assert (set(unwell(found)) - {"schema-objects"}, found.content) == (set(), True)


def test_a_role_without_any_right_gets_all_grants_at_once(watched: TestDatabase) -> None:
    with watched.role() as role:
        found = examined(watched.url_as(role))
        assert set(found.in_state("problem")) == {"rights"}
        carry_out(found.remedies("rights"), watched)
        assert unwell(examined(watched.url_as(role))) == {}


def test_a_schema_that_is_gone_leaves_the_other_checks_as_they_are(watched: TestDatabase) -> None:
    watched.execute("DROP SCHEMA pattern_sync CASCADE")
    found = examined(watched.url)
    assert found.state("schema-version") == "problem"
    assert found.state("rights") == found.state("writers") == "cannot check"
    assert found.state("notifications") == found.state("connections") == "ok"
    carry_out(found.remedies("schema-version"), watched)
    assert unwell(examined(watched.url)) == {}


def test_an_empty_database_is_told_how_to_install(empty_database: TestDatabase) -> None:
    found = examined(empty_database.url)
    assert found.state("application") == "problem"
    carry_out(found.remedies("application"), empty_database)
    assert set(unwell(examined(empty_database.url))) == {"daemons"}


def test_a_newer_schema_is_a_problem_of_this_machine(watched: TestDatabase) -> None:
    watched.execute("INSERT INTO pattern_sync.migrations (version) VALUES (999)")
    found = examined(watched.url)
    assert found.state("schema-version") == "problem"
    assert "999" in found.text("schema-version")


def test_the_canary_shows_a_role_whose_patterns_are_not_announced(watched: TestDatabase) -> None:
    with watched.role(*DETECTOR) as role:
        assert examined(watched.url_as(role), canary=True).state("canary") == "ok"
        watched.execute("REVOKE EXECUTE ON FUNCTION pattern_sync.announce_pattern(bigint, text) FROM PUBLIC")
        found = examined(watched.url_as(role), canary=True)
        assert found.state("canary") == "problem"
        carry_out(found.remedies("canary"), watched)
        assert examined(watched.url_as(role), canary=True).state("canary") == "ok"


def test_the_canary_of_a_role_that_may_not_insert_is_not_a_fault(lived_in: LivedInDatabase) -> None:
    found = examined(lived_in.daemon_url, canary=True)
    assert found.state("canary") == "cannot check"
    assert "permission denied" in found.text("canary")


def test_the_canary_says_that_the_queue_is_locked(watched: TestDatabase) -> None:
    with watched.another_connection(autocommit=False) as locker:
        locker.execute("LOCK TABLE pattern_approvals IN ACCESS EXCLUSIVE MODE")
        found = examined(watched.url, canary=True)
    assert found.state("canary") == "cannot check"


def test_another_filter_is_shown_as_the_settings_that_would_match_it(watched: TestDatabase) -> None:
    watched.execute("UPDATE pattern_sync.settings SET min_confidence = 80, only_types = '{a,b}'")
    found = examined(watched.url)
    assert found.state("filter") == "warning"
    assert unwell(examined(watched.url, set_as_told(found.remedies("filter")))) == {}


def test_daemons_are_counted_compared_and_asked_how_they_are(database: TestDatabase) -> None:
    database.add_pattern("before")
    found = examined(database.url)
    assert set(unwell(found)) == {"daemons", "queue"}
    assert {each["text"] for name in ("daemons", "queue") for each in found.remedies(name)} == {"pattern-sync run"}
    with listening_daemon(database):
        _write_past_the_trigger(database)
        found = examined(database.url)
        assert set(unwell(found)) == {"queue"}
    with running_daemon(database.url) as daemon:
        carry_out(found.remedies("queue"), database)
        eventually(lambda: database.queue() == {"before", "unannounced"})
        port = {"PATTERN_SYNC_HTTP_PORT": str(urlsplit(daemon.http_url).port)}
        well = examined(database.url, port)
        assert unwell(well) == {}
        assert well.state("health") == "ok"
        with psycopg.connect(database.url, application_name="pattern-sync 0.0.1 listener"):
            found = examined(database.url, port)
            assert set(unwell(found)) == {"daemons"}
            assert "0.0.1" in found.text("daemons")
        database.execute("ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce")
        eventually(lambda: examined(database.url, port).state("health") == "warning")


def _write_past_the_trigger(database: TestDatabase) -> None:
    with database.another_connection() as session, session.transaction():
        session.execute("ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce")
        session.execute(
            "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
            " potential_monthly_savings) VALUES ('unannounced', 'x', 99, 99, 9999)"
        )
        session.execute("ALTER TABLE operation_patterns ENABLE ALWAYS TRIGGER pattern_sync_announce")


def test_what_the_application_refuses_is_named_until_it_goes_through(watched: TestDatabase) -> None:
    watched.execute("ALTER TABLE pattern_approvals ADD CONSTRAINT picky CHECK (pattern_id !~ 'bad')")
    watched.add_patterns(7, prefix="bad")
    run_command("sync", PATTERN_SYNC_DATABASE_URL=watched.url)
    found = examined(watched.url)
    assert set(unwell(found)) == {"refusals"}
    assert "picky" in found.text("refusals")
    watched.execute("ALTER TABLE pattern_approvals DROP CONSTRAINT picky")
    carry_out([each for each in found.remedies("refusals") if each["means"] != "advice"], watched)
    assert unwell(examined(watched.url)) == {}


def test_a_session_that_blocks_others_is_named_and_can_be_ended(watched: TestDatabase) -> None:
    watched.add_pattern("a", confidence_score=1)
    with _blocking(watched, "UPDATE operation_patterns SET occurrence_count = 1"):
        found = examined(watched.url)
        assert set(unwell(found)) == {"locks"}
        carry_out(found.remedies("locks"), watched)
    assert unwell(examined(watched.url)) == {}


def test_a_session_that_only_holds_its_locks_for_long_is_named_as_well(watched: TestDatabase) -> None:
    watched.add_entry("a")
    holder = watched.another_connection(autocommit=False)
    holder.execute("SELECT 1 FROM pattern_approvals FOR UPDATE")
    assert unwell(examined(watched.url)) == {}
    impatient = replace(QUICK, long_lock_seconds=0.2)
    eventually(lambda: set(unwell(examined(watched.url, clocks=impatient))) == {"locks"})
    carry_out(examined(watched.url, clocks=impatient).remedies("locks"), watched)
    assert unwell(examined(watched.url, clocks=impatient)) == {}
    holder.close()


@contextmanager
def _blocking(database: TestDatabase, statement: str) -> Iterator[None]:
    """Keep a session waiting for the lock of another."""
    holder, waiter = database.another_connection(autocommit=False), database.another_connection()
    holder.execute(statement.encode())
    waiting = threading.Thread(target=waiter.execute, args=[statement.encode()])
    waiting.start()
    try:
        eventually(
            lambda: database.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pid = %s", waiter.info.backend_pid)
        )
        yield
    finally:
        holder.close()
        waiting.join()
        waiter.close()


def test_a_transaction_that_stays_open_is_named_and_can_be_ended(watched: TestDatabase) -> None:
    sleeper = watched.another_connection(autocommit=False)
    sleeper.execute("SELECT 1")
    pid = sleeper.info.backend_pid

    def named() -> Examined | None:
        found = examined(watched.url, clocks=IMPATIENT)
        return found if f"process {pid} " in found.text("transactions") else None

    eventually(named)
    found = named()
    assert found
    assert found.state("transactions") == "warning"
    # There may be others, of whoever else uses the server.
    carry_out([each for each in found.remedies("transactions") if f"({pid})" in each["text"]], watched)
    assert not named()
    sleeper.close()


def test_a_role_that_does_not_see_other_sessions_gets_the_grant(watched: TestDatabase) -> None:
    with watched.role(*DETECTOR) as role:
        found = examined(watched.url_as(role))
        assert found.state("transactions") == found.state("locks") == "cannot check"
        carry_out(found.remedies("locks"), watched)
        granted = examined(watched.url_as(role))
        assert granted.state("transactions") == granted.state("locks") == "ok"


def test_a_notification_queue_that_fills_names_the_session_that_does_not_read(narrow: TestDatabase) -> None:  # noqa: F811
    with narrow.connect(), listening_daemon(narrow):
        sleeper = narrow.another_connection(autocommit=False)
        sleeper.execute("LISTEN somebody")
        sleeper.commit()
        sleeper.execute("SELECT 1")
        for share, state in ((0.2, "warning"), (0.6, "problem")):
            fill(narrow, share)
            found = examined(narrow.url)
            assert found.state("notification-queue") == state
        carry_out(found.remedies("notification-queue"), narrow)
        eventually(lambda: unwell(examined(narrow.url)) == {})
        sleeper.close()
    # The same server without a URL.
    (passfile,) = parse_qs(urlsplit(narrow.url).query)["passfile"]
    found = examined(None, {"PATTERN_SYNC_DATA_DIR": str(Path(passfile).parent)})
    assert found.state("settings") == "warning"
    assert found.state("schema-objects") == "ok"


def test_a_pooler_in_transaction_mode_is_found_by_a_notification_that_does_not_arrive(watched: TestDatabase) -> None:
    with pooler_to(watched.url) as url:
        found = examined(url)
    assert set(unwell(found)) == {"notifications"}
    assert "the server's own port" in found.remedies("notifications")[0]["text"]
    assert unwell(examined(watched.url)) == {}


def test_a_host_that_does_not_answer_is_a_check_of_its_own(watched: TestDatabase) -> None:
    with proxy_to(watched.url) as (proxy, url):
        proxy.refuse(refusing=True)
        found = examined(url)
        assert set(found.in_state("problem")) == {"hosts"}
        assert f"start the server at 127.0.0.1:{proxy.port}" in found.remedies("hosts")[0]["text"]
        assert found.state("triggers") == "cannot check"
        working = urlsplit(url).netloc.rpartition("@")[0]
        with psycopg.connect(watched.url) as direct:
            both = url.replace(f"127.0.0.1:{proxy.port}", f"127.0.0.1:{proxy.port},127.0.0.1:{direct.info.port}")
        assert working
        assert set(unwell(examined(both))) == {"hosts"}
        assert examined(both).content
        proxy.refuse(refusing=False)
        assert unwell(examined(both)) == {}


def test_a_session_that_is_lost_on_the_way_leaves_what_was_found_before(watched: TestDatabase) -> None:
    watched.add_pattern("unqueued")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ 'command$' AND datname = %s"

    def die(_: float) -> None:
        watched.execute(end, watched.name)

    found = examined(watched.url, clocks=replace(QUICK, sleep=die))
    assert found.state("triggers") == "ok"
    assert found.state("queue") == found.state("indexes") == "cannot check"


def test_a_clock_that_is_wrong_is_found(watched: TestDatabase) -> None:
    ahead = replace(QUICK, now=lambda: datetime.now(UTC) + timedelta(seconds=5))
    assert set(unwell(examined(watched.url, clocks=ahead))) == {"clock"}
    assert unwell(examined(watched.url)) == {}


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (130_020, "problem"),
        (140_020, "warning"),
        (140_021, "ok"),
        (180_001, "warning"),
        (180_002, "ok"),
        (190_000, "warning"),
    ],
)
def test_versions_are_judged_by_what_listen_survives(number: int, state: str) -> None:
    (check,) = (each for each in CHECKS if each.name == "server-version")
    now = datetime.now(UTC)
    described = HostState(str(number), number, False, False, "x", None, None, now, now, now)
    patient = Patient(hosts=(Reached(host=None, database=None, state=described),))  # type: ignore[arg-type]
    (finding,) = check.run(patient)
    assert finding.state is State(state)


@pytest.mark.parametrize(("name", "state"), [("db.example", "warning"), ("127.0.0.1", "ok"), ("localhost", "ok")])
def test_a_session_over_the_network_without_tls_is_a_warning(database: TestDatabase, name: str, state: str) -> None:
    (check,) = (each for each in CHECKS if each.name == "encryption")
    with BlockingDatabase.connect(DatabaseAddress.parse(database.url)) as session:
        reached = Reached(host=Host(name, 5432, name), database=session, state=None)  # type: ignore[arg-type]
        (finding,) = check.run(Patient(hosts=(reached,)))
    assert finding.state is State(state)


def test_settings_that_cannot_be_used_are_one_problem_and_not_the_end(watched: TestDatabase) -> None:
    found = examined(watched.url, {"PATTERN_SYNC_MIN_CONFIDENCE": "101"})
    assert set(found.in_state("problem")) == {"settings"}
    assert "101" in found.text("settings")
    assert set(found.in_state("problem")) == set(examined("postgresql://host:x/y").in_state("problem"))


def test_without_a_url_no_embedded_server_is_created(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    found = examined(None, {"PATTERN_SYNC_DATA_DIR": str(folder)})
    assert found.state("settings") == "problem"
    assert str(folder) in found.text("settings")
    assert not folder.exists()


def test_a_file_with_a_secret_that_others_may_read_is_closed(watched: TestDatabase, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("secret")
    file.chmod(0o644)
    settings = {"PATTERN_SYNC_API_TOKEN_FILE": str(file)}
    found = examined(watched.url, settings)
    assert set(unwell(found)) == {"secret-files"}
    for remedy in found.remedies("secret-files"):
        subprocess.run(shlex.split(remedy["text"]), check=True)
    assert unwell(examined(watched.url, settings)) == {}


def test_an_api_beyond_loopback_needs_a_token_and_tls(watched: TestDatabase) -> None:
    everywhere = {"PATTERN_SYNC_HTTP_HOST": "0.0.0.0"}
    found = examined(watched.url, everywhere)
    assert (found.state("http"), found.content) == ("problem", False)
    warned = examined(watched.url, everywhere | {"PATTERN_SYNC_API_TOKEN": "secret"})
    assert set(unwell(warned)) == {"http"}
    for each in (found, warned):
        assert unwell(examined(watched.url, everywhere | set_as_told(each.remedies("http")))) == {}


def test_the_command_prints_both_forms_and_exits_with_1_for_a_problem(database: TestDatabase) -> None:
    settings = {"PATTERN_SYNC_DATABASE_URL": database.url}
    with listening_daemon(database):
        done = run_command("doctor", "--json", environ=settings)
        assert (done.code, done.document["content"]) == (0, True)
        database.execute("ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce")
        done = run_command("doctor", environ=settings)
    assert done.code == 1
    last = done.out.splitlines()
    assert last[-1].startswith("Something is wrong: 1 problem")
    assert "the trigger on operation_patterns is disabled" in done.out
    assert "ALTER TABLE operation_patterns ENABLE ALWAYS TRIGGER pattern_sync_announce;" in done.out
