"""What the trigger costs a detector that has nothing to announce."""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.patterns import remember
from benchmarks.processes import Child
from benchmarks.report import Measurement
from benchmarks.server import Database, Venue

WRITERS = 16
PATTERNS = 5_000


@dataclass(frozen=True, slots=True)
class Case:
    about: str
    confidence: tuple[float, float]
    savings: tuple[int, int]
    entries: str | None  # the status of the entries in the queue


CASES = (
    Case("rows that do not qualify", (20, 60), (10, 900), None),
    Case("rows already queued", (75, 95), (2_000, 9_000), "pending"),
    Case("rows already decided", (75, 95), (2_000, 9_000), "rejected"),
)


def measure(venue: Venue, pairs: int, seconds: float) -> Iterator[Measurement]:
    for case in CASES:
        yield _writers(venue, case, pairs, seconds)


def measure_bulk_insert(venue: Venue, bulk: int) -> Iterator[Measurement]:
    yield _bulk_insert(venue, bulk)


def _writers(venue: Venue, case: Case, pairs: int, seconds: float) -> Measurement:
    on: list[float] = []
    off: list[float] = []
    with ExitStack() as stack:
        database = stack.enter_context(venue.database())
        first = fill(database, case, PATTERNS)
        detector = stack.enter_context(
            Child(
                "detector", mode="writers", url=database.url, writers=WRITERS, first=first, patterns=PATTERNS,
                confidence=case.confidence, savings=case.savings,
            )
        )  # fmt: skip
        detector.ask("1")
        for number in range(pairs):
            for enabled in (True, False) if number % 2 else (False, True):
                database.announce(enabled=enabled)
                (on if enabled else off).append(detector.ask(str(seconds)))
    return Measurement(
        f"{WRITERS} writers, trigger on / off: {case.about}",
        "tps",
        statistics.median(on),
        statistics.median(off),
        0.95,
        at_most=False,
        paired_ratio=statistics.median(with_it / without for with_it, without in zip(on, off, strict=True)),
        note=f"median ratio of {pairs} neighbouring pairs of {seconds:g} s",
    )


def fill(database: Database, case: Case, patterns: int) -> int:
    """Write patterns of one kind, and their entries; return the id of the first."""
    database.announce(enabled=False)
    database.run(
        """
        INSERT INTO operation_patterns (
            pattern_signature, pattern_type, occurrence_count, confidence_score, potential_monthly_savings
        )
        SELECT 'tool:busy:' || i, 'tool', 10, %s, %s FROM generate_series(1, %s::integer) AS i
        """,
        case.confidence[0],
        case.savings[0],
        patterns,
    )
    if case.entries is not None:
        database.run(
            """
            INSERT INTO pattern_approvals (
                pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence
            )
            SELECT p.pattern_signature, %s, 0.75, 10, 2000, 'tool' FROM operation_patterns AS p
            WHERE p.pattern_signature LIKE 'tool:busy:%%'
            """,
            case.entries,
        )
    remember(database)
    database.settle()
    return int(database.value("SELECT min(id) FROM operation_patterns WHERE pattern_signature LIKE 'tool:busy:%'"))


def _bulk_insert(venue: Venue, rows: int) -> Measurement:
    took: dict[bool, list[float]] = {True: [], False: []}
    with venue.database() as database:
        for enabled in (False, True, True, False, False, True, True, False):
            database.announce(enabled=enabled)
            with database.undone():
                begun = time.monotonic()
                database.run(
                    """
                    INSERT INTO operation_patterns (
                        pattern_signature, pattern_type, occurrence_count, confidence_score, potential_monthly_savings
                    )
                    SELECT 'tool:bulk:' || i, 'tool', 3, 40, i %% 900 FROM generate_series(1, %s::integer) AS i
                    """,
                    rows,
                )
                took[enabled].append(time.monotonic() - begun)
            database.run("VACUUM operation_patterns")
            database.run("CHECKPOINT")
    return Measurement(
        f"one INSERT of {rows:,} rows that do not qualify, trigger on / off",
        "/s",
        rows / statistics.median(took[True]),
        rows / statistics.median(took[False]),
        0.75,
        at_most=False,
        note="medians of 4",
    )
