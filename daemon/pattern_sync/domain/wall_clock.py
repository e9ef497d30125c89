"""Times of day in a zone, exact on the nights on which clocks are put forward or back."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_SECOND = timedelta(seconds=1)


def parse_time(text: str) -> time:
    """Return a time of day. Raises ValueError."""
    if not (found := _TIME.fullmatch(text)):
        raise ValueError(f"{text!r} is not a time of day; write it like 09:00")
    return time(int(found[1]), int(found[2]))


def parse_zone(name: str) -> ZoneInfo:
    """Return a time zone. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is no time zone that this machine knows; write it like Europe/Berlin or UTC, and see that the"
            " package tzdata is installed"
        ) from None


def first_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return when a zone's clocks show a time, or the first later one if they skip it; of two instants the first."""
    wanted = datetime.combine(day, at)
    earlier, later = _readings(wanted, zone)
    if _shown(earlier, zone) >= wanted:
        return earlier
    # Skipped: the clocks go forward somewhere in between.
    while later - earlier > _SECOND:
        middle = earlier + ((later - earlier) // 2 // _SECOND) * _SECOND
        earlier, later = (earlier, middle) if _shown(middle, zone) >= wanted else (middle, later)
    return later


def last_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the same, but of two instants the second."""
    wanted = datetime.combine(day, at)
    _, later = _readings(wanted, zone)
    return later if _shown(later, zone) == wanted else first_instant(day, at, zone)


def has_day(day: date, zone: ZoneInfo) -> bool:
    """Return whether a zone has a day: crossing the date line, Samoa had no 30 December 2011."""
    return first_instant(day, time(), zone).astimezone(zone).date() == day


def _readings(wanted: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the two instants, in order, that a time means by the offsets before and after a change of clocks."""
    first, second = (wanted.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return min(first, second), max(first, second)


def _shown(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)
