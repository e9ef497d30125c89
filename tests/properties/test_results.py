"""Whatever happens in whatever order: what is added up is what is recorded, and no refresh undoes an adjustment."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count
from random import Random

import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from tests.support.application import adopt, installer
from tests.support.books import NOW, Books
from tests.support.database import TestDatabase

NUMBERS = count(1)
STEPS = 40
ENOUGH = 5


@pytest.fixture(params=["fresh", "adopted"])
def any_database(request: pytest.FixtureRequest, empty_database: TestDatabase) -> TestDatabase:
    if request.param == "adopted":
        adopt(empty_database)
    installer(empty_database).migrate()
    return empty_database


@dataclass
class Log:
    """The rules for the log spelt out anew, beside rows that come, change and go."""

    database: TestDatabase
    patterns: Sequence[tuple[str, int]]
    approved_days_ago: dict[str, float] = field(default_factory=dict)

    def take(self, chance: Random) -> None:
        books = Books(self.database)
        signature, row_id = chance.choice(self.patterns)
        match chance.choice(["add", "add", "add", "again", "change", "delete", "approve", "reopen"]):
            case "add":
                usd = Decimal(chance.randint(-200, 500)) / 100
                books.log(
                    chance.choice([row_id, row_id, None]), usd, f"wf-{chance.randint(1, 9)}", chance.randint(1, 9)
                )
            case "again":
                self.database.execute(
                    "INSERT INTO cost_savings_log"
                    " (optimization_type, workflow_id, pattern_id, cost_saved_usd, saved_at)"
                    " SELECT optimization_type, workflow_id, pattern_id, cost_saved_usd, saved_at FROM cost_savings_log"
                    f" ORDER BY id LIMIT 1 OFFSET {chance.randint(0, 5)}"
                )
            case "change":
                self.database.execute(
                    "UPDATE cost_savings_log SET cost_saved_usd = 1.25 WHERE id %% 7 = %s", chance.randint(0, 6)
                )
            case "delete":
                self.database.execute("DELETE FROM cost_savings_log WHERE id %% 5 = %s", chance.randint(0, 4))
            case "approve":
                self.approved_days_ago[signature] = chance.randint(1, 9) + 0.5
                self.decide(signature, "approved", self.approved_days_ago[signature])
            case "reopen":
                self.approved_days_ago.pop(signature, None)
                self.decide(signature, "pending", None)

    def decide(self, signature: str, status: str, days_ago: float | None) -> None:
        at = None if days_ago is None else NOW - timedelta(days=days_ago)
        self.database.execute(
            "UPDATE pattern_approvals SET status = %s, reviewed_at = %s WHERE pattern_id = %s", status, at, signature
        )

    def expected(self) -> dict[tuple[str, str], Decimal]:
        names = {row_id: signature for signature, row_id in self.patterns}
        least: dict[tuple[str, str, float], Decimal] = {}
        rows = self.database.execute(
            "SELECT pattern_id, workflow_id, cost_saved_usd::text::numeric AS usd,"
            " extract(epoch FROM %s::timestamptz - saved_at)::float8 / 86400 AS days_ago FROM cost_savings_log",
            NOW,
        )
        for row in rows:
            key = (names.get(row["pattern_id"], ""), row["workflow_id"], row["days_ago"])
            least[key] = min(row["usd"], least.get(key, row["usd"]))
        sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for (signature, _, days_ago), usd in least.items():
            approved = self.approved_days_ago.get(signature)
            part = "undecided" if approved is None else "baseline" if days_ago > approved else "saved"
            sums[signature, part if signature else "no-pattern"] += usd
        return dict(sums)


@settings(max_examples=8, phases=[Phase.generate, Phase.explicit], derandomize=True)
@given(seed=st.integers(0, 10**9))
def run_ledger(database: TestDatabase, seed: int) -> None:
    chance = Random(seed)
    database.execute("TRUNCATE cost_savings_log, pattern_sync.savings_by_day, pattern_sync.savings_kept")
    prefix = f"p{next(NUMBERS)}"
    books = Books(database)
    patterns = [(name := f"{prefix}:{n}", books.approve(name, status="pending", reviewed_at=None)) for n in range(3)]
    log = Log(database, patterns)
    for _ in range(STEPS):
        log.take(chance)
        if chance.random() < 0.3:
            database.execute("SELECT pattern_sync.keep_savings(0)")
    expected = log.expected()
    database.execute("SELECT pattern_sync.keep_savings(0)")
    assert database.count("pattern_sync.savings_kept") == bool(database.count("cost_savings_log"))
    assert books.parts() == expected
    days = "SELECT * FROM {} ORDER BY pattern_id, day, part, source"
    kept = database.execute(days.format("pattern_sync.savings_by_day"))
    if database.count("cost_savings_log"):
        assert kept == database.execute(days.format("pattern_sync.reckon_savings()"))
    assert database.execute("SELECT pattern_sync.keep_savings(0) AS changed")[0]["changed"] == 0


def test_what_is_kept_is_what_the_log_adds_up_to_whatever_comes_changes_and_goes(any_database: TestDatabase) -> None:
    run_ledger(any_database)


@dataclass
class Entry:
    """One entry's confidence, by the rules spelt out anew; all of them 0 to 1 but the source's, in percent."""

    database: TestDatabase
    name: str
    source: int = 85
    written: int = 85
    shown: float = 0.85
    adjusted: float | None = None
    holds: bool = False
    pending: bool = True
    runs: list[tuple[bool, float, float]] = field(default_factory=list)

    def take(self, kind: str, chance: Random) -> None:  # noqa: C901 - one case for each kind of step
        match kind:
            case "source":
                self.source = chance.randint(71, 99)
                self.database.execute(
                    "UPDATE operation_patterns SET confidence_score = %s WHERE pattern_signature = %s",
                    *(self.source, self.name),
                )
            case "refresh":
                self.database.execute("SELECT * FROM pattern_sync.refresh_stale(70, 5, 1000, '{}', '{}', 0, 100)")
                if self.pending and self.source != self.written:
                    held = self.adjusted is not None and self.holds and self.shown == self.adjusted
                    self.shown = self.adjusted if self.adjusted is not None and self.holds else self.source / 100
                    self.written = self.source
                    assert not held or self.shown == self.adjusted
            case "adjust":
                self.database.execute("SELECT * FROM pattern_sync.adjust_confidence(%s)", ENOUGH)
                if self.pending and len(self.runs) >= ENOUGH:
                    self.adjust(self.wanted())
            case "run":
                self.execute(chance)
            case "neighbour" if self.pending:
                self.shown = chance.randint(1, 99) / 100 + 0.005
                self.set("confidence_score", self.shown)
            case "decide" | "reopen":
                self.pending = kind == "reopen"
                self.set("status", "pending" if self.pending else "approved")
            case "queue anew" if self.pending:
                self.database.execute("DELETE FROM pattern_approvals WHERE pattern_id = %s", self.name)
                self.database.execute("SELECT pattern_sync.queue_by_hand(%s, 'ann')", self.name)
                self.written, self.shown = self.source, self.source / 100
                if self.keeps_runs_with_entries:
                    self.runs.clear()
            case "lapse":
                self.holds = False
                self.database.execute(
                    "UPDATE pattern_sync.adjustments SET confirmed_at = now() - '2 d'::interval WHERE pattern_id = %s",
                    self.name,
                )

    @property
    def keeps_runs_with_entries(self) -> bool:
        """Return whether the application's executions go with their entry."""
        return bool(self.database.execute("SELECT to_regclass('pattern_executions') IS NOT NULL AS there")[0]["there"])

    def adjust(self, wanted: float) -> None:
        is_new = self.adjusted != wanted
        is_written = self.shown != wanted and (is_new or self.shown == self.written / 100)
        if is_written:
            self.shown = wanted
        self.adjusted, self.holds = wanted, True

    def execute(self, chance: Random) -> None:
        run = (chance.random() < 0.8, chance.randint(0, 200) / 100, chance.randint(10, 100) / 100)
        self.runs.append(run)
        self.database.execute(
            "SELECT pattern_sync.record_execution(%s, jsonb_build_object('success', %s, 'actual_cost', %s::numeric,"
            " 'estimated_cost', %s::numeric, 'execution_time_seconds', 1, 'estimated_time_seconds', 2))",
            *(self.name, run[0], run[1], run[2]),
        )

    def wanted(self) -> float:
        done = [(actual, estimated) for success, actual, estimated in self.runs if success]
        rate = len(done) / len(self.runs)
        estimated = sum(each[1] for each in done)
        roi = (estimated - sum(each[0] for each in done)) / estimated * 100 if estimated else 0.0
        loss = -roi / 100 if roi < 0 else 0.0
        return round(
            min(1.0, max(0.0, rate + max(0.0, min(0.1, roi / 1000)) + min(0.05, len(self.runs) / 1000) - loss)), 6
        )

    def set(self, column: str, value: object) -> None:
        self.database.execute(f"UPDATE pattern_approvals SET {column} = %s WHERE pattern_id = %s", value, self.name)

    def check(self) -> None:
        entry = self.database.entry(self.name)
        assert entry is not None
        assert float(str(entry["confidence_score"])) == pytest.approx(self.shown, abs=2e-6), self
        source = self.database.execute(
            "SELECT confidence_score AS score FROM operation_patterns WHERE pattern_signature = %s", self.name
        )
        assert source[0]["score"] == self.source


KINDS = ["source"] * 3 + ["refresh"] * 4 + ["adjust"] * 4 + ["run"] * 6
RARE = ["neighbour", "decide", "reopen", "reopen", "queue anew", "lapse"]


@settings(max_examples=12, phases=[Phase.generate, Phase.explicit], derandomize=True)
@given(seed=st.integers(0, 10**9))
def run_confidence(database: TestDatabase, seed: int) -> None:
    chance = Random(seed)
    database.execute("DELETE FROM pattern_approvals")
    database.execute("DELETE FROM operation_patterns")
    name = f"c{next(NUMBERS)}:x"
    database.add_pattern(name)
    database.execute("SELECT pattern_sync.queue_by_hand(%s, 'ann')", name)
    entry = Entry(database, name)
    for _ in range(STEPS):
        kind = chance.choice(KINDS + RARE)
        note(f"{kind} {entry}")
        entry.take(kind, chance)
        entry.check()


def test_no_refresh_undoes_an_adjustment_and_no_adjustment_a_decision(any_database: TestDatabase) -> None:
    run_confidence(any_database)
