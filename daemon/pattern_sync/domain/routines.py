"""What a detector finds in sessions: routines, with their figures and what these rest on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pattern_sync.domain.calls import Outcome


@dataclass(frozen=True, slots=True)
class Run:
    """One time that a routine was seen: the `number`-th in its session, from 1, begun at `at`."""

    session_id: str
    number: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Routine:
    """Steps that come back together.

    No call is counted for two routines, or twice for one. `follows` is the lower end of the share of times that the
    rest followed after the first two steps (Wilson, 95 %), `ended_ok` the share of those that ended well, None where no
    ending is known; `confidence` is 100 times their product. `cost_usd` is what a run costs, `call_cost_usd` what the
    one call would that takes its place: a run's first. `savings_usd` is a month's: their difference times the runs of
    30 days seen, 0 while seen for less than 7. The three are None where no cost is known.
    """

    signature: str
    shape: tuple[str, ...]
    runs: tuple[Run, ...]
    sessions: int
    calls: int
    first_seen: datetime | None
    last_seen: datetime | None
    follows: float
    ended_ok: float | None
    lift: float
    confidence: float
    cost_usd: float | None
    call_cost_usd: float | None
    savings_usd: float | None

    @property
    def occurrences(self) -> int:
        """Return how often it was seen."""
        return len(self.runs)

    @property
    def kind(self) -> str:
        """Return the first part of the signature."""
        return self.signature.partition(":")[0]

    @property
    def calls_saved(self) -> int:
        """Return how many calls one call for each run would have saved: what routines are ordered by."""
        return self.calls - len(self.runs)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A sequence that is frequent and no routine, and the reason in words. `rule` names the reason."""

    shape: tuple[str, ...]
    runs: int
    sessions: int
    rule: str
    because: str


@dataclass(frozen=True, slots=True)
class SeenOf:
    """What was seen of one source. `unseen_failures` are calls of sessions in which a failure leaves no trace."""

    source: str
    sessions: int
    calls: int
    failed: int
    cut_off: int
    without_outcome: int
    unseen_failures: int
    without_cost: int
    without_time: int
    other_words: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Findings:
    """The routines, those first that would save the most calls; what was left out; and what it was all found in."""

    routines: tuple[Routine, ...]
    left_out: tuple[LeftOut, ...]
    seen: tuple[SeenOf, ...]


class Written(StrEnum):
    """What became of a routine: TAKEN where another detector, or another shape, was faster with its signature."""

    WRITTEN = "written"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    TAKEN = "taken"


def step(word: str, outcome: Outcome) -> str:
    """Return a step in words: `Bash/pytest`, `Bash/pytest/failed`, and `Bash/pytest?` where the outcome is unknown."""
    match outcome:
        case Outcome.OK:
            return word
        case Outcome.FAILED:
            return f"{word}/failed"
        case Outcome.UNKNOWN:
            return f"{word}?"
