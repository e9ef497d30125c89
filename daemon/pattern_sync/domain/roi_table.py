"""The results as CSV, as spreadsheets read it."""

from enum import StrEnum

from pattern_sync.domain.roi import KindRoi, PatternRoi, Roi
from pattern_sync.domain.roi_intervals import Interval
from pattern_sync.domain.table import csv_lines, harmless

_PATTERN_COLUMNS = (
    *("pattern_id", "kind", "status", "standing", "approved_at", "days", "estimated_usd", "runs", "saved_usd"),
    *("monthly_usd", "share", "success_rate", "last_run_at", "repeated", "baseline_runs", "baseline_usd"),
)
_KIND_COLUMNS = (
    *("kind", "patterns", "measured", "runs", "saved_usd", "estimated_usd", "monthly_usd", "share"),
    "expected_share",
)
_BOUNDS = ("monthly_low_usd", "monthly_high_usd", "share_low", "share_high")


class Grouped(StrEnum):
    """Of what a line of the CSV is."""

    PATTERN = "pattern"
    KIND = "kind"


def roi_csv(roi: Roi, lines: Grouped) -> str:
    """Return a line for each approved pattern, whose amounts add up to the totals, or for each kind of patterns."""
    return _kinds_csv(roi) if lines is Grouped.KIND else _patterns_csv(roi)


def _patterns_csv(roi: Roi) -> str:
    head = [*_PATTERN_COLUMNS, "expected_usd", *_BOUNDS, "sources", "flags"]
    return csv_lines([head, *(_pattern_cells(each) for each in roi.patterns)])


def _kinds_csv(roi: Roi) -> str:
    return csv_lines([_KIND_COLUMNS, *(_kind_cells(each) for each in roi.kinds)])


def _pattern_cells(pattern: PatternRoi) -> list[object]:
    return [
        *(harmless(getattr(pattern, name)) for name in _PATTERN_COLUMNS),
        None if pattern.expected is None else pattern.expected.expected_usd,
        *_bounds(pattern.monthly_range),
        *_bounds(pattern.share_range),
        " ".join(pattern.sources),
        " ".join(pattern.flags),
    ]


def _kind_cells(kind: KindRoi) -> list[object]:
    return [harmless(getattr(kind, name)) for name in _KIND_COLUMNS]


def _bounds(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)
