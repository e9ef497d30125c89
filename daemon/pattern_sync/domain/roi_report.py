"""What the books say: of each approved pattern, of each kind, and in total."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from pattern_sync.domain.roi import (
    DAYS_A_MONTH,
    ENOUGH_DAYS,
    ENOUGH_RUNS,
    UNUSED_DAYS,
    Aside,
    Books,
    KindRoi,
    Part,
    PatternRoi,
    Promise,
    Roi,
    RoiFlag,
    RoiTotals,
    Source,
    Standing,
    Tally,
)
from pattern_sync.domain.roi_intervals import Draw, Interval, ratio_intervals, sum_interval
from pattern_sync.domain.roi_shares import Shares, shares_of
from pattern_sync.domain.roi_weeks import days_since_1970, weeks_of
from pattern_sync.domain.roi_wording import counted

_DAY_SECONDS = 86_400
_APPROVED = ("approved", "auto-approved")
_ASIDES: Mapping[Part, str] = {
    Part.BASELINE: "before the approval: what it cost without, no savings",
    Part.UNDECIDED: "of patterns that nobody has approved",
    Part.NO_PATTERN: "not of a pattern",
    Part.DELETED: "of patterns that are gone",
    Part.UNUSABLE: "without a plain amount or time: left out",
    Part.REPEATED: "say a run once more: counted once",
    Part.SUPERSEDED: "executions that are in the log as well: the log says what they saved",
}
_MEANING = '"Saved" is against what the detector believed that each run would have cost.'


def report(books: Books, draw: Draw) -> Roi:
    """Return everything about the results, those patterns that saved most first."""
    tallies = {(tally.pattern_id, tally.part): tally for tally in books.tallies}
    approved = [promise for promise in books.promises if promise.status in _APPROVED]
    rough = [_Results(promise, tallies, books.now) for promise in approved]
    shares = shares_of(each.measured for each in rough if each.measured is not None)
    patterns = sorted(
        (each.judged(shares, draw) for each in rough), key=lambda each: (-each.saved_usd, each.pattern_id)
    )
    return Roi(
        as_of=books.kept_at or books.now,
        totals=_totals(patterns, books, draw),
        kinds=tuple(_kinds(patterns, shares)),
        patterns=tuple(patterns),
        weeks=weeks_of([(each.promise, each.tally) for each in rough], books.now, draw),
        asides=tuple(_asides(books.tallies)),
        sources=tuple(_sources(books)),
        remark=_MEANING,
    )


def report_of(books: Books, promise: Promise, draw: Draw) -> PatternRoi:
    """Return the results of one pattern, whatever was decided on it, beside what those of its kind got."""
    tallies = {(tally.pattern_id, tally.part): tally for tally in books.tallies}
    measured = (_Results(each, tallies, books.now).measured for each in books.promises)
    return _Results(promise, tallies, books.now).judged(shares_of(each for each in measured if each is not None), draw)


class _Results:
    """One pattern's promise beside its tallies."""

    def __init__(self, promise: Promise, tallies: Mapping[tuple[str, Part], Tally], now: datetime) -> None:
        self.promise = promise
        self.tally = tallies.get((promise.pattern_id, Part.SAVED)) or _nothing(promise.pattern_id, Part.SAVED)
        self._baseline = _added(tallies.get((promise.pattern_id, part)) for part in (Part.BASELINE, Part.UNDECIDED))
        self._approved = promise.status in _APPROVED
        self._now = now
        begun = begun_at(promise, self.tally)
        self._days = 0.0 if begun is None else max(0.0, (now - begun).total_seconds() / _DAY_SECONDS)
        self._estimated = None if promise.estimated is None else float(promise.estimated)
        self._is_measured = self._approved and self.tally.runs >= ENOUGH_RUNS and self._days >= ENOUGH_DAYS

    @property
    def measured(self) -> tuple[str, float, float] | None:
        """Return its kind, and what it saves beside its estimate; None if it does not count for the shares."""
        if not self._is_measured or self._estimated is None or self._estimated <= 0:
            return None
        return self.promise.kind, self._a_month, self._estimated

    @property
    def _a_month(self) -> float:
        return float(self.tally.saved) / self._days * DAYS_A_MONTH

    def judged(self, shares: Shares, draw: Draw) -> PatternRoi:
        """Return what can be said of it."""
        tally, promise = self.tally, self.promise
        interval = self._interval(draw) if self._is_measured else None
        has_share = self.measured is not None and self._estimated is not None
        standing = self._standing()
        return PatternRoi(
            pattern_id=promise.pattern_id,
            kind=promise.kind,
            status=promise.status,
            standing=standing,
            remark=self._remark(standing),
            approved_at=begun_at(promise, tally) if self._approved else None,
            days=round(self._days, 2),
            estimated_usd=self._estimated,
            expected=shares.correct(promise.kind, self._estimated),
            runs=tally.runs,
            saved_usd=float(tally.saved),
            monthly_usd=self._a_month if self._is_measured else None,
            monthly_range=interval,
            share=self._a_month / self._estimated if has_share and self._estimated else None,
            share_range=interval.times(1 / self._estimated) if interval and has_share and self._estimated else None,
            success_rate=(tally.tried - tally.failed) / tally.tried if tally.tried else None,
            tried=tally.tried,
            last_run_at=tally.last_at,
            sources=tuple(name for name, runs in _runs_by_source(tally) if runs),
            flags=tuple(self._flags()),
            repeated=tally.repeated,
            baseline_runs=self._baseline.runs,
            baseline_usd=float(self._baseline.saved),
        )

    def _interval(self, draw: Draw) -> Interval | None:
        begun = begun_at(self.promise, self.tally)
        first = days_since_1970(begun) if begun else 0
        daily = [0.0] * max(1, days_since_1970(self._now) - first + 1)
        for day, saved in self.tally.days.items():
            daily[min(max(day - first, 0), len(daily) - 1)] += float(saved)
        interval = sum_interval(daily, draw(self.promise.pattern_id))
        return None if interval is None else interval.times(DAYS_A_MONTH / self._days)

    @property
    def _idle_days(self) -> float:
        last_at = self.tally.last_at
        return self._days if last_at is None else (self._now - last_at).total_seconds() / _DAY_SECONDS

    @property
    def _is_unused(self) -> bool:
        return self._approved and self._days >= UNUSED_DAYS and self._idle_days >= UNUSED_DAYS

    def _standing(self) -> Standing:
        if not self._approved:
            return Standing.UNDECIDED
        if self._is_measured:
            return Standing.MEASURED
        return Standing.NOT_USED if self._is_unused else Standing.TOO_EARLY

    def _flags(self) -> Iterator[RoiFlag]:
        if self._approved and self.tally.saved < 0:
            yield RoiFlag.NEGATIVE
        if self._is_unused:
            yield RoiFlag.NOT_USED
        if self.tally.repeated:
            yield RoiFlag.REPEATED

    def _remark(self, standing: Standing) -> str:
        unused = f"no run in {self._idle_days:,.0f} days"
        match standing:
            case Standing.UNDECIDED:
                return "Not approved: nothing counts as saved."
            case Standing.NOT_USED:
                return f"Approved, not used: {unused}."
            case Standing.TOO_EARLY if self.tally.runs < ENOUGH_RUNS:
                return f"Too early: {counted(self.tally.runs, 'run')}."
            case Standing.TOO_EARLY:
                return f"Too early: {counted(self.tally.runs, 'run')} in {self._days:.0f} of {ENOUGH_DAYS} days."
        if self.tally.saved < 0:
            said = f"It has cost {-self.tally.saved:,.2f} USD more than before."
        elif (measured := self.measured) is None:
            said = "It promised nothing that it could be measured by."
        else:
            said = f"It got {100 * measured[1] / measured[2]:.0f} % of what was promised."
        return f"{said[:-1]}, {unused}." if self._is_unused else said


def begun_at(promise: Promise, tally: Tally) -> datetime | None:
    """Return since when a pattern is approved; where nobody knows, since its first run."""
    if promise.approved_at is None or promise.approved_at.timestamp() > 0:
        return promise.approved_at
    return datetime.fromtimestamp(min(tally.days) * _DAY_SECONDS, UTC) if tally.days else None


def _totals(patterns: Sequence[PatternRoi], books: Books, draw: Draw) -> RoiTotals:
    pairs = [
        (each.monthly_usd, each.estimated_usd)
        for each in patterns
        if each.share is not None and each.monthly_usd is not None and each.estimated_usd is not None
    ]
    monthly, estimated = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    monthly_range, share_range = ratio_intervals(pairs, draw("portfolio"))
    tried = sum(each.tried for each in patterns)
    approved = {each.pattern_id for each in patterns}
    counting = [each for each in books.tallies if each.part is Part.SAVED and each.pattern_id in approved]
    failed = sum(each.failed for each in counting)
    promised = [each.estimated for each in books.promises if each.pattern_id in approved and each.estimated is not None]
    return RoiTotals(
        patterns=len(patterns),
        measured=sum(each.standing is Standing.MEASURED for each in patterns),
        too_early=sum(each.standing is Standing.TOO_EARLY for each in patterns),
        not_used=sum(RoiFlag.NOT_USED in each.flags for each in patterns),
        runs=sum(each.runs for each in patterns),
        saved_usd=float(sum((each.saved for each in counting), Decimal(0))),
        promised_usd=float(sum(promised, Decimal(0))),
        estimated_usd=estimated,
        monthly_usd=monthly if pairs else None,
        monthly_range=monthly_range,
        share=monthly / estimated if pairs else None,
        share_range=share_range,
        success_rate=(tried - failed) / tried if tried else None,
        last_run_at=max((each.last_at for each in counting if each.last_at), default=None),
    )


def _kinds(patterns: Sequence[PatternRoi], shares: Shares) -> Iterator[KindRoi]:
    kinds: dict[str, list[PatternRoi]] = defaultdict(list)
    for each in patterns:
        kinds[each.kind].append(each)
    for kind, members in sorted(kinds.items(), key=lambda item: (-_saved(item[1]), item[0])):
        measured, usd, estimated = shares.kinds.get(kind, (0, 0.0, 0.0))
        yield KindRoi(
            kind=kind,
            patterns=len(members),
            measured=measured,
            runs=sum(each.runs for each in members),
            saved_usd=float(_saved(members)),
            estimated_usd=estimated,
            monthly_usd=usd,
            share=shares.of_kind(kind),
            expected_share=shares.expected(kind),
        )


def _saved(patterns: Iterable[PatternRoi]) -> Decimal:
    # A float that came from an amount is that amount to its last digit.
    return sum((Decimal(str(each.saved_usd)) for each in patterns), Decimal(0))


def _asides(tallies: Iterable[Tally]) -> Iterator[Aside]:
    runs: dict[Part, int] = defaultdict(int)
    saved: dict[Part, Decimal] = defaultdict(Decimal)
    for tally in tallies:
        runs[tally.part] += tally.runs
        saved[tally.part] += tally.saved
        if tally.part is not Part.UNUSABLE:
            runs[Part.REPEATED] += tally.repeated
            runs[Part.SUPERSEDED] += tally.superseded
    for part, words in _ASIDES.items():
        if runs[part]:
            yield Aside(part, runs[part], float(saved[part]), words)


def _sources(books: Books) -> Iterator[Source]:
    runs: dict[str, int] = defaultdict(int)
    for tally in books.tallies:
        for name, count in _runs_by_source(tally):
            runs[name] += count
    yield Source("cost_savings_log", runs["cost_savings_log"], books.log_fault)
    yield Source("pattern_executions", runs["pattern_executions"], books.executions_fault)
    if runs["recorded_savings"]:
        yield Source("recorded_savings", runs["recorded_savings"], None)


def _runs_by_source(tally: Tally) -> tuple[tuple[str, int], ...]:
    return (
        ("cost_savings_log", tally.logged),
        ("pattern_executions", tally.executed),
        ("recorded_savings", tally.recorded),
    )


def _nothing(pattern_id: str, part: Part) -> Tally:
    return Tally(pattern_id, part, 0, 0, 0, 0, 0, Decimal(0), None, 0, 0, {})


def _added(tallies: Iterable[Tally | None]) -> Tally:
    found = [tally for tally in tallies if tally is not None]
    return found[0] if found else _nothing("", Part.BASELINE)
