"""The results in words, the same on the command line and in the docs' examples."""

from collections.abc import Iterator

from pattern_sync.domain.roi import ENOUGH_DAYS, ENOUGH_RUNS, UNUSED_DAYS, Roi, RoiTotals
from pattern_sync.domain.roi_intervals import LEAST_PATTERNS, Interval

# Of a table that an application need not have, that is no fault.
MISSING = "it is missing"


def money(usd: float) -> str:
    """Return an amount to the cent."""
    return f"{usd:,.2f}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 run, 2 runs, no runs."""
    return f"{f'{number:,}' if number else 'no'} {noun}{'' if number == 1 else 's'}"


def share_of(figure: float, interval: Interval | None, unit: str) -> str:
    """Return a figure with its interval, if there is one."""
    between = "" if interval is None else f", probably {money(interval.low)} to {money(interval.high)}"
    return f"{money(figure)} {unit}{between}"


def summary_of(roi: Roi) -> Iterator[str]:
    """Yield what the results are in total, what they were read from, and what could not be read."""
    totals = roi.totals
    yield (
        f"{counted(totals.patterns, 'approved pattern')}, {money(totals.saved_usd)} USD saved in"
        f" {counted(totals.runs, 'run')}. {_shares(totals)}"
    )
    if totals.not_used:
        yield f"{totals.not_used:,} approved, not used: no run in {UNUSED_DAYS} days."
    for source in roi.sources:
        if source.fault is not None and source.fault != MISSING:
            yield f"{source.name} was not read: {source.fault}."
    yield roi.remark


def recording_hint() -> str:
    """Return how a run is recorded."""
    return (
        "Nothing is recorded yet of an approved pattern. To record a run:"
        " pattern-sync roi record SIGNATURE --usd 0.41 --workflow wf-1"
        " (or SELECT pattern_sync.saved('SIGNATURE', usd => 0.41, workflow => 'wf-1'))."
    )


def _shares(totals: RoiTotals) -> str:
    if totals.share is None or totals.monthly_usd is None:
        return f"Too early for a month's figure: it takes {ENOUGH_RUNS} runs over {ENOUGH_DAYS} days of one pattern."
    between = (
        f" (from {LEAST_PATTERNS} patterns with results on, there is an interval)"
        if totals.share_range is None
        else f", probably {100 * totals.share_range.low:.0f} % to {100 * totals.share_range.high:.0f} %"
    )
    return (
        f"The {totals.measured:,} with enough results save {money(totals.monthly_usd)} USD a month,"
        f" {100 * totals.share:.0f} % of what they promised{between}."
    )
