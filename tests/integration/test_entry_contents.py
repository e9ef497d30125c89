"""What an entry holds, from patterns of any shape."""

import json
import math

from psycopg.types.json import Jsonb

from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import Outcome
from tests.support.database import TestDatabase
from tests.support.paths import UNCAPPED, reconcile

SEQUENCES: dict[str, tuple[object, str]] = {
    "names": (["Read", "Edit", "Write"], "Read→Edit→Write"),
    "objects": ([{"name": "Read", "n": 1}, {"name": "Edit"}], "Read→Edit"),
    "mixed": (["Read", {"name": "Edit"}, 7, None, True, [], {}, "Write"], "Read→Edit→Write"),
    "nested lists": ([["Read"], ["Edit"]], "sdlc"),
    "numbers": ([1, 2.5, -3], "sdlc"),
    "names that are objects": ([{"name": {"first": "Read"}}, {"name": ["Edit"]}, {"name": 7}], "sdlc"),
    "blank names": (["", {"name": ""}], "sdlc"),
    "an empty list": ([], "sdlc"),
    "an object": ({"name": "Read"}, "sdlc"),
    "a string": ("Read", "sdlc"),
    "a number": (7, "sdlc"),
    "JSON null": (None, "sdlc"),
    "odd names": (["a→b", "日本", "😈", "q\"uo'te", "new\nline"], "a→b→日本→😈→q\"uo'te→new\nline"),
}


def test_the_tool_sequence_is_read_from_json_of_any_shape(database: TestDatabase) -> None:
    for name, (operations, _) in SEQUENCES.items():
        database.add_pattern(name, tool_name="", typical_files_accessed=None, typical_operations=operations)
    reconcile(database)
    read = {row["pattern_id"]: row["tool_sequence"] for row in entries(database)}
    assert read == {name: sequence for name, (_, sequence) in SEQUENCES.items()}


def test_a_tool_sequence_without_operations_is_the_type_or_unknown(database: TestDatabase) -> None:
    database.add_pattern("without operations", pattern_type="deploy")
    database.add_pattern("without anything", pattern_type="")
    reconcile(database)
    read = {row["pattern_id"]: row["tool_sequence"] for row in entries(database)}
    assert read == {"without operations": "deploy", "without anything": "Unknown"}


def test_the_context_is_cut_at_500_characters_not_bytes(database: TestDatabase) -> None:
    database.add_pattern("long", typical_input_pattern="é" * 501)
    database.add_pattern("exact", typical_input_pattern="x" * 500)
    database.add_pattern("none", typical_input_pattern=None)
    reconcile(database)
    read = {row["pattern_id"]: row["pattern_context"] for row in entries(database)}
    assert read == {"long": "é" * 500, "exact": "x" * 500, "none": None}


def test_the_sessions_are_the_ten_newest_newest_first_as_json(database: TestDatabase) -> None:
    pattern_id = database.add_pattern("seen often")
    database.add_pattern("never seen")
    database.execute(
        "INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at)"
        " SELECT %s, 'workflow \"' || i || '\" é', '2026-01-01'::timestamptz + i * interval '1 minute'"
        " FROM generate_series(1, 15) AS i",
        pattern_id,
    )
    database.execute(
        "INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at) VALUES (%s, 'undated', NULL)",
        pattern_id,
    )
    reconcile(database)
    read = {row["pattern_id"]: json.loads(str(row["example_sessions"])) for row in entries(database)}
    assert read == {"seen often": [f'workflow "{i}" é' for i in range(15, 5, -1)], "never seen": []}


def test_the_figures_are_those_of_the_pattern_with_confidence_from_0_to_1(database: TestDatabase) -> None:
    database.add_pattern("sdlc:full:all")
    reconcile(database)
    entry = database.entry("sdlc:full:all")
    assert entry is not None
    assert entry["status"] == "pending"
    assert entry["confidence_score"] == 0.85
    assert entry["occurrence_count"] == 78_167
    assert float(entry["estimated_savings_usd"]) == 183_844.06


def test_null_figures_count_as_0_and_non_finite_ones_never_qualify(database: TestDatabase) -> None:
    nothing = {"confidence_score": None, "occurrence_count": None, "potential_monthly_savings": None}
    database.add_pattern("nothing", **nothing)
    database.execute("ALTER TABLE operation_patterns ALTER potential_monthly_savings TYPE numeric")
    for value in (math.nan, math.inf, -math.inf):
        database.add_pattern(f"confidence {value}", confidence_score=value)
        database.add_pattern(f"savings {value}", potential_monthly_savings=value)
    outcomes = reconcile(database, SyncFilter.everything())
    assert [name for name, outcome in outcomes.items() if outcome is Outcome.QUEUED] == ["nothing"]
    entry = database.entry("nothing")
    assert entry is not None
    assert [float(entry[name]) for name in ("confidence_score", "occurrence_count", "estimated_savings_usd")] == [0] * 3


def test_absurd_figures_are_queued_within_range_and_fail_no_scan(database: TestDatabase) -> None:
    database.execute("ALTER TABLE operation_patterns ALTER potential_monthly_savings TYPE double precision")
    database.execute("ALTER TABLE operation_patterns ALTER occurrence_count TYPE bigint")
    database.add_pattern("huge", confidence_score=1e300, occurrence_count=2**62, potential_monthly_savings=1e308)
    database.add_pattern("sound")
    assert reconcile(database) == {"huge": Outcome.QUEUED, "sound": Outcome.QUEUED}
    entry = database.entry("huge")
    assert entry is not None
    assert (float(entry["confidence_score"]), entry["occurrence_count"]) == (0.0, 2**31 - 1)
    assert float(entry["estimated_savings_usd"]) == 0.0


def test_a_pending_entry_whose_figures_turn_absurd_is_refreshed(database: TestDatabase) -> None:
    database.add_pattern("p")
    reconcile(database)
    database.execute("UPDATE operation_patterns SET confidence_score = 'NaN'")
    assert reconcile(database) == {"p": Outcome.REFRESHED}
    assert reconcile(database) == {"p": Outcome.UNCHANGED}


def test_signatures_of_any_text_are_queued_unchanged(database: TestDatabase) -> None:
    signatures = {
        "it's",
        '"quoted"',
        "a/b\\c",
        "😈:→:日本",
        "%s %d $1",
        " spaced ",
        "x" * 255,
        "'; DROP TABLE x; --",
        "*",
    }
    for signature in signatures:
        database.add_pattern(signature)
    assert set(reconcile(database, UNCAPPED).values()) == {Outcome.QUEUED}
    assert database.queue() == signatures


def entries(database: TestDatabase) -> list[dict[str, object]]:
    return database.execute("SELECT * FROM pattern_approvals")


def test_operations_may_be_a_text_column(database: TestDatabase) -> None:
    database.execute("ALTER TABLE operation_patterns ALTER typical_operations TYPE text USING typical_operations::text")
    database.execute(
        "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
        " potential_monthly_savings, typical_operations) VALUES ('p', 'deploy', 90, 9, 9999, 'no JSON at all')"
    )
    assert reconcile(database) == {"p": Outcome.QUEUED}


def test_json_that_a_driver_encoded_is_read_the_same(database: TestDatabase) -> None:
    database.execute(
        "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
        " potential_monthly_savings, typical_operations) VALUES ('p', 'x', 90, 9, 9999, %s)",
        Jsonb(["Read", "Write"]),
    )
    reconcile(database)
    assert [row["tool_sequence"] for row in entries(database)] == ["Read→Write"]
