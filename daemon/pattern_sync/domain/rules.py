"""Rules: what they decide, within which bounds, and under which guards."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from pattern_sync.domain.decision import RULES_PREFIX, Verdict
from pattern_sync.domain.errors import InvalidFilter, InvalidInput
from pattern_sync.domain.evidence import FlagName
from pattern_sync.domain.filter import CONFIDENCE, OCCURRENCES, WORKFLOWS, Bounds
from pattern_sync.domain.text import is_storable

RULE_NAME = "[a-z][a-z0-9-]{0,40}"
REASON_LONGEST = 1_000
MOST_WORDS = 100
LONGEST_WORD = 255


class RuleVerdict(StrEnum):
    """What a rule decides."""

    APPROVE = "approve"
    REJECT = "reject"

    @property
    def decision(self) -> Verdict:
        """Return what a person decides likewise."""
        return Verdict.APPROVED if self is RuleVerdict.APPROVE else Verdict.REJECTED


class RuleState(StrEnum):
    """What a rule does: nothing, mark what it would decide, decide, or nothing until a person has looked."""

    OFF = "off"
    WATCHING = "watching"
    ON = "on"
    PAUSED = "paused"


LARGEST_SAVINGS = 1e15
LARGEST_COUNT = 2**31 - 1
_SAVINGS: Bounds[float] = Bounds(minimum=0.0, maximum=LARGEST_SAVINGS, unnamed=None)  # USD a month
_BOUNDS: dict[str, Bounds[int] | Bounds[float]] = {
    "min_confidence": CONFIDENCE,
    "max_confidence": CONFIDENCE,
    "min_occurrences": OCCURRENCES,
    "min_savings": _SAVINGS,
    "max_savings": _SAVINGS,
    "min_workflows": WORKFLOWS,
    "min_days_seen": Bounds(minimum=0.0, maximum=36_500.0, unnamed=None),
    "wait_hours": Bounds(minimum=1.0, maximum=720.0, unnamed=24.0),
    "per_day": Bounds(minimum=1, maximum=1_000, unnamed=20, whole=True),
    "check_share": Bounds(minimum=0.01, maximum=0.5, unnamed=0.1),
    "agreement": Bounds(minimum=0.8, maximum=0.99, unnamed=0.95),
}
GUARDS = ("wait_hours", "per_day", "check_share", "agreement")


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """What a rule decides, its bounds, and its guards.

    Confidence is in percent, savings are USD a month as claimed; None, or an empty list, is no bound. An entry with a
    flag that is not in `allow_flags` is left alone. People may object for `wait_hours`; at most `per_day` are decided
    in any 24 hours; `check_share` of what it would decide is left to people, and `agreement` is what the lower bound of
    theirs has to reach.
    """

    verdict: RuleVerdict
    min_confidence: float | None = None
    max_confidence: float | None = None
    min_occurrences: int | None = None
    min_savings: float | None = None
    max_savings: float | None = None
    only_kinds: tuple[str, ...] = ()
    exclude_kinds: tuple[str, ...] = ()
    needs_tools: tuple[str, ...] = ()
    without_tools: tuple[str, ...] = ()
    min_workflows: int | None = None
    min_days_seen: float | None = None
    allow_flags: tuple[str, ...] = ()
    wait_hours: float = 24.0
    per_day: int = 20
    check_share: float = 0.1
    agreement: float = 0.95

    def checked(self) -> "RuleTerms":
        """Return the terms with their words in small letters. Raises InvalidInput for what cannot be meant.

        Terms that were read are not checked: somebody may have changed the row by hand, and it bounds all the same.
        """
        for name, bounds in _BOUNDS.items():
            value = getattr(self, name)
            if value is None and name in GUARDS:
                raise InvalidInput(f"{name} is missing; it has to be {bounds}.")
            try:
                bounds.check(name, value)
            except InvalidFilter as fault:
                raise InvalidInput(str(fault)) from None
        terms = replace(
            self,
            verdict=_to_verdict(self.verdict),
            only_kinds=_checked_words("only_kinds", self.only_kinds),
            exclude_kinds=_checked_words("exclude_kinds", self.exclude_kinds),
            needs_tools=_checked_words("needs_tools", self.needs_tools),
            without_tools=_checked_words("without_tools", self.without_tools),
            allow_flags=_checked_words("allow_flags", self.allow_flags),
        )
        for complaint in _contradictions(terms):
            raise InvalidInput(complaint)
        return terms

    def to_dict(self) -> dict[str, Any]:
        """Return the terms as an object for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it stands; a change of its terms is a new version. Times have a zone."""

    name: str
    version: int
    state: RuleState
    paused_because: str | None
    terms: RuleTerms
    changed_by: str
    changed_at: datetime

    @property
    def reviewer(self) -> str:
        """Return the name under which it decides."""
        return f"{RULES_PREFIX}{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class RuleMark:
    """What a rule would decide of a pending entry: at `due_at` if it is on, unless somebody objects; else never."""

    pattern_id: str
    rule: str
    version: int
    verdict: RuleVerdict
    since: datetime
    due_at: datetime | None


class RuleAct(StrEnum):
    """What happened to a rule, or what it did."""

    DECIDED = "decided"
    VETOED = "vetoed"
    REVERTED = "reverted"
    PAUSED = "paused"
    OFF = "off"
    WATCHING = "watching"
    ON = "on"


@dataclass(frozen=True, slots=True)
class RuleEvent:
    """Something in the life of a rule: it was switched, or decided, or somebody objected or took a decision back.

    `human` is what a person decided of the pattern in the end.
    """

    act: RuleAct
    version: int
    pattern_id: str | None
    reviewer: str | None
    reason: str | None
    human: Verdict | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """What a rule has to do with now: how many entries it has marked, which wait as a check, and what it decided.

    `checks_agreed` of `checks_judged` that were left to people, unmarked, they decided as it would have.
    """

    marked: int
    left_as_checks: int
    decided_today: int
    decided: int
    vetoed: int
    taken_back: int
    checks_judged: int
    checks_agreed: int


@dataclass(frozen=True, slots=True)
class RuleLook:
    """Whether a rule that is on may go on.

    Hours since a daemon looked at it, decisions that people took back, approved entries that have got a flag since, and
    entries that are due.
    """

    unseen_hours: float
    taken_back: int
    flagged: int
    due: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one entry that a rule decided; or, without one, that its budget is full, or that it paused."""

    pattern_id: str | None
    outcome: str
    batch_id: int | None
    detail: str | None


class VetoOutcome(StrEnum):
    """What came of an objection."""

    VETOED = "vetoed"
    TAKEN_BACK = "taken-back"  # it had been decided within the last minute, and is pending again
    UNMARKED = "unmarked"  # no rule is about to decide it
    DECIDED = "decided"
    UNKNOWN = "unknown"


def check_rule_name(name: str) -> str:
    """Return the name of a rule. Raises InvalidInput."""
    if not re.fullmatch(RULE_NAME, name):
        raise InvalidInput(
            f"name is {name[:60]!r}; the name of a rule is a small letter and at most 40 small letters, digits and '-'."
        )
    return name


def changed_terms(terms: RuleTerms | None, changes: dict[str, Any]) -> RuleTerms:
    """Return the terms with some of them changed; those of a new rule if there are none yet. Raises InvalidInput."""
    known = {field.name for field in fields(RuleTerms)}
    before = {} if terms is None else {name: getattr(terms, name) for name in known}
    if "verdict" not in before and changes.get("verdict") is None:
        raise InvalidInput("verdict is missing; a new rule needs one: approve or reject.")
    return RuleTerms(**{**before, **changes}).checked()


def bounds_in_words(terms: RuleTerms) -> str:
    """Return the bounds of a rule as one phrase, as the history has them."""
    phrases = [
        *_range("confidence", terms.min_confidence, terms.max_confidence, " %"),
        *_range("savings", terms.min_savings, terms.max_savings, " USD a month"),
        *_range("occurrences", terms.min_occurrences, None, ""),
        *_range("workflows", terms.min_workflows, None, ""),
        *_range("days seen", terms.min_days_seen, None, ""),
        *_named("kind", terms.only_kinds, " or "),
        *_named("not of kind", terms.exclude_kinds, " or "),
        *_named("with", terms.needs_tools, " and "),
        *_named("without", terms.without_tools, " or "),
        *_named("flags allowed:", terms.allow_flags, ", "),
    ]
    return "; ".join(phrases) or "no bounds"


def reason_of(rule: Rule, agreed: int, judged: int) -> str:
    """Return why a rule decides, for the history."""
    return (
        f"Rule {rule.name}, version {rule.version}: {bounds_in_words(rule.terms)}."
        f" People made {agreed:,} of {judged:,} such decisions likewise."
    )


def _contradictions(terms: RuleTerms) -> Iterator[str]:
    """Yield why no entry could ever be within the bounds, or why they are no bounds for a machine."""
    if terms.verdict is RuleVerdict.APPROVE and terms.max_savings is None:
        yield "max_savings is missing; a rule that approves needs to know up to which savings, in USD a month."
    for figure in ("confidence", "savings"):
        least, most = getattr(terms, f"min_{figure}"), getattr(terms, f"max_{figure}")
        if least is not None and most is not None and least > most:
            yield f"min_{figure} is {least:,g} and max_{figure} is {most:,g}; nothing is within both."
    if terms.only_kinds and not set(terms.only_kinds) - set(terms.exclude_kinds):
        yield f"only_kinds and exclude_kinds both name {', '.join(terms.only_kinds)}; no kind is left."
    if both := sorted(set(terms.needs_tools) & set(terms.without_tools)):
        yield f"needs_tools and without_tools both name {both[0]!r}; no sequence has it and lacks it."
    if unknown := [flag for flag in terms.allow_flags if flag not in set(FlagName)]:
        known = ", ".join(FlagName)
        yield f"allow_flags names {unknown[0]!r}, which is no flag; there are {known}."


def _range(figure: str, least: float | None, most: float | None, unit: str) -> list[str]:
    if least is None and most is None:
        return []
    if least is None:
        return [f"{figure} at most {most:,.15g}{unit}"]
    if most is None:
        return [f"{figure} at least {least:,.15g}{unit}"]
    return [f"{figure} from {least:,.15g} to {most:,.15g}{unit}"]


def _named(lead: str, names: Sequence[str], joint: str) -> list[str]:
    return [f"{lead} {joint.join(names)}"] if names else []


def _to_verdict(word: str) -> RuleVerdict:
    try:
        return RuleVerdict(word)
    except ValueError:
        raise InvalidInput(f"verdict is {word!r}; it must be {' or '.join(RuleVerdict)}.") from None


def _checked_words(name: str, words: Sequence[str]) -> tuple[str, ...]:
    if isinstance(words, str):
        raise InvalidInput(f"{name} is a text; it has to be a list of texts.")
    if len(words) > MOST_WORDS:
        raise InvalidInput(f"{name} has {len(words):,} items; at most {MOST_WORDS} are allowed.")
    for word in words:
        if not word.strip() or len(word) > LONGEST_WORD or not is_storable(word):
            raise InvalidInput(
                f"{name} has the item {word[:60]!r}; an item has 1 to {LONGEST_WORD} characters, not all of them blank,"
                " and none that cannot be stored (NUL, or half of a surrogate pair)."
            )
    return tuple(dict.fromkeys(word.strip().lower() for word in words))
