"""What had been saved, and was promised, week by week."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from pattern_sync.domain.roi import DAYS_A_MONTH, Promise, RoiWeek, Tally
from pattern_sync.domain.roi_intervals import Draw, band

# Two years; what was saved before is in the first of them.
MOST_WEEKS = 104
_DAY_SECONDS = 86_400
_EPOCH = date(1970, 1, 1)
# The first of January 1970 was a Thursday.
_EPOCH_WEEKDAY = 3


def days_since_1970(at: datetime) -> int:
    """Return the day of a time, in UTC."""
    return (at.astimezone(UTC).date() - _EPOCH).days


def weeks_of(patterns: Sequence[tuple[Promise, Tally]], now: datetime, draw: Draw) -> tuple[RoiWeek, ...]:
    """Return the sums of approved patterns at the end of each week since the first of them, and now.

    The intervals are those of the patterns that have run.
    """
    ran = [tally for _, tally in patterns if tally.days]
    begun = [
        promise.approved_at for promise, _ in patterns if promise.approved_at and promise.approved_at.timestamp() > 0
    ]
    first = min([days_since_1970(each) for each in begun] + [min(tally.days) for tally in ran], default=None)
    if first is None:
        return ()
    ends = _week_ends(first, days_since_1970(now))
    rows = [_accumulated(tally, ends) for tally in ran]
    sums = [sum(column) for column in zip(*rows, strict=True)] if rows else [0.0] * len(ends)
    ranges = band(rows, draw("weeks")) if rows else [None] * len(ends)
    promised = _promised([promise for promise, _ in patterns], ends, now)
    return tuple(
        RoiWeek(_EPOCH + timedelta(days=end), round(saved, 6), interval, estimated)
        for end, saved, interval, estimated in zip(ends, sums, ranges, promised, strict=True)
    )


def _week_ends(first: int, last: int) -> list[int]:
    """Return the Sundays from a day on before another, and that one."""
    sunday = first + 6 - (first + _EPOCH_WEEKDAY) % 7
    return [*range(sunday, last, 7), last][-MOST_WEEKS:]


def _accumulated(tally: Tally, ends: Sequence[int]) -> list[float]:
    sums = [0.0] * len(ends)
    for day, saved in tally.days.items():
        sums[min(bisect_left(ends, day), len(ends) - 1)] += float(saved)
    return list(accumulate(sums))


def _promised(promises: Sequence[Promise], ends: Sequence[int], now: datetime) -> list[float]:
    """Return what all estimates had promised: each from its approval on, a thirtieth a day."""
    begun = sorted(
        (each.approved_at.timestamp(), float(each.estimated))
        for each in promises
        if each.approved_at and each.estimated and each.approved_at.timestamp() > 0
    )
    rates = list(accumulate((usd for _, usd in begun), initial=0.0))
    offsets = list(accumulate((usd * since for since, usd in begun), initial=0.0))
    starts = [since for since, _ in begun]
    sums = []
    for end in ends:
        until = min((end + 1) * _DAY_SECONDS, now.timestamp())
        count = bisect_left(starts, until)
        sums.append((rates[count] * until - offsets[count]) / _DAY_SECONDS / DAYS_A_MONTH)
    return sums
