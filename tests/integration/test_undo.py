"""Decisions that are taken back, over both drivers."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pattern_sync import PatternSyncService, SyncFilter
from pattern_sync.domain.batches import ItemOutcome, UndoOutcome
from pattern_sync.domain.decision import Decision, ReviewAction, ReviewResult, Verdict
from pattern_sync.domain.entry import Status
from pattern_sync.domain.errors import NotUndoable, UnknownBatch
from pattern_sync.domain.facts import ReviewActed
from tests.support.application import adopt, installer
from tests.support.database import TestDatabase
from tests.support.decisions import DRIVERS, Driver
from tests.support.fakes import RecordedFacts
from tests.support.waiting import eventually

pytestmark = pytest.mark.lived_in_too
REJECTED = Decision(Verdict.REJECTED, "one-offs", "ann")
WAITS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
ENTRY = "SELECT to_jsonb(a) - 'updated_at' AS row FROM pattern_approvals AS a WHERE pattern_id = %s"
PATTERN = "SELECT to_jsonb(p) - 'updated_at' AS row FROM operation_patterns AS p WHERE pattern_signature = %s"


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


def decide(database: TestDatabase, names: list[str], decision: Decision = REJECTED) -> int:
    made = DRIVERS[1](database, lambda decisions: decisions.decide_many(names, decision))
    assert made.batch_id is not None
    assert made.decided == len(names)
    return made.batch_id


def undo(database: TestDatabase, driver: Driver, batch_id: int, reviewer: str = "bob") -> dict[str, UndoOutcome]:
    undone = driver(database, lambda decisions: decisions.undo(batch_id, reviewer))
    assert undone.batch_id == batch_id
    return {item.pattern_id: item.outcome for item in undone.outcomes}


def rows(database: TestDatabase, name: str) -> list[object]:
    return [database.execute(statement, name) for statement in (ENTRY, PATTERN)]


@pytest.mark.parametrize("decision", [REJECTED, Decision(Verdict.APPROVED, None, "ann")], ids=["reject", "approve"])
def test_an_undo_puts_everything_back_and_notes_it(database: TestDatabase, driver: Driver, decision: Decision) -> None:
    queue(database, "a", "b")
    database.execute("UPDATE operation_patterns SET automation_status = 'candidate' WHERE pattern_signature = 'b'")
    before = rows(database, "a") + rows(database, "b")
    batch_id = decide(database, ["a", "b"], decision)
    assert rows(database, "a") + rows(database, "b") != before
    assert undo(database, driver, batch_id) == dict.fromkeys("ab", UndoOutcome.UNDONE)
    assert rows(database, "a") + rows(database, "b") == before
    assert database.execute("SELECT * FROM pattern_sync.rejections WHERE pattern_id IN ('a', 'b')") == []
    first, second = database.history_of("a")
    assert (first["action"], first["reviewer"], first["notes"]) == (decision.verdict, "ann", decision.notes)
    assert (second["action"], second["reviewer"]) == ("flagged", "bob")
    assert second["notes"].startswith(f"undone by bob: {decision.verdict} by ann on ")
    (batch,) = driver(database, lambda decisions: decisions.batches("ann"))
    assert (batch.undone_by, batch.undoable, batch.items) == ("bob", False, 2)
    assert all(item.undone_at for item in driver(database, lambda decisions: decisions.log("ann")))
    assert driver(database, lambda decisions: decisions.progress("ann")).decided_today == 0


def test_an_undone_rejection_on_tables_that_cannot_hold_it_is_forgotten(adopted: TestDatabase, driver: Driver) -> None:
    queue(adopted, "a")
    before = rows(adopted, "a")
    batch_id = decide(adopted, ["a"])
    assert adopted.count("pattern_sync.rejections") == 1
    undo(adopted, driver, batch_id)
    assert rows(adopted, "a") == before
    assert adopted.count("pattern_sync.rejections") == 0
    adopted.execute("DELETE FROM pattern_approvals WHERE pattern_id = 'a'")
    PatternSyncService(adopted.url).sync_patterns()
    assert adopted.entry("a")


def test_a_reversal_that_is_undone_gives_the_first_decision_back(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a")
    first = decide(database, ["a"], Decision(Verdict.APPROVED, "good", "ann"))
    standing = rows(database, "a")
    second = decide(database, ["a"], Decision(Verdict.REJECTED, "no", "eve", Status.APPROVED))
    assert undo(database, driver, first) == {"a": UndoOutcome.TOUCHED}
    assert undo(database, driver, second) == {"a": UndoOutcome.UNDONE}
    assert rows(database, "a") == standing
    assert undo(database, driver, first) == {"a": UndoOutcome.UNDONE}


def test_what_somebody_has_touched_since_is_left_and_named(database: TestDatabase, driver: Driver) -> None:
    names = ["again", "by hand", "free", "gone", "locked", "ran", "retimed", "reopened"]
    queue(database, *names)
    batch_id = decide(database, names, Decision(Verdict.APPROVED, None, "ann"))
    decide(database, ["again"], Decision(Verdict.APPROVED, None, "ann", Status.APPROVED))
    database.execute("UPDATE pattern_approvals SET reviewed_by = 'carl' WHERE pattern_id = 'by hand'")
    database.execute("UPDATE pattern_approvals SET reviewed_at = now() WHERE pattern_id = 'retimed'")
    database.execute("UPDATE pattern_approvals SET status = 'pending' WHERE pattern_id = 'reopened'")
    database.execute("DELETE FROM pattern_approvals WHERE pattern_id = 'gone'")
    database.execute("UPDATE operation_patterns SET automation_status = 'active' WHERE pattern_signature = 'ran'")
    with database.another_connection(autocommit=False) as somebody:
        somebody.execute("SELECT FROM pattern_approvals WHERE pattern_id = 'locked' FOR UPDATE")
        assert undo(database, driver, batch_id) == {
            "again": UndoOutcome.TOUCHED,
            "by hand": UndoOutcome.TOUCHED,
            "free": UndoOutcome.UNDONE,
            "gone": UndoOutcome.UNKNOWN,
            "locked": UndoOutcome.BUSY,
            "ran": UndoOutcome.GONE_ON,
            "retimed": UndoOutcome.TOUCHED,
            "reopened": UndoOutcome.TOUCHED,
        }
    (batch,) = [each for each in driver(database, lambda made: made.batches("ann")) if each.id == batch_id]
    assert batch.undoable
    assert batch.undone_by == "bob"
    rest = undo(database, driver, batch_id, "eve")
    assert rest["locked"] is UndoOutcome.UNDONE
    assert "free" not in rest


def test_a_decision_again_in_the_same_second_of_a_coarse_column_is_another(
    adopted: TestDatabase, driver: Driver
) -> None:
    adopted.execute("ALTER TABLE pattern_approvals ALTER reviewed_at TYPE date")
    queue(adopted, "a")
    approved = Decision(Verdict.APPROVED, None, "ann")
    first = decide(adopted, ["a"], approved)
    second = decide(adopted, ["a"], Decision(Verdict.APPROVED, None, "ann", Status.APPROVED))
    assert undo(adopted, driver, first) == {"a": UndoOutcome.TOUCHED}
    assert undo(adopted, driver, second) == {"a": UndoOutcome.UNDONE}
    assert undo(adopted, driver, first) == {"a": UndoOutcome.UNDONE}


@pytest.mark.parametrize("column_type", ["timestamp", "timestamp(0)", "timestamptz", "text"])
def test_an_undo_knows_its_own_decision_in_any_type_and_time_zone(
    adopted: TestDatabase, driver: Driver, column_type: str
) -> None:
    adopted.execute(
        f"ALTER TABLE pattern_approvals ALTER reviewed_at TYPE {column_type} USING reviewed_at::{column_type}"
    )
    queue(adopted, "a")
    batch_id = decide(adopted, ["a"])
    adopted.execute(f"ALTER DATABASE \"{adopted.name}\" SET timezone = 'Asia/Kolkata'")
    expected = UndoOutcome.UNDONE
    assert undo(adopted, driver, batch_id) == {"a": expected}


def test_two_undos_at_once_undo_each_decision_once(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a", "b")
    batch_id = decide(database, ["a", "b"])
    with ThreadPoolExecutor(1) as people, database.another_connection(autocommit=False) as first:
        first.execute("SELECT * FROM pattern_sync.undo_batch(%s, 'eve')", [batch_id])
        second = people.submit(undo, database, driver, batch_id)
        eventually(lambda: database.execute(WAITS))
        first.commit()
        with pytest.raises(NotUndoable, match=rf"Batch {batch_id} was undone by eve on "):
            second.result(30)
    assert [row["reviewer"] for row in database.history_of("a") if row["action"] == "flagged"] == ["eve"]


def test_undos_and_decisions_at_once_leave_each_entry_to_its_last_writer(
    database: TestDatabase, driver: Driver
) -> None:
    names = [f"p{number}" for number in range(120)]
    queue(database, *names)
    batch_id = decide(database, names)

    def take_over(reviewer: str) -> int:
        decision = Decision(Verdict.APPROVED, None, reviewer, Status.REJECTED)
        return driver(database, lambda decisions: decisions.decide_many(names, decision)).decided

    with ThreadPoolExecutor(4) as people:
        taking = [people.submit(take_over, name) for name in ("carl", "dora")]
        undoing = [people.submit(undo_or_nothing, database, driver, batch_id, name) for name in ("bob", "eve")]
        taken = sum(each.result(60) for each in taking)
        undone = sum(each.result(60) for each in undoing)
    standing = database.execute(
        "SELECT status, count(*) AS n FROM pattern_approvals WHERE pattern_id LIKE 'p%' GROUP BY status"
    )
    counts = {row["status"]: row["n"] for row in standing}
    assert counts.get("approved", 0) == taken
    assert counts.get("pending", 0) == undone
    assert sum(counts.values()) == len(names)


def undo_or_nothing(database: TestDatabase, driver: Driver, batch_id: int, reviewer: str) -> int:
    try:
        outcomes = undo(database, driver, batch_id, reviewer)
    except NotUndoable:
        return 0
    return sum(outcome is UndoOutcome.UNDONE for outcome in outcomes.values())


def test_a_pattern_that_was_deleted_meanwhile_keeps_no_entry_from_being_undone(
    database: TestDatabase, driver: Driver
) -> None:
    queue(database, "a")
    batch_id = decide(database, ["a"])
    database.execute("DELETE FROM operation_patterns WHERE pattern_signature = 'a'")
    assert undo(database, driver, batch_id) == {"a": UndoOutcome.UNDONE}
    entry = database.entry("a")
    assert entry is not None
    assert (entry["status"], entry["reviewed_by"], entry["reviewed_at"]) == ("pending", None, None)


def test_an_undo_that_the_application_refuses_costs_no_other(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a", "b", "c")
    batch_id = decide(database, ["a", "b", "c"])
    database.execute(
        "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.pattern_id = 'b' AND"
        " NEW.status::text = 'pending' THEN RAISE EXCEPTION 'no way back'; END IF; RETURN NEW; END $$"
    )
    database.execute("CREATE TRIGGER own BEFORE UPDATE ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION own()")
    undone = driver(database, lambda decisions: decisions.undo(batch_id, "bob"))
    assert {item.pattern_id: item.outcome for item in undone.outcomes} == {
        "a": UndoOutcome.UNDONE,
        "b": UndoOutcome.REFUSED,
        "c": UndoOutcome.UNDONE,
    }
    assert [item.detail for item in undone.outcomes] == [None, "no way back (SQLSTATE P0001)", None]
    assert len(database.history_of("b")) == 1


def test_batches_that_cannot_be_undone_say_why(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a")
    batch_id = decide(database, ["a"])
    with pytest.raises(UnknownBatch, match="There is no batch 999999"):
        undo(database, driver, 999_999)
    database.execute("UPDATE pattern_sync.batches SET decided_at = now() - interval '8 days'")
    with pytest.raises(NotUndoable, match="can be undone for 7 days"):
        undo(database, driver, batch_id)
    (batch,) = driver(database, lambda decisions: decisions.batches("ann"))
    assert not batch.undoable


def test_what_came_of_an_undo_is_counted(database: TestDatabase) -> None:
    facts = RecordedFacts()
    queue(database, "a", "b")
    batch_id = decide(database, ["a", "b"])
    DRIVERS[1](database, lambda decisions: decisions.undo(batch_id, "bob"), facts)
    with pytest.raises(NotUndoable):
        DRIVERS[1](database, lambda decisions: decisions.undo(batch_id, "bob"), facts)
    assert facts == [
        ReviewActed(ReviewAction.UNDO, ReviewResult.DONE, 2),
        ReviewActed(ReviewAction.UNDO, ReviewResult.CONFLICT),
    ]


def test_a_decision_of_an_older_daemon_can_be_undone(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a")
    database.execute("SELECT pattern_sync.decide('a', 'approved', 'old', NULL, 'pending')")
    (batch,) = driver(database, lambda decisions: decisions.batches("old"))
    assert undo(database, driver, batch.id) == {"a": UndoOutcome.UNDONE}
    made = driver(database, lambda decisions: decisions.decide_many(["a"], REJECTED))
    assert made.outcomes[0].outcome is ItemOutcome.DECIDED
