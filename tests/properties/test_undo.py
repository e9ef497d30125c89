"""Whatever happens in whatever order, an undo takes back the batch's own decisions and nobody else's."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random

import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import DictRow

from tests.support.application import adopt, installer
from tests.support.database import TestDatabase

SIGNATURES = 5
STEPS = 50
WEIGHTS = {
    "decide many": 10, "decide": 5, "undo": 14, "write": 3, "reopen": 2, "delete": 1, "queue": 4, "go on": 2,
    "come back": 2, "refresh": 3, "lock entry": 2, "lock pattern": 2, "release": 4, "lose the pattern": 1,
}  # fmt: skip
KEPT_MARKS = frozenset({"implemented", "candidate"})


@dataclass(frozen=True)
class Entry:
    """An entry as the model has it; `stamp` differs for each write of a decision."""

    status: str = "pending"
    by: str | None = None
    notes: str | None = None
    stamp: int = 0


@dataclass(frozen=True)
class Item:
    """What a batch has replaced, and what it wrote."""

    before: Entry
    mark_before: str | None
    remembered_before: bool
    after: Entry
    mark_after: str | None


@dataclass
class World:
    """The rules spelt out anew, beside a database in which people, neighbours and a detector do things."""

    database: TestDatabase
    prefix: str
    marks_rejections: bool  # whether the application's CHECK allows it
    entries: dict[str, Entry] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    remembered: set[str] = field(default_factory=set)
    batches: dict[int, dict[str, Item]] = field(default_factory=dict)
    locked: dict[str, Connection[DictRow]] = field(default_factory=dict)
    locked_patterns: dict[str, Connection[DictRow]] = field(default_factory=dict)
    stamps: Iterator[int] = field(default_factory=lambda: count(1))
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.names = [f"{self.prefix}:{number}" for number in range(SIGNATURES)]
        for name in self.names:
            self.database.add_pattern(name)
            self.marks[name] = "detected"
            self.queue(name)

    def take(self, kind: str, chance: Random) -> None:  # noqa: C901, PLR0912 - one case for each kind of step
        name = chance.choice(self.names)
        match kind:
            case "decide many":
                chosen = chance.sample(self.names, chance.randint(1, SIGNATURES))
                replaces = chance.choice(["pending", "pending", "approved", "rejected"])
                self.decide(chosen, chance.choice(["approved", "rejected"]), chance.choice("ab"), replaces, many=True)
            case "decide" if name not in self.locked and name not in self.locked_patterns:
                replaces = chance.choice(["pending", "pending", "approved", "rejected"])
                self.decide([name], chance.choice(["approved", "rejected"]), chance.choice("ab"), replaces, many=False)
            case "undo" if self.batches:
                self.undo(chance.choice(list(self.batches)[-6:]), chance.choice("abc"))
            case "write" if name in self.entries and name not in self.locked:
                self.write(
                    name, Entry(chance.choice(["approved", "rejected"]), chance.choice("ab"), None, next(self.stamps))
                )
            case "reopen" if name in self.entries and name not in self.locked:
                self.write(name, Entry("pending", None, None, next(self.stamps)))
            case "delete" if name in self.entries and name not in self.locked:
                self.delete(name)
            case "queue" if name not in self.entries:
                self.queue(name)
            case "go on" | "come back" if name in self.marks and name not in self.locked_patterns:
                self.mark(
                    name,
                    chance.choice(sorted(KEPT_MARKS)) if kind == "go on" else chance.choice(["detected", "approved"]),
                )
            case "lose the pattern" if name in self.marks and name not in self.locked_patterns:
                self.database.execute("DELETE FROM operation_patterns WHERE pattern_signature = %s", name)
                del self.marks[name]
            case "refresh":
                self.refresh(chance)
            case "lock entry" if name in self.entries and name not in self.locked:
                self.locked[name] = self.lock("pattern_approvals", "pattern_id", name)
            case "lock pattern" if name in self.marks and name not in self.locked_patterns:
                self.locked_patterns[name] = self.lock("operation_patterns", "pattern_signature", name)
            case "release":
                self.release()

    def queue(self, name: str) -> None:
        self.database.add_entry(name)
        self.entries[name] = Entry(stamp=next(self.stamps))

    def write(self, name: str, entry: Entry) -> None:
        """Write as a neighbour's own SQL does."""
        self.database.execute(
            "UPDATE pattern_approvals SET status = %s, reviewed_by = %s, approval_notes = %s,"
            " reviewed_at = CASE %s WHEN 'pending' THEN NULL ELSE clock_timestamp() END WHERE pattern_id = %s",
            entry.status, entry.by, entry.notes, entry.status, name,
        )  # fmt: skip
        self.entries[name] = entry

    def mark(self, name: str, mark: str) -> None:
        self.database.execute(
            "UPDATE operation_patterns SET automation_status = %s WHERE pattern_signature = %s", mark, name
        )
        self.marks[name] = mark

    def delete(self, name: str) -> None:
        gone = self.entries.pop(name)
        self.database.execute("DELETE FROM pattern_approvals WHERE pattern_id = %s", name)
        if gone.status == "rejected" and self.marks.get(name) == "detected":
            self.remembered.add(name)

    def refresh(self, chance: Random) -> None:
        if not self.locked and not self.locked_patterns:
            self.database.execute(
                "UPDATE operation_patterns SET occurrence_count = %s WHERE pattern_signature LIKE %s",
                chance.randint(5, 99_999),
                f"{self.prefix}:%",
            )
            self.database.execute(
                "SELECT pattern_sync.refresh_entries(ARRAY("
                " SELECT id FROM operation_patterns WHERE pattern_signature LIKE %s))",
                f"{self.prefix}:%",
            )

    def decide(self, names: list[str], status: str, by: str, replaces: str, *, many: bool) -> None:
        expected = {name: self.expected_decision(name, status, by, replaces) for name in names}
        if many:
            rows = self.database.execute(
                "SELECT * FROM pattern_sync.decide_many(%s, %s, %s, %s, %s, 'why', %s, NULL, false, false)",
                names, status, status, status, by, replaces,
            )  # fmt: skip
            assert {row["pattern_id"]: row["outcome"] for row in rows} == expected
            named = {row["pattern_id"]: row["batch_id"] for row in rows}
            assert all(named[name] == self.batch_of(name) for name in names if expected[name] == "already")
            assert all(named[name] is None for name in names if expected[name] not in {"already", "decided"})
            found = {named[name] for name in names if expected[name] == "decided"}
            batch_id = found.pop() if found else 0
            assert not found
        else:
            (row,) = self.database.execute(
                "SELECT pattern_sync.decide(%s, %s, %s, 'why', %s) AS decided", names[0], status, by, replaces
            )
            assert row["decided"] == (expected[names[0]] == "decided")
            (newest,) = self.database.execute("SELECT max(id) AS id FROM pattern_sync.batches")
            batch_id = newest["id"]
        made = {name: self.decided(name, status, by) for name in names if expected[name] == "decided"}
        if made:
            assert batch_id not in self.batches
            self.batches[batch_id] = made

    def batch_of(self, name: str) -> int:
        return max(batch_id for batch_id, items in self.batches.items() if name in items)

    def expected_decision(self, name: str, status: str, by: str, replaces: str) -> str:
        entry = self.entries.get(name)
        if entry is None:
            return "unknown"
        if entry.status == replaces:
            return "busy" if name in self.locked or name in self.locked_patterns else "decided"
        notes = "REJECTED: why" if status == "rejected" else "why"
        if (entry.status, entry.by, entry.notes) == (status, by, notes):
            return "already"
        return "moved" if entry.status == "pending" else "taken"

    def decided(self, name: str, status: str, by: str) -> Item:
        before, mark_before, remembered = self.entries[name], self.marks.get(name), name in self.remembered
        notes = "REJECTED: why" if status == "rejected" else "why"
        after = Entry(status, by, notes, next(self.stamps))
        mark = mark_before
        if mark is not None:
            allowed = status != "rejected" or self.marks_rejections
            mark = status if allowed else "detected" if mark == "approved" else mark
            self.marks[name] = mark
        self.entries[name] = after
        if status == "approved":
            self.remembered.discard(name)
        elif mark in (None, "detected"):
            self.remembered.add(name)
        return Item(before, mark_before, remembered, after, mark)

    def undo(self, batch_id: int, by: str) -> None:
        items = self.batches[batch_id]
        expected = {name: self.expected_undo(name, item) for name, item in items.items()}
        rows = self.database.execute("SELECT * FROM pattern_sync.undo_batch(%s, %s)", batch_id, by)
        assert {row["pattern_id"]: row["outcome"] for row in rows} == expected
        self.seen.update(expected.values())
        for name in [name for name, outcome in expected.items() if outcome == "undone"]:
            item = items.pop(name)
            self.entries[name] = item.before
            if item.mark_before is not None and name in self.marks:
                self.marks[name] = item.mark_before
            (self.remembered.add if item.remembered_before else self.remembered.discard)(name)

    def expected_undo(self, name: str, item: Item) -> str:
        if name not in self.entries:
            return "unknown"
        if self.entries[name] != item.after:
            return "touched"
        if name in self.marks and self.marks[name] != item.mark_after:
            return "gone-on"
        return "busy" if name in self.locked or name in self.locked_patterns else "undone"

    def lock(self, table: str, column: str, name: str) -> "Connection[DictRow]":
        somebody = self.database.another_connection(autocommit=False)
        somebody.execute(f"SELECT FROM {table} WHERE {column} = %s FOR UPDATE".encode(), [name])
        return somebody

    def release(self) -> None:
        for connection in (*self.locked.values(), *self.locked_patterns.values()):
            connection.rollback()  # a session that is closed keeps its locks for a moment
            connection.close()
        self.locked.clear()
        self.locked_patterns.clear()

    def check(self) -> None:
        like = f"{self.prefix}:%"
        rows = self.database.execute("SELECT * FROM pattern_approvals WHERE pattern_id LIKE %s", like)
        found = {row["pattern_id"]: (row["status"], row["reviewed_by"], row["approval_notes"]) for row in rows}
        assert found == {name: (entry.status, entry.by, entry.notes) for name, entry in self.entries.items()}
        assert all((row["reviewed_at"] is None) == (row["status"] == "pending") for row in rows)
        rows = self.database.execute("SELECT * FROM operation_patterns WHERE pattern_signature LIKE %s", like)
        assert {row["pattern_signature"]: row["automation_status"] for row in rows} == self.marks
        rows = self.database.execute("SELECT * FROM pattern_sync.rejections WHERE pattern_id LIKE %s", like)
        assert {row["pattern_id"] for row in rows} == self.remembered


@contextmanager
def world(database: TestDatabase, prefix: str, *, marks_rejections: bool) -> Iterator[World]:
    made = World(database, prefix, marks_rejections)
    try:
        yield made
    finally:
        made.release()


@pytest.mark.parametrize("adopted", [False, True], ids=["created", "adopted"])
def test_nobodys_decision_is_undone_but_the_batchs_own(empty_database: TestDatabase, *, adopted: bool) -> None:
    if adopted:
        adopt(empty_database)
    installer(empty_database).migrate()
    numbers = count()
    seen: Counter[str] = Counter()

    @settings(max_examples=40, derandomize=True, database=None, phases=[Phase.generate])
    @given(st.randoms(use_true_random=True))
    def any_interleaving(chance: Random) -> None:
        kinds = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=STEPS)
        with world(empty_database, f"example{next(numbers)}", marks_rejections=not adopted) as made:
            for kind in kinds:
                note(kind)
                made.take(kind, chance)
                made.check()
            seen.update(made.seen)

    any_interleaving()
    # Each outcome has to come up, or nothing was tested.
    assert all(seen[outcome] > 5 for outcome in ("undone", "touched", "gone-on", "busy", "unknown")), seen
