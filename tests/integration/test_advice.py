"""What past decisions say about the filter, and what is queued by hand although it does not qualify."""

import json
from typing import Any

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.advising import Advising
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.advice import AdviceGateway
from pattern_sync.database.blocking import BlockingDatabase, BlockingSession
from pattern_sync.domain.advice import Rate
from pattern_sync.domain.errors import CannotQueue, UnknownPattern
from tests.support.asynchronous import run
from tests.support.command import run_command
from tests.support.database import TestDatabase, snapshot

pytestmark = pytest.mark.lived_in_too
DECIDED = """
INSERT INTO pattern_approvals
    (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence)
VALUES ('a', 'rejected', 0.5, 1, 1, 'x')
"""
TABLES = ("operation_patterns", "pattern_approvals", "pattern_review_history")


@pytest.fixture
def service(database: TestDatabase) -> PatternSyncService:
    return PatternSyncService(database.url)


def note(database: TestDatabase, signature: str, decision: str, **shown: object) -> None:
    """Add to the record, as a decision does."""
    undone_at, batch_id = shown.pop("undone_at", None), shown.pop("batch_id", None)
    figures = {"confidence": 0.9, "occurrences": 10, "savings": 5000.0}
    traits = {"kind": "test:pytest", "shape": "Read"}
    for name, value in shown.items():
        (traits if name in traits else figures)[name] = value  # type: ignore[assignment]
    database.execute(
        "INSERT INTO pattern_sync.decisions (pattern_id, decision, reviewer, decided_at, undone_at, batch_id, shown)"
        " VALUES (%s, %s, 'ann', now(), %s, %s, %s)",
        signature,
        decision,
        undone_at,
        batch_id,
        json.dumps({"figures": figures, "traits": traits}),
    )


def advise(database: TestDatabase, *words: str) -> dict[str, Any]:
    told = run_command("advise", *words, "--json", PATTERN_SYNC_DATABASE_URL=database.url)
    assert told.code == 0, told.err
    document: dict[str, Any] = told.document
    return document


def test_decisions_come_from_the_record_and_from_entries_that_were_decided_before_it(
    database: TestDatabase, service: PatternSyncService
) -> None:
    database.add_entry("old", "approved", confidence_score=0.75, estimated_savings_usd=1500)
    database.add_entry("by a rule", "auto-approved")
    database.add_entry("waiting", confidence_score=0.95, estimated_savings_usd=9000)
    # A machine has changed the figures of a decided entry: what the person saw counts.
    database.add_entry("recorded", "rejected", confidence_score=0.1, estimated_savings_usd=1)
    note(database, "recorded", "rejected")
    note(database, "undone", "approved", undone_at="2026-01-01")
    advice = service.advice()
    assert (advice.decided, advice.approvals) == (2, 1)
    present = advice.prices[0]
    assert (present.min_confidence, present.min_savings) == (70.0, 1000.0)
    assert (present.shown, present.hidden, present.pending_shown) == (2, 0, 1)
    assert (present.approved_usd, present.kept_usd) == (1500.0, 1500.0)


def test_a_confidence_that_equals_the_bound_is_shown(database: TestDatabase, service: PatternSyncService) -> None:
    """In binary, 100 x 0.58 is less than 58."""
    database.execute("UPDATE pattern_sync.settings SET min_confidence = 58")
    for name, status in (("old", "approved"), ("waiting", "pending"), ("decided", "pending")):
        database.add_entry(name, status, confidence_score=0.58, estimated_savings_usd=5000)
    service.approve("decided")
    present = service.advice().prices[0]
    assert (present.min_confidence, present.shown, present.hidden, present.pending_shown) == (58.0, 2, 0, 1)


def test_decisions_that_were_really_made_count_with_what_was_seen(
    database: TestDatabase, service: PatternSyncService
) -> None:
    for name, savings in (("test:a", 2000), ("test:b", 4000), ("test:c", 8000)):
        database.add_entry(name, confidence_score=0.95, estimated_savings_usd=savings, tool_sequence="Read")
    service.decide_many(["test:a", "test:b"], "approved", reviewer="ann")
    service.reject("test:c", "no", reviewer="ann")
    # What the entries show later is not what was seen.
    database.execute("UPDATE pattern_approvals SET estimated_savings_usd = 1")
    advice = service.advice()
    assert (advice.decided, advice.approvals) == (3, 2)
    assert advice.prices[0].approved_usd == 6000.0
    service.undo(service.batches("ann")[-1].id)
    assert service.advice().approvals == 0


def test_a_batch_teaches_one_lesson_for_each_shape(database: TestDatabase, service: PatternSyncService) -> None:
    for number in range(40):
        note(database, f"together {number}", "approved", batch_id=7)
    advice = service.advice()
    assert advice.approvals == 40
    assert advice.remark is not None
    assert advice.remark.startswith("1 approval is few")


def test_without_a_decision_the_list_says_so(database: TestDatabase) -> None:
    told = run_command("advise", PATTERN_SYNC_DATABASE_URL=database.url)
    assert told.code == 0
    assert "0 decisions" in told.out
    assert "0 approvals are few" in told.out
    assert advise(database)["prices"][0]["lost_share_at_most"] == 1.0


def test_what_misses_the_filter_by_least_comes_first(database: TestDatabase, service: PatternSyncService) -> None:
    database.add_pattern("queued already")
    service.sync_high_priority_patterns()
    database.add_pattern("near", potential_monthly_savings=990)
    database.add_pattern("far", potential_monthly_savings=10)
    database.add_pattern("nothing", potential_monthly_savings=None, confidence_score=None, occurrence_count=None)
    database.add_pattern("not a number", confidence_score="NaN")
    database.add_pattern("taken further", potential_monthly_savings=995, automation_status="active")
    database.execute("INSERT INTO pattern_sync.rejections (pattern_id) VALUES ('rejected before')")
    database.add_pattern("rejected before", potential_monthly_savings=999)
    found = service.nearest(20)
    names = [each.signature for each in found]
    assert names[:2] == ["near", "far"]
    assert set(names) == {"near", "far", "nothing", "not a number"}
    assert [(miss.name, miss.value) for miss in found[0].shortfalls] == [("savings", 990.0)]
    told = run_command("review", "nearest", PATTERN_SYNC_DATABASE_URL=database.url)
    assert "savings is 990.00 USD a month, the filter requires 1,000.00 USD a month or more" in " ".join(
        told.out.replace("│", " ").split()
    )


def test_a_pattern_is_queued_by_hand_and_who_wanted_it_is_noted(
    database: TestDatabase, service: PatternSyncService
) -> None:
    database.add_pattern("short", potential_monthly_savings=10, typical_operations=["Read", "Edit"])
    assert service.queue("short", reviewer=" ann ") == "ann"
    entry = database.entry("short")
    assert entry is not None
    assert (entry["status"], entry["tool_sequence"]) == ("pending", "Read→Edit")
    assert database.history_of("short") == [{"action": "commented", "reviewer": "ann", "notes": "Queued by hand."}]
    before = snapshot(database, TABLES)
    with pytest.raises(CannotQueue, match=r"It is in the queue and waits"):
        service.queue("short")
    assert snapshot(database, TABLES) == before


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        ("INSERT INTO pattern_sync.rejections (pattern_id) VALUES ('a')", "it was rejected before"),
        ("UPDATE operation_patterns SET automation_status = 'active'", "automation_status is 'active'"),
        (DECIDED, "A person's decision stands"),
    ],
    ids=["rejected", "taken further", "decided"],
)
def test_people_win_over_a_hand_that_queues(
    database: TestDatabase, service: PatternSyncService, prepare: str, words: str
) -> None:
    database.add_pattern("a", potential_monthly_savings=10)
    database.execute(prepare)
    before = snapshot(database, TABLES)
    with pytest.raises(CannotQueue, match=words):
        service.queue("a")
    assert snapshot(database, TABLES) == before


@pytest.mark.parametrize("signature", ["never there", "nul \0", "half \ud800"])
def test_an_unknown_pattern_is_named(service: PatternSyncService, signature: str) -> None:
    with pytest.raises(UnknownPattern, match="operation_patterns"):
        service.queue(signature)


def test_the_rate_of_a_kind_stands_beside_that_of_all(database: TestDatabase) -> None:
    for number in range(3):
        note(database, f"pytest {number}", "approved" if number == 0 else "rejected")
        note(database, f"npm {number}", "approved", kind="deps:npm")
    database.execute(
        "INSERT INTO pattern_sync.traits"
        " (pattern_id, row_version, status, kind, target, shape, confidence, occurrences, savings, impact, workflows,"
        " words)"
        " VALUES ('asked', '', 'pending', 'test:pytest', '', 'Read', 0.9, 1, 1, 1, 0, '')"
    )
    with BlockingDatabase.connect(DatabaseAddress.parse(database.url)) as connection:
        advising = Advising(AdviceGateway(BlockingSession(connection).fetch))
        known, unknown = run(advising.rate("asked")), run(advising.rate("\0"))
    assert (known.kind, known.of_kind, known.overall) == ("test:pytest", Rate(1, 3), Rate(4, 6))
    assert known.expected == pytest.approx((1 + 4 * 4 / 6) / 7)
    assert (unknown.kind, unknown.of_kind) == (None, Rate(0, 0))
    assert unknown.expected == pytest.approx(4 / 6)
