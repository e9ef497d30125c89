"""Traffic of a database in use: detectors, a reviewer, and a record of what they committed."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from tests.support.waiting import PATIENCE_SECONDS

INSERT = (
    "INSERT INTO operation_patterns"
    " (pattern_signature, pattern_type, confidence_score, occurrence_count, potential_monthly_savings)"
    " VALUES (%s, 'sdlc', 90, %s, 5000)"
)
CONFIRM = "UPDATE operation_patterns SET occurrence_count = 100 WHERE pattern_signature = %s"
# Without a trigger: what any writer waits for on this server at this moment.
CONTROL = "INSERT INTO control_patterns (pattern_signature) VALUES (%s)"
TOO_RARE = 1
OFTEN = 100


@dataclass(slots=True)
class Ledger:
    """What was committed, by signature, and how long the writers waited.

    `unseen` are the qualifying patterns that nobody has found in the queue yet.
    """

    qualifying_total: int = 0
    unseen: set[str] = field(default_factory=set)
    short: set[str] = field(default_factory=set)
    decided: dict[str, str] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    control_waits: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def add_qualifying(self, signature: str) -> None:
        self.unseen.add(signature)
        self.qualifying_total += 1

    def longest_extra_wait(self) -> float:
        """Return by how many seconds the longest wait for a pattern exceeds that for a table without our trigger."""
        return max(self.waits, default=0.0) - max(self.control_waits, default=0.0)


class Worker:
    """A thread that does one thing again and again on a connection of its own, and reconnects when that is lost."""

    def __init__(self, url: str, ledger: Ledger, name: str, pause_seconds: float) -> None:
        self.ledger = ledger
        self.name = name
        self._url = url
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), f"{self.name} hangs"

    def work(self, connection: psycopg.Connection) -> None:
        raise NotImplementedError

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
                    while not self._stopping.wait(self._pause_seconds):
                        self.work(connection)
            except psycopg.Error as fault:
                self.ledger.errors.append(f"{self.name}: {' '.join(str(fault).split())}")
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
        self.ledger.control_waits.append(_seconds(lambda: connection.execute(CONTROL, [signature])))

    def _write(self, connection: psycopg.Connection, sql: str, *arguments: object) -> None:
        self.ledger.waits.append(_seconds(lambda: connection.execute(sql.encode(), arguments)))


class Reviewer(Worker):
    """Decides pending entries as the application's panel does: by SQL."""

    def work(self, connection: psycopg.Connection) -> None:
        row = connection.execute(
            "SELECT pattern_id FROM pattern_approvals WHERE status = 'pending' ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return
        status = random.choice(("approved", "rejected"))
        decided = connection.execute(
            "UPDATE pattern_approvals SET status = %s, reviewed_by = 'ann', reviewed_at = now()"
            " WHERE pattern_id = %s AND status = 'pending'",
            [status, row[0]],
        )
        if decided.rowcount:
            self.ledger.decided[row[0]] = status


@contextmanager
def traffic(url: str, ledger: Ledger, *, name: str, detectors: int = 2, pause_seconds: float = 0.01) -> Iterator[None]:
    """Have detectors write and a person decide during the block."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS control_patterns (pattern_signature text)")
    workers: list[Worker] = [Detector(url, ledger, f"{name}:{number}", pause_seconds) for number in range(detectors)]
    workers.append(Reviewer(url, ledger, f"{name}-reviewer", pause_seconds=0.1))
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()


def _seconds(action: Callable[[], object]) -> float:
    begun = time.monotonic()
    action()
    return time.monotonic() - begun
