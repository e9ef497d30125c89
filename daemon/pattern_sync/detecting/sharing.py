"""Whose call is it? Sequences overlap; the better ones take their runs first, and none is counted twice."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from pattern_sync.detecting.judging import Candidate
from pattern_sync.detecting.log import Log
from pattern_sync.detecting.terms import Terms
from pattern_sync.domain.calls import Outcome
from pattern_sync.domain.routines import LeftOut, step

NOBODY = 0
_KNOWN_COUNTS = 2


@dataclass(frozen=True, slots=True)
class Share:
    """A routine, and where its own runs begin. `ended` counts the runs of its steps by how the last one ended."""

    steps: tuple[int, ...]
    positions: "array[int]"
    sessions: int
    follows: float
    lift: float
    ended: dict[Outcome, int]


@dataclass(frozen=True, slots=True)
class Shares:
    """The routines, the best first, and what only repeats them."""

    kept: tuple[Share, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(slots=True)
class _Found:
    candidate: Candidate
    positions: "array[int]"
    ended: Counter[Outcome]


def share_out(
    log: Log, candidates: Iterable[Candidate], terms: Terms, known: Container[tuple[str, ...]] = frozenset()
) -> Shares:
    """Give each call to the best sequence that has it, and leave out those that keep too little.

    A shape that is known counts twice, so that two that are about as good do not take turns from day to day.
    """
    found = _find(log, candidates)
    found.sort(key=lambda each: _rank(log, each, known))
    owners = array("I", bytes(4 * len(log.steps)))
    kept: list[Share] = []
    left_out: list[LeftOut] = []
    for each in found:
        steps = each.candidate.steps
        own = _apart(each.positions, len(steps), owners)
        everywhere = len(_apart(each.positions, len(steps)))
        sessions = len({log.session_at(at) for at in own})
        if len(own) >= terms.min_own * everywhere and sessions >= terms.min_sessions:
            kept.append(_share(each, own, sessions))
            _take(owners, own, len(steps), len(kept))
        else:
            whose = _whose(each.positions, len(steps), owners)
            left_out.append(_left_out(log, each, everywhere, len(own), kept[whose - 1] if whose else None))
    return Shares(tuple(kept), tuple(left_out))


def _rank(log: Log, found: _Found, known: Container[tuple[str, ...]]) -> tuple[int, int, object]:
    # By the calls that it saves, and once more by its steps: a part is always seen more often than the whole, as the
    # whole is sometimes disturbed, and would take its place.
    steps = found.candidate.steps
    saved = len(_apart(found.positions, len(steps))) * (len(steps) - 1)
    worth = saved * (len(steps) - 1) * (_KNOWN_COUNTS if _shape(log, steps) in known else 1)
    return -worth, -len(steps), log.told(steps)


def _find(log: Log, candidates: Iterable[Candidate]) -> list[_Found]:
    """Return where each candidate begins, and how it ends where all but its last step is there."""
    by_beginning: defaultdict[tuple[int, ...], list[tuple[array[int], _Found]]] = defaultdict(list)
    for candidate in candidates:
        found = _Found(candidate, array("I"), Counter())
        by_beginning[candidate.steps[:2]].append((array("I", candidate.steps[:-1]), found))
    steps = log.steps
    for at in range(len(steps) - 1):
        for begin, found in by_beginning.get((steps[at], steps[at + 1]), ()):
            if steps[at : at + len(begin)] == begin:
                _end(log, found, at)
    return [found for each in by_beginning.values() for _, found in each]


def _end(log: Log, found: _Found, at: int) -> None:
    last = log.steps[at + len(found.candidate.steps) - 1]
    if last == found.candidate.steps[-1]:
        found.positions.append(at)
    word, outcome = log.kinds[last]
    if word == log.kinds[found.candidate.steps[-1]][0]:
        found.ended[outcome] += 1


def _apart(positions: Iterable[int], length: int, owners: Sequence[int] | None = None) -> list[int]:
    """Return where runs begin that do not overlap, from the left; with owners, only of calls that nobody has."""
    free, apart = 0, list[int]()
    for at in positions:
        if at >= free and (owners is None or not any(owners[at : at + length])):
            apart.append(at)
            free = at + length
    return apart


def _take(owners: "array[int]", positions: Iterable[int], length: int, owner: int) -> None:
    taken = array("I", [owner] * length)
    for at in positions:
        owners[at : at + length] = taken


def _whose(positions: Iterable[int], length: int, owners: Sequence[int]) -> int:
    """Return who owns most of the calls."""
    shares = Counter(owner for at in positions for owner in set(owners[at : at + length]) if owner != NOBODY)
    return min(shares, key=lambda owner: (-shares[owner], owner), default=NOBODY)


def _share(found: _Found, own: list[int], sessions: int) -> Share:
    candidate = found.candidate
    ended = dict(found.ended)
    return Share(candidate.steps, array("I", own), sessions, candidate.follows, candidate.lift, ended)


def _left_out(log: Log, found: _Found, runs: int, own: int, better: Share | None) -> LeftOut:
    shape = _shape(log, found.candidate.steps)
    if better is None:
        because = "its runs overlap each other, and too few are apart"
    else:
        name = " → ".join(_shape(log, better.steps))
        because = f"all but {own:,} of its {runs:,} runs share calls with a routine that saves more: {name}"
    return LeftOut(shape, runs, found.candidate.sessions, "part-of-another", because)


def _shape(log: Log, steps: Iterable[int]) -> tuple[str, ...]:
    return tuple(step(*each) for each in log.told(steps))
