"""What the books say, against figures that were computed by hand."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from pattern_sync.domain.entry import Status
from pattern_sync.domain.roi import Books, Part, PatternRoi, Promise, Roi, RoiFlag, Standing, Tally
from pattern_sync.domain.roi_report import report, report_of
from pattern_sync.domain.roi_shares import shares_of
from pattern_sync.domain.roi_table import Grouped, roi_csv
from pattern_sync.domain.roi_wording import summary_of

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)  # a Friday
TODAY = (NOW.date() - date(1970, 1, 1)).days


def tally(  # each figure is a fact of its own
    pattern_id: str,
    saved: dict[int, str],
    *,
    part: Part = Part.SAVED,
    logged: int | None = None,
    executed: int = 0,
    tried: int = 0,
    failed: int = 0,
    repeated: int = 0,
    superseded: int = 0,
) -> Tally:
    """Return a tally by days ago and amount; a run a day, unless it is said otherwise."""
    days = {TODAY - ago: Decimal(usd) for ago, usd in saved.items()}
    return Tally(
        pattern_id,
        part,
        len(days) if logged is None else logged,
        executed,
        0,
        tried,
        failed,
        sum(days.values(), Decimal(0)),
        NOW - timedelta(days=min(saved)) if saved else None,
        repeated,
        superseded,
        days,
    )


def promise(
    pattern_id: str, estimated: str | None = "30", days_ago: float | None = 40, status: str = "approved"
) -> Promise:
    at = None if days_ago is None or status == "pending" else NOW - timedelta(days=days_ago)
    kind = ":".join(pattern_id.split(":")[:2])
    return Promise(pattern_id, kind, status, None if estimated is None else Decimal(estimated), at)


def books(tallies: Sequence[Tally], promises: Sequence[Promise]) -> Books:
    return Books(tallies, promises, None, "it is missing", None, NOW)


def roi(tallies: Sequence[Tally], promises: Sequence[Promise]) -> Roi:
    return report(books(tallies, promises), Random)


def one(tallies: Sequence[Tally], promised: Promise) -> PatternRoi:
    return report_of(books(tallies, [promised]), promised, Random)


FIVE = {1: "1.10", 5: "2.20", 9: "0.30", 20: "4.00", 33: "0.40"}


def test_a_pattern_is_measured_to_the_cent() -> None:
    found = one([tally("a:b:c", FIVE, executed=1, tried=4, failed=1, repeated=3)], promise("a:b:c"))
    assert (found.saved_usd, found.runs, found.days) == (8.0, 6, 40.0)
    assert found.monthly_usd == pytest.approx(6.0)  # 8 / 40 x 30
    assert found.share == pytest.approx(0.2)
    assert found.monthly_range is not None
    assert 0 <= found.monthly_range.low < 6 < found.monthly_range.high
    assert found.share_range is not None
    assert found.share_range.low * 30 == pytest.approx(found.monthly_range.low)
    assert found.success_rate == 0.75
    assert found.sources == ("cost_savings_log", "pattern_executions")
    assert (found.standing, found.flags) == (Standing.MEASURED, (RoiFlag.REPEATED,))
    assert found.remark == "It got 20 % of what was promised."


@pytest.mark.parametrize(
    ("saved", "days_ago", "standing", "remark"),
    [
        ({}, 3, Standing.TOO_EARLY, "Too early: no runs."),
        ({1: "5", 2: "5"}, 40, Standing.TOO_EARLY, "Too early: 2 runs."),
        (dict.fromkeys(range(5), "5"), 13.4, Standing.TOO_EARLY, "Too early: 5 runs in 13 of 14 days."),
        (dict.fromkeys(range(5), "5"), 14, Standing.MEASURED, "It got 179 % of what was promised."),
        ({}, 31, Standing.NOT_USED, "Approved, not used: no run in 31 days."),
        ({35: "1"}, 60, Standing.NOT_USED, "Approved, not used: no run in 35 days."),
        (
            dict.fromkeys(range(31, 37), "5"),
            60,
            Standing.MEASURED,
            "It got 50 % of what was promised, no run in 31 days.",
        ),
        (dict.fromkeys(range(5), "-1.5"), 30, Standing.MEASURED, "It has cost 7.50 USD more than before."),
    ],
)
def test_what_can_be_said_of_a_pattern(saved: dict[int, str], days_ago: float, standing: Standing, remark: str) -> None:
    found = one([tally("a:b:c", saved)], promise("a:b:c", days_ago=days_ago))
    assert (found.standing, found.remark) == (standing, remark)


def test_what_is_not_approved_saves_nothing_and_still_has_an_expectation() -> None:
    measured = [promise(f"a:b:{number}") for number in range(2)]
    tallies = [tally(each.pattern_id, FIVE) for each in measured]
    tallies.append(tally("a:b:new", {1: "9"}, part=Part.UNDECIDED))
    found = report_of(books(tallies, measured), promise("a:b:new", "100", status="pending"), Random)
    assert (found.standing, found.saved_usd, found.runs) == (Standing.UNDECIDED, 0.0, 0)
    assert (found.baseline_usd, found.baseline_runs) == (9.0, 1)
    assert found.expected is not None
    assert found.expected.expected_usd == pytest.approx(20.0)
    assert found.expected.words == "2 patterns of this kind got 20 % of what was promised."


def test_the_share_to_expect_of_a_kind_leans_on_all_kinds_as_if_three_more_patterns_had_theirs() -> None:
    shares = shares_of([("a", 10.0, 100.0), ("b", 60.0, 100.0), ("b", 80.0, 100.0)])
    assert shares.of_kind("a") == 0.1
    assert shares.expected("a") == pytest.approx((1 * 0.1 + 3 * 0.5) / 4)
    assert shares.expected("b") == pytest.approx((2 * 0.7 + 3 * 0.5) / 5)
    assert shares.expected("c") == pytest.approx(0.5)
    other = shares.correct("c", 200.0)
    assert other is not None
    assert other.expected_usd == pytest.approx(100.0)
    assert other.words == "No pattern of this kind has results yet; 3 patterns of other kinds got 50 %."
    assert shares.correct("a", None) is None
    assert shares.correct("a", 0.0) is None
    assert shares_of([]).correct("a", 100.0) is None
    assert shares_of([("a", -10.0, 100.0)]).expected("a") == 0.0


def test_the_totals_are_those_of_the_patterns_and_so_are_the_csv_s() -> None:
    promises = [promise(f"k{number % 2}:b:{number}", str(20 + number)) for number in range(8)]
    tallies = [tally(each.pattern_id, {day: f"{day}.0{number}" for day in range(1, 8)}, tried=1, failed=number % 2)
               for number, each in enumerate(promises)]  # fmt: skip
    tallies += [
        tally("", {3: "7.77"}, part=Part.NO_PATTERN),
        tally("k0:b:0", {50: "1.5"}, part=Part.BASELINE),
        tally("k0:b:0", {1: "0"}, part=Part.UNUSABLE, logged=4),
    ]
    found = roi(tallies, [*promises, promise("k0:b:unused", "1000", days_ago=31)])
    by_hand = sum((Decimal(f"{day}.0{number}") for day in range(1, 8) for number in range(8)), Decimal(0))
    assert Decimal(str(found.totals.saved_usd)) == by_hand == Decimal("225.96")
    assert (found.totals.patterns, found.totals.measured, found.totals.not_used) == (9, 8, 1)
    assert found.totals.promised_usd == 1000 + sum(range(20, 28))
    assert found.totals.estimated_usd == sum(range(20, 28))
    assert found.totals.monthly_usd == pytest.approx(float(by_hand) / 40 * 30)
    assert found.totals.success_rate == 0.5
    assert found.totals.share_range is not None
    assert sum(Decimal(str(each.saved_usd)) for each in found.kinds) == by_hand
    for text in (roi_csv(found, by) for by in Grouped):
        assert sum(Decimal(line["saved_usd"]) for line in csv.DictReader(io.StringIO(text))) == by_hand
    said = {aside.part: (aside.runs, aside.saved_usd) for aside in found.asides}
    assert said == {Part.NO_PATTERN: (1, 7.77), Part.BASELINE: (1, 1.5), Part.UNUSABLE: (4, 0.0)}
    assert found == roi(tallies, [*promises, promise("k0:b:unused", "1000", days_ago=31)])  # the same each time


def test_weeks_end_on_sundays_and_today_and_add_up() -> None:
    found = roi([tally("a:b:c", {0: "1", 4: "2", 5: "4", 11: "8"})], [promise("a:b:c", "30", days_ago=14.5)])
    assert [week.until for week in found.weeks] == [
        date(2026, 11, 15), date(2026, 11, 22), date(2026, 11, 27),
    ]  # fmt: skip
    assert [week.saved_usd for week in found.weeks] == [0.0, 12.0, 15.0]
    assert [week.estimated_usd for week in found.weeks] == [pytest.approx(days) for days in (3.0, 10.0, 14.5)]
    assert all(week.saved_range is None for week in found.weeks)


def test_a_time_of_approval_that_nobody_knows_is_that_of_the_first_run() -> None:
    unknown = Promise("a:b:c", "a:b", Status.AUTO_APPROVED, Decimal(30), datetime(1970, 1, 1, tzinfo=UTC))
    found = one([tally("a:b:c", FIVE)], unknown)
    assert found.days == 33.5
    assert roi([tally("a:b:c", FIVE)], [unknown]).weeks[0].until == date(2026, 10, 25)


@pytest.mark.parametrize("estimated", [None, "0", "-5"])
def test_what_promised_nothing_has_a_month_and_no_share(estimated: str | None) -> None:
    found = one([tally("a:b:c", FIVE)], promise("a:b:c", estimated))
    assert found.monthly_usd == pytest.approx(6.0)
    assert (found.share, found.share_range, found.expected) == (None, None, None)
    assert found.remark == "It promised nothing that it could be measured by."


def test_books_without_anything_are_a_report_without_anything() -> None:
    found = roi([], [])
    assert (found.patterns, found.kinds, found.weeks, found.asides) == ((), (), (), ())
    assert next(iter(summary_of(found))).startswith("no approved patterns, 0.00 USD saved in no runs. Too early")


def test_an_approval_by_a_clock_that_is_ahead_has_no_days() -> None:
    found = one([tally("a:b:c", {})], promise("a:b:c", days_ago=-3))
    assert (found.days, found.standing) == (0.0, Standing.TOO_EARLY)
