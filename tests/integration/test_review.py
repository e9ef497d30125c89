"""Decisions on tables as Pattern Sync creates them and as an application has them, over both drivers."""

from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.database import pool
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase, BlockingSession, run_blocking
from pattern_sync.database.connector import Connector
from pattern_sync.database.pool import PEOPLES_CONNECTIONS, Lane, Pool
from pattern_sync.database.reviews import ReviewGateway
from pattern_sync.database.statements import load_statements
from pattern_sync.domain.decision import Decision, Verdict
from pattern_sync.domain.entry import QueueEntry, Status
from pattern_sync.domain.errors import AccessRefused, AlreadyDecided, DatabaseUnavailable, DecisionRefused
from pattern_sync.domain.listing import Listing
from pattern_sync.domain.outcomes import Outcome
from pattern_sync.review import Review
from tests.support.application import adopt, installer
from tests.support.asynchronous import run
from tests.support.database import TestDatabase, snapshot
from tests.support.lived_in import documented_rights
from tests.support.waiting import eventually

pytestmark = pytest.mark.lived_in_too
TABLES = ("operation_patterns", "pattern_approvals", "pattern_review_history")
WAITS_FOR_A_LOCK = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
BUSY = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
    " AND pid <> pg_backend_pid()"
)

Result = TypeVar("Result")


class Driver(Protocol):
    """Runs something on a review."""

    def __call__(self, database: TestDatabase, use: Callable[[Review], Coroutine[Any, Any, Result]]) -> Result: ...


def over_asyncpg(database: TestDatabase, use: Callable[[Review], Coroutine[Any, Any, Result]]) -> Result:
    async def go() -> Result:
        async with Pool(Connector(DatabaseAddress.parse(database.daemon_url), load_statements())) as opened:
            return await use(Review(ReviewGateway(Lane(opened, PEOPLES_CONNECTIONS).fetch)))

    return run(go())


def over_psycopg(database: TestDatabase, use: Callable[[Review], Coroutine[Any, Any, Result]]) -> Result:
    with BlockingDatabase.connect(DatabaseAddress.parse(database.daemon_url)) as blocking:
        return run_blocking(use(Review(ReviewGateway(BlockingSession(blocking).fetch))))


@pytest.fixture(params=[over_asyncpg, over_psycopg], ids=["asyncpg", "psycopg"])
def driver(request: pytest.FixtureRequest) -> Driver:
    chosen: Driver = request.param
    return chosen


@pytest.fixture
def adopted(empty_database: TestDatabase) -> TestDatabase:
    """Return an application's own tables, migrated."""
    adopt(empty_database)
    installer(empty_database).migrate()
    return empty_database


def queue(database: TestDatabase, *names: str, **columns: object) -> None:
    for name in names:
        database.add_pattern(name, **columns)
    PatternSyncService(database.daemon_url).sync_patterns()


def decide(database: TestDatabase, driver: Driver, signature: str, decision: Decision) -> QueueEntry:
    return driver(database, lambda review: review.decide(signature, decision))


def approval(reviewer: str = "ann", notes: str | None = None, replaces: Status = Status.PENDING) -> Decision:
    return Decision(Verdict.APPROVED, notes, reviewer, replaces)


def rejection(reviewer: str = "ann", reason: str = "no", replaces: Status = Status.PENDING) -> Decision:
    return Decision(Verdict.REJECTED, reason, reviewer, replaces)


def actions_of(database: TestDatabase, signature: str) -> list[str]:
    return [row["action"] for row in database.history_of(signature)]


@pytest.mark.parametrize("verdict", [approval(notes="fine"), rejection()], ids=["approved", "rejected"])
def test_both_drivers_write_the_same(database: TestDatabase, verdict: Decision) -> None:
    written = []
    for name, driver in (("one", over_asyncpg), ("two", over_psycopg)):
        queue(database, name)
        entry = decide(database, driver, name, verdict)
        assert entry.status == verdict.verdict
        assert entry.reviewed_at is not None
        assert abs(datetime.now(UTC) - entry.reviewed_at) < timedelta(minutes=1)
        history = driver(database, lambda review, name=name: review.history(name))  # type: ignore[misc]
        written.append(
            (
                entry.status,
                entry.reviewed_by,
                entry.approval_notes,
                [(item.action, item.reviewer, item.notes) for item in history],
                database.mark_of(name),
            )
        )
    assert written[0] == written[1]


def test_an_approval_marks_an_applications_pattern(adopted: TestDatabase, driver: Driver) -> None:
    queue(adopted, "a")
    decide(adopted, driver, "a", approval(notes="worth it"))
    assert adopted.mark_of("a") == ("approved", "ann", "worth it", True)


def test_a_rejection_stands_where_the_application_has_no_such_status(adopted: TestDatabase, driver: Driver) -> None:
    queue(adopted, "a")
    entry = decide(adopted, driver, "a", rejection(reason="a one-off"))
    assert (entry.status, entry.reviewed_by, entry.approval_notes) == ("rejected", "ann", "REJECTED: a one-off")
    assert [item["notes"] for item in adopted.history_of("a")] == ["a one-off"]
    assert actions_of(adopted, "a") == ["rejected"]
    assert adopted.mark_of("a") == ("detected", "ann", "a one-off", True)
    # The pattern's status still looks eligible, yet the daemon does not queue it again.
    again = PatternSyncService(adopted.url).sync_all_patterns()
    assert again.synced_count == 1
    assert again.synced_pattern_ids == ("old",)
    assert decided_explanation(adopted, driver, "a")


def decided_explanation(database: TestDatabase, driver: Driver, signature: str) -> bool:
    return driver(database, lambda review: review.explain(signature)).outcome is Outcome.DECIDED


def test_a_rejection_that_replaces_an_approval_does_not_leave_the_pattern_approved(
    adopted: TestDatabase, driver: Driver
) -> None:
    queue(adopted, "a")
    decide(adopted, driver, "a", approval())
    decide(adopted, driver, "a", rejection("bob", "changed my mind", Status.APPROVED))
    assert adopted.mark_of("a") == ("detected", "bob", "changed my mind", True)
    assert actions_of(adopted, "a") == ["approved", "rejected"]
    decide(adopted, driver, "a", approval("eve", replaces=Status.REJECTED))
    assert adopted.mark_of("a") == ("approved", "eve", None, True)


def test_a_rejection_leaves_a_status_alone_that_the_application_gave_itself(
    adopted: TestDatabase, driver: Driver
) -> None:
    queue(adopted, "a")
    adopted.execute("UPDATE operation_patterns SET automation_status = 'candidate'")
    decide(adopted, driver, "a", rejection())
    assert adopted.mark_of("a") == ("candidate", "ann", "no", True)


def test_a_decision_whose_pattern_status_is_refused_is_rolled_back(adopted: TestDatabase, driver: Driver) -> None:
    queue(adopted, "a")
    adopted.execute("ALTER TABLE operation_patterns ADD CONSTRAINT known CHECK (reviewed_by <> 'eve')")
    before = snapshot(adopted, TABLES)
    for decision in (approval("eve"), rejection("eve")):
        with pytest.raises(DecisionRefused):
            decide(adopted, driver, "a", decision)
    assert snapshot(adopted, TABLES) == before
    decide(adopted, driver, "a", rejection("ann"))


def test_a_decision_whose_history_is_refused_is_rolled_back(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a")
    database.execute("ALTER TABLE pattern_review_history ADD CONSTRAINT no_poison CHECK (notes <> 'poison')")
    before = snapshot(database, TABLES)
    for decision in (approval(notes="poison"), rejection(reason="poison")):
        with pytest.raises(DecisionRefused):
            decide(database, driver, "a", decision)
    with pytest.raises(DecisionRefused):
        driver(database, lambda review: review.comment("a", "poison", None))
    assert snapshot(database, TABLES) == before


@pytest.mark.parametrize("first_commits", [True, False], ids=["commits", "is rolled back"])
def test_a_second_decision_waits_for_the_outcome_of_the_first(
    database: TestDatabase, driver: Driver, *, first_commits: bool
) -> None:
    queue(database, "a")
    with (
        ThreadPoolExecutor(max_workers=1) as people,
        database.another_connection(autocommit=False) as first,
    ):
        first.execute("SELECT pattern_sync.decide('a', 'approved', 'ann', NULL, 'pending')")
        second = people.submit(decide, database, driver, "a", rejection("bob"))
        eventually(lambda: database.execute(WAITS_FOR_A_LOCK))
        assert not second.done()
        if first_commits:
            first.commit()
            with pytest.raises(AlreadyDecided) as lost:
                second.result(30)
            assert (lost.value.entry.status, lost.value.entry.reviewed_by) == ("approved", "ann")
        else:
            first.rollback()
            assert second.result(30).status == "rejected"
    winner = ("approved", "ann", None) if first_commits else ("rejected", "bob", "no")
    assert actions_of(database, "a") == [winner[0]]
    # Not the pattern's status: an application's CHECK may not allow it.
    assert database.mark_of("a")[1:] == (*winner[1:], True)


def test_a_second_decision_loses_at_a_stricter_isolation_too(database: TestDatabase, driver: Driver) -> None:
    queue(database, "a")
    database.execute(f"ALTER DATABASE \"{database.name}\" SET default_transaction_isolation = 'repeatable read'")
    with (
        ThreadPoolExecutor(max_workers=1) as people,
        database.another_connection(autocommit=False) as first,
    ):
        first.execute("SELECT pattern_sync.decide('a', 'approved', 'ann', NULL, 'pending')")
        second = people.submit(decide, database, driver, "a", rejection("bob"))
        eventually(lambda: database.execute(WAITS_FOR_A_LOCK))
        first.commit()
        with pytest.raises(AlreadyDecided, match="approved by ann"):
            second.result(30)


def test_a_decision_yields_to_an_application_that_locks_in_the_opposite_order(
    database: TestDatabase, driver: Driver
) -> None:
    queue(database, "a")
    with (
        ThreadPoolExecutor(max_workers=1) as people,
        database.another_connection(autocommit=False) as application,
    ):
        application.execute("UPDATE operation_patterns SET last_seen = now()")
        decision = people.submit(decide, database, driver, "a", approval("bob"))
        eventually(lambda: database.execute(WAITS_FOR_A_LOCK))
        application.execute("UPDATE pattern_approvals SET pattern_context = 'seen by the application'")
        application.commit()
        assert decision.result(30).status == "approved"
    (entry,) = database.execute("SELECT pattern_context FROM pattern_approvals")
    assert entry["pattern_context"] == "seen by the application"
    assert actions_of(database, "a") == ["approved"]


def test_a_trigger_is_installed_whatever_the_search_path(database: TestDatabase) -> None:
    database.execute("SET search_path TO pg_catalog")
    database.execute("DROP TRIGGER pattern_sync_deleted ON public.pattern_approvals")
    database.execute("SELECT pattern_sync.install_trigger('public.pattern_approvals')")
    assert database.execute("SELECT * FROM pattern_sync.trigger_faults()") == []


@pytest.mark.parametrize("locked", ["pattern_approvals", "operation_patterns"])
def test_a_decision_that_timed_out_is_not_made_later(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch, locked: str
) -> None:
    queue(database, "a")
    monkeypatch.setattr(pool, "LANE_SECONDS", 0.5)
    with database.another_connection(autocommit=False) as somebody:
        somebody.execute(f"SELECT * FROM {locked} FOR UPDATE".encode())
        with pytest.raises(DatabaseUnavailable):
            decide(database, over_asyncpg, "a", approval())
    eventually(lambda: not database.execute(BUSY))
    assert actions_of(database, "a") == []
    (entry,) = database.execute("SELECT status FROM pattern_approvals")
    assert entry["status"] == "pending"


def test_figures_stored_as_real_are_read_without_rounding_noise(adopted: TestDatabase, driver: Driver) -> None:
    queue(adopted, "a")
    entry = driver(adopted, lambda review: review.entry("a"))
    assert (entry.confidence_score, entry.estimated_savings_usd) == (0.85, 183_844.06)
    assert entry.impact_score == pytest.approx(0.85 * 78_167 * 183_844.06)


@pytest.mark.parametrize("figure", ["NaN", "Infinity", "-Infinity", "3e38", "1e-40"])
def test_figures_that_are_null_or_nan_count_as_0(adopted: TestDatabase, driver: Driver, figure: str) -> None:
    adopted.add_entry("a", confidence_score=figure, estimated_savings_usd=figure)
    entry = driver(adopted, lambda review: review.entry("a"))
    assert (entry.confidence_score, entry.estimated_savings_usd, entry.impact_score) == (0, 0, 0)


def test_times_without_a_zone_are_in_the_databases_zone(adopted: TestDatabase, driver: Driver) -> None:
    adopted.execute(f"ALTER DATABASE \"{adopted.name}\" SET timezone = 'Asia/Kolkata'")
    adopted.add_entry("a", created_at="2026-11-23 12:00:00.5")
    entry = driver(adopted, lambda review: review.entry("a"))
    assert entry.created_at == datetime(2026, 11, 23, 6, 30, 0, 500_000, tzinfo=UTC)
    decided = decide(adopted, driver, "a", approval())
    assert decided.reviewed_at is not None
    assert abs(datetime.now(UTC) - decided.reviewed_at) < timedelta(minutes=1)


def test_an_entry_without_a_time_can_be_decided(adopted: TestDatabase, driver: Driver) -> None:
    adopted.add_entry("a", created_at=None)
    assert decide(adopted, driver, "a", approval()).created_at is None
    adopted.execute("UPDATE pattern_review_history SET created_at = NULL")
    (item,) = driver(adopted, lambda review: review.history("a"))
    assert item.created_at is None


@pytest.mark.parametrize(
    "text",
    ['["\\ud800"]', '[{"\\udfff": 1}]', "[" * 100_000, '[{"a":' * 50_000, "[" + "[" * 900 + "]" * 900 + "]"],
    ids=["half of a surrogate pair", "the same in an object", "deep", "deep objects", "less deep"],
)
def test_unreadable_sessions_do_not_hide_the_queue(database: TestDatabase, driver: Driver, text: str) -> None:
    database.add_entry("poison", example_sessions=text)
    database.add_entry("healthy")
    page = driver(database, lambda review: review.page(Listing(), 20))
    assert {entry.pattern_id for entry in page.entries} == {"healthy", "poison"}
    for entry in page.entries:
        for session in entry.example_sessions:
            assert session.encode().decode() == session


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "0044-03-15 12:00:00 BC", "99999-01-01", "10000-01-01"])
def test_times_beyond_the_calendar_do_not_hide_the_queue(database: TestDatabase, driver: Driver, moment: str) -> None:
    database.add_entry("poison", created_at=moment)
    database.add_entry("healthy")
    page = driver(database, lambda review: review.page(Listing(), 20))
    assert {entry.pattern_id for entry in page.entries} == {"healthy", "poison"}
    assert decide(database, driver, "poison", approval()).status == "approved"


def test_the_python_api_reviews_like_the_other_interfaces(database: TestDatabase) -> None:
    service = PatternSyncService(database.daemon_url)
    queue(database, "a", "b")
    assert [entry.pattern_id for entry in service.list_entries()] == ["a", "b"]
    assert [entry.pattern_id for entry in service.list_entries(limit=1)] == ["a"]
    assert service.approve("a", " fine ", reviewer="ann").approval_notes == "fine"
    service.comment("a", "who owns this?")
    with pytest.raises(AlreadyDecided, match="approved by ann"):
        service.reject("a", "no")
    assert service.reject("a", "no", replaces=Status.APPROVED).reviewed_by == "system"
    entry, history = service.get_entry("a")
    assert entry.status == "rejected"
    assert [item.action for item in history] == ["approved", "commented", "rejected"]
    counts = service.get_review_statistics()
    assert (counts.pending, counts.rejected, counts.total) == (1, 1, 2)
    assert [entry.pattern_id for entry in service.list_entries(Status.REJECTED)] == ["a"]


@pytest.fixture
def restricted(database: TestDatabase) -> Iterator[TestDatabase]:
    """Return the database for a role that has exactly the documented rights."""
    with database.role(*documented_rights()) as role:
        yield TestDatabase(database.url_as(role), database.name)


def test_the_documented_rights_are_enough_to_review(
    database: TestDatabase, restricted: TestDatabase, driver: Driver
) -> None:
    for name in ("a", "b"):
        database.add_pattern(name)
    assert PatternSyncService(restricted.url).sync_patterns().synced_count == 2
    assert decide(restricted, driver, "a", approval()).status == "approved"
    assert decide(restricted, driver, "b", rejection()).status == "rejected"
    assert driver(restricted, lambda review: review.comment("a", "seen", "ann")) == "ann"
    assert len(driver(restricted, lambda review: review.history("a"))) == 2
    assert decided_explanation(restricted, driver, "a")
    assert database.mark_of("a") == ("approved", "ann", None, True)
    with restricted_connection(restricted) as connection:
        assert connection.fetch("missing_rights") == [], "a daemon would refuse to start with these"
    with pytest.raises(AccessRefused), restricted_connection(restricted) as connection:
        connection.run_script("DELETE FROM operation_patterns")


def restricted_connection(restricted: TestDatabase) -> AbstractContextManager[BlockingDatabase]:
    return BlockingDatabase.connect(DatabaseAddress.parse(restricted.url))
