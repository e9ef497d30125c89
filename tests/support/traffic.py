"""Traffic of a database in use: detectors, a reviewer, and a record of what they committed."""

import itertools
import math
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from tests.support.waiting import PATIENCE_SECONDS, eventually

INSERT = (
    "INSERT INTO operation_patterns"
    " (pattern_signature, pattern_type, confidence_score, occurrence_count, potential_monthly_savings)"
    " VALUES (%s, 'sdlc', 90, %s, 5000)"
)
CONFIRM = "UPDATE operation_patterns SET occurrence_count = 100 WHERE pattern_signature = %s"
# Without a trigger: what any writer waits for on this server at this moment.
CONTROL = "INSERT INTO control_patterns (pattern_signature) VALUES (%s)"
ENTRY = (
    "pattern_id, status, reviewed_by, reviewed_at, approval_notes, confidence_score, occurrence_count,"
    " estimated_savings_usd, tool_sequence, pattern_context, example_sessions, created_at, updated_at"
)
DECIDE = (
    "UPDATE pattern_approvals SET status = %s, reviewed_by = %s, reviewed_at = now(), approval_notes = %s"
    " WHERE status = 'pending' AND id IN"
    " (SELECT id FROM pattern_approvals WHERE status = 'pending' ORDER BY id DESC LIMIT %s)"
    f" RETURNING {ENTRY}"
)
TOO_RARE = 1
OFTEN = 100
WAIT_SECONDS = 0.15
# A write and a control write that are no further apart than this met the same server.
BESIDE_SECONDS = 0.05
DECIDED_AT_ONCE = 3
LEAST_TIMES = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A part of time, by the monotonic clock."""

    begun: float
    ended: float = math.inf

    @property
    def seconds(self) -> float:
        return self.ended - self.begun

    def is_beside(self, other: "Span") -> bool:
        """Return whether the two overlap, or nearly do."""
        return self.begun < other.ended + BESIDE_SECONDS and other.begun < self.ended + BESIDE_SECONDS


@dataclass(slots=True)
class Ledger:
    """What was committed, by signature, and what the writers suffered.

    `unseen` are the qualifying patterns that nobody has found in the queue yet; `decided` the entries as decided.
    """

    qualifying_total: int = 0
    unseen: set[str] = field(default_factory=set)
    short: set[str] = field(default_factory=set)
    decided: dict[str, tuple[object, ...]] = field(default_factory=dict)
    # Only the slow ones: there are a million others.
    waits: list[Span] = field(default_factory=list)
    control_waits: list[Span] = field(default_factory=list)
    errors: list[tuple[Span, str]] = field(default_factory=list)
    _excused: list[Span] = field(default_factory=list)

    def add_qualifying(self, signature: str) -> None:
        self.unseen.add(signature)
        self.qualifying_total += 1

    @contextmanager
    def excusing(self) -> Iterator[None]:
        """Have nothing count that the writers suffer during the block."""
        begun = time.monotonic()
        self._excused.append(Span(begun))
        try:
            yield
        finally:
            self._excused[-1] = Span(begun, time.monotonic())

    def complaints(self) -> list[str]:
        """Return the errors of writers, and what they waited longer for than for a table without our trigger."""
        late = [(wait, self._extra_wait(wait)) for wait in self.waits.copy()]
        return [
            *(text for span, text in self.errors.copy() if not self._is_excused(span)),
            *(f"{extra:.2f} s" for wait, extra in late if extra > WAIT_SECONDS and not self._is_excused(wait)),
        ]

    def _extra_wait(self, wait: Span) -> float:
        """Return by how many seconds a write took longer than any control write beside it."""
        beside = (control.seconds for control in self.control_waits.copy() if control.is_beside(wait))
        return wait.seconds - max(beside, default=0.0)

    def _is_excused(self, span: Span) -> bool:
        return any(span.is_beside(excused) for excused in self._excused)


class Worker:
    """A thread that does one thing again and again on a connection of its own, and reconnects when that is lost."""

    def __init__(self, url: str, ledger: Ledger, name: str, pause_seconds: float) -> None:
        self.ledger = ledger
        self.name = name
        self.times = 0
        self._url = url
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._bug: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop, and raise what ended the thread before."""
        self._stopping.set()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), f"{self.name} hangs"
        if self._bug is not None:
            raise self._bug

    def work(self, connection: psycopg.Connection) -> None:
        raise NotImplementedError

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._work_until_lost()
        except Exception as bug:  # noqa: BLE001 - for whoever stops it: without traffic, every check would pass
            self._bug = bug

    def _work_until_lost(self) -> None:
        begun = time.monotonic()
        try:
            with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
                while not self._stopping.wait(self._pause_seconds):
                    begun = time.monotonic()
                    self.work(connection)
                    self.times += 1
        except psycopg.Error as fault:
            self.ledger.errors.append((Span(begun, time.monotonic()), f"{self.name}: {' '.join(str(fault).split())}"))
            self._stopping.wait(0.1)


class Detector(Worker):
    """Writes patterns: most of them qualify, some do not, and some come to qualify later."""

    def __init__(self, url: str, ledger: Ledger, name: str, pause_seconds: float) -> None:
        super().__init__(url, ledger, name, pause_seconds)
        self._numbers = itertools.count(1)

    def work(self, connection: psycopg.Connection) -> None:
        number = next(self._numbers)
        signature = f"{self.name}:{number}"
        rare = number % 5 == 0
        self._write(connection, INSERT, signature, TOO_RARE if rare else OFTEN)
        if rare and number % 10 == 0:
            self._write(connection, CONFIRM, signature)
            rare = False
        if rare:
            self.ledger.short.add(signature)
        else:
            self.ledger.add_qualifying(signature)

    def _write(self, connection: psycopg.Connection, sql: str, *arguments: object) -> None:
        _execute(connection, sql, arguments, self.ledger.waits, slow_seconds=WAIT_SECONDS)


class Control(Worker):
    """Writes beside the detectors what no trigger of ours sees: the two differ by what we cost."""

    def work(self, connection: psycopg.Connection) -> None:
        # Shorter ones could not excuse a write.
        _execute(connection, CONTROL, [self.name], self.ledger.control_waits, slow_seconds=0.02)


class Reviewer(Worker):
    """Decides the newest pending entries as the application's panel does: by SQL."""

    def work(self, connection: psycopg.Connection) -> None:
        status = random.choice(("approved", "rejected"))
        notes = f"by {self.name}, number {self.times}"
        decided = connection.execute(DECIDE.encode(), [status, self.name, notes, DECIDED_AT_ONCE])
        self.ledger.decided.update({row[0]: row for row in decided})


@contextmanager
def traffic(url: str, ledger: Ledger, *, name: str, detectors: int = 2, pause_seconds: float = 0.01) -> Iterator[None]:
    """Have detectors write and a person decide during the block; each must have got something done."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS control_patterns (pattern_signature text)")
    workers: list[Worker] = [Detector(url, ledger, f"{name}:{number}", pause_seconds) for number in range(detectors)]
    workers.append(Control(url, ledger, f"{name}-control", pause_seconds=0.01))
    workers.append(Reviewer(url, ledger, f"{name}-reviewer", pause_seconds=0.1))
    for worker in workers:
        worker.start()
    try:
        # A fault may keep out whoever comes later, and nobody should be blamed for that.
        eventually(lambda: all(worker.times for worker in workers), what="that everybody is at work")
        yield
    finally:
        for worker in workers:
            worker.stop()
    for worker in workers:
        assert worker.times >= LEAST_TIMES, f"{worker.name} got {worker.times} things done"


def _execute(
    connection: psycopg.Connection,
    sql: str,
    arguments: "list[str] | tuple[object, ...]",
    slow: list[Span],
    *,
    slow_seconds: float,
) -> None:
    begun = time.monotonic()
    connection.execute(sql.encode(), arguments)
    span = Span(begun, time.monotonic())
    if span.seconds > slow_seconds:
        slow.append(span)
