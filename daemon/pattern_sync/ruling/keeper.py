"""The rule keeper: marks what rules would decide, has those that are on decide, and pauses them."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from pattern_sync.domain.batches import ItemOutcome
from pattern_sync.domain.decision import NOBODY
from pattern_sync.domain.errors import StatementFailed
from pattern_sync.domain.facts import Emit, RuleDecided, RulePaused, RulesCounted
from pattern_sync.domain.rule_trial import Measured
from pattern_sync.domain.rules import REASON_LONGEST, Applied, Rule, RuleLook, RuleState, RuleTerms, reason_of
from pattern_sync.services.activity import Activity
from pattern_sync.services.timings import Timings

# One call's share of a long queue: each is a transaction.
MOST_MARKED_AT_ONCE = 5_000
# Rules take at most this share of the time: of a long queue, and of a long history, a look takes a second.
LARGEST_SHARE_OF_TIME = 0.1
MOST_TAKEN_BACK = 2
_AT_WORK = (RuleState.WATCHING, RuleState.ON)
_PRUNING_SECONDS = 3_600.0
# How often a rule that has nothing to decide proves itself anew.
_PROVING_SECONDS = 3_600.0


class KeptStore(Protocol):
    """What the keeper needs of the database."""

    async def rules(self, name: str | None = None) -> list[Rule]: ...
    async def mark(self, rule: Rule, most: int) -> int: ...
    async def look_at(self, rule: Rule) -> RuleLook | None: ...
    async def measure(self, terms: RuleTerms, since: datetime | None) -> Measured: ...
    async def pause(self, rule: Rule, because: str, who: str) -> bool: ...
    async def apply(self, rule: Rule, reason: str) -> list[Applied]: ...
    async def prune(self) -> None: ...


class RuleKeeper:
    """Works on every rule that watches or is on, woken or not; any number of daemons may do so at once.

    What a rule may decide is judged and counted by the database, with the rule's row locked. `now` is a monotonic clock
    in seconds.
    """

    name = "rule-keeper"

    def __init__(
        self, store: KeptStore, emit: Emit, activity: Activity, now: Callable[[], float], timings: Timings
    ) -> None:
        self._store = store
        self._emit = emit
        self._activity = activity
        self._now = now
        self._timings = timings
        self._woken = asyncio.Event()
        self._prune_at = now()
        self._proven_at: dict[str, float] = {}
        self._at_work = False

    def wake(self) -> None:
        """Have it look soon: something was queued."""
        self._woken.set()

    async def run(self) -> None:
        """Keep the rules until cancelled."""
        while True:
            self._woken.clear()
            begun_at = self._now()
            async with self._activity.working():
                await self.run_once()
            if not self._activity.in_outage:
                rest_seconds = (self._now() - begun_at) / LARGEST_SHARE_OF_TIME
                await self._activity.wait(max(self._timings.ruling_pace_seconds, rest_seconds))
                # Where no rule is at work, nothing that is queued is worth a look.
                woken = self._woken if self._at_work else asyncio.Event()
                await self._activity.wait_for(woken, self._timings.ruling_seconds)

    async def run_once(self) -> None:
        """Mark, prove and apply every rule once. Raises what the server refused of one rule, after all others."""
        rules = await self._store.rules()
        at_work = [rule for rule in rules if rule.state in _AT_WORK]
        self._at_work = bool(at_work)
        refused: StatementFailed | None = None
        for rule in at_work:
            try:
                await self._work_on(rule)
            except StatementFailed as fault:
                refused = fault
        if rules and self._now() >= self._prune_at:
            await self._store.prune()
            self._prune_at = self._now() + _PRUNING_SECONDS
        self._count(await self._store.rules() if at_work else rules)
        if refused is not None:
            raise refused

    async def _work_on(self, rule: Rule) -> None:
        await self._store.mark(rule, MOST_MARKED_AT_ONCE)
        if rule.state is RuleState.ON:
            await self._decide(rule)

    async def _decide(self, rule: Rule) -> None:
        look = await self._store.look_at(rule)
        if look is None:  # another daemon is at it
            return
        if because := _why_pause(rule, look):
            await self._pause(rule, because)
            return
        if not look.due and self._now() < self._proven_at.get(rule.reviewer, 0.0):
            return
        measured = await self._store.measure(rule.terms, None)
        self._proven_at[rule.reviewer] = self._now() + _PROVING_SECONDS
        proof = measured.agreement
        if not proof.reaches(rule.terms.agreement):
            await self._pause(
                rule, f"people's agreement is not enough any more: {proof.sentence(rule.terms.agreement)}"
            )
        elif look.due:
            await self._apply(rule, reason_of(rule, measured.agreed, measured.fitting))

    async def _apply(self, rule: Rule, reason: str) -> None:
        applied = await self._store.apply(rule, reason)
        decided = Counter(each.batch_id for each in applied if each.outcome == ItemOutcome.DECIDED)
        for batch_id, patterns in decided.items():
            self._emit(RuleDecided(rule.name, rule.version, rule.terms.verdict, patterns, batch_id))
        for each in applied:
            if each.outcome == RuleState.PAUSED:
                self._emit(RulePaused(rule.name, rule.version, each.detail or ""))
        if refused := next((each for each in applied if each.outcome == ItemOutcome.REFUSED), None):
            words = "silently" if refused.detail is None else f"with the words: {refused.detail}"
            await self._pause(rule, f"the application refused its decision on {refused.pattern_id!r}, {words}")

    async def _pause(self, rule: Rule, because: str) -> None:
        if await self._store.pause(rule, because[:REASON_LONGEST], NOBODY):
            self._emit(RulePaused(rule.name, rule.version, because))

    def _count(self, rules: list[Rule]) -> None:
        paused = tuple((rule.name, rule.paused_because or "") for rule in rules if rule.state is RuleState.PAUSED)
        states = Counter(rule.state for rule in rules)
        self._emit(RulesCounted(tuple((state, states[state]) for state in RuleState), paused))


def _why_pause(rule: Rule, look: RuleLook) -> str | None:
    if look.unseen_hours > rule.terms.wait_hours / 2:
        return (
            f"no daemon looked at it for {look.unseen_hours:,.1f} hours (an outage, or the clock has jumped), so that"
            " people could not object"
        )
    if look.taken_back >= MOST_TAKEN_BACK:
        return f"people took back, or turned around, {look.taken_back:,} of its decisions of the last 30 days"
    if look.flagged:
        patterns = "1 pattern" if look.flagged == 1 else f"{look.flagged:,} patterns"
        return f"{patterns} that it approved got a flag since that it does not allow"
    return None
