"""Entries that are put off, over both drivers."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase, BlockingSession, run_blocking
from pattern_sync.database.connector import Connector
from pattern_sync.database.pool import PEOPLES_CONNECTIONS, Lane, Pool
from pattern_sync.database.reviews import ReviewGateway
from pattern_sync.database.statements import load_statements
from pattern_sync.domain.entry import QueueEntry
from pattern_sync.domain.errors import AlreadyDecided, InvalidInput, NotSnoozable, UnknownPattern
from pattern_sync.domain.snoozing import Wish
from pattern_sync.review import Snoozing
from tests.support.asynchronous import run
from tests.support.database import TestDatabase
from tests.support.notifications import Listener

pytestmark = pytest.mark.lived_in_too
Use = Callable[[Snoozing], Coroutine[Any, Any, QueueEntry]]
Driver = Callable[[TestDatabase, Use], QueueEntry]


def over_asyncpg(database: TestDatabase, use: Use) -> QueueEntry:
    async def go() -> QueueEntry:
        async with Pool(Connector(DatabaseAddress.parse(database.daemon_url), load_statements())) as opened:
            return await use(Snoozing(ReviewGateway(Lane(opened, PEOPLES_CONNECTIONS).fetch)))

    return run(go())


def over_psycopg(database: TestDatabase, use: Use) -> QueueEntry:
    with BlockingDatabase.connect(DatabaseAddress.parse(database.daemon_url)) as blocking:
        return run_blocking(use(Snoozing(ReviewGateway(BlockingSession(blocking).fetch))))


@pytest.fixture(params=[over_asyncpg, over_psycopg], ids=["asyncpg", "psycopg"])
def driver(request: pytest.FixtureRequest) -> Driver:
    chosen: Driver = request.param
    return chosen


@pytest.fixture
def queued(database: TestDatabase) -> TestDatabase:
    """Return a database with one pending entry, `a`."""
    database.add_pattern("a", potential_monthly_savings=5000)
    PatternSyncService(database.url).sync_patterns()
    return database


def soon(**distance: float) -> datetime:
    return datetime.now(UTC) + timedelta(**distance)


def look(database: TestDatabase, name: str = "a") -> QueueEntry:
    return PatternSyncService(database.url).get_entry(name)[0]


def test_a_snoozed_entry_stays_pending_until_its_time(queued: TestDatabase, driver: Driver) -> None:
    until = soon(days=3)
    entry = driver(queued, lambda made: made.snooze("a", Wish(until, reviewer="ann", reason="waits for the runner")))
    assert entry.status == "pending"
    assert entry.snooze is not None
    assert abs(entry.snooze.until - until) < timedelta(milliseconds=1)  # type: ignore[operator]
    assert (entry.snooze.until_doubled, entry.snooze.by, entry.snooze.reason) == (False, "ann", "waits for the runner")
    assert abs(entry.snooze.since - datetime.now(UTC)) < timedelta(minutes=1)
    queued.execute("UPDATE pattern_sync.snoozes SET until = now() - interval '1 s'")
    assert look(queued).snooze is None


def test_an_entry_wakes_when_its_savings_have_doubled(queued: TestDatabase, driver: Driver) -> None:
    entry = driver(queued, lambda made: made.snooze("a", Wish(until_doubled=True)))
    assert entry.snooze is not None
    assert (entry.snooze.until, entry.snooze.until_doubled, entry.snooze.by) == (None, True, "system")
    for savings, asleep in ((9_999, True), (10_000, False), (5_001, True)):
        queued.execute("UPDATE pattern_approvals SET estimated_savings_usd = %s WHERE pattern_id = 'a'", savings)
        assert (look(queued).snooze is not None) is asleep


def test_whichever_comes_first_wakes_it(queued: TestDatabase, driver: Driver) -> None:
    driver(queued, lambda made: made.snooze("a", Wish(soon(days=1), until_doubled=True)))
    assert look(queued).snooze
    queued.execute("UPDATE pattern_sync.snoozes SET until = now() - interval '1 s'")
    assert look(queued).snooze is None


def test_a_new_wish_takes_the_place_of_the_former_and_waking_ends_it(queued: TestDatabase, driver: Driver) -> None:
    driver(queued, lambda made: made.snooze("a", Wish(until_doubled=True, reviewer="ann")))
    entry = driver(queued, lambda made: made.snooze("a", Wish(soon(hours=1), reviewer="bob")))
    assert entry.snooze is not None
    assert (entry.snooze.until_doubled, entry.snooze.by) == (False, "bob")
    assert driver(queued, lambda made: made.wake("a")).snooze is None
    assert driver(queued, lambda made: made.wake("a")).snooze is None


def test_a_decision_ends_the_snooze_and_its_undo_does_not_bring_it_back(queued: TestDatabase, driver: Driver) -> None:
    driver(queued, lambda made: made.snooze("a", Wish(soon(days=1))))
    service = PatternSyncService(queued.url)
    assert service.approve("a", reviewer="ann").snooze is None
    service.undo(service.batches("ann")[0].id)
    assert look(queued).snooze is None


def test_a_foreign_decision_hides_the_snooze(queued: TestDatabase, driver: Driver) -> None:
    driver(queued, lambda made: made.snooze("a", Wish(soon(days=1))))
    queued.decide("a")
    assert look(queued).snooze is None


def test_only_what_is_pending_can_be_snoozed(queued: TestDatabase, driver: Driver) -> None:
    PatternSyncService(queued.url).approve("a", reviewer="ann")
    with pytest.raises(AlreadyDecided, match="'a' is approved; only what is pending"):
        driver(queued, lambda made: made.snooze("a", Wish(until_doubled=True)))
    for name in ("nowhere", "no\0where"):
        with pytest.raises(UnknownPattern):
            driver(queued, lambda made, name=name: made.snooze(name, Wish(until_doubled=True)))  # type: ignore[misc]
        with pytest.raises(UnknownPattern):
            driver(queued, lambda made, name=name: made.wake(name))  # type: ignore[misc]
    assert queued.count("pattern_sync.snoozes") == 0


def test_nothing_cannot_double(queued: TestDatabase, driver: Driver) -> None:
    queued.execute("UPDATE pattern_approvals SET estimated_savings_usd = 0 WHERE pattern_id = 'a'")
    with pytest.raises(NotSnoozable, match=r"0\.00 USD a month, which cannot double"):
        driver(queued, lambda made: made.snooze("a", Wish(until_doubled=True)))


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish, "until is missing"),
        (lambda: Wish(datetime(2030, 1, 1)), "a time without a zone"),  # noqa: DTZ001 - that is the fault
        (lambda: Wish(soon(days=1), reason="x" * 10_001), "reason has 10,001 characters"),
        (lambda: Wish(soon(days=1), reviewer="\0"), "reviewer holds a character"),
    ],
)
def test_a_wish_that_says_nothing_is_refused(wish: Callable[[], Wish], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        wish()


@pytest.mark.parametrize(
    ("distance", "words"), [(-1, "which has passed"), (367 * 86_400, "for 366 days at most")], ids=["past", "far"]
)
def test_a_time_that_has_passed_or_is_far_away_is_refused(distance: float, words: str) -> None:
    now = datetime.now(UTC)
    with pytest.raises(NotSnoozable, match=words):
        Wish(now + timedelta(seconds=distance)).check(now)
    Wish(now + timedelta(days=366)).check(now)


def test_pages_hear_of_a_snooze_and_of_its_end(queued: TestDatabase, driver: Driver) -> None:
    with queued.another_connection() as connection:
        connection.execute("LISTEN pattern_sync_queue")
        listener = Listener(connection, "pattern_sync_queue")
        driver(queued, lambda made: made.snooze("a", Wish(soon(days=1))))
        driver(queued, lambda made: made.wake("a"))
        driver(queued, lambda made: made.wake("a"))
        assert listener.received() == ['{"refreshed": ["a"]}'] * 2


def test_wishes_that_are_long_over_are_forgotten(queued: TestDatabase, driver: Driver) -> None:
    queued.add_entry("b")
    for name in "ab":
        driver(queued, lambda made, name=name: made.snooze(name, Wish(soon(days=1))))  # type: ignore[misc]
    queued.execute("UPDATE pattern_sync.snoozes SET until = now() - interval '8 days' WHERE pattern_id = 'a'")
    driver(queued, lambda made: made.snooze("b", Wish(soon(days=2))))
    assert queued.execute("SELECT pattern_id FROM pattern_sync.snoozes") == [{"pattern_id": "b"}]
