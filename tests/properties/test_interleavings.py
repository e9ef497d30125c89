"""Whatever happens in whatever order, the queue ends up as the rules demand."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import DictRow

from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import eventually

SIGNATURES = 4
KILL_LISTENERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name ~ '^pattern-sync .*listener$' AND datname = current_database()"
)
UPSERT = """
INSERT INTO operation_patterns
    (pattern_signature, pattern_type, confidence_score, occurrence_count, potential_monthly_savings, automation_status)
VALUES (%s, 'sdlc', %s, %s, %s, %s)
ON CONFLICT (pattern_signature) DO UPDATE SET
    confidence_score = excluded.confidence_score,
    occurrence_count = excluded.occurrence_count,
    potential_monthly_savings = excluded.potential_monthly_savings,
    automation_status = excluded.automation_status
"""

# Around the bounds of the filter in force: 70, 5 and 1000.
FIGURES = (
    [None, 10.0, 69.9, 70.0, 85.5],
    [None, 1, 5, 78_167],
    [None, 0, 999.9999, 1_000, 183_844.06],
    ["detected", "detected", "detected", None, "candidate"],
)
WEIGHTS = {
    "write good": 10, "write any": 5, "write late": 3, "commit late": 8, "decide": 5, "delete": 1,
    "kill listeners": 1, "ask for all": 1,
}  # fmt: skip


def steps(chance: Random) -> list[tuple[Any, ...]]:
    """Return 40 steps, evenly mixed: Hypothesis's own lists prefer simple ones, which reach no interesting state."""
    kinds = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=40)
    return [_step(kind, chance.randrange(SIGNATURES), chance) for kind in kinds]


def _step(kind: str, number: int, chance: Random) -> tuple[Any, ...]:
    good = (chance.uniform(70, 100), chance.randint(5, 99_999), chance.randint(1_000, 9_000), "detected")
    match kind:
        case "write good":
            return "write", number, good
        case "write any":
            return "write", number, tuple(chance.choice(values) for values in FIGURES)
        case "write late":
            return kind, number, good
        case _:
            return kind, number


@dataclass
class World:
    """A detector with several transactions, a person, and somebody who kills sessions."""

    database: TestDatabase
    prefix: str
    late: dict[int, Connection[DictRow]] = field(default_factory=dict)
    decided: dict[str, DictRow] = field(default_factory=dict)

    def name(self, number: int) -> str:
        return f"{self.prefix}:{number}"

    def take(self, action: tuple[Any, ...]) -> None:
        match action:
            case ("write", number, values) if number not in self.late:
                self.database.execute(UPSERT, self.name(number), *values)
            case ("write late", number, values) if number not in self.late:
                self.late[number] = self.database.another_connection(autocommit=False)
                self.late[number].execute(UPSERT.encode(), [self.name(number), *values])
            case ("commit late", number) if number in self.late:
                self.commit(number)
            case ("delete", number) if number not in self.late:
                self.database.execute("DELETE FROM operation_patterns WHERE pattern_signature = %s", self.name(number))
            case ("decide", number):
                if number not in self.late and self.wanted(self.name(number)):
                    eventually(lambda: self.database.entry(self.name(number)), what=self.name(number))
                self.decide(self.name(number))
            case ("kill listeners", _):
                self.database.execute(KILL_LISTENERS)
            case ("ask for all", _):
                self.database.execute("SELECT pattern_sync.request()")

    def decide(self, signature: str) -> None:
        decision = (
            "UPDATE pattern_approvals SET status = 'rejected', reviewed_by = 'ann'"
            " WHERE pattern_id = %s AND status = 'pending' RETURNING *"
        )
        for row in self.database.execute(decision, signature):
            self.decided[signature] = row

    def commit(self, number: int) -> None:
        connection = self.late.pop(number)
        connection.commit()
        connection.close()

    def wanted(self, signature: str) -> bool:
        # The rule spelt out anew, not the function under test.
        row = self.database.execute(
            "SELECT 1 FROM operation_patterns WHERE pattern_signature = %s AND confidence_score >= 70"
            " AND occurrence_count >= 5 AND potential_monthly_savings >= 1000"
            " AND (automation_status = 'detected' OR automation_status IS NULL)",
            signature,
        )
        return bool(row)

    def settled(self) -> bool:
        """Return whether every pattern that qualifies is queued and every pending figure is the pattern's."""
        stale = self.database.execute(
            "SELECT 1 FROM operation_patterns AS p JOIN pattern_approvals AS a ON a.pattern_id = p.pattern_signature"
            " WHERE a.status = 'pending' AND p.pattern_signature LIKE %s AND ("
            "   abs(a.confidence_score - coalesce(p.confidence_score, 0) / 100) > 0.000001"
            "   OR a.occurrence_count <> coalesce(p.occurrence_count, 0)"
            "   OR a.estimated_savings_usd <> coalesce(p.potential_monthly_savings, 0))",
            f"{self.prefix}:%",
        )
        names = [self.name(number) for number in range(SIGNATURES)]
        return not stale and all(self.database.entry(name) for name in names if self.wanted(name))

    def check(self) -> int:
        """Wait until nothing changes, check the queue against the rules and return the number of entries."""
        for number in list(self.late):
            self.commit(number)
        eventually(self.settled, what="a settled queue")
        mine = self.database.execute("SELECT * FROM pattern_approvals WHERE pattern_id LIKE %s", f"{self.prefix}:%")
        assert len({row["pattern_id"] for row in mine}) == len(mine)
        for row in mine:
            if row["pattern_id"] in self.decided:
                assert row == self.decided[row["pattern_id"]]
            else:
                assert (row["status"], row["reviewed_by"]) == ("pending", None)
        assert self.decided.keys() <= {row["pattern_id"] for row in mine}
        return len(mine)


@contextmanager
def world(database: TestDatabase, prefix: str) -> Iterator[World]:
    made = World(database, prefix)
    try:
        yield made
    finally:
        for connection in made.late.values():
            connection.close()


@pytest.mark.parametrize("daemons", [1, 2])
def test_any_interleaving_ends_with_the_queue_that_the_rules_demand(database: TestDatabase, daemons: int) -> None:
    with ExitStack() as stack:
        running: list[DaemonProcess] = [stack.enter_context(running_daemon(database.url)) for _ in range(daemons)]
        decided: list[int] = []
        queued: list[int] = []
        numbers = count()  # a replay of a failure needs new names, too

        # No shrinking: each attempt would wait for the deadline again.
        @settings(max_examples=15, derandomize=True, database=None, phases=[Phase.generate])
        @given(st.randoms(use_true_random=True))
        def any_interleaving(chance: Random) -> None:
            taken = steps(chance)
            note(str(taken))
            with world(database, f"example{next(numbers)}") as made:
                for each in taken:
                    made.take(each)
                queued.append(made.check())
                decided.append(len(made.decided))

        any_interleaving()
        # The steps have to queue something, or nothing was tested.
        assert sum(queued) > sum(decided) > len(queued) / 2
        assert all(each.process.poll() is None for each in running)
