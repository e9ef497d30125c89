"""Return on investment: what approved patterns have saved, beside what they promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pattern_sync.domain.entry import EntryStatus
from pattern_sync.domain.roi_intervals import Interval

DAYS_A_MONTH = 30
# Before so many runs and days, a figure for a month would be chance.
ENOUGH_RUNS = 5
ENOUGH_DAYS = 14
# What has not run for so long is not used.
UNUSED_DAYS = 30


class Part(StrEnum):
    """What a recorded run counts as; of those that are repeated or superseded, another row counts."""

    SAVED = "saved"
    BASELINE = "baseline"
    UNDECIDED = "undecided"
    NO_PATTERN = "no-pattern"
    DELETED = "deleted"
    UNUSABLE = "unusable"
    REPEATED = "repeated"
    SUPERSEDED = "superseded"


class Standing(StrEnum):
    """What can be said of an approved pattern's results."""

    MEASURED = "measured"
    TOO_EARLY = "too-early"
    NOT_USED = "not-used"
    UNDECIDED = "undecided"


class RoiFlag(StrEnum):
    """What somebody should look at."""

    NEGATIVE = "negative"
    NOT_USED = "not-used"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Tally:
    """What one part of a pattern's runs adds up to, in USD; `days` has the savings by days since 1970.

    `repeated` rows say a run that counts already, `superseded` executions are in the log as well. The runs are those of
    the application's log, of its executions, and those recorded with us.
    """

    pattern_id: str
    part: Part
    logged: int
    executed: int
    recorded: int
    tried: int
    failed: int
    saved: Decimal
    last_at: datetime | None
    repeated: int
    superseded: int
    days: Mapping[int, Decimal]

    @property
    def runs(self) -> int:
        """Return how many runs count."""
        return self.logged + self.executed + self.recorded


@dataclass(frozen=True, slots=True)
class Promise:
    """What an entry promised when it was decided: USD a month; None where that is no plain number."""

    pattern_id: str
    kind: str
    status: EntryStatus
    estimated: Decimal | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that was recorded, at one moment. A fault says why a table cannot be read; None if it can.

    `kept_at` is when a sweep has added it up; None if that was done just now.
    """

    tallies: Sequence[Tally]
    promises: Sequence[Promise]
    log_fault: str | None
    executions_fault: str | None
    kept_at: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The names of the entries whose confidence was set from results, and of those that are refused, with why."""

    adjusted: tuple[str, ...]
    refused: tuple[str, ...]
    reason: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """A table that runs are read from; `fault` says why it cannot be."""

    name: str
    runs: int
    fault: str | None


@dataclass(frozen=True, slots=True)
class Expected:
    """An estimate, corrected by what patterns of its kind got of theirs: USD a month.

    `share` leans on that of all kinds where few patterns of the kind have results.
    """

    estimated_usd: float
    expected_usd: float
    share: float
    kind_share: float | None
    patterns: int
    words: str


@dataclass(frozen=True, slots=True)
class PatternRoi:
    """The results of one pattern. Money is in USD, and a month has 30 days.

    `saved_usd` is what was saved since the approval; `baseline_usd` is what is recorded of the time before, which is no
    saving. The figures for a month, and their share of the estimate, are None until there is enough to go by. So is the
    success rate without an execution.
    """

    pattern_id: str
    kind: str
    status: EntryStatus
    standing: Standing
    remark: str
    approved_at: datetime | None
    days: float
    estimated_usd: float | None
    expected: Expected | None
    runs: int
    saved_usd: float
    monthly_usd: float | None
    monthly_range: Interval | None
    share: float | None
    share_range: Interval | None
    success_rate: float | None
    tried: int
    last_run_at: datetime | None
    sources: tuple[str, ...]
    flags: tuple[RoiFlag, ...]
    repeated: int
    baseline_runs: int
    baseline_usd: float


@dataclass(frozen=True, slots=True)
class KindRoi:
    """The results of the approved patterns of one kind; figures for a month are of those that are measured."""

    kind: str
    patterns: int
    measured: int
    runs: int
    saved_usd: float
    estimated_usd: float
    monthly_usd: float
    share: float | None
    expected_share: float | None


@dataclass(frozen=True, slots=True)
class RoiTotals:
    """The results of all approved patterns; figures for a month are of the `measured` ones."""

    patterns: int
    measured: int
    too_early: int
    not_used: int
    runs: int
    saved_usd: float
    promised_usd: float
    estimated_usd: float
    monthly_usd: float | None
    monthly_range: Interval | None
    share: float | None
    share_range: Interval | None
    success_rate: float | None
    last_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class RoiWeek:
    """What had been saved, and was promised, up to the end of a day: the last of a week, or today."""

    until: date
    saved_usd: float
    saved_range: Interval | None
    estimated_usd: float


@dataclass(frozen=True, slots=True)
class Aside:
    """Recorded runs that count for no approved pattern, with why."""

    part: Part
    runs: int
    saved_usd: float
    words: str


@dataclass(frozen=True, slots=True)
class Roi:
    """Everything about the results, patterns with the largest savings first."""

    as_of: datetime
    totals: RoiTotals
    kinds: tuple[KindRoi, ...]
    patterns: tuple[PatternRoi, ...]
    weeks: tuple[RoiWeek, ...]
    asides: tuple[Aside, ...]
    sources: tuple[Source, ...]
    remark: str
