"""Which sessions are read anew, and which source is believed where several show the same one.

A session is kept from one source at a time, with those of its subagents, so that no call can be counted twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from pattern_sync.domain.calls import ReadSession, Session, plain_id

HOOK_EVENTS = "hook_events"
HOOKS = "hooks"
# The later ones show more: hooks of the application have no failures, and no hook has costs.
_SOURCES = (HOOK_EVENTS, HOOKS, "codex", "claude-code")
# What one source shows at the end of a session, another may show a moment later.
_LATE = timedelta(minutes=1)


class Kept:
    """What is kept of each session and its subagents', while others are read.

    With `again`, a source is read again although it shows nothing new: under another vocabulary it may.
    """

    def __init__(self, known: Iterable[ReadSession], *, again: bool = False) -> None:
        self._again = again
        self._families: dict[str, dict[str, ReadSession]] = {}
        for session in known:
            self._add(session)

    def has_changed(self, found: ReadSession) -> bool:
        """Return whether a session, subagents included, is to be read from a source that has this of it."""
        family = self._families.get(plain_id(found.session_id))
        if not family:
            return True
        source = _source_of(family)
        last_event_at = max((each.last_event_at for each in family.values() if each.last_event_at), default=None)
        if source == found.source:
            events = sum(each.events for each in family.values())
            return self._again or (events, last_event_at) != (found.events, found.last_event_at)
        return _shows_more(found.source, source) or _is_later(found.last_event_at, last_event_at)

    def take(self, session: Session) -> Sequence[str]:
        """Note that a session is kept, and return those of another source of which it takes the place."""
        family = self._families.get(_family_of(session.session_id), {})
        replaced = [] if not family or _source_of(family) == session.source else list(family)
        if replaced:
            family.clear()
        self._add(ReadSession(session.session_id, session.source, session.events, session.last_event_at))
        return replaced

    def _add(self, session: ReadSession) -> None:
        self._families.setdefault(_family_of(session.session_id), {})[session.session_id] = session


def in_batches(sessions: Iterable[ReadSession], most_events: int) -> Iterator[list[str]]:
    """Yield the names of sessions, as many at a time as have so many events together, but at least one."""
    names: list[str] = []
    events = 0
    for session in sessions:
        if names and events + session.events > most_events:
            yield names
            names, events = [], 0
        names.append(session.session_id)
        events += session.events
    if names:
        yield names


def _family_of(session_id: str) -> str:
    return session_id.partition("/")[0]


def _source_of(family: dict[str, ReadSession]) -> str:
    return next(iter(family.values())).source


def _shows_more(source: str, other: str) -> bool:
    return other not in _SOURCES or _SOURCES.index(source) > _SOURCES.index(other)


def _is_later(moment: datetime | None, other: datetime | None) -> bool:
    return moment is not None and (other is None or moment > other + _LATE)
