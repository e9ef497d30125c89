"""What people do with rules: try them on their own history, switch them, object to them, take back what they did."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from pattern_sync.domain.agreement import Agreement
from pattern_sync.domain.batches import UNDO_DAYS, UndoneItem, UndoOutcome
from pattern_sync.domain.conflicts import despite_conflicts
from pattern_sync.domain.decision import check_reviewer, check_text
from pattern_sync.domain.errors import InvalidInput, RuleRefused, UnknownPattern, UnknownRule
from pattern_sync.domain.rule_trial import Disagreement, Measured, Reach, RuleTrial, alarms_of, never_of
from pattern_sync.domain.rules import (
    Rule,
    RuleCounts,
    RuleEvent,
    RuleMark,
    RuleState,
    RuleTerms,
    VetoOutcome,
    changed_terms,
    check_rule_name,
)
from pattern_sync.domain.text import is_storable

MOST_MARKS = 1_000
_MOST_EVENTS = 20
FORBIDDEN = "PATTERN_SYNC_RULES is off: the operator has forbidden rules. They can still be tried."


class RuleStore(Protocol):
    """What rules need from the database."""

    async def rules(self, name: str | None = None) -> list[Rule]: ...
    async def set(self, name: str, version: int, terms: RuleTerms, who: str) -> int | None: ...
    async def switch(self, rule: Rule, state: RuleState, who: str) -> bool: ...
    async def pause(self, rule: Rule, because: str, who: str) -> bool: ...
    async def measure(self, terms: RuleTerms, since: datetime | None) -> Measured: ...
    async def disagreements(self, terms: RuleTerms, since: datetime | None) -> list[Disagreement]: ...
    async def reach(self, terms: RuleTerms) -> Reach: ...
    async def marks(self, name: str | None, limit: int) -> list[RuleMark]: ...
    async def events(self, name: str, limit: int) -> list[RuleEvent]: ...
    async def counts(self, name: str) -> RuleCounts: ...
    async def batches(self, name: str, since: datetime) -> list[int]: ...
    async def undo(self, batch_id: int, reviewer: str) -> Sequence[UndoneItem]: ...
    async def veto(self, signature: str, who: str, reason: str | None) -> VetoOutcome: ...


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule, people's agreement with it, and what it has to do with now; its events are the last, newest first."""

    rule: Rule
    proof: Agreement
    proof_in_words: str
    is_proven: bool
    counts: RuleCounts
    marks: tuple[RuleMark, ...]
    events: tuple[RuleEvent, ...]


@dataclass(frozen=True, slots=True)
class Reverted:
    """What came of taking back a rule's decisions; `paused` says whether the rule was on, and is paused now."""

    rule: str
    paused: bool
    undone: int
    counts: Mapping[UndoOutcome, int]
    outcomes: tuple[UndoneItem, ...]


class Rules:
    """The rules as people handle them. Like the review, it awaits nothing but its store.

    Every method that takes the name of a rule raises UnknownRule. `forbidden` is the operator's word: no rule may watch
    or decide. `clock` is the time of day, with a zone.
    """

    def __init__(self, store: RuleStore, clock: Callable[[], datetime], *, forbidden: bool = False) -> None:
        self._store = store
        self._clock = clock
        self._forbidden = forbidden

    @property
    def forbidden(self) -> bool:
        """Return whether the operator has forbidden rules: none watches or decides."""
        return self._forbidden

    async def all(self) -> list[Rule]:
        """Return the rules, by name."""
        return await self._store.rules()

    async def show(self, name: str) -> RuleView:
        """Return one rule with everything that belongs to it."""
        rule = await self._rule(name)
        proof = (await self._store.measure(rule.terms, None)).agreement
        wanted = rule.terms.agreement
        return RuleView(
            rule=rule,
            proof=proof,
            proof_in_words=proof.sentence(wanted),
            is_proven=proof.reaches(wanted),
            counts=await self._store.counts(name),
            marks=tuple(await self._store.marks(name, MOST_MARKS)),
            events=tuple(await self._store.events(name, _MOST_EVENTS)),
        )

    async def set(self, name: str, changes: Mapping[str, Any], who: str | None) -> Rule:
        """Write a rule, or change some of its terms, and return it; what is not named stays, or has its default.

        A change is a new version, and a rule that was on watches again. Raises InvalidInput, RuleRefused if somebody
        else has changed it meanwhile.
        """
        reviewer = check_reviewer(who)
        found = await self._store.rules(check_rule_name(name))
        terms = changed_terms(found[0].terms if found else None, dict(changes))
        version = found[0].version if found else 0
        written = await despite_conflicts(lambda: self._store.set(name, version, terms, reviewer))
        if written is None:
            raise RuleRefused(f"Rule {name!r} was changed by somebody else just now. Look at it, and change it again.")
        return await self._rule(name)

    async def trial(self, name: str, since: datetime | None = None) -> RuleTrial:
        """Return what a rule would have decided of what people decided since a time (None: ever)."""
        rule = await self._rule(name)
        terms = rule.terms
        reach = await self._store.reach(terms)
        measured = await self._store.measure(terms, since)
        proof = measured.agreement if since is None else (await self._store.measure(terms, None)).agreement
        return RuleTrial(
            rule=rule,
            since=since,
            measured=measured,
            proof=proof,
            is_proven=proof.reaches(terms.agreement),
            proof_in_words=proof.sentence(terms.agreement),
            disagreements=tuple(await self._store.disagreements(terms, since)),
            pending=reach.pending,
            fitting_pending=reach.fitting_pending,
            fitting_savings_usd=reach.fitting_savings_usd,
            alarms=tuple(alarms_of(terms, reach)),
            never=tuple(never_of(terms, reach)),
        )

    async def watch(self, name: str, who: str | None) -> Rule:
        """Have a rule mark what it would decide, and decide nothing. Raises RuleRefused where rules are forbidden."""
        self._refuse_if_forbidden()
        return await self._switch(await self._rule(name), RuleState.WATCHING, who)

    async def turn_on(self, name: str, who: str | None) -> Rule:
        """Have a rule decide. Raises RuleRefused until the lower bound of people's agreement is what it needs."""
        self._refuse_if_forbidden()
        rule = await self._rule(name)
        if rule.state not in (RuleState.WATCHING, RuleState.PAUSED, RuleState.ON):
            raise RuleRefused(f"Rule {name!r} is off; it has to watch first. Run: pattern-sync rules watch {name}")
        proof = (await self._store.measure(rule.terms, None)).agreement
        if not proof.reaches(rule.terms.agreement):
            raise RuleRefused(f"Rule {name!r} has not proved itself: {proof.sentence(rule.terms.agreement)}")
        return await self._switch(rule, RuleState.ON, who)

    async def turn_off(self, name: str, who: str | None) -> Rule:
        """Have a rule do nothing."""
        return await self._switch(await self._rule(name), RuleState.OFF, who)

    async def revert(self, name: str, since: datetime | None, who: str | None) -> Reverted:
        """Take back what a rule has decided since a time, seven days at most, and pause it if it is on.

        What a person has touched since is left. Raises InvalidInput for an earlier time, RuleRefused if there is
        nothing to take back.
        """
        reviewer = check_reviewer(who)
        rule = await self._rule(name)
        earliest = self._clock() - timedelta(days=UNDO_DAYS)
        if since is not None and since < earliest - timedelta(minutes=1):
            raise InvalidInput(
                f"since is {since:%Y-%m-%d %H:%M %Z}; decisions can be taken back for {UNDO_DAYS} days."
                " Make new ones that replace what the rule wrote."
            )
        paused = await self._store.pause(rule, f"{reviewer} took back what it had decided", reviewer)
        outcomes: list[UndoneItem] = []
        for batch_id in await self._store.batches(name, since or earliest):
            outcomes += await despite_conflicts(partial(self._store.undo, batch_id, reviewer))
        if not outcomes and not paused:
            raise RuleRefused(f"Rule {name!r} has decided nothing since then that could be taken back.")
        counts = dict(Counter(item.outcome for item in outcomes))
        return Reverted(name, paused, counts.get(UndoOutcome.UNDONE, 0), counts, tuple(outcomes))

    async def marks(self, limit: int = MOST_MARKS) -> list[RuleMark]:
        """Return what all rules would decide, those due first."""
        return await self._store.marks(None, limit)

    async def veto(self, signature: str, who: str | None, reason: str | None = None) -> VetoOutcome:
        """Object to what rules are about to decide of a pattern, so that none of them ever does.

        Raises InvalidInput; UnknownPattern; RuleRefused if no rule is about to decide it, or it is decided.
        """
        reviewer, why = check_reviewer(who), check_text("reason", reason)
        outcome = VetoOutcome.UNKNOWN
        if is_storable(signature):
            outcome = await despite_conflicts(lambda: self._store.veto(signature, reviewer, why))
        match outcome:
            case VetoOutcome.UNKNOWN:
                raise UnknownPattern(f"There is no pattern {signature!r} in the review queue.")
            case VetoOutcome.UNMARKED:
                raise RuleRefused(f"No rule is about to decide {signature!r}.")
            case VetoOutcome.DECIDED:
                raise RuleRefused(f"{signature!r} is decided already; make a decision that replaces it, or undo it.")
        return outcome

    async def _rule(self, name: str) -> Rule:
        found = await self._store.rules(check_rule_name(name))
        if not found:
            raise UnknownRule(f"There is no rule {name!r}; `pattern-sync rules list` shows those that there are.")
        return found[0]

    async def _switch(self, rule: Rule, state: RuleState, who: str | None) -> Rule:
        reviewer = check_reviewer(who)
        if not await despite_conflicts(lambda: self._store.switch(rule, state, reviewer)):
            raise RuleRefused(f"Rule {rule.name!r} was changed by somebody else just now. Look at it, and try again.")
        return await self._rule(rule.name)

    def _refuse_if_forbidden(self) -> None:
        if self._forbidden:
            raise RuleRefused(FORBIDDEN)
