"""The sync endpoints: what a manual sync queues, what a dry run counts, and who may queue everything."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.conftest import fresh_database
from tests.support.contract import REPORT_FIELDS
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase, snapshot
from tests.support.waiting import eventually
from tests.web.conftest import ADMIN_TOKEN, Served

if TYPE_CHECKING:
    import psycopg

SYNC = "/api/v1/patterns/sync"
ADMINISTRATOR = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
TABLES = ("pattern_approvals", "operation_patterns", "pattern_review_history", "pattern_sync.runs")
# Below the manual criteria, within them, and within the high-priority ones.
POOR = {"confidence_score": 59.9, "occurrence_count": 1, "potential_monthly_savings": 0}
FAIR = {"confidence_score": 60, "occurrence_count": 2, "potential_monthly_savings": 0}


@pytest.fixture(scope="module")
def idle(server_url: str, admin: "psycopg.Connection[dict[str, object]]", template: str) -> Iterator[Served]:
    """Return a daemon whose own filter lets nothing pass, so that only a manual sync queues."""
    with (
        fresh_database(server_url, admin, template) as database,
        database.connect(),
        running_daemon(
            database.url, PATTERN_SYNC_ADMIN_TOKEN=ADMIN_TOKEN, PATTERN_SYNC_MIN_SAVINGS="1000000000"
        ) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        yield Served(database, daemon, client)


@pytest.fixture(autouse=True)
def _bare(idle: Served) -> None:
    idle.database.empty("operation_patterns", "pattern_approvals", "pattern_review_history")


def sync(idle: Served, ending: str, body: object = None, **query: object) -> dict[str, Any]:
    answer = idle.client.post(
        f"{SYNC}/{ending}",
        json=body,
        params={name: str(value) for name, value in query.items()},
        headers=ADMINISTRATOR if ending == "all" else {},
    )
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    assert set(report) == REPORT_FIELDS
    assert report["total_candidates"] == (
        report["synced_count"] + report["skipped_count"] + report["error_count"] + report["remaining_count"]
    )
    return report


def queued(database: TestDatabase, prefix: str) -> int:
    return sum(name.startswith(prefix) for name in database.queue())


def fill(database: TestDatabase) -> None:
    database.add_patterns(30, "good")
    database.add_patterns(60, "fair", **FAIR)
    database.add_patterns(150, "poor", **POOR)
    database.add_pattern("taken:further", automation_status="active")


def test_the_statistics_match_the_figures_that_applications_expect(idle: Served) -> None:
    idle.database.add_patterns(50, "queued")
    assert sync(idle, "run")["synced_count"] == 50
    idle.database.add_patterns(146, "missing")
    for number in range(8):
        idle.database.execute(
            "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count,"
            " estimated_savings_usd, tool_sequence) VALUES (%s, 'approved', 0.5, 1, 1, 'x')",
            f"long gone:{number}",
        )
    counts = idle.client.get(f"{SYNC}/statistics").json()
    assert (counts["patterns_in_source"], counts["patterns_in_review"], counts["pending_sync"]) == (196, 58, 146)
    assert counts["sync_percentage"] == 29.6
    assert set(counts) == {
        "patterns_in_source",
        "patterns_in_review",
        "pending_sync",
        "sync_percentage",
        "qualifying",
        "qualifying_missing",
    }
    assert (counts["qualifying"], counts["qualifying_missing"]) == (0, 0)


def test_the_statistics_of_an_empty_database_are_zero(idle: Served) -> None:
    assert set(idle.client.get(f"{SYNC}/statistics").json().values()) == {0}


def test_a_sync_without_a_body_uses_the_manual_criteria(idle: Served) -> None:
    fill(idle.database)
    report = sync(idle, "run")
    assert (report["total_candidates"], report["synced_count"], report["remaining_count"]) == (90, 50, 40)
    assert report["dry_run"] is False
    assert len(report["synced_pattern_ids"]) == 50
    assert set(report["synced_pattern_ids"]) == idle.database.queue()
    # Best impact first: all good patterns before any fair one.
    assert all(name.startswith("good") for name in report["synced_pattern_ids"][:30])
    again = sync(idle, "run")
    assert (again["total_candidates"], again["synced_count"], again["skipped_count"]) == (90, 40, 50)
    done = sync(idle, "run")
    assert (done["total_candidates"], done["synced_count"], done["skipped_count"]) == (90, 0, 90)


@pytest.mark.parametrize("body", [{}, {"max_patterns": 50}, {"min_savings": 0}, {"exclude_types": []}])
def test_a_criterion_that_a_body_does_not_name_is_unbounded(idle: Served, body: dict[str, object]) -> None:
    fill(idle.database)
    idle.database.add_pattern("never", occurrence_count=0)
    report = sync(idle, "run", body)
    assert (report["total_candidates"], report["synced_count"], report["remaining_count"]) == (240, 50, 190)


def test_each_criterion_is_applied_at_its_bound(idle: Served) -> None:
    idle.database.add_pattern("just", confidence_score=80, occurrence_count=7, potential_monthly_savings=500)
    idle.database.add_pattern("unsure", confidence_score=79.99, occurrence_count=7, potential_monthly_savings=500)
    idle.database.add_pattern("rare", confidence_score=80, occurrence_count=6, potential_monthly_savings=500)
    idle.database.add_pattern("cheap", confidence_score=80, occurrence_count=7, potential_monthly_savings=499.99)
    criteria = {"min_confidence": 80, "min_occurrences": 7, "min_savings": 500}
    assert sync(idle, "run", criteria)["synced_pattern_ids"] == ["just"]


def test_types_select_what_is_queued(idle: Served) -> None:
    for kind in ("sdlc", "test", "docs"):
        idle.database.add_pattern(f"{kind}:x", pattern_type=kind)
    assert sync(idle, "run", {"only_types": ["sdlc"]})["synced_pattern_ids"] == ["sdlc:x"]
    assert sync(idle, "run", {"exclude_types": ["docs"]})["synced_pattern_ids"] == ["test:x"]
    assert sync(idle, "run", {"only_types": ["it's", 'a "type"']})["total_candidates"] == 0


def test_a_sync_queues_at_most_max_patterns(idle: Served) -> None:
    idle.database.add_patterns(5, "some")
    report = sync(idle, "run", {"max_patterns": 2})
    assert (report["synced_count"], report["remaining_count"]) == (2, 3)
    assert len(idle.database.queue()) == 2


def test_null_means_the_same_as_an_absent_field(idle: Served) -> None:
    fill(idle.database)
    criteria = ("min_confidence", "min_occurrences", "min_savings", "max_patterns", "only_types", "exclude_types")
    report = sync(idle, "run", dict.fromkeys(criteria))
    assert (report["total_candidates"], report["synced_count"], report["remaining_count"]) == (240, 50, 190)


def test_a_refused_row_is_named_and_the_servers_message_goes_to_the_log_only(idle: Served) -> None:
    idle.database.add_patterns(2, "good")
    idle.database.add_pattern("bad:one")
    idle.database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE 'postgres://u:secret@h/db refused: SELECT * FROM billing'; END $$"
    )
    idle.database.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON pattern_approvals FOR EACH ROW"
        " WHEN (NEW.pattern_id = 'bad:one') EXECUTE FUNCTION refuse()"
    )
    try:
        report = sync(idle, "run")
    finally:
        idle.database.execute("DROP FUNCTION refuse CASCADE")
    assert (report["synced_count"], report["error_count"], report["failed_pattern_ids"]) == (2, 1, ["bad:one"])
    assert report["errors"] == ["bad:one: the database refused it. The daemon's log says why."]
    logged = "bad:one: postgres://u:secret@h/db refused: SELECT * FROM billing"
    eventually(lambda: [logged] in [line["errors"] for line in idle.daemon.lines("scan.failed", kind="manual")])


def test_high_priority_queues_the_best_twenty(idle: Served) -> None:
    fill(idle.database)
    report = sync(idle, "high-priority")
    assert (report["total_candidates"], report["synced_count"], report["remaining_count"]) == (30, 20, 10)
    assert queued(idle.database, "good") == len(idle.database.queue()) == 20


def test_all_queues_the_best_two_hundred_whatever_their_figures(idle: Served) -> None:
    fill(idle.database)
    report = sync(idle, "all")
    assert (report["total_candidates"], report["synced_count"], report["remaining_count"]) == (240, 200, 40)
    assert len(report["synced_pattern_ids"]) == len(idle.database.queue()) == 200
    assert queued(idle.database, "poor") == 110
    assert "taken:further" not in idle.database.queue()


@pytest.mark.parametrize("ending", ["run", "high-priority", "all"])
def test_a_dry_run_returns_the_same_counts_and_writes_nothing(idle: Served, ending: str) -> None:
    fill(idle.database)
    sync(idle, "run", {"max_patterns": 10})
    idle.database.execute(
        "INSERT INTO pattern_review_history (pattern_id, action, reviewer) "
        "SELECT pattern_id, 'commented', 'ann' FROM pattern_approvals"
    )
    before = snapshot(idle.database, TABLES)
    preview = sync(idle, ending, dry_run="true")
    assert snapshot(idle.database, TABLES) == before
    assert preview["dry_run"] is True
    assert preview["synced_count"] > 0
    done = sync(idle, ending, dry_run="false")
    assert snapshot(idle.database, TABLES) != before
    assert {**done, "dry_run": True, "sync_duration_ms": 0} == {**preview, "sync_duration_ms": 0}


def test_a_dry_run_with_custom_criteria_writes_nothing(idle: Served) -> None:
    fill(idle.database)
    before = snapshot(idle.database, TABLES)
    preview = sync(idle, "run", {"min_confidence": 0, "min_occurrences": 1, "max_patterns": 200}, dry_run="1")
    assert (preview["synced_count"], preview["remaining_count"]) == (200, 40)
    assert snapshot(idle.database, TABLES) == before


def test_a_sync_is_recorded_and_a_dry_run_is_not(idle: Served) -> None:
    idle.database.add_pattern("remembered")

    def runs() -> int:
        return int(idle.database.execute("SELECT count(*) AS n FROM pattern_sync.runs WHERE kind = 'manual'")[0]["n"])

    before = runs()
    sync(idle, "run", dry_run=True)
    assert runs() == before
    sync(idle, "run")
    assert runs() == before + 1


def test_a_decided_entry_is_skipped_and_left_alone(idle: Served) -> None:
    idle.database.add_pattern("decided", **FAIR)
    sync(idle, "run")
    idle.database.decide("decided")
    idle.database.execute(
        "UPDATE operation_patterns SET confidence_score = 99, potential_monthly_savings = 5000, occurrence_count = 50"
    )
    before = idle.database.entry("decided")
    for ending in ("run", "high-priority", "all"):
        report = sync(idle, ending)
        assert (report["synced_count"], report["refreshed_count"], report["skipped_count"]) == (0, 0, 1)
    assert idle.database.entry("decided") == before


def test_a_row_that_the_queue_refuses_is_an_error_and_the_others_go_through(idle: Served) -> None:
    idle.database.execute("ALTER TABLE pattern_approvals ADD CONSTRAINT no_poison CHECK (pattern_id <> 'poison')")
    try:
        for name in ("one", "poison", "two"):
            idle.database.add_pattern(name)
        report = sync(idle, "run")
    finally:
        idle.database.execute("ALTER TABLE pattern_approvals DROP CONSTRAINT no_poison")
    assert (report["synced_count"], report["error_count"], report["total_candidates"]) == (2, 1, 3)
    assert report["errors"][0].startswith("poison: ")
    assert idle.database.queue() == {"one", "two"}


def test_simultaneous_syncs_queue_everything_exactly_once(idle: Served) -> None:
    idle.database.add_patterns(40, "crowd")
    with ThreadPoolExecutor(max_workers=6) as people:
        reports = list(people.map(lambda _: sync(idle, "run", {"max_patterns": 10}), range(6)))
    assert sum(report["synced_count"] for report in reports) == 40
    assert len(idle.database.queue()) == 40


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("min_confidence", [-0.01, 100.01, "high", [], "NaN"]),
        ("min_occurrences", [-1, 1.5, False, 2**31, 10**30, "few"]),
        ("min_savings", [-0.01, "much", [], "-inf"]),
        ("max_patterns", [0, -1, 201, 1.5, "all"]),
        ("only_types", ["sdlc", [""], [" "], [5], [None], ["a\0b"], ["x"] * 1_001]),
        ("exclude_types", ["sdlc", [""], [["sdlc"]], {"a": 1}]),
        ("dry_run", [True]),
        ("min_confidense", [80]),
        ("", [1]),
    ],
)
def test_an_out_of_bounds_or_unknown_field_is_refused_and_nothing_is_queued(
    idle: Served, field: str, values: list[object]
) -> None:
    idle.database.add_pattern("would:qualify")
    for value in values:
        answer = idle.client.post(f"{SYNC}/run", json={field: value})
        assert answer.status_code == 422, (field, value, answer.text)
        faults = answer.json()["fields"]
        assert isinstance(answer.json()["detail"], str)
        assert all(set(fault) == {"loc", "msg", "type"} for fault in faults)
        assert any(field in [str(part) for part in fault["loc"]] or field in fault["msg"] for fault in faults)
    assert idle.database.queue() == set()


@pytest.mark.parametrize(
    "body",
    [
        {"min_confidence": 0, "min_occurrences": 0, "min_savings": 0, "max_patterns": 1},
        {"min_confidence": 100, "min_occurrences": 2**31 - 1, "min_savings": 1e300, "max_patterns": 200},
        {"min_savings": None, "only_types": [], "exclude_types": []},
        {"only_types": ["x" * 5_000, "日本"]},
    ],
)
def test_the_bounds_themselves_are_allowed(idle: Served, body: dict[str, object]) -> None:
    sync(idle, "run", body, dry_run="true")


def test_contradictory_criteria_are_refused_by_both_names(idle: Served) -> None:
    answer = idle.client.post(f"{SYNC}/run", json={"only_types": ["a", "b"], "exclude_types": ["b", "c"]})
    assert answer.status_code == 422
    (fault,) = answer.json()["fields"]
    for word in ("only_types", "exclude_types", "contradict", "b"):
        assert word in fault["msg"]


@pytest.mark.parametrize("ending", ["run", "high-priority", "all"])
def test_a_dry_run_that_is_neither_true_nor_false_is_refused(idle: Served, ending: str) -> None:
    idle.database.add_pattern("would:qualify")
    answer = idle.client.post(f"{SYNC}/{ending}?dry_run=perhaps", headers=ADMINISTRATOR)
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["loc"] == ["query", "dry_run"]
    assert idle.database.queue() == set()


def test_the_detail_of_an_error_is_a_printable_sentence(idle: Served) -> None:
    answer = idle.client.post(f"{SYNC}/run", json={"min_confidence": 101, "max_patterns": 0})
    assert answer.json()["detail"] == (
        "min_confidence is 101; it has to be from 0 to 100. max_patterns is 0; it has to be from 1 to 200."
    )
    answer = idle.client.post(f"{SYNC}/run", json=dict.fromkeys("abcde"))
    assert answer.json()["detail"].startswith("a is not known. Known here: exclude_types, max_age_days, ")
    assert answer.json()["detail"].endswith("only_types. And 2 more.")
    assert len(answer.json()["fields"]) == 5


@pytest.mark.parametrize("ending", ["run", "high-priority", "all"])
def test_a_get_request_cannot_start_a_sync(idle: Served, ending: str) -> None:
    idle.database.add_pattern("would:qualify")
    answer = idle.client.get(f"{SYNC}/{ending}", headers=ADMINISTRATOR)
    assert answer.status_code == 404  # there is no pattern of this name
    assert idle.database.queue() == set()
