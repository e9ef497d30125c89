"""Frequent sequences, counted level by level: one more step only where both its parts are frequent."""

from array import array
from collections.abc import Container, Iterator
from dataclasses import dataclass

from pattern_sync.detecting.log import BORDER, Log

LONGEST = 20
# Of one length. Only made-up logs have more; what is dropped are the rarest.
MOST_SEQUENCES = 20_000
_HALF = 32


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence of steps that is frequent: how often it begins anywhere, and in how many sessions it is.

    `steps` are the numbers that the log gives to its steps.
    """

    steps: tuple[int, ...]
    count: int
    sessions: int


class Levels:
    """Counts the sequences of a log that are in at least so many sessions."""

    def __init__(self, log: Log, min_sessions: int) -> None:
        self._log = log
        self._min_sessions = min_sessions
        # Of a position, the number of the frequent sequence of the length at hand that begins there, from 1; else 0.
        self._numbers = array("I", log.steps)

    def __iter__(self) -> Iterator[tuple[Sequence, ...]]:
        """Yield the frequent sequences of one step, of two, and so on, until there are none."""
        for length in range(1, LONGEST + 1):
            if not (sequences := self._next(length)):
                return
            yield sequences

    def _next(self, length: int) -> tuple[Sequence, ...]:
        pairs = length > 1
        counts, sessions = self._count(pairs=pairs)
        frequent = list(counts)
        if len(frequent) > MOST_SEQUENCES:
            places = self._examples(counts, pairs=pairs)
            shapes = {key: self._log.told(self._log.steps[at : at + length]) for key, at in places}
            frequent.sort(key=lambda key: (-counts[key], shapes[key]))
            del frequent[MOST_SEQUENCES:]
        examples = self._renumber({key: number for number, key in enumerate(frequent, start=1)}, pairs=pairs)
        return tuple(
            Sequence(tuple(self._log.steps[(start := examples[key]) : start + length]), counts[key], sessions[key])
            for key in frequent
        )

    def _keys(self, *, pairs: bool) -> Iterator[tuple[int, int]]:
        numbers = self._numbers
        if pairs:
            after = iter(numbers)
            next(after)
            for position, (first, second) in enumerate(zip(numbers, after, strict=False)):
                if first and second:
                    yield position, first << _HALF | second
        else:
            for position, number in enumerate(numbers):
                if number != BORDER:
                    yield position, number

    def _count(self, *, pairs: bool) -> tuple[dict[int, int], dict[int, int]]:
        """Return how often each sequence of enough sessions is there, and in how many of them."""
        # Arrays behind one dictionary: of a strange log, nearly every pair is another one.
        places: dict[int, int] = {}
        counts, sessions, latest = array("I"), array("I"), array("I")
        ends = iter((*self._log.starts[1:], len(self._numbers)))
        session, end = 1, next(ends)
        for position, key in self._keys(pairs=pairs):
            while position >= end:
                session, end = session + 1, next(ends)
            if (place := places.get(key)) is None:
                places[key] = len(counts)
                counts.append(1)
                sessions.append(1)
                latest.append(session)
                continue
            counts[place] += 1
            if latest[place] != session:
                latest[place] = session
                sessions[place] += 1
        frequent = {key: place for key, place in places.items() if sessions[place] >= self._min_sessions}
        return (
            {key: counts[place] for key, place in frequent.items()},
            {key: sessions[place] for key, place in frequent.items()},
        )

    def _examples(self, keys: Container[int], *, pairs: bool) -> Iterator[tuple[int, int]]:
        return ((key, position) for position, key in self._keys(pairs=pairs) if key in keys)

    def _renumber(self, numbers: dict[int, int], *, pairs: bool) -> dict[int, int]:
        """Give every position its number at this length, and return where each sequence begins for the last time."""
        fresh, examples = array("I", bytes(4 * len(self._numbers))), dict[int, int]()
        for position, key in self._keys(pairs=pairs):
            if number := numbers.get(key):
                fresh[position] = number
                examples[key] = position
        self._numbers = fresh
        return examples
