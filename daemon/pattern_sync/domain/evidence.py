"""What is recorded of a pattern, beside what the detector claims; the flags in words.

What each flag asks for is decided in sql/evidence.sql.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FlagName(StrEnum):
    """What a doubt is called, in the order in which doubts are shown."""

    COUNTED_TWICE = "counted-twice"
    SHORT_SPAN = "short-span"
    ALL_TIME = "all-time"
    ASSUMED_COST = "assumed-cost"
    NO_STEPS = "no-steps"
    GONE_QUIET = "gone-quiet"
    CARRIES_QUEUE = "carries-queue"  # the one that depends on the other entries
    NOTHING_RECORDED = "nothing-recorded"


@dataclass(frozen=True, slots=True)
class Flag:
    """A doubt about a claim, and its rule in words, with the figures.

    `nothing-recorded` is no doubt, as not every detector records occurrences. Later versions may have other names.
    """

    name: FlagName | str
    rule: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the recorded occurrences show of a pattern.

    `workflows` counts distinct ones, `days_seen` the days between the first and the last. `savings_observed` is what
    they would have saved in all, in USD; `savings_by_evidence` is that for a month, extrapolated. Both are None where
    nothing or no cost is recorded, and the latter where less than half a day is.
    """

    recorded: bool
    workflows: int
    first_seen: datetime | None
    last_seen: datetime | None
    days_seen: float
    occurrences_a_day: float | None
    savings_observed: float | None
    savings_by_evidence: float | None
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """The facts of which evidence is made: what is recorded of a pattern, what is claimed, and which flags hold.

    `readable` is false where the occurrences cannot be read. Of a signature without a pattern, the claim is 0 and there
    are no costs. `queue_savings` is the sum that all pending entries claim, known where this one carries it.
    """

    readable: bool
    workflows: int
    first_seen: datetime | None
    last_seen: datetime | None
    days_seen: float
    workflows_a_day: float | None
    claimed_occurrences: int
    claimed_savings: float
    cost_before: float | None
    cost_after: float | None
    savings_observed: float | None
    savings_by_evidence: float | None
    flags: tuple[str, ...]
    carried: tuple[float, float] | None = None

    def to_evidence(self) -> Evidence:
        """Return the evidence, with the flags in words."""
        return Evidence(
            recorded=self.workflows > 0,
            workflows=self.workflows,
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            days_seen=self.days_seen,
            occurrences_a_day=self.workflows_a_day,
            savings_observed=self.savings_observed,
            savings_by_evidence=self.savings_by_evidence,
            flags=tuple(Flag(name, rule(self)) for name, rule in RULES.items() if self._has(name)),
        )

    def _has(self, flag: str) -> bool:
        return self.carried is not None if flag == FlagName.CARRIES_QUEUE else flag in self.flags


def span_of(days: float) -> str:
    """Return a span of time for people: in days from two on, else in hours or minutes."""
    if days >= 2:  # noqa: PLR2004 - what reads well
        return f"{days:,.1f} days" if days < 10 else f"{days:,.0f} days"  # noqa: PLR2004
    hours = days * 24
    return f"{hours:.1f} hours" if hours >= 1 else f"{hours * 60:.0f} minutes"


def _counted_twice(record: Record) -> str:
    recorded = f"{record.workflows:,} distinct workflow{'s are' if record.workflows > 1 else ' is'} recorded"
    times = record.claimed_occurrences / record.workflows
    often = f"{times:,.0f}" if times >= 10 else f"{times:.1f}"  # noqa: PLR2004
    return f"{record.claimed_occurrences:,} occurrences are claimed; {recorded}: each was counted {often} times."


def _short_span(record: Record) -> str:
    if record.workflows == 1 or not record.days_seen:
        return "It was seen at one time only; nothing shows that it comes back."
    return f"The first and the last time that it was seen are {span_of(record.days_seen)} apart, less than a week."


def _all_time(record: Record) -> str:
    each = (record.cost_before or 0) - (record.cost_after or 0)
    sum_of_all = f"{record.claimed_occurrences:,} occurrences x {each:,.4f} USD"
    span = span_of(record.days_seen) if record.days_seen else "one moment"
    return f"The {record.claimed_savings:,.2f} USD a month are {sum_of_all}: all that were ever counted, in {span}."


def _assumed_cost(record: Record) -> str:
    before, after = record.cost_before or 1, record.cost_after or 0
    return (
        f"The cost after automation, {after:,.4f} USD, is {round(after / before * 20) * 5} % of the {before:,.4f} USD"
        " before: it looks assumed, not measured."
    )


def _no_steps(_: Record) -> str:
    return "No steps are recorded: what stands for them is the name of its type."


def _gone_quiet(record: Record) -> str:
    last = f"on {record.last_seen:%Y-%m-%d}" if record.last_seen else "long ago"
    return f"It was last seen {last}, more than 30 days ago."


def _carries_queue(record: Record) -> str:
    claimed, queue = record.carried or (0, 1)
    share = math.floor(claimed / queue * 1000) / 10  # not 100 %, as it is not the only one
    return f"It claims {claimed:,.2f} of the {queue:,.2f} USD a month that all pending entries claim: {share:.1f} %."


def _nothing_recorded(record: Record) -> str:
    if record.readable:
        return "Claimed, not shown: no occurrence is recorded. Not every detector records them."
    return (
        "Claimed, not shown: occurrences cannot be read here, as pattern_occurrences is missing, is locked, may not be"
        " read, or is large and has no index on pattern_id."
    )


# In the order in which they are shown.
RULES: Mapping[FlagName, Callable[[Record], str]] = {
    FlagName.COUNTED_TWICE: _counted_twice,
    FlagName.SHORT_SPAN: _short_span,
    FlagName.ALL_TIME: _all_time,
    FlagName.ASSUMED_COST: _assumed_cost,
    FlagName.NO_STEPS: _no_steps,
    FlagName.GONE_QUIET: _gone_quiet,
    FlagName.CARRIES_QUEUE: _carries_queue,
    FlagName.NOTHING_RECORDED: _nothing_recorded,
}
