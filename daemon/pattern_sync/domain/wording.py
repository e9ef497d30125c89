"""A finding in words, the same on the command line, over HTTP and in Python."""

import math
from dataclasses import asdict
from typing import Any

from pattern_sync.domain.criteria import Criterion, TypeCriterion
from pattern_sync.domain.entry import is_by_a_rule
from pattern_sync.domain.finding import Finding
from pattern_sync.domain.outcomes import Outcome

_UNITS = {
    "confidence": "{:g} %",
    "occurrences": "{:,.0f}",
    "savings": "{:,.2f} USD a month",
    "age": "{:,.1f} days",
    "workflows": "{:,.0f}",
}


def value_of(criterion: Criterion | TypeCriterion) -> str:
    """Return the pattern's value."""
    if isinstance(criterion, TypeCriterion):
        return criterion.value or "none"
    return _figure(criterion.name, criterion.value)


def bound_of(criterion: Criterion | TypeCriterion) -> str:
    """Return what the filter requires."""
    if isinstance(criterion, TypeCriterion):
        only = f"one of {', '.join(criterion.only)}" if criterion.only else "any"
        return only + (f", not {', '.join(criterion.excluded)}" if criterion.excluded else "")
    if criterion.bound is None:
        return "any"
    return f"{_figure(criterion.name, criterion.bound)} or {'less' if criterion.at_most else 'more'}"


def verdict_of(criterion: Criterion | TypeCriterion) -> str:
    """Return whether it is met, and if not, by how much it is missed."""
    if criterion.met:
        return "met"
    lacking = None if isinstance(criterion, TypeCriterion) else criterion.missing_by
    return "missed" if lacking is None else f"missed by {_figure(criterion.name, lacking)}"


def shortfall_of(criterion: Criterion | TypeCriterion) -> str:
    """Return the value and what the filter requires, in words."""
    if criterion.name == "age":
        seen = (
            "it is not known when it was last seen"
            if value_of(criterion) == "unknown"
            else (f"it was last seen {value_of(criterion)} ago")
        )
        return f"{seen}, the filter requires {bound_of(criterion)}"
    return f"{criterion.name} is {value_of(criterion)}, the filter requires {bound_of(criterion)}"


def reason_of(finding: Finding) -> str:
    """Return one sentence with the reason why the pattern is in the queue or not."""
    match finding.outcome:
        case None:
            return "There is no such pattern, neither in operation_patterns nor in the queue."
        case Outcome.DECIDED:
            whose = "A rule's" if is_by_a_rule(finding.entry_status or "") else "A person's"
            return f"{whose} decision stands ({finding.entry_status}); no machine touches it again."
        case Outcome.GONE:
            deleted = "the detector has deleted the pattern"
            foreign = "another program wrote it, and there is no such pattern"
            return f"It waits for a decision; {deleted if finding.written_by_us else foreign}."
        case Outcome.UNCHANGED:
            return "It is in the queue and waits for a decision."
        case Outcome.SHORT:
            return f"It is not in the queue: {_missed(finding)}."
        case _:
            return f"It qualifies and {_waits(finding)}."


def document_of(finding: Finding) -> dict[str, Any]:
    """Return everything for programs: numbers, words and conclusions."""
    return {
        **asdict(finding),
        "criteria": [_criterion(item) for item in finding.criteria],
        "eligible": finding.eligible and not finding.rejected,
        "outcome": finding.outcome,
        "reason": reason_of(finding),
        "shortfalls": [_criterion(item) for item in finding.shortfalls],
    }


def _criterion(item: Criterion | TypeCriterion) -> dict[str, Any]:
    words = {"name": item.name, "value": value_of(item), "bound": bound_of(item), "met": item.met}
    if isinstance(item, TypeCriterion):
        return {**words, "number": None, "minimum": None, "maximum": None, "missing_by": None}
    # JSON has neither NaN nor infinities.
    number = item.value if math.isfinite(item.value) else None
    least, most = (None, item.bound) if item.at_most else (item.bound, None)
    return {**words, "number": number, "minimum": least, "maximum": most, "missing_by": item.missing_by}


def _figure(name: str, figure: float) -> str:
    if name == "age" and math.isnan(figure):
        return "unknown"
    return _UNITS[name].format(figure)


def _missed(finding: Finding) -> str:
    missed = [shortfall_of(item) for item in finding.shortfalls]
    if not finding.eligible:
        missed.append(f"its automation_status is {finding.automation_status!r}, not 'detected'")
    if finding.rejected:
        missed.append("it was rejected before; its entry was deleted")
    return "; ".join(missed)


def _waits(finding: Finding) -> str:
    if finding.refusal is not None:
        return "could not be queued: the application refuses it; it is tried again"
    if finding.daemons:
        return "is about to be queued; if this persists, an open transaction has locked its entry"
    return "is not queued, as no daemon is connected"
