"""Evidence in words for people, the same in every table of the command line."""

from pattern_sync.domain.evidence import Evidence, span_of

UNKNOWN = "not known"


def sightings_of(evidence: Evidence) -> str:
    """Return how often the pattern was seen, and when."""
    if not evidence.recorded:
        return "nothing recorded"
    workflows = f"{evidence.workflows:,} distinct workflow{'s' if evidence.workflows > 1 else ''}"
    if evidence.first_seen is None or evidence.last_seen is None:
        return f"{workflows}, at unknown times"
    first, last = f"{evidence.first_seen:%Y-%m-%d %H:%M}", f"{evidence.last_seen:%Y-%m-%d %H:%M}"
    if first == last:
        return f"{workflows}, at {first}"
    pace = f", {evidence.occurrences_a_day:,.1f} a day" if evidence.occurrences_a_day is not None else ""
    return f"{workflows}, {first} to {last}: {span_of(evidence.days_seen)}{pace}"


def savings_of(evidence: Evidence) -> str:
    """Return the savings by evidence, extrapolated and observed apart."""
    if evidence.savings_observed is None:
        return UNKNOWN
    observed = f"{evidence.savings_observed:,.2f} USD observed in all"
    if evidence.savings_by_evidence is None:
        return f"{observed}; too short a time to extrapolate"
    return (
        f"{evidence.savings_by_evidence:,.2f} USD a month, extrapolated from {span_of(evidence.days_seen)}; {observed}"
    )


def value_of_queue(claimed_usd: float, shown_usd: float | None) -> str:
    """Return what the pending entries are worth."""
    shown = "nothing shown by evidence" if shown_usd is None else f"{shown_usd:,.0f} shown by evidence"
    return f"{claimed_usd:,.0f} USD a month claimed, {shown}"
