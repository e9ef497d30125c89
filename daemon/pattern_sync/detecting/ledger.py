"""Calls as they are read from files, kept small until all files are read: a session may continue in another one."""

import hashlib
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pattern_sync.domain.calls import Call, Outcome, Session

_NEVER = -(2**63)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# `toolu_…` and `call_…` have about thirty characters.
_SHORTEST_UNIQUE = 16
_OUTCOMES = (Outcome.UNKNOWN, Outcome.OK, Outcome.FAILED)
_NUMBERS = {outcome: number for number, outcome in enumerate(_OUTCOMES)}


@dataclass(slots=True)
class Page:
    """The calls of one session. A turn is what made some of them; `turn_costs` are in USD, NaN where unknown."""

    source: str
    words: list[str] = field(default_factory=list)
    outcomes: bytearray = field(default_factory=bytearray)
    began: "array[int]" = field(default_factory=lambda: array("q"))
    turns: "array[int]" = field(default_factory=lambda: array("I"))
    turn_costs: "array[float]" = field(default_factory=lambda: array("d"))
    last_event: int = _NEVER
    events: int = 0

    def hear(self, at: datetime | None) -> None:
        """Count an event."""
        self.events += 1
        self.last_event = max(self.last_event, microseconds(at))

    def turn(self) -> int:
        """Begin a turn, and return its number."""
        self.turn_costs.append(math.nan)
        return len(self.turn_costs) - 1

    def call(self, word: str, at: datetime | None, turn: int) -> int:
        """Add a call, and return its number."""
        self.words.append(word)
        self.outcomes.append(_NUMBERS[Outcome.UNKNOWN])
        self.began.append(microseconds(at))
        self.turns.append(turn)
        return len(self.words) - 1

    def end(self, call: int, outcome: Outcome) -> None:
        """Say how a call ended; what is known of it already stays."""
        if _OUTCOMES[self.outcomes[call]] is Outcome.UNKNOWN:
            self.outcomes[call] = _NUMBERS[outcome]

    def rename(self, call: int, word: str) -> None:
        """Say of what a call was, where that was a guess."""
        self.words[call] = word

    def spend(self, turn: int, cost_usd: float | None) -> None:
        """Say what a turn cost. It may be said more than once, as the turn goes on: the most counts."""
        if cost_usd is not None:
            known = self.turn_costs[turn]
            self.turn_costs[turn] = cost_usd if math.isnan(known) else max(known, cost_usd)

    def session(self, session_id: str) -> Session:
        """Return the session; each call has an equal part of what its turn cost."""
        shares = array("I", bytes(4 * len(self.turn_costs)))
        for turn in self.turns:
            shares[turn] += 1
        calls = tuple(
            Call(word, _OUTCOMES[outcome], _moment(began), _part(self.turn_costs[turn], shares[turn]))
            for word, outcome, began, turn in zip(self.words, self.outcomes, self.began, self.turns, strict=True)
        )
        return Session(session_id, self.source, self.events, _moment(self.last_event), calls)


class Ledger:
    """The calls of all sessions, each call once, however many files have it."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        # Eight bytes of a hash for each call: two of a million have the same with a chance of one to 40 million.
        self._known: set[int] = set()
        self._words: dict[str, str] = {}

    def page(self, session_id: str, source: str) -> Page:
        """Return where a session's calls are kept."""
        if (page := self._pages.get(session_id)) is None:
            page = self._pages[session_id] = Page(source)
        return page

    def word(self, word: str) -> str:
        """Return the same object for the same word: there are few, and many calls."""
        return self._words.setdefault(word, word)

    def is_new(self, call_id: str, session_id: str, at: datetime | None) -> bool:
        """Return whether a call was not known yet, and remember it: who resumes a session copies its lines."""
        # Some models number their calls anew in each answer: `call_1` is another call each time.
        name = call_id if len(call_id) >= _SHORTEST_UNIQUE else f"{session_id}/{call_id}/{microseconds(at)}"
        digest = hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
        before = len(self._known)
        self._known.add(int.from_bytes(digest))
        return len(self._known) > before

    def sessions(self) -> Iterator[Session]:
        """Yield the sessions in the order of their ids, and forget them: whoever mines them needs the memory.

        A session of which every call is another's is among them, so that what was known of it can be replaced.
        """
        self._known.clear()
        for session_id in sorted(self._pages):
            yield self._pages.pop(session_id).session(session_id)


def microseconds(at: datetime | None) -> int:
    """Return a moment as a number, the lowest for one that is unknown."""
    return _NEVER if at is None else (at - _EPOCH) // _MICROSECOND


def _moment(number: int) -> datetime | None:
    return None if number == _NEVER else _EPOCH + timedelta(microseconds=number)


def _part(cost: float, calls: int) -> float | None:
    return None if math.isnan(cost) else cost / calls
