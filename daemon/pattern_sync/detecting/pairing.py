"""Calls from events: which end belongs to which beginning, and what it means where one of the two is missing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from pattern_sync.detecting.words import COMMAND, UNNAMED_COMMAND
from pattern_sync.domain.calls import Call, Outcome, Phase, Session, ToolEvent

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def sessions_of(events: Iterable[ToolEvent], source: str) -> Iterator[Session]:
    """Yield the sessions in events, those of each session next to each other, and each session's in any order.

    Raises ValueError where a session's events are apart: order them by session.
    """
    known = set[str]()
    for session_id, together in groupby(events, key=lambda event: event.session_id):
        if session_id in known:
            raise ValueError(f"the events of the session {session_id} are apart; order them by session")
        known.add(session_id)
        agents: defaultdict[str | None, list[ToolEvent]] = defaultdict(list)
        for event in together:
            agents[event.agent].append(event)
        for agent, own in agents.items():
            yield _session(f"{session_id}/{agent}" if agent else session_id, source, own)


@dataclass(slots=True)
class _Open:
    """A call, from its first event on."""

    event: ToolEvent
    word: str
    outcome: Outcome = Outcome.UNKNOWN
    is_open: bool = True


def _session(session_id: str, source: str, events: list[ToolEvent]) -> Session:
    events.sort(key=lambda event: (event.at or _LONG_AGO, event.order, event.phase is not Phase.BEGAN))
    calls: list[_Open] = []
    waiting: defaultdict[str, list[_Open]] = defaultdict(list)
    for event in events:
        if event.phase is Phase.BEGAN:
            call = _Open(event, _word(event))
            calls.append(call)
            waiting[event.tool].append(call)
        else:
            _end(event, calls, waiting[event.tool])
    cut_off = _cut_off(calls)
    moments = [event.at for event in events if event.at is not None]
    return Session(
        session_id=session_id,
        source=source,
        events=len(events),
        last_event_at=max(moments, default=None),
        calls=tuple(Call(call.word, call.outcome, call.event.at, call.event.cost_usd) for call in calls),
        shows_failures=any(event.phase is not Phase.ENDED for event in events),
        cut_off=cut_off,
    )


def _word(event: ToolEvent) -> str:
    """Return the event's word; without one, a command is one that has no name."""
    return event.word or (UNNAMED_COMMAND if event.tool == COMMAND else event.tool)


def _end(event: ToolEvent, calls: list[_Open], waiting: list[_Open]) -> None:
    outcome = Outcome.FAILED if event.phase is Phase.FAILED else Outcome.OK
    begun = _beginning(event, waiting)
    if begun is None:
        # Its beginning was not recorded, or this is the second event of its end: a hook may be registered twice.
        if not any(event.call_id and call.event.call_id == event.call_id for call in calls):
            calls.append(_Open(event, _word(event), outcome, is_open=False))
        return
    begun.outcome, begun.is_open = outcome, False
    waiting.remove(begun)


def _beginning(event: ToolEvent, waiting: Sequence[_Open]) -> _Open | None:
    """Return the call that an event ends.

    By its id; else the last of its tool that is open, rather one of the same word. The last, not the first: a call that
    failed leaves no second event, so that whatever ends belongs to what came after it.
    """
    if event.call_id is not None:
        named = next((call for call in waiting if call.event.call_id == event.call_id), None)
        if named is not None or any(call.event.call_id is not None for call in waiting):
            return named
    alike = (call for call in reversed(waiting) if event.word is None or call.word == event.word)
    return next(alike, waiting[-1] if waiting and event.word is None else None)


def _cut_off(calls: Sequence[_Open]) -> int:
    """Take what began, and whose end was overtaken by that of a later call, for failed; return how many there are.

    What began last may still be at work.
    """
    last_ended = max((position for position, call in enumerate(calls) if not call.is_open), default=-1)
    cut_off = [call for call in calls[:last_ended] if call.is_open]
    for call in cut_off:
        call.outcome = Outcome.FAILED
    return len(cut_off)
