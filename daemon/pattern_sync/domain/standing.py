"""How learning stands: what was learned, whether it may be shown, and why it is not, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pattern_sync.domain.binomial import largest_share
from pattern_sync.domain.folding import LIKELY_REJECT
from pattern_sync.domain.gate import FEWEST_OF_EACH_SORT, FEWEST_SCORED, OPENS_ABOVE, Gate, ReviewerScore, Scored
from pattern_sync.domain.kept import Folded
from pattern_sync.domain.learning import FEWEST_LESSONS
from pattern_sync.domain.model import Model


class LearnMode(StrEnum):
    """What a daemon does with people's decisions beside recording them."""

    OFF = "off"  # nothing
    RECORD = "record"  # learn, foretell and keep score, but show nothing
    ON = "on"  # show likelihoods, too, once the gate is open


@dataclass(frozen=True, slots=True)
class Fold:
    """What is folded away as likely rejects, and what that costs.

    Of likely rejects that were shown in place, drawn or before the gate opened, people approved `lost` of `tried`: no
    larger share than `lost_share_at_most`, with 95 % certainty.
    """

    now: Folded
    tried: int
    lost: int

    @property
    def lost_share_at_most(self) -> float:
        """Return the bound on the share of approvals among what is folded away; 1 before anything was tried."""
        return largest_share(self.lost, self.tried)


@dataclass(frozen=True, slots=True)
class Standing:
    """How learning stands.

    `lessons` counts people's decisions so far, a batch once for each shape; the model was learned from `model.decided`
    of them. `ignored` says why a model that is there is not used. `shown`: entries have likelihoods.
    """

    lessons: int
    approved: int
    model: Model | None
    trained_at: datetime | None
    ignored: str | None
    gate: Gate
    shown: bool
    reviewers: tuple[ReviewerScore, ...]
    fold: Fold

    @property
    def words(self) -> str:
        """Return in a sentence what is shown or, while nothing is, why."""
        if self.ignored is not None:
            return f"a model is there, and is not used: {self.ignored}"
        if self.model is None:
            return nothing_learned(self.lessons, self.approved)
        return f"learned from {self.model.decided:,} decisions; {'; '.join(self._verdict())}"

    def _verdict(self) -> Iterable[str]:
        yield gate_words(self.gate)
        if self.gate.is_open and not self.shown:
            yield "nothing is shown, as PATTERN_SYNC_LEARN is not `on`"


def fold_of(now: Folded, record: Iterable[Scored]) -> Fold:
    """Return what is folded away now, and what the likely rejects that were not have come to."""
    tried = [each.approved for each in record if each.likelihood < LIKELY_REJECT and not each.folded]
    return Fold(now, len(tried), sum(tried))


def nothing_learned(lessons: int, approved: int) -> str:
    """Return why there is no model yet."""
    if lessons >= FEWEST_LESSONS and approved in (0, lessons):
        sort = "approvals" if approved else "rejections"
        return f"nothing can be learned yet: all {lessons:,} decisions so far are {sort}"
    if lessons < FEWEST_LESSONS:
        return f"nothing was learned yet: {lessons:,} decisions so far, of at least {FEWEST_LESSONS}"
    return (
        f"nothing was learned yet from {lessons:,} decisions; a daemon does so after its next sweep, unless"
        " PATTERN_SYNC_LEARN is `off`"
    )


def gate_words(gate: Gate) -> str:
    """Return whether the gate is open, and what it needs if it is not."""
    if gate.is_open:
        return f"better than the base rate (z = {gate.z:.1f})"
    lacks = [] if gate.z > OPENS_ABOVE else [f"z = {gate.z:.1f}; needs {OPENS_ABOVE:g}"]
    if gate.scored < FEWEST_SCORED:
        lacks.append(f"{gate.scored} were foretold; needs {FEWEST_SCORED}")
    for number, sort in ((gate.approved, "approved"), (gate.rejected, "rejected")):
        if number < FEWEST_OF_EACH_SORT:
            lacks.append(f"{number} of these {sort}; needs {FEWEST_OF_EACH_SORT}")
    now = "not better than the base rate any more" if gate.was_open else "not better than the base rate yet"
    return f"{'not proved yet' if gate.z > OPENS_ABOVE else now} ({'; '.join(lacks)})"
