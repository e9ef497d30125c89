"""Lists of a large installation, on adopted tables: 200,000 pending of 1,000,000 patterns."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase, BlockingSession, run_blocking
from pattern_sync.database.queueing import COMMANDS_PACE, QueueGateway
from pattern_sync.database.reviews import ReviewGateway
from pattern_sync.domain.listing import Grouping, Listing, Order, Snoozed, Sort
from tests.conftest import fresh_database
from tests.support.application import adopt, installer
from tests.support.database import TestDatabase
from tests.support.scale import PENDING, fill
from tests.support.waiting import show

if TYPE_CHECKING:
    import psycopg

pytestmark = [pytest.mark.slow, pytest.mark.timing]
# What the least statements take that look at each entry of the queue, and at each pattern.
OF_QUEUE = "SELECT sum(hashtext(pattern_id)) FROM pattern_approvals"
OF_PATTERNS = "SELECT sum(hashtext(pattern_signature)) FROM operation_patterns"
PAGE = 50


@dataclass(frozen=True, slots=True)
class Large:
    """A large installation, and its store as the daemon has it."""

    database: TestDatabase
    store: ReviewGateway
    queue: QueueGateway

    def in_floors(self, what: str, task: Callable[[], object], least: str = OF_QUEUE) -> float:
        """Return how many times as long as the least statement something takes, and show it."""
        floor, took = (_milliseconds(each) for each in (lambda: self.database.execute(least), task))
        show(f"{what}: {took:.0f} ms, {took / floor:.1f} floors of {floor:.0f} ms")
        return took / floor


def _milliseconds(task: Callable[[], object]) -> float:
    took = []
    for _ in range(5):
        started = time.monotonic()
        task()
        took.append((time.monotonic() - started) * 1000)
    return median(took)


@pytest.fixture(scope="module")
def filled(server_url: str, admin: "psycopg.Connection[dict[str, object]]") -> Iterator[TestDatabase]:
    with fresh_database(server_url, admin, None) as database, database.connect():
        adopt(database)
        installer(database).migrate()
        fill(database)
        database.execute("SET max_parallel_workers_per_gather = 0")
        yield database


def foretell(database: TestDatabase) -> None:
    """Have everything that waits foretold, and shown, by a model that nobody has learned."""
    database.execute("INSERT INTO pattern_sync.models (lessons, model, digest, shown) VALUES (0, '', '', true)")
    database.execute(
        "INSERT INTO pattern_sync.predictions"
        " SELECT t.pattern_id, 1, random(), random() < 0.1, pattern_sync.version_of(t.changed_at)"
        " FROM pattern_sync.traits AS t WHERE t.status = 'pending'"
    )
    database.execute("ANALYZE pattern_sync.predictions")


@pytest.fixture(scope="module")
def large(filled: TestDatabase) -> Iterator[Large]:
    with BlockingDatabase.connect(DatabaseAddress.parse(filled.url)) as connected:
        session = BlockingSession(connected)
        store = ReviewGateway(session.fetch)
        run_blocking(store.keep_traits(None, None))
        foretell(filled)
        yield Large(filled, store, QueueGateway(session, session.notify_pages, COMMANDS_PACE))


@pytest.mark.parametrize("snoozed", [Snoozed.SHOW, Snoozed.HIDE])
def test_the_first_page_is_read_by_an_index(large: Large, snoozed: Snoozed) -> None:
    listing = Listing(snoozed=snoozed)
    assert len(run_blocking(large.store.list_entries(listing, PAGE))) == PAGE
    assert run_blocking(large.store.count_listed(listing)) == PENDING
    assert large.in_floors("page", lambda: run_blocking(large.store.list_entries(listing, PAGE))) < 1
    assert large.in_floors("total", lambda: run_blocking(large.store.count_listed(listing))) < 6


@pytest.mark.parametrize("sort", [f"{sign}{sort}" for sort in Sort for sign in ("", "-")])
def test_a_sort_costs_little_more_than_a_look_at_each_entry(large: Large, sort: str) -> None:
    listing = Listing(order=Order.parse(sort))
    assert large.in_floors(f"sort {sort}", lambda: run_blocking(large.store.list_entries(listing, PAGE))) < 8


@pytest.mark.parametrize(
    "query", ["report number", "nowhere", "-nowhere", "kind:type3:kind3", "savings:>50000 -flag:any", "age:>7d"]
)
def test_a_search_costs_little_more_than_a_look_at_each_entry(large: Large, query: str) -> None:
    listing = Listing(query=query)
    assert large.in_floors(f"search {query}", lambda: run_blocking(large.store.list_entries(listing, PAGE))) < 20
    assert large.in_floors(f"count {query}", lambda: run_blocking(large.store.count_listed(listing))) < 20


@pytest.mark.parametrize("by", list(Grouping))
def test_groups_are_summed_in_few_looks_at_each_entry(large: Large, by: Grouping) -> None:
    assert large.in_floors(f"groups by {by}", lambda: run_blocking(large.store.groups(Listing(), by, 100))) < 30


def test_what_is_asked_after_every_change_costs_few_looks_at_each_entry(large: Large) -> None:
    assert large.in_floors("counts", lambda: run_blocking(large.store.count_entries())) < 12
    assert large.in_floors("fingerprint", lambda: run_blocking(large.store.fingerprint())) < 12
    assert large.in_floors("all names", lambda: run_blocking(large.store.select(Listing(), 10_000))) < 20
    named = [entry.entry.pattern_id for entry in run_blocking(large.store.list_entries(Listing(), 100)) if entry.entry]
    assert large.in_floors("traits of 100", lambda: run_blocking(large.store.keep_traits(named, None))) < 1
    assert large.in_floors("traits of all", lambda: run_blocking(large.store.keep_traits(None, 5_000))) < 60
    # A join with every pattern, and nothing that grows faster than they do.
    assert large.in_floors("stale", lambda: run_blocking(large.queue.count_stale()), OF_PATTERNS) < 15


@pytest.mark.parametrize("criteria", ["30, NULL", "NULL, 1", "30, 1"])
def test_what_was_seen_of_all_patterns_costs_few_looks_at_each(large: Large, criteria: str) -> None:
    every = "ARRAY(SELECT p.id::bigint FROM operation_patterns AS p)"
    asked = f"SELECT pattern_sync.seen_enough({criteria}, {every}) AS enough"
    assert large.in_floors(f"seen {criteria}", lambda: large.database.execute(asked), OF_PATTERNS) < 60
