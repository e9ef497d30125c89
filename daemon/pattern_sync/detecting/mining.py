"""Routines in sessions: what comes back together, follows from its first steps, and is more than a habit of each step.

In four steps: count sequences level by level (`counting`), keep those that hang together (`judging`), let them share
out the calls among themselves so that none is counted twice (`sharing`), and name what is left (`naming`).
"""

from collections.abc import Iterable, Mapping

from pattern_sync.detecting.counting import Levels
from pattern_sync.detecting.figures import routine_of
from pattern_sync.detecting.judging import Judge
from pattern_sync.detecting.log import read
from pattern_sync.detecting.naming import names_of
from pattern_sync.detecting.sharing import share_out
from pattern_sync.detecting.terms import Terms
from pattern_sync.domain.calls import Session
from pattern_sync.domain.routines import Findings, LeftOut

MOST_LEFT_OUT = 50


def mine(
    sessions: Iterable[Session], known: Mapping[str, tuple[str, ...]] | None = None, terms: Terms | None = None
) -> Findings:
    """Return the routines in sessions, the same in whatever order these come.

    `known` are the signatures that are taken, with the shapes that have them: a shape keeps its signature for ever,
    and goes before a new one that is little better. A signature of somebody else has an empty shape. Sessions are read
    once and not kept. Raises ValueError where one is given twice.
    """
    terms, known = terms or Terms(), known or {}
    log, watcher = read(sessions, terms.orchestration)
    judge = Judge(log, terms)
    for sequences in Levels(log, terms.min_sessions):
        judge.hear(sequences)
    shares = share_out(log, judge.candidates(), terms, frozenset(known.values()))
    left_out = sorted((*judge.left_out(), *shares.left_out), key=_calls_saved)
    names = names_of([log.told(share.steps) for share in shares.kept], known)
    routines = (routine_of(log, share, name) for share, name in zip(shares.kept, names, strict=True))
    return Findings(
        routines=tuple(sorted(routines, key=lambda each: (-each.calls_saved, each.shape))),
        left_out=tuple(left_out[:MOST_LEFT_OUT]),
        seen=watcher.seen(),
    )


def _calls_saved(left_out: LeftOut) -> tuple[int, tuple[str, ...]]:
    return -left_out.runs * (len(left_out.shape) - 1), left_out.shape
