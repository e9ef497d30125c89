"""The figures of a routine, each from what was seen."""

import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from pattern_sync.detecting.log import Log
from pattern_sync.detecting.sharing import Share
from pattern_sync.domain.calls import Outcome
from pattern_sync.domain.routines import Routine, Run, step

MONTH_DAYS = 30
# In fewer, what comes once a week and what never comes again look the same.
LEAST_DAYS = 7.0
_DAY_SECONDS = 86_400


def routine_of(log: Log, share: Share, signature: str) -> Routine:
    """Return a routine with its figures."""
    length = len(share.steps)
    runs = _runs(log, share.positions)
    moments = [run.at for run in runs if run.at is not None]
    first, last = min(moments, default=None), max(moments, default=None)
    ended_ok = _ended_ok(share.ended)
    costs = [(cost, log.first_costs[at]) for at in share.positions if not math.isnan(cost := _cost(log, at, length))]
    return Routine(
        signature=signature,
        shape=tuple(step(*each) for each in log.told(share.steps)),
        runs=tuple(sorted(runs, key=lambda run: (run.session_id, run.number))),
        sessions=share.sessions,
        calls=sum(sum(log.calls[at : at + length]) for at in share.positions),
        first_seen=first,
        last_seen=last,
        follows=share.follows,
        ended_ok=ended_ok,
        lift=share.lift,
        confidence=100 * share.follows * (1 if ended_ok is None else ended_ok),
        cost_usd=_mean(cost for cost, _ in costs),
        call_cost_usd=_mean(one for _, one in costs),
        savings_usd=_savings(costs, first, last),
    )


def _runs(log: Log, positions: Iterable[int]) -> list[Run]:
    numbers = Counter[str]()
    runs = []
    for at in positions:
        session = log.session_at(at)
        numbers[session] += 1
        runs.append(Run(session, numbers[session], log.moment(at)))
    return runs


def _cost(log: Log, at: int, length: int) -> float:
    return math.fsum(log.costs[at : at + length])


def _ended_ok(ended: dict[Outcome, int]) -> float | None:
    good, bad = ended.get(Outcome.OK, 0), ended.get(Outcome.FAILED, 0)
    return good / (good + bad) if good + bad else None


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    # fsum: the same in whatever order the sessions came.
    return math.fsum(listed) / len(listed) if listed else None


def _savings(costs: list[tuple[float, float]], first: datetime | None, last: datetime | None) -> float | None:
    """Return what the runs of known cost would have saved in 30 of the days seen; None if there is none of them."""
    if not costs:
        return None
    days = (last - first).total_seconds() / _DAY_SECONDS if first and last else 0.0
    if days < LEAST_DAYS:
        return 0.0
    return math.fsum(cost - one for cost, one in costs) / days * MONTH_DAYS
