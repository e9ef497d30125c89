"""A simulated detector, which writes patterns as the application's own detector does."""

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase

_TYPES = {
    "test": (("pytest", "jest", "cargo", "go"), ["Read", "Bash", "Read"]),
    "build": (("npm", "docker", "make", "gradle"), ["Bash", "Read", "Edit", "Bash"]),
    "sdlc": (("full", "plan", "review", "ship"), ["Read", "Grep", "Edit", "Write", "Bash"]),
    "docs": (("readme", "api", "changelog"), ["Read", "Write"]),
    "fix": (("lint", "types", "imports"), ["Grep", "Edit", "Bash"]),
}
_AREAS = ("all", "backend", "frontend", "infra", "billing", "search")
CONFIDENCE_GAIN = 15.0


@dataclass(frozen=True, slots=True)
class SimulatedPattern:
    """The true figures of a pattern; the detector's confidence rises to the final one with each observation."""

    signature: str
    pattern_type: str
    operations: str
    final_confidence: float
    monthly_savings: float


def invent_patterns(count: int, seed: int) -> list[SimulatedPattern]:
    """Return `count` patterns, about a third of them worth a person's time; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - invented data, not a secret
    return [_invent(chance, number) for number in range(count)]


def _invent(chance: random.Random, number: int) -> SimulatedPattern:
    pattern_type = chance.choice(sorted(_TYPES))
    tools, operations = _TYPES[pattern_type]
    worth_it = chance.random() < 1 / 3
    return SimulatedPattern(
        signature=f"{pattern_type}:{chance.choice(tools)}:{chance.choice(_AREAS)}-sim{number:04}",
        pattern_type=pattern_type,
        operations=json.dumps(operations),
        final_confidence=round(chance.uniform(72, 98) if worth_it else chance.uniform(15, 90), 1),
        monthly_savings=round(chance.uniform(1_000, 90_000) if worth_it else chance.uniform(1, 900), 2),
    )


class SimulatedDetector:
    """Writes observations at a steady rate; each is two transactions, as in the application."""

    def __init__(self, address: DatabaseAddress, patterns: list[SimulatedPattern], seed: int) -> None:
        self._address = address
        self._patterns = patterns
        self._chance = random.Random(seed)  # noqa: S311 - invented data, not a secret

    def run(self, *, per_second: float, seconds: float, stopped: Callable[[], bool]) -> Iterator[int]:
        """Observe until the time is up or `stopped` returns True; yield the number of observations so far."""
        with BlockingDatabase.connect(self._address) as database:
            start = time.monotonic()
            observed = 0
            while not stopped() and time.monotonic() - start < seconds:
                self._observe(database, self._chance.choice(self._patterns), observed)
                observed += 1
                yield observed
                time.sleep(max(0.0, start + observed / per_second - time.monotonic()))

    def _observe(self, database: BlockingDatabase, pattern: SimulatedPattern, number: int) -> None:
        rows = database.fetch("observe_again", pattern.signature) or database.fetch(
            "observe_first",
            pattern.signature,
            pattern.pattern_type,
            f"run {pattern.signature.split(':')[1]} and fix what fails",
            pattern.operations,
        )
        row_id, occurrences = rows[0]["id"], rows[0]["occurrence_count"]
        database.fetch("note_occurrence", row_id, f"workflow-{number:06}")
        confidence = min(pattern.final_confidence, 10 + CONFIDENCE_GAIN * occurrences)
        database.fetch("rate_pattern", row_id, confidence, pattern.monthly_savings)
