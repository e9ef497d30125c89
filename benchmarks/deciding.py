"""What people wait for in a large installation: lists, sorts, groups, evidence and decisions."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import LiteralString

import psycopg

from benchmarks.processes import DaemonProcess
from benchmarks.report import Measurement
from benchmarks.server import Database, Venue
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase, BlockingSession, run_blocking
from pattern_sync.database.queueing import COMMANDS_PACE, QueueGateway
from pattern_sync.database.reviews import ReviewGateway
from pattern_sync.domain.batches import Seen
from pattern_sync.domain.decision import Decision, Verdict
from pattern_sync.domain.listing import Grouping, Listing, Order, Sort
from tests.support.database import TestDatabase
from tests.support.scale import fill

ROUNDS = 7
PAGE = 50
# The least that a statement can do: look at each pending entry, at the figures of each, at each pattern's name, and at
# each occurrence.
OF_QUEUE: LiteralString = "SELECT count(*) FROM pattern_approvals WHERE status = 'pending'"
OF_TRAITS: LiteralString = "SELECT sum(savings) FROM pattern_sync.traits WHERE status = 'pending'"
OF_PATTERNS: LiteralString = "SELECT sum(hashtext(pattern_signature)) FROM operation_patterns"
OF_OCCURRENCES: LiteralString = """
SELECT sum(each.workflows)
FROM (
    SELECT count(workflow_id) AS workflows, min(detected_at), max(detected_at)
    FROM pattern_occurrences GROUP BY pattern_id OFFSET 0
) AS each
"""
# What a decision writes at the least, without a look at who else is at it, evidence, or a way back.
BARE: Sequence[LiteralString] = (
    """
    UPDATE pattern_approvals
    SET status = 'approved', reviewed_by = 'ann', reviewed_at = now(), approval_notes = 'why'
    WHERE pattern_id = ANY (%s) AND status = 'pending'
    """,
    """
    INSERT INTO pattern_review_history (pattern_id, action, reviewer, notes)
    SELECT s, 'approved', 'ann', 'why' FROM unnest(%s::text[]) AS s
    """,
    """
    UPDATE operation_patterns
    SET automation_status = 'approved', reviewed_by = 'ann', reviewed_at = now(), review_notes = 'why'
    WHERE pattern_signature = ANY (%s)
    """,
)


@dataclass(frozen=True, slots=True)
class _Large:
    database: Database
    session: psycopg.Connection
    store: ReviewGateway
    queue: QueueGateway

    def measured(
        self, what: str, bound: float | None, task: Callable[[], object], floor: LiteralString, rounds: int = ROUNDS
    ) -> Measurement:
        """Take both in turn, and the least of each: other programs only ever add to it."""
        took, least = [], []
        for _ in range(rounds):
            least.append(_milliseconds(lambda: self.session.execute(floor).fetchall()))
            took.append(_milliseconds(task))
        note = f"{min(took) / min(least):.1f} x its floor of {min(least):.1f} ms"
        return Measurement(what, "ms", min(took), bound=bound, note=note)


def measure(venue: Venue, patterns: int, pending: int) -> Iterator[Measurement]:
    """Fill a database, and measure what its people do there."""
    with venue.database() as database:
        fill(TestDatabase(database.url, database.name), patterns, pending, seen=True)
        database.settle()
        with (
            BlockingDatabase.connect(DatabaseAddress.parse(database.daemon_url)) as connected,
            psycopg.connect(database.url, autocommit=True) as session,
        ):
            session.execute("SET max_parallel_workers_per_gather = 0")
            session.execute("SET jit = off")
            blocking = BlockingSession(connected)
            store = ReviewGateway(blocking.fetch)
            large = _Large(database, session, store, QueueGateway(blocking, blocking.notify_pages, COMMANDS_PACE))
            about = f"{pending:,} pending of {patterns:,} patterns"
            first = _milliseconds(partial(_fill, store))
            yield Measurement(f"{about}: the first copy of the queue's figures", "s", first / 1000)
            database.settle()
            yield from _reads(large, pending)
            yield from _decisions(large)
        with DaemonProcess(database.daemon_url) as daemon:
            url = f"{daemon.http_url}/api/v1/patterns/pending?limit={PAGE}"
            _get(url)
            yield Measurement("GET /pending, first page with its total", "ms", _least(partial(_get, url)), bound=50)
            for sort in Sort:
                sorted_url = f"{daemon.http_url}/api/v1/patterns?status=pending&limit={PAGE}&sort={sort}"
                yield Measurement(f"GET /patterns?sort={sort}", "ms", _least(partial(_get, sorted_url)))


def _reads(large: _Large, pending: int) -> Iterator[Measurement]:
    store = large.store
    named = [found.entry.pattern_id for found in run_blocking(store.list_entries(Listing(), 20)) if found.entry]

    def page() -> None:
        run_blocking(store.list_entries(Listing(), PAGE))
        run_blocking(store.count_listed(Listing()))

    yield large.measured("a first page with its total", 50, page, OF_QUEUE)
    yield large.measured("stale entries", 500, lambda: run_blocking(large.queue.count_stale()), OF_PATTERNS)
    yield large.measured("statistics", None, lambda: run_blocking(store.statistics()), OF_PATTERNS)
    for by in Grouping:
        yield large.measured(
            f"groups by {by}",
            200 if pending <= 100_000 else 2000 * pending / 1_000_000,
            partial(_group, store, by),
            OF_TRAITS,
        )
    for order in (f"{sign}{sort}" for sort in Sort for sign in ("", "-")):
        listing = Listing(order=Order.parse(order))
        yield large.measured(
            f"sort by {order}",
            None,
            partial(_list, store, listing),
            OF_TRAITS,
        )
    evidence = "SELECT count(*) FROM pattern_sync.evidence(%s, NULL)"
    yield large.measured(
        "evidence of a page of 20", 5, lambda: large.session.execute(evidence, (named,)).fetchall(), OF_QUEUE
    )
    all_pending = evidence.replace("%s", "ARRAY(SELECT pattern_id FROM pattern_approvals WHERE status = 'pending')")
    yield large.measured(
        "evidence of all, from 5 occurrences each",
        None,
        lambda: large.session.execute(all_pending.encode()).fetchall(),
        OF_OCCURRENCES,
        3,
    )
    yield large.measured(
        "counts, and savings claimed and shown", 300, lambda: run_blocking(store.count_entries()), OF_QUEUE
    )


def _fill(store: ReviewGateway) -> None:
    run_blocking(store.keep_traits(None, None))


def _list(store: ReviewGateway, listing: Listing) -> None:
    run_blocking(store.list_entries(listing, PAGE))


def _group(store: ReviewGateway, by: Grouping) -> None:
    run_blocking(store.groups(Listing(), by, 100))


def _decisions(large: _Large) -> Iterator[Measurement]:
    for many, bound, rounds in ((1, 25, 15), (1_000, 250, 5), (10_000, 1_500, 3)):
        took, least = [], []
        for _ in range(rounds):
            signatures = _undecided(large, 2 * many)
            if len(signatures) < 2 * many:
                raise RuntimeError(f"too few entries are pending to decide {many:,}")
            least.append(_milliseconds(partial(_decide_bare, large, signatures[:many])))
            took.append(_milliseconds(partial(_decide, large, signatures[many:])))
        note = f"{min(took) / min(least):.1f} x its floor of {min(least):.0f} ms"
        yield Measurement(f"decide {many:,} at once", "ms", min(took), bound=bound, note=note)


def _undecided(large: _Large, many: int) -> list[str]:
    rows = large.session.execute(
        "SELECT pattern_id FROM pattern_approvals WHERE status = 'pending' AND pattern_id LIKE 'type%%'"
        " ORDER BY md5(pattern_id) LIMIT %s",
        (many,),
    )
    return [str(row[0]) for row in rows]


def _decide(large: _Large, signatures: list[str]) -> None:
    seen = Seen({signature: place for place, signature in enumerate(signatures, 1)}, 12.0)
    decision = Decision(Verdict.APPROVED, "why", "ann")
    _, items = run_blocking(large.store.decide_many(signatures, decision, seen, waits=False, dry_run=False))
    if {item.outcome for item, _ in items} != {"decided"}:
        raise RuntimeError(f"some of {len(signatures):,} entries were not decided")


def _decide_bare(large: _Large, signatures: list[str]) -> None:
    with large.database.transaction():
        for statement in BARE:
            large.database.run(statement, signatures)


def _milliseconds(task: Callable[[], object]) -> float:
    begun = time.perf_counter()
    task()
    return (time.perf_counter() - begun) * 1000


def _least(task: Callable[[], object]) -> float:
    return min(_milliseconds(task) for _ in range(ROUNDS))


def _get(url: str) -> object:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)
