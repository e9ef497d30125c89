"""Decisions on many entries at once, over both drivers: an outcome for each, and none that costs another."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pattern_sync import PatternSyncService, SyncFilter
from pattern_sync.domain.batches import ItemOutcome, Seen
from pattern_sync.domain.decision import Decision, ReviewAction, ReviewResult, Verdict
from pattern_sync.domain.entry import Status
from pattern_sync.domain.errors import DecisionRefused, InvalidInput
from pattern_sync.domain.facts import ReviewActed
from pattern_sync.review import Decisions
from tests.support.application import adopt, installer
from tests.support.asynchronous import run
from tests.support.database import TestDatabase, snapshot
from tests.support.decisions import DRIVERS, Driver
from tests.support.fakes import RecordedFacts
from tests.support.seed import BY_EVIDENCE, SIGNATURE, WORKFLOWS, add_seed

pytestmark = pytest.mark.lived_in_too
TABLES = ("operation_patterns", "pattern_approvals", "pattern_review_history", "pattern_sync.rejections")
OURS = ("pattern_sync.batches", "pattern_sync.batch_items", "pattern_sync.decisions")
REJECTED = Decision(Verdict.REJECTED, "one-offs", "ann")


@pytest.fixture(params=DRIVERS, ids=["asyncpg", "psycopg"])
def driver(request: pytest.FixtureRequest) -> Driver:
    chosen: Driver = request.param
    return chosen


@pytest.fixture
def adopted(empty_database: TestDatabase) -> TestDatabase:
    """Return an application's own tables, whose CHECK knows no rejected pattern."""
    adopt(empty_database)
    installer(empty_database).migrate()
    return empty_database


def queue(database: TestDatabase, *names: str) -> None:
    for name in names:
        database.add_pattern(name)
    PatternSyncService(database.url).sync_patterns(SyncFilter(max_patterns=None))


def outcomes(
    database: TestDatabase, driver: Driver, names: list[str], decision: Decision = REJECTED
) -> dict[str, ItemOutcome]:
    made = driver(database, lambda decisions: decisions.decide_many(names, decision))
    return {item.pattern_id: item.outcome for item in made.outcomes}


def test_each_entry_has_its_outcome_and_only_what_can_be_decided_is(database: TestDatabase, driver: Driver) -> None:
    queue(database, "free", "locked", "locked pattern", "taken", "moved", "again")
    service = PatternSyncService(database.url)
    service.approve("taken", reviewer="bob")
    service.reject("again", "one-offs", reviewer="ann")
    database.execute("UPDATE operation_patterns SET potential_monthly_savings = 9876.54 WHERE id > 0")
    with database.another_connection(autocommit=False) as somebody:
        somebody.execute("SELECT FROM pattern_approvals WHERE pattern_id = 'locked' FOR UPDATE")
        somebody.execute("SELECT FROM operation_patterns WHERE pattern_signature = 'locked pattern' FOR UPDATE")
        names = ["taken", "no\0where", "locked", "free", "locked pattern", "again", "nowhere"]
        made = driver(database, lambda decisions: decisions.decide_many(names, REJECTED))
    assert [(item.pattern_id, item.outcome) for item in made.outcomes] == [
        ("taken", ItemOutcome.TAKEN),
        ("no\0where", ItemOutcome.UNKNOWN),
        ("locked", ItemOutcome.BUSY),
        ("free", ItemOutcome.DECIDED),
        ("locked pattern", ItemOutcome.BUSY),
        ("again", ItemOutcome.ALREADY),
        ("nowhere", ItemOutcome.UNKNOWN),
    ]
    assert made.outcomes[0].reviewed_by == "bob"
    assert made.outcomes[1].status is None
    assert made.counts[ItemOutcome.BUSY] == 2
    assert (made.decided, [entry.pattern_id for entry in made.largest]) == (1, ["free"])
    assert made.savings_usd == made.largest[0].estimated_savings_usd
    assert [row["action"] for row in database.history_of("free")] == ["rejected"]
    assert database.history_of("locked pattern") == []
    later = Decision(Verdict.APPROVED, None, "eve", Status.REJECTED)
    assert outcomes(database, driver, ["moved", "taken"], later) == {
        "moved": ItemOutcome.MOVED,
        "taken": ItemOutcome.TAKEN,
    }


def test_a_batch_is_one_transaction_with_one_reason_and_a_record_of_each(
    database: TestDatabase, driver: Driver
) -> None:
    queue(database, "a", "b")
    seen = Seen({"a": 3, "nowhere": 9}, 12.5)
    made = driver(database, lambda decisions: decisions.decide_many(["a", "b"], REJECTED, seen))
    (writers,) = database.execute(
        "SELECT count(DISTINCT xmin::text) AS n FROM pattern_review_history WHERE reviewer = 'ann'"
    )
    assert writers["n"] == 1
    for name in ("a", "b"):
        entry = database.entry(name)
        assert entry is not None
        assert (entry["status"], entry["reviewed_by"], entry["approval_notes"]) == (
            "rejected", "ann", "REJECTED: one-offs",
        )  # fmt: skip
    (batch,) = driver(database, lambda decisions: decisions.batches("ann"))
    assert (batch.id, batch.decision, batch.reason, batch.items, batch.undoable) == (
        made.batch_id, "rejected", "one-offs", 2, True,
    )  # fmt: skip
    rows = database.execute("SELECT pattern_id, shown FROM pattern_sync.decisions WHERE batch_id = %s", made.batch_id)
    shown = {row["pattern_id"]: row["shown"] for row in rows}
    assert (shown["a"]["position"], shown["b"]["position"], shown["a"]["seconds"]) == (3, None, 12.5)
    entry = database.entry("a")
    assert entry is not None
    assert shown["a"]["figures"]["occurrences"] == entry["occurrence_count"]
    assert shown["a"]["figures"]["savings"] == pytest.approx(float(entry["estimated_savings_usd"]))
    first, second = driver(database, lambda decisions: decisions.log("ann"))
    assert {first.pattern_id, second.pattern_id} == {"a", "b"}
    assert (first.reason, first.replaced, first.batch_id) == ("one-offs", "pending", made.batch_id)
    progress = driver(database, lambda decisions: decisions.progress("ann"))
    assert (progress.decided_today, progress.by_reviewer["ann"]) == (2, 2)
    assert driver(database, lambda decisions: decisions.progress("nobody")).decided_today == 0


def test_a_decision_keeps_the_evidence_and_the_traits_that_were_seen(database: TestDatabase, driver: Driver) -> None:
    add_seed(database)
    driver(database, lambda decisions: decisions.decide_many([SIGNATURE], REJECTED))
    (row,) = database.execute("SELECT shown FROM pattern_sync.decisions WHERE pattern_id = %s", SIGNATURE)
    shown = row["shown"]
    assert shown["traits"] == {"kind": "sdlc:full", "target": "all", "shape": "sdlc"}
    assert shown["figures"]["savings"] == 183_844.06
    assert shown["evidence"]["workflows"] == WORKFLOWS
    assert shown["evidence"]["savings_by_evidence"] == pytest.approx(BY_EVIDENCE, abs=0.01)
    assert {"counted-twice", "short-span"} <= set(shown["flags"])


def test_no_decision_fails_because_its_evidence_cannot_be_read(adopted: TestDatabase) -> None:
    queue(adopted, "a")
    adopted.execute("ALTER FUNCTION pattern_sync.evidence(text[], bigint[]) RENAME TO elsewhere")
    (made,) = adopted.execute("SELECT pattern_sync.decide('a', 'approved', 'ann', NULL, 'pending') AS decided")
    assert made["decided"]
    (row,) = adopted.execute("SELECT shown FROM pattern_sync.decisions")
    assert row["shown"]["evidence"] is None


def test_a_pattern_that_was_renamed_since_it_was_looked_up_is_left_alone(adopted: TestDatabase) -> None:
    """The rows are looked up before anything is locked, as reading the evidence of 10,000 takes a while."""
    queue(adopted, "a", "b")
    # Between the look-up and the lock, somebody exchanges the names.
    adopted.execute(
        "CREATE OR REPLACE FUNCTION pattern_sync.rows_of(signatures text[]) RETURNS bigint[] LANGUAGE sql STABLE AS"
        " $$ SELECT array_agg(id) FROM operation_patterns WHERE pattern_signature = 'b' $$"
    )
    assert outcomes(adopted, DRIVERS[1], ["a"]) == {"a": ItemOutcome.DECIDED}
    rows = adopted.execute("SELECT pattern_signature FROM operation_patterns WHERE reviewed_by IS NOT NULL")
    assert rows == []
    (kept,) = adopted.execute("SELECT before FROM pattern_sync.batch_items")
    assert kept["before"]["pattern"] is None


def test_a_dry_run_tells_what_would_be_and_writes_nothing(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a", "b")
    PatternSyncService(database.url).approve("b")
    before = snapshot(database, (*TABLES, *OURS))
    made = driver(database, lambda decisions: decisions.decide_many(["a", "b"], REJECTED, dry_run=True))
    assert [item.outcome for item in made.outcomes] == [ItemOutcome.DECIDED, ItemOutcome.TAKEN]
    assert (made.batch_id, made.decided, len(made.largest)) == (None, 1, 1)
    assert snapshot(database, (*TABLES, *OURS)) == before


def test_nothing_that_could_be_decided_leaves_nothing(database: TestDatabase, driver: Driver) -> None:
    before = snapshot(database, OURS)
    made = driver(database, lambda decisions: decisions.decide_many(["nowhere"], REJECTED))
    assert (made.batch_id, made.decided, made.savings_usd, made.largest) == (None, 0, 0, ())
    assert snapshot(database, OURS) == before


@pytest.mark.parametrize("refused", [{7}, {0, 7, 63}, set(range(64))], ids=["one", "three", "all"])
@pytest.mark.parametrize("how", ["RAISE EXCEPTION 'no ticket';", "RETURN NULL;"], ids=["aloud", "silently"])
def test_entries_that_the_application_refuses_cost_no_other(
    adopted: TestDatabase, driver: Driver, refused: set[int], how: str
) -> None:
    names = [f"p{number:02}" for number in range(64)]
    queue(adopted, *names)
    bad = ", ".join(f"'{names[number]}'" for number in refused)
    adopted.execute(
        f"CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.pattern_id IN ({bad})"
        f" THEN {how} END IF; RETURN NEW; END $$"
    )
    adopted.execute("CREATE TRIGGER own BEFORE INSERT ON pattern_review_history FOR EACH ROW EXECUTE FUNCTION own()")
    made = driver(adopted, lambda decisions: decisions.decide_many(names, REJECTED))
    found = {item.pattern_id for item in made.outcomes if item.outcome is ItemOutcome.REFUSED}
    assert found == {names[number] for number in refused}
    assert made.decided == 64 - len(refused)
    expected = None if how.startswith("RETURN") else "no ticket (SQLSTATE P0001)"
    assert {item.detail for item in made.outcomes if item.outcome is ItemOutcome.REFUSED} == {expected}
    for number, name in enumerate(names):
        assert len(adopted.history_of(name)) == (number not in refused)
        entry = adopted.entry(name)
        assert entry is not None
        assert entry["status"] == ("pending" if number in refused else "rejected")
    assert adopted.count("pattern_sync.batch_items") == 64 - len(refused)
    assert adopted.count("pattern_sync.batches") == (len(refused) < 64)


def test_a_mark_that_no_pattern_can_hold_is_left_out_and_the_rejections_remembered(
    adopted: TestDatabase, driver: Driver
) -> None:
    queue(adopted, "a", "b", "c")
    adopted.execute("UPDATE operation_patterns SET automation_status = 'candidate' WHERE pattern_signature = 'b'")
    assert set(outcomes(adopted, driver, ["a", "b", "c"]).values()) == {ItemOutcome.DECIDED}
    assert [adopted.mark_of(name)[0] for name in ("a", "b", "c")] == ["detected", "candidate", "detected"]
    assert {row["pattern_id"] for row in adopted.execute("SELECT * FROM pattern_sync.rejections")} == {"a", "c"}


def test_a_check_that_refuses_one_mark_costs_the_others_nothing(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a", "b", "c")
    database.execute(
        "ALTER TABLE operation_patterns ADD CHECK (pattern_signature <> 'b' OR automation_status <> 'rejected')"
        " NOT VALID"
    )
    assert set(outcomes(database, driver, ["a", "b", "c"]).values()) == {ItemOutcome.DECIDED}
    before = "detected"
    marks = [database.mark_of(name)[0] for name in ("a", "b", "c")]
    assert marks[1] == before
    assert marks[0] == marks[2] != "approved"


def test_a_status_of_a_rule_is_written_with_an_action_and_a_mark_of_its_own(database: TestDatabase) -> None:
    queue(database, "a")
    (made,) = database.execute(
        "SELECT * FROM pattern_sync.decide_many(ARRAY['a'], 'auto-approved', 'approved', 'approved', 'rule:x@3',"
        " 'by its bounds', 'pending', NULL, false, false)"
    )
    assert (made["outcome"], made["status"]) == ("decided", "auto-approved")
    (noted,) = database.history_of("a")
    assert (noted["action"], noted["reviewer"]) == ("approved", "rule:x@3")
    assert database.mark_of("a")[0] == "approved"


def test_two_batches_at_once_decide_each_entry_once_and_never_deadlock(database: TestDatabase, driver: Driver) -> None:
    names = [f"p{number}" for number in range(300)]
    queue(database, *names)

    def decide(reviewer: str, order: Callable[[list[str]], list[str]]) -> int:
        decision = Decision(Verdict.APPROVED, None, reviewer)
        return driver(database, lambda decisions: decisions.decide_many(order(names), decision)).decided

    with ThreadPoolExecutor(2) as people:
        found = [
            people.submit(decide, "ann", lambda listed: listed),
            people.submit(decide, "bob", lambda listed: listed[::-1]),
        ]
        decided = [each.result(60) for each in found]
    history = database.execute(
        "SELECT pattern_id FROM pattern_review_history WHERE reviewer IN ('ann', 'bob') AND pattern_id LIKE 'p%'"
    )
    assert len(history) == len({row["pattern_id"] for row in history}) == sum(decided)


def test_ten_thousand_are_decided_while_one_is_locked(database: TestDatabase, driver: Driver) -> None:
    names = [f"bulk:{number}" for number in range(1, 10_001)]
    database.execute(
        "INSERT INTO pattern_approvals"
        " (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence)"
        " SELECT 'bulk:' || i, 'pending', 0.5, 1, i, 'x' FROM generate_series(1, 10000) AS i"
    )
    with database.another_connection(autocommit=False) as somebody:
        somebody.execute("SELECT FROM pattern_approvals WHERE pattern_id = 'bulk:77' FOR UPDATE")
        made = driver(database, lambda decisions: decisions.decide_many(names, REJECTED))
    assert made.counts == {ItemOutcome.DECIDED: 9_999, ItemOutcome.BUSY: 1}
    assert made.savings_usd == sum(range(1, 10_001)) - 77
    assert [entry.pattern_id for entry in made.largest] == [f"bulk:{number}" for number in range(10_000, 9_995, -1)]


def test_a_refusal_of_all_is_a_sentence_with_the_servers_words(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a")
    database.execute("ALTER TABLE pattern_sync.batches ADD CHECK (reviewer <> 'eve') NOT VALID")
    with pytest.raises(DecisionRefused, match=r"nothing was written.*batches_reviewer_check"):
        driver(database, lambda decisions: decisions.decide_many(["a"], Decision(Verdict.APPROVED, None, "eve")))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "pattern_ids is empty"),
        ([f"p{number}" for number in range(10_001)], "names 10,001 patterns; at most 10,000"),
    ],
    ids=["none", "too many"],
)
def test_names_that_cannot_be_decided_are_refused_with_a_sentence(names: list[str], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        run(Decisions(None).decide_many(names, REJECTED))  # type: ignore[arg-type]


def test_a_name_that_is_given_twice_counts_once(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a")
    assert outcomes(database, driver, ["a", "a", "a"]) == {"a": ItemOutcome.DECIDED}
    assert len(database.history_of("a")) == 1


def test_each_item_of_a_batch_is_counted(database: TestDatabase) -> None:
    facts = RecordedFacts()
    queue(database, "a", "b")
    DRIVERS[1](database, lambda decisions: decisions.decide_many(["a", "b", "nowhere"], REJECTED), facts)
    assert facts == [
        ReviewActed(ReviewAction.REJECT, ReviewResult.DONE, 2),
        ReviewActed(ReviewAction.REJECT, ReviewResult.UNKNOWN, 1),
    ]


def test_batches_are_forgotten_after_a_month_and_the_record_stays(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a", "b", "c")
    for name in ("a", "b"):
        outcomes(database, driver, [name])
    recorded = database.count("pattern_sync.decisions")
    database.execute("UPDATE pattern_sync.batches SET decided_at = now() - interval '31 days'")
    outcomes(database, driver, ["c"])
    assert (database.count("pattern_sync.batches"), database.count("pattern_sync.batch_items")) == (1, 1)
    assert database.count("pattern_sync.decisions") == recorded + 1
