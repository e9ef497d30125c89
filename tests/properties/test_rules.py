"""Whatever people, rules and clocks do in whatever order: people's decisions stand, and rules keep their bounds."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import DictRow

from tests.support.application import adopt, installer
from tests.support.database import TestDatabase

SIGNATURES = 12
STEPS = 60
PER_DAY = 3
WEIGHTS = {
    "queue": 8, "keep": 10, "apply": 10, "ripen": 6, "decide": 5, "decide many": 4, "override": 3, "undo": 4, "veto": 3,
    "race": 4, "last second": 3, "figures": 4, "comment": 1, "delete": 1, "lock": 3, "release": 4, "minutes pass": 1,
    "a day passes": 2, "clock back": 1, "switch": 3, "change": 1,
}  # fmt: skip
VERDICTS = {"approve": "auto-approved", "reject": "auto-rejected"}
RULES: Mapping[str, Mapping[str, Any]] = {
    "good": {"verdict": "approve", "min_confidence": 80},
    "junk": {"verdict": "reject", "max_confidence": 85},
}
BOUNDS: Mapping[str, Callable[[float], bool]] = {
    "good": lambda confidence: confidence >= 0.8,
    "junk": lambda confidence: confidence <= 0.85,
}


@dataclass
class World:
    """What people have decided last, beside a database in which rules, people and clocks do things."""

    database: TestDatabase
    prefix: str
    people: dict[str, str] = field(default_factory=dict)  # the last decision of a person that stands
    confidence: dict[str, float] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    left_to_people: set[str] = field(default_factory=set)
    locked: dict[str, Connection[DictRow]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.names = [f"{self.prefix}:{number}" for number in range(SIGNATURES)]
        self.database.execute("DELETE FROM pattern_sync.rules; DELETE FROM pattern_sync.rule_log")
        self.database.execute("DELETE FROM pattern_approvals")
        self.database.execute("DELETE FROM pattern_sync.decisions; DELETE FROM pattern_sync.rejections")
        words: dict[str, list[str]] = {
            name: [] for name in ("only_kinds", "exclude_kinds", "needs_tools", "without_tools")
        }
        plain = {"wait_hours": 24, "per_day": PER_DAY, "check_share": 0.1, "agreement": 0.95, "max_savings": 500}
        flags = {"allow_flags": ["nothing-recorded", "no-steps", "short-span", "carries-queue"]}
        for name, terms in RULES.items():
            self.database.execute(
                "SELECT pattern_sync.set_rule(%s, 0, %s, 'ann')", name, json.dumps({**words, **plain, **flags, **terms})
            )
            self.switch(name, "on")
        self.database.add_entry(f"{self.prefix}:the largest", estimated_savings_usd=9_999)

    def take(self, kind: str, chance: Random) -> None:  # noqa: C901, PLR0912, PLR0915 - one case for each kind of step
        name = chance.choice(self.names)
        rule = chance.choice(sorted(RULES))
        match kind:
            case "queue" if name not in self.statuses:
                self.confidence[name] = chance.choice([0.7, 0.83, 0.95])
                self.database.add_entry(name, confidence_score=self.confidence[name], estimated_savings_usd=100)
                self.statuses[name] = "pending"
            case "keep":
                self.keep()
            case "apply":
                self.apply(rule)
            case "ripen":
                self.shift(hours=-25, where="act = 'would' AND ended_at IS NULL")
                self.look()
            case "decide" if name in self.statuses and name not in self.locked:
                self.decide(name, chance.choice(["approved", "rejected"]), "pending")
            case "decide many":
                self.decide_many(chance.sample(self.names, 3), chance.choice(["approved", "rejected"]))
            case "override" if self.statuses.get(name, "").startswith("auto-") and name not in self.locked:
                self.decide(name, chance.choice(["approved", "rejected"]), self.statuses[name])
            case "race" | "last second":
                by_rules = [each for each in self.names if self.statuses.get(each, "").startswith("auto-")]
                if free := [each for each in by_rules if each not in self.locked]:
                    if kind == "race":
                        self.decide(chance.choice(free), chance.choice(["approved", "rejected"]), "pending")
                    else:
                        self.veto(chance.choice(free))
            case "undo":
                self.undo(chance)
            case "veto" if name in self.statuses and name not in self.locked:
                self.veto(name)
            case "figures" if name in self.statuses and name not in self.locked:
                self.confidence[name] = chance.choice([0.7, 0.83, 0.95])
                self.database.execute(
                    "UPDATE pattern_approvals SET confidence_score = %s WHERE pattern_id = %s AND status = 'pending'",
                    self.confidence[name],
                    name,
                )
                if self.statuses[name] != "pending":
                    del self.confidence[name]
            case "comment" if name in self.statuses and name not in self.locked:
                self.database.execute("SELECT pattern_sync.remark(%s, 'ann', 'wait')", name)
                self.left_to_people.add(name)
            case "delete" if self.statuses.get(name) == "pending" and name not in self.locked:
                self.database.execute("DELETE FROM pattern_approvals WHERE pattern_id = %s", name)
                for known in (self.statuses, self.people, self.confidence):
                    known.pop(name, None)
            case "lock" if name in self.statuses and name not in self.locked:
                somebody = self.database.another_connection(autocommit=False)
                somebody.execute("SELECT FROM pattern_approvals WHERE pattern_id = %s FOR UPDATE", [name])
                self.locked[name] = somebody
            case "release":
                self.release()
            case "minutes pass":
                self.shift(hours=-0.1, where="true")
            case "a day passes":
                self.shift(hours=-25, where="true")
                self.look()
            case "clock back":
                self.shift(hours=30, where="true")
            case "switch":
                self.switch(rule, chance.choice(["on", "on", "watching", "off"]))
            case "change":
                (row,) = self.database.execute(
                    "SELECT to_jsonb(r) AS r FROM pattern_sync.rules AS r WHERE name = %s", rule
                )
                terms = {**row["r"], "max_savings": chance.choice([400, 500])}
                self.database.execute(
                    "SELECT pattern_sync.set_rule(%s, %s, %s, 'ann')", rule, row["r"]["version"], json.dumps(terms)
                )

    def keep(self) -> None:
        self.database.execute("SELECT pattern_sync.keep_traits(NULL, NULL)")
        self.database.execute(
            "SELECT pattern_sync.mark_entries(r.name, r.version, 100) FROM pattern_sync.rules AS r"
            " WHERE r.state IN ('watching', 'on')"
        )

    def look(self) -> None:
        """As if a daemon had looked at the rules all the time."""
        self.database.execute("UPDATE pattern_sync.rules SET looked_at = clock_timestamp() WHERE state = 'on'")

    def apply(self, rule: str) -> None:
        before = self.read()
        rows = self.database.execute(
            "SELECT a.* FROM pattern_sync.rules AS r, pattern_sync.apply_rule(r.name, r.version, 'so') AS a"
            " WHERE r.name = %s",
            rule,
        )
        decided = {row["pattern_id"] for row in rows if row["outcome"] == "decided"}
        self.seen.update(row["outcome"] for row in rows)
        for name in decided:
            assert before[name] == "pending"
            assert name not in self.people
            assert name not in self.left_to_people, "somebody has it in hand"
            assert name not in self.locked
            assert BOUNDS[rule](self.confidence[name]), "by the figures of this moment"
            (row,) = self.database.execute("SELECT pattern_sync.lot_of(%s) AS lot", name)
            assert row["lot"] >= 0.1, "it is a check"
            other = next(each for each in RULES if each != rule)
            (row,) = self.database.execute("SELECT state FROM pattern_sync.rules WHERE name = %s", other)
            assert row["state"] not in ("watching", "on") or not BOUNDS[other](self.confidence[name]), "two disagree"
            self.statuses[name] = VERDICTS[RULES[rule]["verdict"]]

    def decide(self, name: str, status: str, replaces: str) -> None:
        (row,) = self.database.execute(
            "SELECT d.outcome FROM pattern_sync.decide_many(ARRAY[%s], %s, %s, %s, 'ann', 'no', %s, NULL, true, false)"
            " AS d",
            name, status, status, status, replaces,
        )  # fmt: skip
        raced = self.statuses[name].startswith("auto-") and self.is_fresh(name)
        if self.statuses[name] == replaces or (replaces == "pending" and raced):
            assert row["outcome"] == "decided", "a person wins"
            self.seen["raced"] += raced and replaces == "pending"
            self.decided(name, status)
        else:
            assert row["outcome"] in ("taken", "already")

    def decide_many(self, names: list[str], status: str) -> None:
        rows = self.database.execute(
            "SELECT d.* FROM pattern_sync.decide_many(%s, %s, %s, %s, 'bob', 'no', 'pending', NULL, false, false) AS d",
            names, status, status, status,
        )  # fmt: skip
        for row in rows:
            name = row["pattern_id"]
            if row["outcome"] == "decided":
                assert self.statuses[name] == "pending" or self.statuses[name].startswith("auto-")
                self.decided(name, status)
            elif self.statuses.get(name) == "pending":
                assert (row["outcome"], name in self.locked) == ("busy", True)

    def decided(self, name: str, status: str) -> None:
        self.people[name] = self.statuses[name] = status
        self.left_to_people.add(name)

    def is_fresh(self, name: str) -> bool:
        return bool(
            self.database.execute(
                "SELECT id FROM pattern_sync.rule_log WHERE pattern_id = %s AND act = 'decided'"
                " AND at > clock_timestamp() - interval '1 minute' ORDER BY id DESC LIMIT 1",
                name,
            )
        )

    def undo(self, chance: Random) -> None:
        found = self.database.execute("SELECT id, reviewer FROM pattern_sync.batches ORDER BY id DESC LIMIT 6")
        if found:
            batch = chance.choice(found)
            rows = self.database.execute("SELECT * FROM pattern_sync.undo_batch(%s, 'carl')", batch["id"])
            for row in rows:
                if row["outcome"] == "undone":
                    self.left_to_people.add(row["pattern_id"])
                    self.people.pop(row["pattern_id"], None)
                    self.statuses[row["pattern_id"]] = self.read()[row["pattern_id"]]
                    if self.statuses[row["pattern_id"]] in ("approved", "rejected"):
                        self.people[row["pattern_id"]] = self.statuses[row["pattern_id"]]
                    self.seen["undone"] += batch["reviewer"].startswith("rule:")

    def veto(self, name: str) -> None:
        (row,) = self.database.execute("SELECT pattern_sync.veto(%s, 'ann', NULL) AS outcome", name)
        outcome = row["outcome"]
        self.seen[outcome] += 1
        if outcome == "taken-back":
            self.statuses[name] = "pending"
        if outcome in ("taken-back", "vetoed"):
            self.left_to_people.add(name)

    def shift(self, hours: float, where: str) -> None:
        self.database.execute(
            f"UPDATE pattern_sync.rule_log SET at = at + make_interval(secs => %s) WHERE {where}", hours * 3600
        )

    def switch(self, rule: str, state: str) -> None:
        self.database.execute(
            "SELECT pattern_sync.switch_rule(r.name, r.version, %s, 'ann') FROM pattern_sync.rules AS r"
            " WHERE r.name = %s",
            state,
            rule,
        )

    def release(self) -> None:
        for connection in self.locked.values():
            connection.rollback()
            connection.close()
        self.locked.clear()

    def read(self) -> dict[str, str]:
        rows = self.database.execute(
            "SELECT pattern_id, status FROM pattern_approvals WHERE pattern_id = ANY (%s)", self.names
        )
        return {row["pattern_id"]: row["status"] for row in rows}

    def check(self) -> None:
        found = self.read()
        assert found == self.statuses
        assert {name: found[name] for name in self.people} == self.people
        crowded = self.database.execute(
            "SELECT l.rule FROM pattern_sync.rule_log AS l WHERE l.act = 'decided' AND (SELECT count(*)"
            "  FROM pattern_sync.rule_log AS b WHERE b.rule = l.rule AND b.act = 'decided'"
            "   AND b.at BETWEEN l.at - interval '24 h' AND l.at) > %s",
            PER_DAY,
        )
        assert crowded == [], "more than its budget of a day"
        (row,) = self.database.execute(
            "SELECT status FROM pattern_approvals WHERE pattern_id = %s", f"{self.prefix}:the largest"
        )
        assert row["status"] == "pending"
        twice = self.database.execute(
            "SELECT rule, pattern_id FROM pattern_sync.rule_log WHERE ended_at IS NULL AND act IN ('would', 'checked')"
            " GROUP BY 1, 2 HAVING count(*) > 1"
        )
        assert twice == []


@contextmanager
def world(database: TestDatabase, prefix: str) -> Iterator[World]:
    made = World(database, prefix)
    try:
        yield made
    finally:
        made.release()


@pytest.mark.parametrize("adopted", [False, True], ids=["created", "adopted"])
def test_people_win_against_rules_in_any_order(empty_database: TestDatabase, *, adopted: bool) -> None:
    if adopted:
        adopt(empty_database)
    installer(empty_database).migrate()
    numbers = count()
    seen: Counter[str] = Counter()

    @settings(max_examples=60, derandomize=True, database=None, phases=[Phase.generate])
    @given(st.randoms(use_true_random=True))
    def any_interleaving(chance: Random) -> None:
        kinds = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=STEPS)
        with world(empty_database, f"example{next(numbers)}") as made:
            for name in made.names:
                made.take("queue", chance)
                assert name
            for kind in kinds:
                note(kind)
                made.take(kind, chance)
                made.check()
            seen.update(made.seen)

    any_interleaving()
    # Each has to come up, or nothing was tested.
    assert all(seen[outcome] > 3 for outcome in ("decided", "raced", "undone", "vetoed", "taken-back")), seen
