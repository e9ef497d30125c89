"""The rules' store, over either driver."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from pattern_sync.database.reviews import Fetch, ReviewGateway
from pattern_sync.database.rows import to_json
from pattern_sync.domain.agreement import Agreement
from pattern_sync.domain.batches import UndoneItem
from pattern_sync.domain.decision import Verdict
from pattern_sync.domain.rule_trial import MOST_DISAGREEMENTS, Disagreement, Measured, Reach
from pattern_sync.domain.rules import (
    Applied,
    Rule,
    RuleAct,
    RuleCounts,
    RuleEvent,
    RuleLook,
    RuleMark,
    RuleState,
    RuleTerms,
    RuleVerdict,
    VetoOutcome,
)

_TERMS = tuple(field.name for field in fields(RuleTerms))


class RulesGateway:
    """Runs the statements of rules; every method raises DatabaseError or SchemaError."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._reviews = ReviewGateway(fetch)

    async def rules(self, name: str | None = None) -> list[Rule]:
        """Return the rules by name, or the one with a name."""
        return [_to_rule(row) for row in await self._fetch("rules", name)]

    async def set(self, name: str, version: int, terms: RuleTerms, who: str) -> int | None:
        """Write a rule in place of a version (0: a new one); None if another was written meanwhile."""
        found: int | None = (await self._fetch("set_rule", name, version, to_json(terms.to_dict()), who))[0]["version"]
        return found

    async def switch(self, rule: Rule, state: RuleState, who: str) -> bool:
        """Have a rule be in a state from now on; False if there is no such version any more."""
        return bool((await self._fetch("switch_rule", rule.name, rule.version, state, who))[0]["switched"])

    async def pause(self, rule: Rule, because: str, who: str) -> bool:
        """Pause a rule; False if it is not on any more."""
        return bool((await self._fetch("pause_rule", rule.name, rule.version, because, who))[0]["paused"])

    async def measure(self, terms: RuleTerms, since: datetime | None) -> Measured:
        """Return what people decided, and how much of it a rule would have decided likewise."""
        row = (await self._fetch("measure_rule", to_json(terms.to_dict()), since))[0]
        agreement = Agreement(row["agreed_lessons"], row["lessons"])
        return Measured(row["decided"], row["fitting"], row["agreed"], agreement, row["largest"])

    async def disagreements(self, terms: RuleTerms, since: datetime | None) -> list[Disagreement]:
        """Return the decisions of people that a rule would have made otherwise, those worth most first."""
        found = await self._fetch("disagreements", to_json(terms.to_dict()), since, MOST_DISAGREEMENTS)
        return [
            Disagreement(row["pattern_id"], row["reviewer"], row["decided_at"], row["savings"], row["notes"])
            for row in found
        ]

    async def reach(self, terms: RuleTerms) -> Reach:
        """Return what a rule reaches of the queue, whose traits are brought up to date first if it is short."""
        await self._fetch("prepare_to_find", False)
        row = (await self._fetch("reach_of", to_json(terms.to_dict())))[0]
        return Reach(
            entries=row["entries"],
            pending=row["pending"],
            fitting_pending=row["fitting_pending"],
            fitting_savings_usd=row["fitting_savings"],
            recent=row["recent"],
            fitting_recent=row["fitting_recent"],
            fitting=row["fitting"],
            alone=json.loads(row["alone"]),
            extremes=json.loads(row["extremes"]),
        )

    async def marks(self, name: str | None, limit: int) -> list[RuleMark]:
        """Return what rules would decide, those due first."""
        found = await self._fetch("rule_marks", name, limit)
        return [RuleMark(**{**row, "verdict": RuleVerdict(row["verdict"])}) for row in found]

    async def events(self, name: str, limit: int) -> list[RuleEvent]:
        """Return what happened to a rule, and what it did, newest first."""
        return [_to_event(row) for row in await self._fetch("rule_events", name, limit)]

    async def counts(self, name: str) -> RuleCounts:
        """Return what a rule has to do with now."""
        return RuleCounts(**(await self._fetch("rule_counts", name))[0])

    async def batches(self, name: str, since: datetime) -> list[int]:
        """Return the batches in which a rule has decided since a time, the last ones first."""
        return [row["batch_id"] for row in await self._fetch("rule_batches", name, since)]

    async def undo(self, batch_id: int, reviewer: str) -> Sequence[UndoneItem]:
        """Undo a batch; return the outcomes, none if it is unknown, too old or undone."""
        return await self._reviews.undo(batch_id, reviewer)

    async def veto(self, signature: str, who: str, reason: str | None) -> VetoOutcome:
        """Object to what rules are about to decide of a pattern."""
        return VetoOutcome((await self._fetch("veto", signature, who, reason))[0]["outcome"])

    async def mark(self, rule: Rule, most: int) -> int:
        """Bring the marks of a rule up to date; return how many that people see are new or gone."""
        return len(await self._fetch("mark_entries", rule.name, rule.version, most))

    async def look_at(self, rule: Rule) -> RuleLook | None:
        """Return whether a rule that is on may go on; None if another daemon is at it, or it is not on any more."""
        rows = await self._fetch("look_at_rule", rule.name, rule.version)
        return RuleLook(**rows[0]) if rows else None

    async def apply(self, rule: Rule, reason: str) -> list[Applied]:
        """Decide what a rule may decide now."""
        return [Applied(**row) for row in await self._fetch("apply_rule", rule.name, rule.version, reason)]

    async def prune(self) -> None:
        """Forget marks that came to nothing long ago, and what rules did with entries that are gone."""
        await self._fetch("prune_rule_log")


def _to_event(row: Mapping[str, Any]) -> RuleEvent:
    human = None if row["human"] is None else Verdict(row["human"])
    return RuleEvent(**{**row, "act": RuleAct(row["act"]), "human": human})


def _to_rule(row: Mapping[str, Any]) -> Rule:
    terms: dict[str, Any] = {
        name: tuple(row[name]) if isinstance(row[name], list) else row[name] for name in _TERMS if name != "verdict"
    }
    return Rule(
        name=row["name"],
        version=row["version"],
        state=RuleState(row["state"]),
        paused_because=row["paused_because"],
        terms=RuleTerms(RuleVerdict(row["verdict"]), **terms),
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )
