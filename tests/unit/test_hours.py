"""Quiet hours and the times of a digest, against clocks that are read minute by minute."""

from bisect import bisect_left
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.domain.hours import DigestSchedule, QuietHours

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Zones whose clocks change at odd times, by odd amounts, over midnight, southern, never, and once by a whole day.
CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Havana", date(2026, 3, 8)),
    ("Asia/Kolkata", date(2026, 1, 1)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("America/St_Johns", date(2006, 10, 29)),
]
near_changes = st.sampled_from(CHANGES)
minutes_of_day = st.integers(0, 24 * 60 - 1)


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def clock(minute: int) -> time:
    return time(minute // 60, minute % 60)


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


class Readings:
    """The clocks of a zone, read each minute of some weeks around a day."""

    def __init__(self, name: str, day: date) -> None:
        begun = datetime.combine(day, time(), UTC) - 20 * DAY
        self.moments = [begun + number * MINUTE for number in range(40 * 24 * 60)]
        readings = [shown(moment, ZoneInfo(name)) for moment in self.moments]
        self.latest = list(accumulate(readings, max))
        self.last = dict(zip(readings, self.moments, strict=True))

    def first_shown(self, day: date, when: time) -> datetime:
        """Return the first minute at which the clocks have reached a time."""
        return self.moments[bisect_left(self.latest, datetime.combine(day, when))]

    def last_shown(self, day: date, when: time) -> datetime:
        """Return the last minute at which the clocks show a time, or have reached it."""
        return self.last.get(datetime.combine(day, when)) or self.first_shown(day, when)


@cache
def readings(name: str, day: date) -> Readings:
    return Readings(name, day)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-06-01 21:59:59", None),
        ("2026-06-01 22:00", "2026-06-02 07:00"),
        ("2026-06-01 23:59:59.999999", "2026-06-02 07:00"),
        ("2026-06-02 00:00", "2026-06-02 07:00"),
        ("2026-06-02 06:59:59", "2026-06-02 07:00"),
        ("2026-06-02 07:00", None),
        ("2026-06-02 12:00", None),
        # The night is an hour shorter, or longer, and ends by the clocks all the same.
        ("2026-03-28 23:00", "2026-03-29 07:00"),
        ("2026-10-24 23:00", "2026-10-25 07:00"),
    ],
)
def test_a_moment_in_quiet_hours_becomes_their_end_and_every_other_stays(moment: str, end: str | None) -> None:
    quiet = QuietHours.parse("22:00-07:00 Europe/Berlin")
    assert quiet.after(at(moment)) == at(end or moment)


def test_hours_within_a_day_and_up_to_midnight() -> None:
    assert QuietHours.parse("12:00-13:00 Europe/Berlin").after(at("2026-06-01 12:30")) == at("2026-06-01 13:00")
    assert QuietHours.parse("20:00-24:00 Europe/Berlin").after(at("2026-06-01 20:30")) == at("2026-06-02 00:00")
    assert QuietHours.parse("00:00-06:00 UTC").after(at("2026-06-01 02:30")) == at("2026-06-01 08:00")


def test_an_end_that_the_clocks_skip_is_when_they_have_skipped_it() -> None:
    quiet = QuietHours.parse("22:00-02:30 Europe/Berlin")
    assert quiet.after(at("2026-03-29 01:00")) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_what_the_clocks_show_twice_is_quiet_both_times() -> None:
    quiet = QuietHours.parse("22:00-02:30 Europe/Berlin")
    end = at("2026-10-25 02:30", fold=1)
    for inside in (at("2026-10-25 02:15"), at("2026-10-25 02:45"), at("2026-10-25 02:15", fold=1)):
        assert quiet.after(inside) == end
    begin = QuietHours.parse("02:30-06:00 Europe/Berlin")
    for inside in (at("2026-10-25 02:30"), at("2026-10-25 02:15", fold=1), at("2026-10-25 02:45", fold=1)):
        assert begin.after(inside) == at("2026-10-25 06:00")


def test_quiet_hours_are_one_stretch_though_the_clocks_go_back_to_the_day_before() -> None:
    st_johns = ZoneInfo("America/St_Johns")  # at 00:01 it was 23:01 again
    quiet = QuietHours.parse("00:00-06:00 America/St_Johns")
    for inside in (at("2006-10-29 00:00", st_johns), at("2006-10-28 23:30", st_johns, fold=1)):
        assert quiet.after(inside) == at("2006-10-29 06:00", st_johns)
    assert quiet.after(at("2006-10-28 23:30", st_johns)) == at("2006-10-28 23:30", st_johns)


@given(near_changes, minutes_of_day, minutes_of_day, st.integers(-36 * 60, 36 * 60))
def test_quiet_hours_are_what_the_clocks_show(change: tuple[str, date], begin: int, end: int, minute: int) -> None:
    name, day = change
    if begin == end:
        end = (begin + 1) % (24 * 60)
    clocks, quiet = readings(name, day), QuietHours.parse(f"{clock(begin):%H:%M}-{clock(end):%H:%M} {name}")
    moment = datetime.combine(day, time(12), UTC) + minute * MINUTE
    spans = []
    for distance in range(-4, 4):
        of_day = day + distance * DAY
        span_end = clocks.last_shown(of_day if begin < end else of_day + DAY, clock(end))
        spans.append((clocks.first_shown(of_day, clock(begin)), span_end))
    expected = moment
    for span_begin, span_end in spans:
        if span_begin <= expected < span_end:
            expected = span_end
    assert quiet.after(moment) == expected
    assert quiet.after(expected) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("22:00-07:00", "names no time zone"),
        ("22:00-07:00 Europe/Atlantis", "'Europe/Atlantis' is no time zone"),
        ("22:00-07:00 Europe", "'Europe' is no time zone"),
        ("22:00-07:00 ../../etc/passwd", "is no time zone"),
        ("22:00-07:00 +01:00", "is no time zone"),
        ("22:00-22:00 Europe/Berlin", "is the whole day"),
        ("00:00-24:00 Europe/Berlin", "is the whole day"),
        ("24:00-07:00 Europe/Berlin", "'24:00' is not a time of day"),
        ("22:00-25:00 Europe/Berlin", "'25:00' is not a time of day"),
        ("22-07 Europe/Berlin", "'22' is not a time of day"),
        ("22:00 Europe/Berlin", "are no quiet hours"),
        ("22:00-07:00 Europe/Berlin UTC", "are no quiet hours"),
        ("\u0662\u0662:00-07:00 UTC", "is not a time of day"),
        ("", "are no quiet hours"),
        ("always", "are no quiet hours"),
    ],
)
def test_other_quiet_hours_are_refused_with_an_example(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        QuietHours.parse(text)
    assert "write it like" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "moment", "last", "due"),
    [
        ("mon-fri 09:00", "2026-11-27 09:00", "2026-11-27 09:00", "2026-11-30 09:00"),
        ("mon-fri 09:00", "2026-11-27 08:59:59", "2026-11-26 09:00", "2026-11-27 09:00"),
        ("daily 09:00", "2026-11-28 10:00", "2026-11-28 09:00", "2026-11-29 09:00"),
        ("mon,wed 08:30", "2026-11-30 12:00", "2026-11-30 08:30", "2026-12-02 08:30"),
        ("Fri-Mon,Wed 08:30", "2026-11-30 12:00", "2026-11-30 08:30", "2026-12-02 08:30"),
        ("sun 08:30", "2026-11-29 08:00", "2026-11-22 08:30", "2026-11-29 08:30"),
        ("mon 08:30 Europe/Berlin", "2026-11-29 08:00", "2026-11-23 08:30", "2026-11-30 08:30"),
        # Skipped, and shown twice: once each.
        ("daily 02:30", "2026-03-29 01:59", "2026-03-28 02:30", "2026-03-29 03:00"),
        ("daily 02:30", "2026-10-25 02:45", "2026-10-25 02:30", "2026-10-26 02:30"),
    ],
)
def test_a_digest_is_due_at_its_time_on_its_days(text: str, moment: str, last: str, due: str) -> None:
    schedule = DigestSchedule.parse(text, BERLIN)
    assert (schedule.last_before(at(moment)), schedule.next_after(at(moment))) == (at(last), at(due))


def test_a_zone_behind_the_time_stands_for_the_default_one() -> None:
    schedule = DigestSchedule.parse("daily 09:00 America/New_York", BERLIN)
    assert schedule.next_after(at("2026-11-27 12:00")) == at("2026-11-27 09:00", ZoneInfo("America/New_York"))


def test_a_day_that_a_zone_does_not_have_has_no_digest() -> None:
    apia = ZoneInfo("Pacific/Apia")
    schedule = DigestSchedule.parse("fri 09:00", apia)  # 30 December 2011, in Samoa
    assert schedule.next_after(at("2011-12-29 12:00", apia)) == at("2012-01-06 09:00", apia)
    assert schedule.last_before(at("2011-12-31 12:00", apia)) == at("2011-12-23 09:00", apia)


@given(near_changes, minutes_of_day, st.sets(st.integers(0, 6), min_size=1), st.integers(-36 * 60, 36 * 60))
def test_every_digest_is_due_once(change: tuple[str, date], minute: int, days: set[int], offset: int) -> None:
    name, day = change
    zone = ZoneInfo(name)
    names = ",".join(("mon", "tue", "wed", "thu", "fri", "sat", "sun")[each] for each in days)
    schedule = DigestSchedule.parse(f"{names} {clock(minute):%H:%M}", zone)
    moment = datetime.combine(day, time(12), UTC) + offset * MINUTE
    expected = [
        readings(name, day).first_shown(each, clock(minute))
        for distance in range(-16, 17)
        if (each := day + distance * DAY).weekday() in days and (name, each) != ("Pacific/Apia", date(2011, 12, 30))
    ]
    assert schedule.last_before(moment) == max(each for each in expected if each <= moment)
    assert schedule.next_after(moment) == min(each for each in expected if each > moment)
    assert schedule.last_before(schedule.next_after(moment)) == schedule.next_after(moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "09:00",
        "mon-fri",
        "mon-fri 9:00",
        "mon-fri 24:00",
        "mon- 09:00",
        "-fri 09:00",
        "mon-fri-sun 09:00",
        "mon,,fri 09:00",
        "daily,mon 09:00",
        "monday 09:00",
        "mon-fri 09:00 Europe/Atlantis",
        "mon-fri 09:00 Europe/Berlin UTC",
        "* 9 * * 1-5",
    ],
)
def test_another_schedule_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        DigestSchedule.parse(text, BERLIN)


@given(st.text() | st.text("0123456789:- ,monfridaily/UTCEuropeBerlin", max_size=30))
def test_any_other_text_is_refused_in_words(text: str) -> None:
    for parse in (QuietHours.parse, lambda given: DigestSchedule.parse(given, BERLIN)):
        with suppress(ValueError):
            parse(text)
