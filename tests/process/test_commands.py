"""The commands, run as a person runs them."""

import os
import re
import socket
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import pytest

from pattern_sync.config import Settings
from tests.support.command import Finished, run_command
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.left_behind import write_transcripts
from tests.support.planted import Planting, planted

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
COMMANDS = ("run", "migrate", "uninstall", "sql", "status", "sync", "explain", "simulate", "demo", "review")


def on(database: TestDatabase, *arguments: str) -> Finished:
    return run_command(*arguments, PATTERN_SYNC_DATABASE_URL=database.url)


def test_the_version_is_printed_without_a_command_settings_or_a_database() -> None:
    shown = run_command("--version", PATTERN_SYNC_INTERVAL="never")
    assert (shown.code, shown.out, shown.err) == (0, f"pattern-sync {version('pattern-sync')}\n", "")


def test_migrate_status_and_uninstall_work_in_turn(empty_database: TestDatabase) -> None:
    planned = run_command("migrate", "--dry-run", fresh=True, PATTERN_SYNC_DATABASE_URL=empty_database.url)
    assert planned.code == 0
    assert "CREATE SCHEMA pattern_sync" in planned.out
    assert not empty_database.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'pattern_sync'")
    assert on(empty_database, "migrate").code == 0
    assert "up to date" in on(empty_database, "migrate").out
    empty_database.add_pattern("kept")
    assert on(empty_database, "sync").code == 0
    assert on(empty_database, "uninstall", "--dry-run").code == 0
    assert on(empty_database, "status").code == 0
    assert on(empty_database, "uninstall").code == 0
    assert "not installed" in on(empty_database, "uninstall").out
    assert empty_database.queue() == {"kept"}
    assert on(empty_database, "status").code == 4


def test_status_shows_the_same_as_text_and_as_json(database: TestDatabase) -> None:
    database.add_patterns(3)
    assert on(database, "sync").code == 0
    database.add_pattern("missing")
    with running_daemon(database.url):
        shown = on(database, "status")
        told = on(database, "status", "--json")
    assert (shown.code, told.code) == (0, 0)
    statistics = told.document["statistics"]
    assert statistics["patterns_in_source"] == 4
    assert statistics["sync_percentage"] == 100
    assert len(told.document["daemons"]) == 1
    assert told.document["trigger_missing_on"] == []
    assert {run["kind"] for run in told.document["runs"]} == {"catch-up", "manual"}
    for words in ("listening", "confidence ≥ 70 %", "installed", "last catch-up"):
        assert words in shown.out


def test_a_manual_sync_queues_best_impact_first_and_its_counts_add_up(database: TestDatabase) -> None:
    for number in range(5):
        database.add_pattern(f"p{number}", potential_monthly_savings=1_000 * (number + 1))
    tried = on(database, "sync", "--max-patterns", "2", "--dry-run", "--json").document
    assert tried["dry_run"] is True
    assert tried["synced_pattern_ids"] == ["p4", "p3"]
    assert database.queue() == set()
    done = on(database, "sync", "--max-patterns", "2", "--json").document
    assert done["synced_pattern_ids"] == ["p4", "p3"]
    assert database.queue() == {"p4", "p3"}
    rest = on(database, "sync", "--min-savings", "2000", "--json").document
    assert (rest["total_candidates"], rest["synced_count"], rest["skipped_count"]) == (4, 2, 2)
    assert "candidates" in on(database, "sync", "--all").out
    assert database.queue() == {f"p{number}" for number in range(5)}


def test_unnamed_criteria_are_unbounded_and_no_criteria_means_the_manual_defaults(database: TestDatabase) -> None:
    database.add_pattern("fair", confidence_score=60, occurrence_count=2, potential_monthly_savings=0)
    database.add_pattern("poor", confidence_score=1, occurrence_count=1, potential_monthly_savings=0)
    for options, names in (
        ((), {"fair"}),
        (("--max-patterns", "9"), {"fair"}),
        (("--min-savings", "0"), {"fair", "poor"}),
        (("--exclude-types", "docs"), {"fair", "poor"}),
    ):
        assert set(on(database, "sync", *options, "--dry-run", "--json").document["synced_pattern_ids"]) == names


def test_a_sync_with_a_row_that_fails_queues_the_others_and_exits_1(database: TestDatabase) -> None:
    database.execute("ALTER TABLE pattern_approvals ADD CONSTRAINT no_poison CHECK (pattern_id <> 'poison')")
    database.add_pattern("poison")
    database.add_pattern("good")
    done = on(database, "sync", "--json")
    assert done.code == 1
    assert done.document["error_count"] == 1
    assert "no_poison" in done.document["errors"][0]
    assert database.queue() == {"good"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["sync", "--high-priority", "--all"],
        ["sync", "--all", "--min-savings", "1"],
        ["sync", "--no-cap", "--max-patterns", "3"],
        ["sync", "--min-confidence", "101"],
        ["sync", "--only-types", "a", "--exclude-types", "a"],
        ["sync", "--max-patterns", "0"],
        ["sync", "--nonsense"],
        ["explain"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_contradictory_or_invalid_options_are_a_usage_error(database: TestDatabase, arguments: list[str]) -> None:
    database.add_pattern("untouched")
    done = on(database, *arguments)
    assert done.code == 2
    assert done.err
    assert database.queue() == set()


def test_a_sync_notes_a_confidence_that_looks_like_a_share(database: TestDatabase) -> None:
    sync = ("sync", "--json", "--min-confidence", "0.7")
    done = run_command(*sync, PATTERN_SYNC_DATABASE_URL=database.url)
    assert done.code == 0
    assert done.err == "Note: --min-confidence is 0.7, which means 0.7 %. If 70 % is meant, write 70.\n"
    assert done.document["total_candidates"] == 0


def test_explain_names_the_missed_criterion_and_the_shortfall(database: TestDatabase) -> None:
    database.add_pattern("short", confidence_score=42.5)
    told = on(database, "explain", "short", "--json")
    assert told.code == 0
    assert told.document["outcome"] == "short"
    assert [item["name"] for item in told.document["shortfalls"]] == ["confidence"]
    shown = on(database, "explain", "short")
    for words in ("42.5 %", "70 % or more", "missed by 27.5 %"):
        assert words in shown.out
    unknown = on(database, "explain", "nobody [bold] knows", "--json")
    assert unknown.code == 1
    assert unknown.document["outcome"] is None


def test_simulate_leaves_a_foreign_database_alone_unless_forced(database: TestDatabase) -> None:
    refused = on(database, "simulate", "--seconds", "1")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert database.count("operation_patterns") == 0
    done = on(database, "simulate", "--seconds", "1", "--rate", "50", "--yes", "--json")
    assert done.code == 0
    assert done.document["observations"] > 0
    assert 0 < database.count("operation_patterns") <= done.document["observations"]


def test_the_demonstration_fills_the_queue_and_misses_nothing() -> None:
    done = run_command("demo", "--seconds", "3", "--rate", "60", "--patterns", "20")
    assert re.search(r"The review page: http://127\.0\.0\.1:\d+/", done.out)
    assert done.code == 0
    queued = re.search(r"([\d,]+) are in the queue, ([\d,]+) are missing", done.out)
    assert queued
    assert int(queued[1]) > 0
    assert queued[2] == "0"


def test_a_demonstration_whose_usual_port_is_taken_serves_its_page_at_another() -> None:
    usual = Settings.model_fields["http_port"].default
    with socket.socket() as holder:
        with suppress(OSError):  # held by something else, which is as good
            holder.bind(("127.0.0.1", usual))
            holder.listen()
        done = run_command("demo", "--seconds", "1", "--rate", "10", "--patterns", "2")
    assert done.code == 0, done.err
    page = re.search(r"The review page: http://127\.0\.0\.1:(\d+)/", done.out)
    assert page
    assert int(page[1]) != usual


def test_the_demonstration_finds_routines_in_what_agents_have_left(tmp_path: Path) -> None:
    write_transcripts(planted(1, Planting(sessions=30)), tmp_path / ".claude" / "projects" / "app")
    done = run_command("demo", "--own", environ={"HOME": str(tmp_path)})
    assert done.code == 0, done.err
    assert "in 30 sessions" in done.out
    assert "patterns: " in done.out
    nothing = run_command("demo", "--own", environ={"HOME": str(tmp_path / "nobody")})
    assert nothing.code == 2
    assert "Leave out --own" in nothing.err


def test_the_help_names_every_command_and_the_exit_codes() -> None:
    shown = run_command("--help", fresh=True)
    assert shown.code == 0
    for command in COMMANDS:
        assert re.search(rf"^│ {command} ", shown.out, re.MULTILINE)
    assert "4 the schema is missing" in " ".join(shown.out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_the_reference_has_every_command(command: str) -> None:
    assert f"## `pattern-sync {command}`" in REFERENCE.read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [("--version",), ("status", "--json"), ("review", "list"), ("sql",)], ids=" ".join)
def test_an_output_that_takes_nothing_is_named(database: TestDatabase, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run_command(*words, out=full.fileno(), PATTERN_SYNC_DATABASE_URL=database.url)
    assert done.code == 1
    assert done.err == (
        "Error: The output could not be written: No space left on device. What was changed before stays so. Free what"
        " is full, or write elsewhere.\n"
    )


def test_a_reader_that_has_gone_is_told_nothing(database: TestDatabase) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        done = run_command("status", "--json", out=theirs, fresh=True, PATTERN_SYNC_DATABASE_URL=database.url)
    finally:
        os.close(theirs)
    assert (done.code, done.err) == (1, "")
