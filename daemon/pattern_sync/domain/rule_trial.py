"""A trial of a rule on one's own history: what it would have decided, and what people decided instead."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pattern_sync.domain.agreement import Agreement
from pattern_sync.domain.rules import Rule, RuleTerms, RuleVerdict

MOST_DISAGREEMENTS = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """What people decided, and how many of these decisions a rule would have made; of these, those that agree.

    `agreement` is the same counted in lessons. `largest_usd` is the most that such a decision was worth a month.
    """

    decided: int
    fitting: int
    agreed: int
    agreement: Agreement
    largest_usd: float | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A decision of a person that a rule would have made otherwise; savings are USD a month."""

    pattern_id: str
    reviewer: str | None
    decided_at: datetime | None
    savings_usd: float
    reason: str | None


@dataclass(frozen=True, slots=True)
class Reach:
    """The entries of the queue that a rule reaches; `alone` has how many each bound lets through by itself.

    `recent` are those of the last 30 days, decided or not. `extremes` are, by bound, the figures that come nearest; of
    the flags, those of one entry.
    """

    entries: int
    pending: int
    fitting_pending: int
    fitting_savings_usd: float
    recent: int
    fitting_recent: int
    fitting: int
    alone: Mapping[str, int]
    extremes: Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """What a rule would have decided; `proof` is people's agreement over all time, which lets it be switched on.

    `alarms` are to be seen before anything else, `never` says why it cannot fire, with the bound that keeps it from it.
    """

    rule: Rule
    since: datetime | None
    measured: Measured
    proof: Agreement
    is_proven: bool
    proof_in_words: str
    disagreements: tuple[Disagreement, ...]
    pending: int
    fitting_pending: int
    fitting_savings_usd: float
    alarms: tuple[str, ...]
    never: tuple[str, ...]


def alarms_of(terms: RuleTerms, reach: Reach) -> Iterator[str]:
    """Yield what is wrong with a rule although people may agree with it: it would decide everything."""
    if reach.recent and reach.fitting_recent == reach.recent:
        yield (
            f"Every entry of the last month ({reach.recent:,}) would have been {terms.verdict.decision} by this rule."
        )
    if terms.verdict is RuleVerdict.REJECT and reach.pending > 1 and reach.fitting_pending == reach.pending:
        yield f"Every pending entry ({reach.pending:,}) would be rejected by this rule."


def never_of(terms: RuleTerms, reach: Reach) -> Iterator[str]:
    """Yield why a rule has never been able to fire: the bounds that let nothing through, or that they do together."""
    if not reach.entries:
        yield "There is no entry yet on which it could be tried."
        return
    entries = "the 1 entry" if reach.entries == 1 else f"the {reach.entries:,} entries"
    blocking = [name for name, count in reach.alone.items() if count == 0]
    for name in blocking:
        yield f"It can never fire: {_blocked(terms, name, entries, reach.extremes.get(name))}."
    if not blocking and not reach.fitting:
        yield f"It has never been able to fire: of {entries}, none is within all of its bounds at once."


def _blocked(terms: RuleTerms, name: str, entries: str, extreme: float | str | None) -> str:
    value = getattr(terms, name)
    if name == "allow_flags":
        flags = [flag for flag in str(extreme or "").split() if flag not in terms.allow_flags]
        example = f", such as {', '.join(flags)}" if flags else ""
        return f"each of {entries} has a flag that allow_flags does not name{example}"
    if isinstance(value, tuple):
        return f"{name} is {', '.join(value)}, which lets none of {entries} through"
    side = "highest" if name.startswith("min_") else "lowest"
    seen = f"; the {side} is {extreme:,.6g}" if isinstance(extreme, (int, float)) else ""
    return f"{name} is {value:,.6g}, which none of {entries} reaches{seen}"
