"""Where sessions come from: hooks' events in the database, and transcripts on disk."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from pattern_sync.detecting.hooks import HookReader
from pattern_sync.detecting.keeping import HOOK_EVENTS, HOOKS, Kept, in_batches
from pattern_sync.detecting.pairing import sessions_of
from pattern_sync.detecting.reading import Library
from pattern_sync.domain.calls import HookRow, ReadSession, Session, ToolEvent

# A payload has 1.5 kB, and 62 kB at most that a known writer has written.
_EVENTS_AT_ONCE = 5_000


class Source(Protocol):
    """Something that sessions are read from."""

    def sessions(self, kept: Kept) -> Iterator[Session]:
        """Yield the sessions that may have changed, each whole."""


class EventStore(Protocol):
    """What hooks have written into the database; every method raises DatabaseError or SchemaError."""

    def hook_sessions(self, source: str) -> list[ReadSession]: ...
    def hook_events(self, session_ids: Sequence[str]) -> list[HookRow]: ...
    def reported_sessions(self, source: str) -> list[ReadSession]: ...
    def reported_events(self, session_ids: Sequence[str]) -> list[ToolEvent]: ...


class HookEvents:
    """The application's table of hook events, which is only read."""

    def __init__(self, store: EventStore, reader: HookReader) -> None:
        self._store = store
        self._reader = reader

    def sessions(self, kept: Kept) -> Iterator[Session]:
        """Yield the sessions of which the table has other events now."""
        for names in in_batches(filter(kept.has_changed, self._store.hook_sessions(HOOK_EVENTS)), _EVENTS_AT_ONCE):
            yield from sessions_of(self._events(names), HOOK_EVENTS)

    def _events(self, names: Sequence[str]) -> Iterator[ToolEvent]:
        for row in self._store.hook_events(names):
            event = self._reader.of_row(row.id, row.event_type, row.session_id, row.tool_name, row.payload, row.at)
            if event is not None:
                yield event


class ReportedEvents:
    """What agents have reported over HTTP."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def sessions(self, kept: Kept) -> Iterator[Session]:
        """Yield the sessions of which there are other events now."""
        for names in in_batches(filter(kept.has_changed, self._store.reported_sessions(HOOKS)), _EVENTS_AT_ONCE):
            yield from sessions_of(self._store.reported_events(names), HOOKS)


class Transcripts:
    """Files on disk; all of them are read, as a session may continue in another one."""

    def __init__(self, library: Library, paths: Iterable[Path]) -> None:
        self._library = library
        self._paths = tuple(paths)

    def sessions(self, kept: Kept) -> Iterator[Session]:  # noqa: ARG002 - what is kept as it is is not written again
        """Yield all sessions."""
        self._library.read(self._paths)
        return self._library.sessions()
