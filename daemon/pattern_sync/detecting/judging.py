"""Which frequent sequences hang together: the rest follows from the beginning, and not out of each step's habit."""

import heapq
from collections import Counter
from collections.abc import Sequence as Listed
from dataclasses import dataclass
from itertools import pairwise

from pattern_sync.detecting.counting import Sequence
from pattern_sync.detecting.log import Log
from pattern_sync.detecting.terms import Terms
from pattern_sync.detecting.wilson import lower_end
from pattern_sync.domain.calls import Outcome
from pattern_sync.domain.routines import LeftOut, step

# The best by the calls that they would save; a log of weeks has some hundred.
MOST_CANDIDATES = 2_000
# What is never seen may still happen: half a time.
_LEAST_EXPECTED = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sequence that hangs together; see Routine."""

    steps: tuple[int, ...]
    count: int
    sessions: int
    follows: float
    lift: float


class Judge:
    """Hears the frequent sequences of each length, the shorter first, and keeps those that may be routines."""

    def __init__(self, log: Log, terms: Terms) -> None:
        self._log = log
        self._terms = terms
        self._singles: dict[int, int] = {}
        self._pairs: dict[tuple[int, ...], int] = {}
        self._kept: list[Candidate] = []
        self._left_out: list[LeftOut] = []

    def hear(self, sequences: Listed[Sequence]) -> None:
        """Judge the frequent sequences of the next length."""
        match len(sequences[0].steps):
            case 1:
                self._singles = {each.steps[0]: each.count for each in sequences}
            case 2:
                self._pairs = {each.steps: each.count for each in sequences}
        if len(sequences[0].steps) >= self._terms.min_steps:
            for each in sequences:
                self._judge(each)

    def candidates(self) -> list[Candidate]:
        """Return what may be a routine, in no order."""
        return heapq.nsmallest(MOST_CANDIDATES, self._kept, key=self._rank)

    def left_out(self) -> list[LeftOut]:
        """Return what hangs together, but is no routine by a rule."""
        return self._left_out

    def _rank(self, candidate: Candidate) -> tuple[int, object]:
        return -candidate.count * (len(candidate.steps) - 1), self._log.told(candidate.steps)

    def _judge(self, sequence: Sequence) -> None:
        follows = lower_end(sequence.count, self._pairs[sequence.steps[:2]])
        if follows < self._terms.min_follows:
            return
        if (lift := self._lift(sequence)) < self._terms.min_lift:
            return
        if (reason := self._reason(sequence)) is None:
            self._kept.append(Candidate(sequence.steps, sequence.count, sequence.sessions, follows, lift))
        else:
            shape = tuple(step(*each) for each in self._log.told(sequence.steps))
            self._left_out.append(LeftOut(shape, sequence.count, sequence.sessions, *reason))

    def _lift(self, sequence: Sequence) -> float:
        """Return how many times as often a sequence is seen as a chain of its steps lets expect.

        The chain is what the steps do elsewhere, without this sequence's own runs. With them, steps that are in no
        other sequence would be expected to follow each other: the best routine would look like a mere habit.
        """
        own = sequence.count
        expected = 1.0
        for pair, times in Counter(pairwise(sequence.steps)).items():
            expected *= max(self._pairs[pair] - own * times, _LEAST_EXPECTED) ** times
        for single, times in Counter(sequence.steps[1:-1]).items():
            expected /= max(self._singles[single] - own * times, 1.0) ** times
        return own / max(expected, _LEAST_EXPECTED)

    def _reason(self, sequence: Sequence) -> tuple[str, str] | None:
        steps = self._log.told(sequence.steps)
        if (rule := self._terms.orchestration.rule_for(word for word, _ in steps)) is not None:
            return rule.name, rule.because
        if steps[-1][1] is Outcome.FAILED:
            return "ends-in-failure", "it ends with a call that failed, so that more has to be done in any case"
        return None
