"""Runs the learner once, beside a database in which people decide."""

import time
from collections.abc import Sequence
from random import Random

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.connector import Connector
from pattern_sync.database.learning import LearningGateway
from pattern_sync.database.pool import Lane, Pool
from pattern_sync.database.statements import load_statements
from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.facts import Fact, GateJudged, ModelLearned
from pattern_sync.domain.standing import LearnMode
from pattern_sync.learning import Learner
from pattern_sync.services.outage import Availability
from pattern_sync.services.supervisor import Supervisor
from pattern_sync.services.timings import Timings
from tests.support.asynchronous import run
from tests.support.database import TestDatabase

KINDS = ("test:pytest", "fix:lint")


def look(database: TestDatabase, mode: LearnMode = LearnMode.ON, *, swept: bool = True) -> list[Fact]:
    """Bring the traits up to date, let a learner look once, and return what it emits beside how the gate stands."""
    database.execute("SELECT pattern_sync.keep_traits(NULL, NULL)")
    facts: list[Fact] = []

    async def go() -> None:
        async with Pool(Connector(DatabaseAddress.parse(database.daemon_url), load_statements())) as pool:
            learner = learner_of(pool, mode, facts)
            if swept:
                learner.swept()
            await learner.run_once()

    run(go())
    return [fact for fact in facts if not isinstance(fact, GateJudged)]


def learner_of(pool: Pool, mode: LearnMode, facts: list[Fact]) -> Learner:
    """Return a learner of which only single looks are wanted."""
    supervisor = Supervisor(time.monotonic, lambda: Backoff(lambda: 0.5, 0.1, 1.0))
    available = Availability(time.monotonic, lambda _why: None, lambda _took: None)
    store = LearningGateway(Lane(pool, 1).fetch)
    return Learner(store, mode, facts.append, supervisor.activity(Learner, available), time.monotonic, Timings())


def queue_kinds(database: TestDatabase, each: int, prefix: str = "") -> list[str]:
    """Queue so many entries of each of two kinds, all with other shapes, and return their names, mixed."""
    names = [f"{kind}:{prefix}{number}" for kind in KINDS for number in range(each)]
    Random(3).shuffle(names)
    for number, name in enumerate(names):
        database.add_entry(
            name,
            confidence_score=0.7 + 0.29 * (number % 10) / 10,
            occurrence_count=5 + number % 7,
            estimated_savings_usd=1_000 + 37 * number,
            tool_sequence=f"Read→Tool{number}→Edit",
        )
    return names


def decide_by_kind(database: TestDatabase, names: Sequence[str], liked: str = KINDS[0]) -> None:
    """Decide as somebody who likes one kind and nothing else. All shapes differ, so each is a decision of its own."""
    for first in range(0, len(names), 10):
        for decision, chosen in (("approved", True), ("rejected", False)):
            wanted = [name for name in names[first : first + 10] if name.startswith(liked) == chosen]
            database.execute(
                "SELECT pattern_sync.decide_many(%s, %s, %s, %s, 'ann', 'x', 'pending', NULL, true, false)",
                wanted,
                *[decision] * 3,
            )


def decide(
    database: TestDatabase, name: str, decision: str, *, reviewer: str = "ann", replaces: str = "pending"
) -> None:
    """Decide on one entry."""
    done = database.execute(
        "SELECT pattern_sync.decide(%s, %s, %s, 'x', %s) AS done", name, decision, reviewer, replaces
    )
    assert done[0]["done"]


def learned(database: TestDatabase, waiting: int = 10) -> list[str]:
    """Decide on 20 entries, learn, and return the names of as many others of each kind that wait."""
    decide_by_kind(database, queue_kinds(database, 10))
    names = queue_kinds(database, waiting, "w")
    assert [type(fact) for fact in look(database)] == [ModelLearned]
    return names


def proved(database: TestDatabase, mode: LearnMode = LearnMode.ON) -> list[str]:
    """Have a model foretell 60 decisions, all rightly, and return the names of others that wait."""
    decide_by_kind(database, learned(database, 30))
    names = queue_kinds(database, 40, "later")
    look(database, mode)
    return names
