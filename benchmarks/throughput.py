"""What the trigger costs a detector that has nothing to announce."""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.processes import Child
from benchmarks.report import Measurement
from benchmarks.server import Database, Server

WRITERS = 16
PATTERNS = 5_000


@dataclass(frozen=True, slots=True)
class _Case:
    about: str
    confidence: tuple[float, float]
    savings: tuple[int, int]
    entries: str | None  # the status of the entries in the queue


_CASES = (
    _Case("rows that do not qualify", (20, 60), (10, 900), None),
    _Case("rows already queued", (75, 95), (2_000, 9_000), "pending"),
    _Case("rows already decided", (75, 95), (2_000, 9_000), "rejected"),
)


def measure(server: Server, pairs: int, seconds: float, bulk: int) -> Iterator[Measurement]:
    for case in _CASES:
        yield _writers(server, case, pairs, seconds)
    yield _bulk_insert(server, bulk)


def _writers(server: Server, case: _Case, pairs: int, seconds: float) -> Measurement:
    on: list[float] = []
    off: list[float] = []
    with ExitStack() as stack:
        database = stack.enter_context(server.database())
        _fill(database, case)
        detector = stack.enter_context(
            Child(
                "detector", mode="writers", url=database.url, writers=WRITERS, patterns=PATTERNS,
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


def _fill(database: Database, case: _Case) -> None:
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
        PATTERNS,
    )
    if case.entries is not None:
        database.run(
            """
            INSERT INTO pattern_approvals (
                pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence
            )
            SELECT p.pattern_signature, %s, 0.75, 10, 2000, 'tool' FROM operation_patterns AS p
            """,
            case.entries,
        )
    database.settle()


def _bulk_insert(server: Server, rows: int) -> Measurement:
    took: dict[bool, list[float]] = {True: [], False: []}
    with server.database() as database:
        for number, enabled in enumerate((False, True, True, False, False, True)):
            database.announce(enabled=enabled)
            begun = time.monotonic()
            database.run(
                """
                INSERT INTO operation_patterns (
                    pattern_signature, pattern_type, occurrence_count, confidence_score, potential_monthly_savings
                )
                SELECT 'tool:bulk:' || %s::integer || ':' || i, 'tool', 3, 40, i %% 900
                FROM generate_series(1, %s::integer) AS i
                """,
                number,
                rows,
            )
            took[enabled].append(time.monotonic() - begun)
            database.run("TRUNCATE operation_patterns CASCADE")
            database.run("CHECKPOINT")
    return Measurement(
        f"one INSERT of {rows:,} rows that do not qualify, trigger on / off",
        "/s",
        rows / statistics.median(took[True]),
        rows / statistics.median(took[False]),
        note="for information",
    )
