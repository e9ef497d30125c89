"""Sessions as a detector keeps them: a million calls in 40 MB, and no call but in numbers."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pattern_sync.detecting.orchestration import Orchestration
from pattern_sync.detecting.seeing import Watcher
from pattern_sync.domain.calls import Call, Outcome, Session

# What stands between two sessions, so that no sequence reaches from one into the next.
BORDER = 0
Steps = tuple[tuple[str, Outcome], ...]
_NEVER = -(2**63)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Log:
    """The steps of all sessions, one after the other, with a border before, between and behind them.

    Calls of the same word and outcome in a row are one step: whether somebody reads two files or five is no difference
    of what is done. Of each step there are its number of calls, when it began, and the costs in USD of all its calls
    and of its first; NaN where one is unknown.
    """

    kinds: list[tuple[str, Outcome]] = field(default_factory=lambda: [("", Outcome.UNKNOWN)])
    steps: "array[int]" = field(default_factory=lambda: array("I", [BORDER]))
    calls: "array[int]" = field(default_factory=lambda: array("I", [0]))
    began: "array[int]" = field(default_factory=lambda: array("q", [_NEVER]))
    costs: "array[float]" = field(default_factory=lambda: array("d", [math.nan]))
    first_costs: "array[float]" = field(default_factory=lambda: array("d", [math.nan]))
    session_ids: list[str] = field(default_factory=list)
    starts: "array[int]" = field(default_factory=lambda: array("I"))
    _numbers: dict[tuple[str, Outcome], int] = field(default_factory=dict)

    def add(self, session: Session, orchestration: Orchestration) -> None:
        """Append a session, without the calls that only keep the assistant's books."""
        self.session_ids.append(session.session_id)
        self.starts.append(len(self.steps))
        before = BORDER
        for call in session.calls:
            if orchestration.is_bookkeeping(call.word):
                continue
            kind = self._number(call)
            if kind == before:
                self.calls[-1] += 1
                self.costs[-1] += _cost(call)
            else:
                self._append(kind, 1, _microseconds(call.at), _cost(call))
            before = kind
        self._append(BORDER, 0, _NEVER, math.nan)

    def moment(self, position: int) -> datetime | None:
        """Return when a step began; None if unknown."""
        began = self.began[position]
        return None if began == _NEVER else _EPOCH + timedelta(microseconds=began)

    def told(self, steps: Iterable[int]) -> Steps:
        """Return words and outcomes of steps that are given by their numbers."""
        return tuple(self.kinds[number] for number in steps)

    def session_at(self, position: int) -> str:
        """Return the session that a step belongs to."""
        return self.session_ids[bisect_right(self.starts, position) - 1]

    def _number(self, call: Call) -> int:
        kind = call.word, call.outcome
        if (number := self._numbers.get(kind)) is None:
            number = self._numbers[kind] = len(self.kinds)
            self.kinds.append(kind)
        return number

    def _append(self, kind: int, calls: int, began: int, cost: float) -> None:
        self.steps.append(kind)
        self.calls.append(calls)
        self.began.append(began)
        self.costs.append(cost)
        self.first_costs.append(cost)


def read(sessions: Iterable[Session], orchestration: Orchestration) -> tuple[Log, Watcher]:
    """Return the log of sessions, and what was seen of them. Raises ValueError for a session that is given twice."""
    log, watcher, known = Log(), Watcher(), set[str]()
    for session in sessions:
        if session.session_id in known:
            raise ValueError(f"the session {session.session_id} is given twice; its calls belong into one")
        known.add(session.session_id)
        watcher.see(session)
        log.add(session, orchestration)
    return log, watcher


def _cost(call: Call) -> float:
    return math.nan if call.cost_usd is None else call.cost_usd


def _microseconds(at: datetime | None) -> int:
    return _NEVER if at is None else (at - _EPOCH) // _MICROSECOND
