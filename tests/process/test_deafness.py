"""A real daemon whose triggers are silenced: it detects it in 15 seconds, polls, reports it, and recovers."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import httpx
import psycopg
import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer, all_binaries
from pattern_sync.services.timings import Timings
from tests.support.command import run_command
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.folders import open_folder
from tests.support.waiting import eventually, show

NOTICED_SECONDS = 15.0
QUICK = Timings(watch_seconds=0.3, poll_seconds=0.3, settle_seconds=0.3)
SILENT = "triggers.silent"
TOLD_AGAIN = "triggers.sound"


@dataclass(frozen=True, slots=True)
class Silenced:
    """What silences the triggers, and the words in which it has to be reported."""

    done: Sequence[str]
    words: str


CAUSES = {
    "created anew": Silenced(
        [
            "CREATE TABLE public.copy (LIKE operation_patterns INCLUDING ALL)",
            # In one transaction: a look in between would find no table.
            "DROP TABLE operation_patterns CASCADE; ALTER TABLE copy RENAME TO operation_patterns",
        ],
        "the trigger on operation_patterns is missing",
    ),
    "swapped by renaming": Silenced(
        [
            "CREATE TABLE public.copy (LIKE operation_patterns INCLUDING ALL)",
            "ALTER TABLE operation_patterns RENAME TO old; ALTER TABLE copy RENAME TO operation_patterns",
        ],
        "the trigger on operation_patterns is missing",
    ),
    "disabled": Silenced(
        ["ALTER TABLE operation_patterns DISABLE TRIGGER ALL"], "the trigger on operation_patterns is disabled"
    ),
    "deaf to replicas": Silenced(
        ["ALTER TABLE operation_patterns ENABLE TRIGGER pattern_sync_announce"], "does not fire for replicated writes"
    ),
    "without a filter": Silenced(["DELETE FROM pattern_sync.settings"], "pattern_sync.settings has no row"),
}


def wait_for_looks(database: TestDatabase) -> None:
    """Let the watch look several times: what matters is that nothing comes of it, or that it has looked before."""
    database.execute("SELECT pg_sleep(%s)", 4 * QUICK.watch_seconds)


def health_of(daemon: DaemonProcess) -> tuple[str, str]:
    answer = httpx.get(f"{daemon.http_url}/readyz").json()
    return answer["status"], " ".join(answer["reasons"])


def check_a_silent_trigger(cause: Silenced, database: TestDatabase, timings: Timings) -> None:
    """Detect it, poll for changes, report it everywhere, and recover once it is repaired."""
    with running_daemon(database.url, timings=timings) as daemon:
        eventually(lambda: health_of(daemon) == ("ok", ""))
        for statement in cause.done:
            database.execute(statement)
        started = time.monotonic()
        row = (
            "INSERT INTO operation_patterns (id, pattern_signature, pattern_type, confidence_score, occurrence_count,"
            " potential_monthly_savings) VALUES (%s, %s, 'sdlc', 85, 99, 5000)"
        )
        with database.another_connection() as silent:
            silent.execute("SET session_replication_role = replica")
            silent.execute(row, (1001, "unheard"))
        told = daemon.wait_for(SILENT, seconds=NOTICED_SECONDS)
        assert any(cause.words in fault for fault in told["faults"])
        eventually(lambda: database.entry("unheard"), NOTICED_SECONDS)
        show(f"noticed and queued after {time.monotonic() - started:.1f} s")
        status, reasons = health_of(daemon)
        assert status == "degraded"
        assert cause.words in reasons
        assert "pattern-sync migrate" in reasons
        shown = run_command("status", PATTERN_SYNC_DATABASE_URL=database.url)
        assert cause.words.split()[-1] in shown.out
        assert "pattern-sync migrate" in shown.out
        assert run_command("migrate", PATTERN_SYNC_DATABASE_URL=database.url).code == 0
        daemon.wait_for(TOLD_AGAIN, seconds=NOTICED_SECONDS)
        daemon.wait_for("scan.finished", kind="catch-up", times=2)
        eventually(lambda: health_of(daemon) == ("ok", ""))
        with database.another_connection() as heard:
            heard.execute("SET session_replication_role = replica")
            heard.execute(row, (1002, "heard"))
        assert eventually(lambda: database.entry("heard")) < 3
        # A look in the midst of what silences a trigger sees other faults than the next one.
        faults = [tuple(line["faults"]) for line in daemon.lines(SILENT)]
        assert len(set(faults)) == len(faults)
        assert len(daemon.lines(TOLD_AGAIN)) == 1


@pytest.mark.parametrize("cause", CAUSES)
def test_a_silent_trigger_is_noticed_polled_around_and_heard_again(database: TestDatabase, cause: str) -> None:
    check_a_silent_trigger(CAUSES[cause], database, QUICK)


def test_silence_is_noticed_within_fifteen_seconds(database: TestDatabase) -> None:
    check_a_silent_trigger(CAUSES["created anew"], database, Timings())


def test_a_schema_that_the_writers_may_not_use_is_told_with_who_they_are(database: TestDatabase) -> None:
    with database.role("INSERT ON operation_patterns") as role, running_daemon(database.url, timings=QUICK) as daemon:
        database.execute("REVOKE USAGE ON SCHEMA pattern_sync FROM PUBLIC")
        assert role in daemon.wait_for(SILENT, seconds=NOTICED_SECONDS)["faults"][0]
        database.execute("GRANT USAGE ON SCHEMA pattern_sync TO PUBLIC")
        daemon.wait_for(TOLD_AGAIN, seconds=NOTICED_SECONDS)


def test_a_partition_that_is_attached_with_rows_is_caught_up_with(database: TestDatabase) -> None:
    for statement in (
        "ALTER TABLE operation_patterns RENAME TO plain",
        "ALTER TABLE plain ALTER id DROP IDENTITY",
        "DROP TRIGGER pattern_sync_announce ON plain",
        "CREATE TABLE public.operation_patterns (LIKE plain INCLUDING DEFAULTS) PARTITION BY LIST (pattern_type)",
        "CREATE TABLE public.later (LIKE plain INCLUDING DEFAULTS)",
        (
            "INSERT INTO later (id, pattern_signature, pattern_type, confidence_score, occurrence_count,"
            " potential_monthly_savings) VALUES (7, 'came along', 'sdlc', 85, 99, 5000)"
        ),
    ):
        database.execute(statement)
    Installer(DatabaseAddress.parse(database.url)).migrate()
    with running_daemon(database.url, timings=QUICK) as daemon:
        eventually(lambda: health_of(daemon) == ("ok", ""))
        wait_for_looks(database)
        database.execute("ALTER TABLE operation_patterns ATTACH PARTITION later FOR VALUES IN ('sdlc')")
        assert eventually(lambda: database.entry("came along")) < NOTICED_SECONDS


def test_a_mark_of_a_writer_that_could_not_notify_is_found(database: TestDatabase) -> None:
    with running_daemon(database.url, timings=QUICK):
        with database.another_connection() as quiet:
            quiet.execute("ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce")
            quiet.execute(
                "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
                " potential_monthly_savings) VALUES ('marked', 'sdlc', 85, 99, 5000)"
            )
            quiet.execute("INSERT INTO pattern_sync.marks SELECT 'pattern_sync', id::text FROM operation_patterns")
            quiet.execute("ALTER TABLE operation_patterns ENABLE ALWAYS TRIGGER pattern_sync_announce")
        assert eventually(lambda: database.entry("marked")) < 8


def test_a_daemon_that_may_mend_brings_triggers_and_settings_back(database: TestDatabase) -> None:
    with running_daemon(database.url, timings=QUICK, PATTERN_SYNC_MEND="on") as daemon:
        database.execute("ALTER TABLE operation_patterns DISABLE TRIGGER ALL")
        database.execute("DELETE FROM pattern_sync.settings")
        mended = {
            daemon.wait_for("triggers.mended", seconds=NOTICED_SECONDS)["relation"],
            daemon.wait_for("triggers.mended", times=2, seconds=NOTICED_SECONDS)["relation"],
        }
        assert mended == {"operation_patterns", "pattern_sync.settings"}
        daemon.wait_for(TOLD_AGAIN, seconds=NOTICED_SECONDS)
        assert database.execute(
            "SELECT tgenabled::text AS e FROM pg_trigger WHERE tgname = 'pattern_sync_announce'"
        ) == [{"e": "A"}]
        assert database.count("pattern_sync.settings") == 1
        database.add_pattern("heard")
        assert eventually(lambda: database.entry("heard")) < 3


def test_a_filter_that_was_lost_is_published_anew(database: TestDatabase) -> None:
    with running_daemon(
        database.url, timings=QUICK, PATTERN_SYNC_MEND="on", PATTERN_SYNC_MIN_CONFIDENCE="90"
    ) as daemon:
        database.execute("DELETE FROM pattern_sync.settings")
        daemon.wait_for("triggers.mended", seconds=NOTICED_SECONDS)
        eventually(
            lambda: database.execute("SELECT min_confidence AS c FROM pattern_sync.settings") == [{"c": 90}],
            NOTICED_SECONDS,
        )


def test_a_daemon_that_may_not_mend_says_so_once_and_polls(database: TestDatabase) -> None:
    with (
        database.role(
            # The documented grants on the application's tables.
            "SELECT ON operation_patterns, pattern_occurrences",
            "UPDATE (automation_status, reviewed_by, reviewed_at, review_notes) ON operation_patterns",
            "SELECT, INSERT, UPDATE ON pattern_approvals",
            "SELECT, INSERT ON pattern_review_history",
            "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pattern_sync",
        ) as role,
        running_daemon(database.url_as(role), timings=QUICK, PATTERN_SYNC_MEND="on") as daemon,
    ):
        database.execute("ALTER TABLE operation_patterns DISABLE TRIGGER ALL")
        refusal = daemon.wait_for("triggers.not_mended", seconds=NOTICED_SECONDS)
        assert "permission denied" in refusal["reason"]
        database.add_pattern("polled for")
        eventually(lambda: database.entry("polled for"), NOTICED_SECONDS)
        wait_for_looks(database)
        assert len(daemon.lines("triggers.not_mended")) == 1


MISSED = (
    "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
    " potential_monthly_savings) VALUES ('missed', 'sdlc', 85, 99, 5000)"
)


def test_a_bulk_load_with_the_trigger_disabled_in_its_own_transaction_is_caught_up_with(database: TestDatabase) -> None:
    with running_daemon(database.url, timings=QUICK) as daemon:
        wait_for_looks(database)
        with database.another_connection(autocommit=False) as silent:
            silent.execute("ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce")
            silent.execute(MISSED)
            silent.execute("ALTER TABLE operation_patterns ENABLE ALWAYS TRIGGER pattern_sync_announce")
            silent.commit()
        daemon.wait_for("table.rebuilt", seconds=NOTICED_SECONDS)
        eventually(lambda: database.entry("missed"), NOTICED_SECONDS)


def test_what_a_sweep_recovers_is_counted_and_told(database: TestDatabase) -> None:
    with running_daemon(database.url, timings=QUICK, PATTERN_SYNC_INTERVAL="2") as daemon:
        with database.another_connection(autocommit=False) as silent:
            # A writer that passes itself off as one that has announced enough hides its own patterns, and no others.
            silent.execute(
                "SELECT set_config('pattern_sync.announced_by', pg_current_xact_id()::text, true),"
                " set_config('pattern_sync.announced', '301', true)"
            )
            silent.execute(MISSED)
            silent.commit()
        assert daemon.wait_for("pattern.recovered")["patterns"] == 1
        assert httpx.get(f"{daemon.http_url}/api/v1/system/health").json()["recovered_total"] == 1
        eventually(lambda: database.execute("SELECT 1 FROM pattern_sync.runs WHERE kind = 'recovered'"))
        shown = run_command("status", PATTERN_SYNC_DATABASE_URL=database.url).out
        assert re.search(r"recovered by the sweep .* 1, last", shown), shown


@pytest.fixture
def narrow() -> Iterator[TestDatabase]:
    """Yield a server whose notification queue holds half a megabyte only."""
    newest = max(all_binaries(), key=lambda binaries: binaries.major)
    if newest.major < 17:
        pytest.skip("before 17 the notification queue holds eight gigabytes")
    with open_folder() as folder:
        settings = {"max_notify_queue_pages": "64"}
        server = EmbeddedServer(folder / "server", durable=False, binaries=newest, settings=settings)
        with server:
            Installer(DatabaseAddress.parse(server.url)).migrate()
            yield TestDatabase(server.url, "pattern_sync")


def fill(database: TestDatabase, share: float) -> None:
    """Notify until the queue is filled to this share."""
    while database.execute("SELECT pg_notification_queue_usage() AS usage")[0]["usage"] < share:
        try:
            database.execute("SELECT pg_notify('somebody', repeat('x', 7000) || i) FROM generate_series(1, 4) AS i")
        except psycopg.errors.ProgramLimitExceeded:
            return


def test_a_full_notification_queue_is_reported_and_waited_out(narrow: TestDatabase) -> None:
    with narrow.connect(), narrow.another_connection(autocommit=False) as sleeper:
        sleeper.execute("LISTEN somebody")
        sleeper.commit()
        pid = sleeper.info.backend_pid
        with running_daemon(narrow.url, timings=QUICK) as daemon:
            sleeper.execute("SELECT 1")  # and its transaction stays open
            fill(narrow, 0.55)
            told = daemon.wait_for("notification_queue.full", seconds=NOTICED_SECONDS)
            assert str(pid) in told["reason"]
            assert str(pid) in health_of(daemon)[1]
            narrow.add_pattern("held back")
            eventually(lambda: narrow.entry("held back"), NOTICED_SECONDS)
            fill(narrow, 1.0)
        # A full queue is no reason not to start.
        with running_daemon(narrow.url, timings=QUICK) as daemon:
            daemon.wait_for("notification_queue.full", seconds=NOTICED_SECONDS)
            sleeper.rollback()
            daemon.wait_for("notification_queue.drained", seconds=NOTICED_SECONDS)
            narrow.add_pattern("heard")
            assert eventually(lambda: narrow.entry("heard")) < 3
