"""The detector as a command: what it prints, how it ends, and that it goes on through what happens to it."""

import json
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.support.command import Finished, environment, run_command
from tests.support.database import TestDatabase
from tests.support.left_behind import write_transcripts
from tests.support.planted import Planting, planted
from tests.support.program import Program, Start, start
from tests.support.waiting import eventually

SESSIONS = tuple(planted(3, Planting(sessions=24)))


def detect(database: TestDatabase, *arguments: str, prices: Path | None = None) -> Finished:
    environ = {} if prices is None else {"PATTERN_SYNC_DETECT_PRICES": str(prices)}
    return run_command("detect", *arguments, environ=environ, PATTERN_SYNC_DATABASE_URL=database.url)


@pytest.fixture
def transcripts(tmp_path: Path) -> Path:
    write_transcripts(SESSIONS, tmp_path / "projects" / "app")
    return tmp_path / "projects"


@dataclass
class Following:
    process: Program
    printed: IO[bytes]
    errors: IO[bytes]

    def text(self, stream: IO[bytes]) -> str:
        stream.seek(0)
        return stream.read().decode()


@contextmanager
def following(database: TestDatabase, transcripts: Path) -> Iterator[Following]:
    wanted = environment(PATTERN_SYNC_DATABASE_URL=database.url)
    arguments = ("detect", "--transcripts", str(transcripts), "--follow", "--every", "1", "--json")
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
        process = start(Start(arguments, wanted, transcripts), out=printed.fileno(), err=errors.fileno())
        try:
            yield Following(process, printed, errors)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(20)


def test_what_could_not_be_seen_is_said_before_what_was_found(database: TestDatabase, transcripts: Path) -> None:
    done = detect(database, "--transcripts", str(transcripts), "--left-out")
    assert done.code == 0
    done.check_manners()
    lines = done.out.splitlines()
    assert lines[0].startswith("claude-code: ")
    assert "in 24 sessions" in lines[0]
    assert "No call of claude-code has a cost" in done.out
    assert done.out.index("No call of claude-code has a cost") < done.out.index("routines")
    assert "Edit/CHANGELOG.md → Edit/pyproject.toml → Bash/git commit → Bash/git tag → Bash/git push" in done.out
    assert "not known" in done.out
    assert "frequent sequences left out" in done.out
    assert "24 sessions new or changed; patterns: " in lines[-1]


def test_without_anything_to_read_that_is_said(database: TestDatabase) -> None:
    done = detect(database)
    assert done.code == 0
    assert "No session was found" in done.out


def test_a_dry_run_writes_nothing_and_says_so(database: TestDatabase, transcripts: Path) -> None:
    done = detect(database, "--transcripts", str(transcripts), "--dry-run")
    assert "Nothing was written." in done.out
    assert database.count("operation_patterns") == 0


def test_a_pattern_that_is_refused_is_named_and_the_command_fails(database: TestDatabase, transcripts: Path) -> None:
    database.execute("ALTER TABLE operation_patterns ADD CONSTRAINT known CHECK (pattern_type <> 'fix')")
    done = detect(database, "--transcripts", str(transcripts))
    assert done.code == 1
    done.check_manners()
    assert "fix:pytest:" in done.err
    assert "known" in done.err
    assert database.count("operation_patterns") > 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--transcripts", "/nowhere"), "'/nowhere' does not exist"),
        (("--every", "0.1"), "--every"),
        (("--keep-days", "1"), "--keep-days"),
    ],
)
def test_options_that_cannot_be_are_named(database: TestDatabase, arguments: tuple[str, ...], told: str) -> None:
    done = detect(database, *arguments)
    assert done.code == 2
    assert told in done.err


def test_prices_that_are_none_are_named(database: TestDatabase, transcripts: Path, tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text('["claude"]\ninput = "three"\noutput = 15\n')
    done = detect(database, "--transcripts", str(transcripts), prices=prices)
    assert done.code == 2
    assert "'three'" in done.err
    done.check_manners()


def test_following_finds_what_comes_and_goes_on_after_an_outage(database: TestDatabase, transcripts: Path) -> None:
    with following(database, transcripts) as detector:
        eventually(lambda: database.count("operation_patterns") > 0)
        eventually(lambda: detector.text(detector.printed).endswith("}\n"))
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        later = tuple(planted(4, Planting(sessions=6)))
        write_transcripts(later, transcripts / "app")
        known = "SELECT count(*) AS count FROM pattern_sync.detected_sessions"
        eventually(lambda: database.execute(known)[0]["count"] == len(SESSIONS) + len(later))
        assert detector.process.poll() is None
        shown = eventually_documents(detector, 2)
        assert [each["sessions"] for each in shown] == [len(SESSIONS), len(later)]


def eventually_documents(detector: Following, count: int) -> list[dict[str, object]]:
    def documents() -> list[dict[str, object]]:
        text, found = detector.text(detector.printed), list[dict[str, object]]()
        decoder = json.JSONDecoder()
        while text := text.lstrip():
            try:
                document, end = decoder.raw_decode(text)
            except ValueError:  # it is being written
                break
            found.append(document)
            text = text[end:]
        return found

    eventually(lambda: len(documents()) >= count)
    return documents()


def test_a_detector_that_is_killed_at_any_moment_leaves_what_the_next_one_completes(
    database: TestDatabase, transcripts: Path
) -> None:
    reference = detect(database, "--transcripts", str(transcripts), "--json").document
    database.empty("pattern_occurrences", "operation_patterns", "pattern_sync.detected_sessions")
    database.execute("DELETE FROM pattern_sync.routines")
    for moment in (0.3, 0.6, 0.9, 1.2):
        with following(database, transcripts):
            time.sleep(moment)  # the moment of the kill, which is to be a different one each time
    done = detect(database, "--transcripts", str(transcripts), "--json").document
    counts = {each["pattern_id"]: each["occurrences"] for each in reference["routines"]}
    assert {each["pattern_id"]: each["occurrences"] for each in done["routines"]} == counts
    written = database.execute("SELECT pattern_signature, occurrence_count FROM operation_patterns")
    assert {row["pattern_signature"]: row["occurrence_count"] for row in written} == counts
    assert database.count("pattern_occurrences") == sum(counts.values())
