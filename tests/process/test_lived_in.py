"""A daemon's day on a database as after a year of use, with only the documented rights."""

from tests.support.command import run_command
from tests.support.daemon import running_daemon
from tests.support.database import snapshot
from tests.support.lived_in import ENTERED, ENTRIES, QUALIFYING, STALE, LivedInDatabase
from tests.support.waiting import eventually

DECIDED = "SELECT a::text AS entry FROM pattern_approvals AS a WHERE a.status <> 'pending' ORDER BY a.id"
OLD_FIGURES = (
    "SELECT count(*) AS n"
    " FROM pattern_approvals AS a JOIN operation_patterns AS p ON p.pattern_signature = a.pattern_id"
    " WHERE a.status = 'pending' AND a.occurrence_count IS DISTINCT FROM p.occurrence_count"
)


def test_a_daemon_starts_catches_up_queues_decides_and_restarts(lived_in: LivedInDatabase) -> None:
    decided = lived_in.execute(DECIDED)
    with running_daemon(lived_in.daemon_url) as daemon:
        assert daemon.lines("scan.finished", kind="catch-up")[0]["queued"] == QUALIFYING - ENTERED
        assert lived_in.count("pattern_approvals") == ENTRIES + QUALIFYING - ENTERED
        lived_in.add_pattern("new")
        assert eventually(lambda: lived_in.entry("new"), what="the entry of a new pattern") < 2
        lived_in.execute(
            "UPDATE operation_patterns SET confidence_score = 99, potential_monthly_savings = 9000 WHERE id < 9"
        )
        # The next start queues whatever was not notified before the stop: four of these have no entry yet.
        eventually(lambda: lived_in.count("pattern_approvals") == ENTRIES + QUALIFYING - ENTERED + 5)
    lived_in.execute("VACUUM (ANALYZE)")
    with running_daemon(lived_in.daemon_url) as daemon:
        assert daemon.lines("scan.finished", kind="catch-up")[0]["queued"] == 0
        lived_in.add_pattern("newer")
        eventually(lambda: lived_in.entry("newer"), what="the entry of a newer pattern")
    assert lived_in.execute(DECIDED) == decided


def test_stale_figures_are_refreshed_once_and_then_not_written_again(lived_in: LivedInDatabase) -> None:
    assert lived_in.execute(OLD_FIGURES)[0]["n"] == STALE
    with running_daemon(lived_in.daemon_url):
        lived_in.execute(
            "UPDATE operation_patterns SET occurrence_count = occurrence_count + 1 WHERE id % 500 = 0 AND id <= 5000"
        )
        eventually(lambda: lived_in.execute(OLD_FIGURES)[0]["n"] == 0, what="the new figures")
        before = snapshot(lived_in, ["pattern_approvals"])
        lived_in.add_pattern("witness")
        eventually(lambda: lived_in.entry("witness"))
        after = snapshot(lived_in, ["pattern_approvals"])
    assert len(set(after["pattern_approvals"]) - set(before["pattern_approvals"])) == 1


def test_every_command_works_with_the_daemons_rights(lived_in: LivedInDatabase) -> None:
    def ask(*arguments: str) -> str:
        done = run_command(*arguments, PATTERN_SYNC_DATABASE_URL=lived_in.daemon_url)
        assert done.code == 0, done.err
        return done.out

    assert ask("status", "--json")
    assert "lived:test:50" in ask("explain", "lived:test:50")
    assert ask("sync", "--high-priority", "--dry-run", "--json")
    assert ask("sync", "--max-patterns", "7", "--json")
    best = lived_in.execute("SELECT pattern_id FROM pattern_approvals WHERE status = 'pending' ORDER BY 1 LIMIT 1")
    ask("review", "approve", best[0]["pattern_id"])
    entry = lived_in.entry(best[0]["pattern_id"])
    assert entry is not None
    assert entry["status"] == "approved"
    assert ask("review", "list", "--json")


def test_migrate_has_nothing_to_do_and_uninstall_leaves_foreign_objects(
    lived_in: LivedInDatabase,
) -> None:
    done = run_command("migrate", PATTERN_SYNC_DATABASE_URL=lived_in.owner_url)
    assert (done.code, "nothing to do" in (done.out + done.err).lower()) == (0, True), done
    relations = "SELECT count(*) AS n FROM pg_class WHERE relnamespace <> to_regnamespace('pattern_sync')"
    toast = " AND relnamespace <> 'pg_toast'::regnamespace"
    before = lived_in.execute(relations + toast)
    done = run_command("uninstall", PATTERN_SYNC_DATABASE_URL=lived_in.owner_url)
    assert done.code == 0, done
    assert lived_in.execute("SELECT to_regnamespace('pattern_sync') AS ours")[0]["ours"] is None
    assert lived_in.execute("SELECT count(*) AS n FROM pg_class WHERE true" + toast) == before


def test_an_index_that_a_large_table_lacks_is_named_in_the_log_and_by_status(lived_in: LivedInDatabase) -> None:
    remedy = "CREATE INDEX CONCURRENTLY ON pattern_occurrences (pattern_id)"
    lived_in.execute("DROP INDEX idx_pattern_occurrence_unique")
    with running_daemon(lived_in.daemon_url) as daemon:
        assert daemon.wait_for("index.missing")["remedy"] == remedy
    shown = run_command("status", PATTERN_SYNC_DATABASE_URL=lived_in.daemon_url).out
    assert "no example sessions" in " ".join(shown.split())
    lived_in.execute(remedy)
    with running_daemon(lived_in.daemon_url) as daemon:
        lived_in.add_pattern("witness")
        eventually(lambda: lived_in.entry("witness"))
        assert daemon.lines("index.missing") == []
    assert "an index would help" not in run_command("status", PATTERN_SYNC_DATABASE_URL=lived_in.daemon_url).out
