"""The reference detector on a database: what it reads, keeps and writes, from transcripts and from hooks."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from pattern_sync.config import Settings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.domain.calls import Session
from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.domain.routines import Written
from pattern_sync.runtime.detecting import Detected, Detection, DetectionTerms
from tests.support.application import dump
from tests.support.database import TestDatabase
from tests.support.left_behind import SECRET, hook_events, write_transcripts
from tests.support.planted import BEGIN, Planting, planted

SESSIONS = tuple(planted(1, Planting(sessions=36)))
PRICES = '["claude-sonnet-4"]\ninput = 3\noutput = 15\n'
_COLUMNS = (
    "CREATE TABLE hook_events (id serial PRIMARY KEY, event_id text UNIQUE, event_type text, session_id text,"
    " tool_name text, timestamp timestamp, payload {payload}, processed {processed})"
)
DIALECTS = {
    "text": _COLUMNS.format(payload="text", processed="integer DEFAULT 0"),
    "jsonb": _COLUMNS.format(payload="jsonb", processed="boolean DEFAULT false"),
}
# For all that a person kept since the beginning of the planted sessions.
FOR_EVER = 3_650


def settings(database: TestDatabase, **more: object) -> Settings:
    return Settings(database_url=database.url, **more)  # type: ignore[arg-type]


def detect(database: TestDatabase, *transcripts: Path, dry_run: bool = False, **terms: object) -> Detected:
    wanted = DetectionTerms(transcripts, keep_days=FOR_EVER)
    detection = Detection(settings(database), replace(wanted, **terms))  # type: ignore[arg-type]
    return detection.run(DatabaseAddress.parse(database.url), dry_run=dry_run)


def outcomes(detected: Detected) -> set[Written | None]:
    return {each.outcome for each in detected.written}


def add_hook_events(database: TestDatabase, *sessions: Session, dialect: str = "text") -> None:
    database.execute(DIALECTS[dialect])
    with database.another_connection() as connection, connection.cursor() as cursor:
        insert = "INSERT INTO hook_events (event_id, event_type, session_id, tool_name, timestamp, payload)"
        cursor.executemany(f"{insert} VALUES (%s, %s, %s, %s, %s, %s)".encode(), list(hook_events(sessions)))


def patterns(database: TestDatabase) -> dict[str, Mapping[str, object]]:
    rows = database.execute("SELECT * FROM operation_patterns WHERE pattern_signature LIKE '%:%:%'")
    return {str(row["pattern_signature"]): row for row in rows}


def runs(database: TestDatabase) -> set[tuple[str, str]]:
    rows = database.execute(
        "SELECT pattern_signature, workflow_id FROM pattern_occurrences AS o"
        " JOIN operation_patterns AS p ON p.id = o.pattern_id"
    )
    assert len(rows) == len({tuple(row.values()) for row in rows})
    return {(row["pattern_signature"], row["workflow_id"]) for row in rows}


def state(database: TestDatabase) -> str:
    """Return every row of what the detector may write, with the transaction that wrote it."""
    tables = ("operation_patterns", "pattern_occurrences", "pattern_sync.detected_sessions", "pattern_sync.routines")
    rows = [database.execute(f"SELECT xmin::text, t.* FROM {table} AS t ORDER BY 2, 3") for table in tables]
    return json.dumps(rows, default=str)


@pytest.fixture
def transcripts(tmp_path: Path) -> Path:
    write_transcripts(SESSIONS, tmp_path / "projects" / "app")
    return tmp_path / "projects"


@pytest.mark.lived_in_too
def test_routines_become_patterns_with_an_occurrence_for_each_run(database: TestDatabase, transcripts: Path) -> None:
    before = database.count("operation_patterns")
    detected = detect(database, transcripts)
    assert detected.sessions == len(SESSIONS)
    assert outcomes(detected) == {Written.WRITTEN}
    written = patterns(database)
    assert len(written) >= 6
    assert database.count("operation_patterns") == before + len(written)
    found = runs(database)
    for each in detected.findings.routines:
        row = written[each.signature]
        assert row["occurrence_count"] == each.occurrences == len([run for run in found if run[0] == each.signature])
        assert (row["pattern_type"], row["typical_operations"]) == (each.kind, list(each.shape))
        assert row["confidence_score"] == pytest.approx(each.confidence)
        assert (row["potential_monthly_savings"], row["automation_status"]) == (None, "detected")
        assert row["first_detected"] < row["last_seen"]  # type: ignore[operator]
    release = "Edit/CHANGELOG.md", "Edit/pyproject.toml", "Bash/git commit", "Bash/git tag", "Bash/git push"
    assert release in [each.shape for each in detected.findings.routines]


def test_the_same_sessions_read_again_change_nothing(database: TestDatabase, transcripts: Path) -> None:
    detect(database, transcripts)
    before = state(database)
    again = detect(database, transcripts)
    assert (again.sessions, outcomes(again)) == (0, {Written.UNCHANGED})
    assert state(database) == before


def test_a_session_that_has_changed_is_replaced_as_a_whole(database: TestDatabase, tmp_path: Path) -> None:
    chance = Random(3)
    folder = tmp_path / "projects"
    for _ in range(3):
        # Sessions grow, are cut, and come back, in whatever order.
        parts = [replace(each, calls=each.calls[: chance.randint(1, len(each.calls))]) for each in SESSIONS]
        write_transcripts(parts, folder)
        detect(database, folder)
    write_transcripts(SESSIONS, folder)
    detected = detect(database, folder)
    expected = {
        (each.signature, f"{run.session_id}#{run.number}") for each in detected.findings.routines for run in each.runs
    }
    found = runs(database)
    assert {run for run in found if run[0] in {each.signature for each in detected.findings.routines}} == expected
    for each in detected.findings.routines:
        assert patterns(database)[each.signature]["occurrence_count"] == each.occurrences


@pytest.mark.lived_in_too
@pytest.mark.parametrize("dialect", DIALECTS)
def test_hook_events_are_read_in_both_dialects_and_left_as_they_are(database: TestDatabase, dialect: str) -> None:
    add_hook_events(database, *SESSIONS, dialect=dialect)
    before = database.execute("SELECT xmin::text, * FROM hook_events ORDER BY id")
    detected = detect(database)
    assert database.execute("SELECT xmin::text, * FROM hook_events ORDER BY id") == before
    assert detected.sessions == len(SESSIONS)
    repair = ("Bash/pytest/failed", "Read/src/.py", "Edit/src/.py", "Bash/pytest")
    assert repair in [each.shape for each in detected.findings.routines]
    assert "cut-off" in [remark.name for remark in detected.remarks]
    again = detect(database)
    assert (again.sessions, outcomes(again)) == (0, {Written.UNCHANGED})


def test_a_late_event_is_a_session_that_has_changed(database: TestDatabase) -> None:
    add_hook_events(database, *SESSIONS)
    detect(database)
    late = SESSIONS[7]
    database.execute(
        "INSERT INTO hook_events (event_id, event_type, session_id, tool_name, timestamp, payload)"
        " VALUES ('late', 'PreToolUse', %s, 'Read', %s, '{}')",
        late.session_id,
        BEGIN.replace(tzinfo=None),  # before all others of its session
    )
    assert detect(database).sessions == 1
    assert detect(database).sessions == 0


def test_a_session_that_two_sources_show_is_counted_once(database: TestDatabase, transcripts: Path) -> None:
    add_hook_events(database, *SESSIONS)
    detect(database)
    detect(database, transcripts)
    after = runs(database)
    assert detect(database).sessions == 0, "the transcripts show more"
    assert {row["source"] for row in database.execute("SELECT source FROM pattern_sync.detected_sessions")} == {
        "claude-code"
    }
    for each in detect(database, transcripts).findings.routines:
        assert len([run for run in after if run[0] == each.signature]) == each.occurrences


def test_nothing_of_an_argument_or_an_output_reaches_the_database(database: TestDatabase, transcripts: Path) -> None:
    detect(database, transcripts)
    assert SECRET in next((transcripts / "app").iterdir()).read_text()
    add_hook_events(database, *(replace(each, session_id=f"hooked-{each.session_id}") for each in SESSIONS))
    detect(database)
    assert SECRET in dump(database)
    dumped = dump(database, "--exclude-table=hook_events")
    assert "Bash/git commit" in dumped
    assert SECRET not in dumped


def test_a_dry_run_shows_all_and_writes_nothing(database: TestDatabase, transcripts: Path) -> None:
    before = state(database)
    detected = detect(database, transcripts, dry_run=True)
    assert detected.sessions == len(SESSIONS)
    assert len(detected.findings.routines) >= 6
    assert detected.written == ()
    assert state(database) == before


def test_a_signature_of_another_detector_is_left_to_it(database: TestDatabase, transcripts: Path) -> None:
    taken = "git:git-push:pyproject.toml"
    database.add_pattern(taken, occurrence_count=3)
    theirs = "SELECT xmin::text, * FROM operation_patterns WHERE pattern_signature = %s"
    before = database.execute(theirs, taken)
    detected = detect(database, transcripts)
    assert database.execute(theirs, taken) == before
    own = [each.signature for each in detected.findings.routines if each.signature.startswith(taken)]
    assert own
    assert own != [taken]
    assert detect(database, transcripts).findings.routines == detected.findings.routines, "it keeps the name"


def test_a_routine_that_the_application_refuses_costs_no_other(database: TestDatabase, transcripts: Path) -> None:
    database.execute("ALTER TABLE operation_patterns ADD CONSTRAINT known CHECK (pattern_type <> 'deploy') NOT VALID")
    detected = detect(database, transcripts)
    refused = [each for each in detected.written if each.outcome is None]
    assert [each.routine.kind for each in refused] == ["deploy"]
    assert "known" in str(refused[0].reason)
    assert {each.outcome for each in detected.written} == {None, Written.WRITTEN}
    database.execute("ALTER TABLE operation_patterns DROP CONSTRAINT known")
    assert outcomes(detect(database, transcripts)) == {Written.WRITTEN, Written.UNCHANGED}


def test_without_the_occurrence_table_runs_are_counted_all_the_same(database: TestDatabase, transcripts: Path) -> None:
    database.execute("DROP TABLE pattern_occurrences CASCADE")
    detected = detect(database, transcripts)
    for each in detected.findings.routines:
        assert patterns(database)[each.signature]["occurrence_count"] == each.occurrences
    assert outcomes(detect(database, transcripts)) == {Written.UNCHANGED}


def test_prices_that_are_named_later_tell_savings(database: TestDatabase, transcripts: Path, tmp_path: Path) -> None:
    detect(database, transcripts)
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES)
    terms = DetectionTerms((transcripts,), keep_days=FOR_EVER)
    priced = Detection(settings(database, detect_prices=prices), terms).run(DatabaseAddress.parse(database.url))
    assert priced.sessions == len(SESSIONS)
    for each in priced.findings.routines:
        assert each.savings_usd
        written = patterns(database)[each.signature]["potential_monthly_savings"]
        assert float(written) == pytest.approx(each.savings_usd, abs=1e-4)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "content", "told"),
    [
        ("detect_prices", None, "DETECT_PRICES: .+ cannot be read: No such file"),
        ("detect_prices", b"\xff", "DETECT_PRICES: .+ is not in UTF-8"),
        ("detect_prices", b"[x]\ninput = 3\n", r"\[x\] lacks output|x lacks output|lacks output"),
        ("detect_vocabulary", b"x" * 1_000_001, "DETECT_VOCABULARY: .+ more than 1,000,000 bytes"),
        ("detect_vocabulary", b"= 3", "is no TOML file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    database: TestDatabase, tmp_path: Path, setting: str, content: bytes | None, told: str
) -> None:
    file = tmp_path / "file.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidSettings, match=told):
        Detection(settings(database, **{setting: file}), DetectionTerms())


def test_old_sessions_are_forgotten_and_their_occurrences_stay(database: TestDatabase, transcripts: Path) -> None:
    detect(database, transcripts)
    before = runs(database)
    database.execute("UPDATE pattern_sync.detected_sessions SET last_event_at = now() - interval '100 days'")
    database.execute(
        "UPDATE pattern_sync.detected_sessions SET last_event_at = now() WHERE session_id = %s", SESSIONS[0].session_id
    )
    detect(database, keep_days=99)
    kept = database.execute("SELECT session_id FROM pattern_sync.detected_sessions")
    assert [row["session_id"] for row in kept] == [SESSIONS[0].session_id]
    assert runs(database) == before


def test_a_clock_that_goes_back_and_a_time_without_end_cost_no_other_session(database: TestDatabase) -> None:
    add_hook_events(database, *SESSIONS)
    database.execute("UPDATE hook_events SET timestamp = 'infinity' WHERE session_id = %s", SESSIONS[0].session_id)
    database.execute("UPDATE hook_events SET timestamp = NULL WHERE session_id = %s", SESSIONS[1].session_id)
    database.execute("UPDATE hook_events SET payload = '{' WHERE session_id = %s", SESSIONS[2].session_id)
    database.execute(
        "UPDATE hook_events SET timestamp = timestamp - interval '1 day' WHERE id %% 2 = 0 AND session_id = %s",
        SESSIONS[3].session_id,
    )
    detected = detect(database)
    assert detected.sessions == len(SESSIONS)
    assert len(detected.findings.routines) >= 5
    assert detected.findings.seen[0].without_time > 0


def test_a_look_finds_only_what_is_new(database: TestDatabase, transcripts: Path) -> None:
    address = DatabaseAddress.parse(database.url)
    detection = Detection(settings(database), DetectionTerms((transcripts,), keep_days=FOR_EVER))
    detection.run(address)
    assert detection.look(address) is None
    later = replace(SESSIONS[0], session_id="later", last_event_at=BEGIN + timedelta(days=30))
    write_transcripts([later], transcripts / "app")
    found = detection.look(address)
    assert found is not None
    assert found.sessions == 1
    hooks = Detection(settings(database), DetectionTerms(keep_days=FOR_EVER))
    assert hooks.look(address) is None
