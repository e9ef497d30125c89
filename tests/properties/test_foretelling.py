"""Whatever happens in whatever order, what a decision is compared with was said before it, by who could not know it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random

from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from pattern_sync.domain.standing import LearnMode
from tests.support.application import installer
from tests.support.database import TestDatabase
from tests.support.learning import KINDS, decide, look

STEPS = 60
WEIGHTS = {
    "queue": 12, "decide": 26, "decide together": 4, "replace": 5, "undo": 5, "look": 10, "refresh": 3, "delete": 2,
}  # fmt: skip

Said = tuple[float, int] | None


@dataclass
class World:
    """What was stored of each entry when somebody decided on it, and what each model could know."""

    database: TestDatabase
    said: dict[int, Said] = field(default_factory=dict)
    known: dict[int, frozenset[int]] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=count)
    seen: Counter[str] = field(default_factory=Counter)

    def take(self, kind: str, chance: Random) -> None:  # noqa: C901 - one case for each kind of step
        match kind:
            case "queue":
                for number in [next(self.numbers) for _ in range(chance.randint(1, 4))]:
                    shape = f"Read→Tool{number}"
                    self.database.add_entry(f"{chance.choice(KINDS)}:{number}", tool_sequence=shape)
            case "decide" if name := self.pick(chance, "pending"):
                self.decided([name], partial(decide, self.database, name, self.verdict(name, chance)))
            case "decide together" if names := self.waiting()[: chance.randint(1, 5)]:
                self.decided(names, lambda: self.decide_together(names, chance.choice(["approved", "rejected"])))
            case "replace" if name := self.pick(chance, "approved"):
                act = partial(decide, self.database, name, "rejected", replaces="approved")
                self.decided([name], act, replaces=True)
            case "undo":
                self.undo()
            case "look":
                before = frozenset(row["id"] for row in self.database.execute("SELECT id FROM pattern_sync.decisions"))
                look(self.database, chance.choice([LearnMode.ON, LearnMode.RECORD]), swept=chance.random() < 0.8)
                for row in self.database.execute("SELECT id FROM pattern_sync.models"):
                    self.known.setdefault(row["id"], before)
            case "refresh" if name := self.pick(chance, "pending"):
                self.database.execute(
                    "UPDATE pattern_approvals SET estimated_savings_usd = %s WHERE pattern_id = %s",
                    chance.randint(1_000, 90_000),
                    name,
                )
            case "delete" if name := self.pick(chance, "rejected"):
                self.database.execute("DELETE FROM pattern_approvals WHERE pattern_id = %s", name)
            case _:
                return

    def verdict(self, name: str, chance: Random) -> str:
        return "approved" if name.startswith(KINDS[0]) == (chance.random() < 0.8) else "rejected"

    def waiting(self, status: str = "pending") -> list[str]:
        rows = self.database.execute(
            "SELECT pattern_id FROM pattern_approvals WHERE status = %s ORDER BY pattern_id", status
        )
        return [row["pattern_id"] for row in rows]

    def pick(self, chance: Random, status: str) -> str | None:
        names = self.waiting(status)
        return chance.choice(names) if names else None

    def decide_together(self, names: list[str], decision: str) -> None:
        self.database.execute(
            "SELECT pattern_sync.decide_many(%s, %s, %s, %s, 'ann', 'x', 'pending', NULL, true, false)",
            names,
            *[decision] * 3,
        )

    def decided(self, names: list[str], act: Callable[[], None], *, replaces: bool = False) -> None:
        stored: dict[str, Said] = {
            row["pattern_id"]: (row["likelihood"], row["model_id"])
            for row in self.database.execute("SELECT * FROM pattern_sync.predictions")
        }
        act()
        for row in self.database.execute(
            "SELECT id, pattern_id FROM pattern_sync.decisions WHERE pattern_id = ANY(%s) ORDER BY id DESC LIMIT %s",
            names,
            len(names),
        ):
            self.said[row["id"]] = None if replaces else stored.get(row["pattern_id"])

    def undo(self) -> None:
        batches = self.database.execute(
            "SELECT id FROM pattern_sync.batches WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1"
        )
        for batch in batches:
            self.database.execute("SELECT pattern_sync.undo_batch(%s, 'bob')", batch["id"])

    def check(self) -> None:
        first: dict[str, int] = {}
        for row in self.database.execute("SELECT * FROM pattern_sync.decisions ORDER BY id"):
            first.setdefault(row["pattern_id"], row["id"])
            found = None if row["likelihood"] is None else (row["likelihood"], row["model_id"])
            assert found == self.said[row["id"]], "it is what was stored before the decision, and stays so"
            if found is not None:
                assert row["id"] not in self.known[found[1]], "the model did not know this decision"
                self.seen["foretold"] += 1
                self.seen["undone"] += row["undone_at"] is not None
        for row in self.database.execute("SELECT f.number FROM pattern_sync.foretold() AS f"):
            assert row["number"] in first.values(), "the first decision on a pattern is the only one that counts"


def test_what_counts_was_said_before(empty_database: TestDatabase) -> None:
    installer(empty_database).migrate()
    seen: Counter[str] = Counter()

    @settings(max_examples=6, derandomize=True, database=None, phases=[Phase.generate])
    @given(st.randoms(use_true_random=True))
    def any_interleaving(chance: Random) -> None:
        empty_database.empty("pattern_approvals", "pattern_review_history")
        empty_database.execute("TRUNCATE pattern_sync.decisions, pattern_sync.batches, pattern_sync.batch_items")
        empty_database.execute("TRUNCATE pattern_sync.models, pattern_sync.predictions, pattern_sync.traits")
        made = World(empty_database)
        for kind in chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=STEPS):
            note(kind)
            made.take(kind, chance)
            made.check()
        seen.update(made.seen)

    any_interleaving()
    assert seen["foretold"] > 100, seen
    assert seen["undone"] > 5, seen
