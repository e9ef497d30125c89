"""Made-up reviewers: a queue, and people with a taste of their own, one of whom tosses a coin."""

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from pattern_sync.domain.gate import Gate, Scored, judge
from pattern_sync.domain.learning import learn
from pattern_sync.domain.lessons import Lesson, Traits

Taste = Callable[[Traits], float]

TASTES = ("kinds", "mixed", "thresholds")
COIN = "coin"
# As often as a daemon learns.
EVERY = 10
_TYPES = ("sdlc", "test", "fix", "build", "deploy", "docs")
_KINDS = [f"{name}:{name}{number}" for name in _TYPES for number in range(4)]
_TARGETS = ("all", "backend", "frontend", "api", "db", "ui", "infra", "docs")
_TOOLS = ("Read", "Edit", "Write", "Bash", "Grep", "Glob", "TodoWrite", "Task", "WebFetch", "NotebookEdit")
_APPROVED_BY_COIN = 0.35


class MadeUp:
    """A queue of patterns and a person who decides on them; the same name and seed are the same ones."""

    def __init__(self, taste: str, seed: int) -> None:
        self._chance = Random(f"{taste} {seed}")
        self._weights = [self._chance.lognormvariate(0, 0.8) for _ in _KINDS]
        self._likes = _taste(taste, self._chance)

    def lesson(self) -> Lesson:
        """Return the next entry, and what the person decides."""
        traits = self.traits()
        return Lesson(traits, self._chance.random() < self._likes(traits))

    def traits(self) -> Traits:
        """Return the next entry."""
        chance = self._chance
        savings = max(1_000.0, chance.lognormvariate(8.3, 1.1))
        occurrences = int(5 + chance.lognormvariate(3, 1.2))
        return Traits(
            confidence=min(0.99, 0.7 + 0.3 * chance.betavariate(1.5, 1.5)),
            occurrences=occurrences,
            savings=savings,
            evidence=savings * chance.lognormvariate(-0.5, 0.8) if chance.random() < 0.7 else None,
            workflows=max(1, int(occurrences * chance.uniform(0.1, 1))),
            days_seen=chance.uniform(1, 60),
            kind=chance.choices(_KINDS, self._weights)[0],
            target=chance.choice(_TARGETS),
            shape="→".join(chance.choice(_TOOLS) for _ in range(chance.randint(2, 5))),
        )


@dataclass(frozen=True)
class Trial:
    """What came of it: after how many decisions the gate opened (None: never), and how it stood at the end."""

    opened_after: int | None
    gate: Gate
    record: list[Scored]


def trial(taste: str, seed: int, decisions: int = 400, every: int = EVERY) -> Trial:
    """Let a person decide while the model learns after every so many decisions, and foretells those that follow."""
    made_up, model = MadeUp(taste, seed), None
    lessons: list[Lesson] = []
    record: list[Scored] = []
    for number in range(1, decisions + 1):
        lesson = made_up.lesson()
        if model is not None:
            record.append(Scored(model.likelihood(lesson.traits), lesson.approved, "ann"))
        lessons.append(lesson)
        if number % every == 0:
            model = learn(lessons) or model
    unforetold = decisions - len(record)
    opened = bisect_left(range(decisions), True, key=lambda number: _was_open(judge(record[:number])))
    gate = judge(record)
    return Trial(opened + unforetold if _was_open(gate) else None, gate, record)


def _was_open(gate: Gate) -> bool:
    return gate.is_open or gate.was_open


def _taste(name: str, chance: Random) -> Taste:
    by_kind = {kind: chance.gauss(0, 1.6) for kind in _KINDS}
    by_tool = {tool: chance.gauss(0, 0.9) for tool in _TOOLS}

    def kinds(traits: Traits) -> float:
        return -0.8 + 1.5 * by_kind[str(traits.kind)]

    def mixed(traits: Traits) -> float:
        tools = math.fsum(by_tool[tool] for tool in set(traits.shape.split("→")))
        return -0.9 + by_kind[str(traits.kind)] + 0.8 * _worth(traits) + 0.6 * _sureness(traits) + 0.6 * tools

    def thresholds(traits: Traits) -> float:
        return 4 * (_worth(traits) - 0.1) + 3 * (_sureness(traits) + 0.3) - 1

    def coin(_: Traits) -> float:
        return math.log(_APPROVED_BY_COIN / (1 - _APPROVED_BY_COIN))

    odds = {"kinds": kinds, "mixed": mixed, "thresholds": thresholds, COIN: coin}[name]
    return lambda traits: 1 / (1 + math.exp(-max(-30.0, min(30.0, odds(traits)))))


def _worth(traits: Traits) -> float:
    return math.log(traits.savings) - 8.4


def _sureness(traits: Traits) -> float:
    return (traits.confidence - 0.85) / 0.08
