"""When people want to hear of something: quiet hours, and the times of a digest."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Self
from zoneinfo import ZoneInfo

from pattern_sync.domain.wall_clock import ONE_DAY, first_instant, has_day, last_instant, parse_time, parse_zone

_QUIET_EXAMPLE = "write it like 22:00-07:00 Europe/Berlin"
_DIGEST_EXAMPLE = "write it like mon-fri 09:00, daily 09:00 or mon,wed 08:30 Europe/Berlin"
_QUIET = re.compile(r"([^\s-]+)\s*-\s*([^\s-]+)(?:\s+(\S+))?")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAILY = "daily"
# A week later the next one is due, and a day may be missing in a zone.
_LONGEST_SEARCH_DAYS = 15


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours of each day in which no message is sent; those over midnight begin on the day before.

    A time that the clocks show twice is quiet both times.
    """

    begin: time
    end: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "22:00-07:00 Europe/Berlin". Raises ValueError."""
        if not (found := _QUIET.fullmatch(text.strip())):
            raise ValueError(f"{text!r} are no quiet hours; {_QUIET_EXAMPLE}")
        if found[3] is None:
            raise ValueError(f"{text!r} names no time zone; {_QUIET_EXAMPLE}")
        begin, end = parse_time(found[1]), time() if found[2] == "24:00" else parse_time(found[2])
        if begin == end:
            raise ValueError(f"{text!r} is the whole day, so that nothing would ever be sent; {_QUIET_EXAMPLE}")
        return cls(begin, end, parse_zone(found[3]))

    def after(self, moment: datetime) -> datetime:
        """Return a moment itself, or the end of the quiet hours that it falls into."""
        while (end := self._end_around(moment)) is not None:
            moment = end
        return moment

    def _end_around(self, moment: datetime) -> datetime | None:
        today = moment.astimezone(self.zone).date()
        # The day before for hours over midnight, the day after for clocks that are put back over midnight.
        for day in (today - ONE_DAY, today, today + ONE_DAY):
            end = last_instant(day if self.begin < self.end else day + ONE_DAY, self.end, self.zone)
            if first_instant(day, self.begin, self.zone) <= moment < end:
                return end
        return None


@dataclass(frozen=True, slots=True)
class DigestSchedule:
    """When digests are due: a time on some days of the week (0 is Monday).

    A time that the clocks skip is due when they have skipped it, one that they show twice at its first. A day that a
    zone does not have has no digest.
    """

    days: frozenset[int]
    at: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, default_zone: ZoneInfo) -> Self:
        """Read "mon-fri 09:00", with a zone behind it or in the default one. Raises ValueError."""
        match text.split():
            case [days, at]:
                return cls(_days(days), parse_time(at), default_zone)
            case [days, at, zone]:
                return cls(_days(days), parse_time(at), parse_zone(zone))
            case _:
                raise ValueError(f"{text!r} is no time for a digest; {_DIGEST_EXAMPLE}")

    def next_after(self, moment: datetime) -> datetime:
        """Return when the next digest is due, later than a moment."""
        today = moment.astimezone(self.zone).date()
        days = (today + distance * ONE_DAY for distance in range(-1, _LONGEST_SEARCH_DAYS))
        return next(due for day in days if (due := self._due(day)) is not None and due > moment)

    def last_before(self, moment: datetime) -> datetime:
        """Return when the last digest was due, not later than a moment."""
        today = moment.astimezone(self.zone).date()
        days = (today - distance * ONE_DAY for distance in range(-1, _LONGEST_SEARCH_DAYS))
        return next(due for day in days if (due := self._due(day)) is not None and due <= moment)

    def _due(self, day: date) -> datetime | None:
        if day.weekday() not in self.days or not has_day(day, self.zone):
            return None
        return first_instant(day, self.at, self.zone).astimezone(UTC)


def _days(text: str) -> frozenset[int]:
    if text.lower() == _DAILY:
        return frozenset(range(len(_DAYS)))
    return frozenset(day for part in text.lower().split(",") for day in _range(part, text))


def _range(part: str, text: str) -> frozenset[int]:
    first, _, last = part.partition("-")
    if first not in _DAYS or (last or first) not in _DAYS or part.endswith("-"):
        raise ValueError(f"{text!r} are no days of the week; {_DIGEST_EXAMPLE}")
    begin, end = _DAYS.index(first), _DAYS.index(last or first)
    return frozenset((begin + distance) % len(_DAYS) for distance in range((end - begin) % len(_DAYS) + 1))
