"""The detector's store: events of hooks, what was read of sessions, and the patterns that are written."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.reviews import Fetch
from pattern_sync.domain.calls import Call, HookRow, Outcome, Phase, ReadSession, Session, ToolEvent
from pattern_sync.domain.moments import read_utc
from pattern_sync.domain.routines import Routine, Written

# Of kept sessions; a long one has thousands of calls.
_PAGE = 200


class ReportingGateway:
    """Keeps what agents report over HTTP."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def report(self, event: ToolEvent) -> None:
        """Keep an event. Raises DatabaseError or SchemaError."""
        call = (event.session_id, event.agent, event.call_id)
        await self._fetch("report_event", *call, event.phase.value, event.tool, event.word, event.at)


class DetectingGateway:
    """Runs the detector's statements; every method raises DatabaseError or SchemaError.

    `as_a_whole` runs a block as a transaction, or as a part of one.
    """

    def __init__(self, database: BlockingDatabase, as_a_whole: Callable[[], AbstractContextManager[None]]) -> None:
        self._database = database
        self._as_a_whole = as_a_whole

    def transaction(self) -> AbstractContextManager[None]:
        """Run a block as a whole."""
        return self._as_a_whole()

    def hook_sessions(self, source: str) -> list[ReadSession]:
        """Return the sessions of the application's hook events; none in a database without that table."""
        return [_to_read(row, source) for row in self._database.fetch("hook_sessions")]

    def hook_events(self, session_ids: Sequence[str]) -> list[HookRow]:
        """Return the application's events of some sessions, those of each together."""
        rows = self._database.fetch("hook_events", list(session_ids))
        return [HookRow(**{**row, "at": _moment(row["at"])}) for row in rows]

    def reported_sessions(self, source: str) -> list[ReadSession]:
        """Return the sessions that agents reported over HTTP."""
        return [_to_read(row, source) for row in self._database.fetch("reported_sessions")]

    def reported_events(self, session_ids: Sequence[str]) -> list[ToolEvent]:
        """Return the events of some sessions that agents reported over HTTP, those of each together."""
        return [_to_event(row) for row in self._database.fetch("reported_events", list(session_ids))]

    def known_sessions(self) -> list[ReadSession]:
        """Return what was read of the sessions that are kept."""
        return [ReadSession(**row) for row in self._database.fetch("known_sessions")]

    def keep(self, session: Session) -> bool:
        """Keep a session as a whole, in place of what is kept of it; return whether that changed anything."""
        # Numbers and times as text: for arrays of them a driver would first query the catalogs, by names that can be
        # hijacked.
        rows = self._database.fetch(
            "keep_session",
            session.session_id,
            session.source,
            session.events,
            session.last_event_at,
            session.shows_failures,
            session.cut_off,
            [call.word for call in session.calls],
            [call.outcome.value for call in session.calls],
            [None if call.at is None else call.at.isoformat() for call in session.calls],
            [None if call.cost_usd is None else str(call.cost_usd) for call in session.calls],
        )
        return bool(rows)

    def drop(self, session_ids: Sequence[str]) -> None:
        """Forget sessions that another source shows in other parts."""
        self._database.fetch("drop_sessions", list(session_ids))

    def forget(self, days: int) -> None:
        """Forget what is older than so many days."""
        self._database.fetch("forget_sessions", days)

    def kept_sessions(self) -> Iterator[Session]:
        """Yield every kept session."""
        after = ""
        while rows := self._database.fetch("kept_sessions", after, _PAGE):
            yield from map(_to_session, rows)
            after = rows[-1]["session_id"]

    def routines(self) -> dict[str, tuple[str, ...]]:
        """Return the signatures of the routines that were found so far, with their shapes."""
        return {row["signature"]: tuple(json.loads(row["shape"])) for row in self._database.fetch("routines")}

    def signatures_of_others(self, signatures: Sequence[str]) -> list[str]:
        """Return which of these signatures another detector has written."""
        return [row["signature"] for row in self._database.fetch("signatures_of_others", list(signatures))]

    def write(self, routine: Routine) -> Written:
        """Write a routine as a pattern with its occurrences."""
        rows = self._database.fetch(
            "write_routine",
            routine.signature,
            list(routine.shape),
            routine.kind,
            routine.confidence,
            routine.savings_usd,
            [f"{run.session_id}#{run.number}" for run in routine.runs],
            [None if run.at is None else run.at.isoformat() for run in routine.runs],
        )
        return Written(rows[0]["outcome"])


def _to_read(row: Mapping[str, Any], source: str) -> ReadSession:
    return ReadSession(row["session_id"], source, row["events"], _moment(row["last_event_at"]))


def _to_event(row: Mapping[str, Any]) -> ToolEvent:
    return ToolEvent(
        session_id=row["session_id"],
        agent=row["agent"],
        call_id=row["call_id"],
        phase=Phase(row["phase"]),
        tool=row["tool"],
        word=row["word"],
        at=row["reported_at"],
        order=row["id"],
    )


def _to_session(row: Mapping[str, Any]) -> Session:
    parts = (json.loads(row[name]) for name in ("words", "outcomes", "called_at", "costs_usd"))
    return Session(
        session_id=row["session_id"],
        source=row["source"],
        events=row["events"],
        last_event_at=row["last_event_at"],
        calls=tuple(
            Call(word, Outcome(outcome), _moment(at), cost) for word, outcome, at, cost in zip(*parts, strict=True)
        ),
        shows_failures=row["shows_failures"],
        cut_off=row["cut_off"],
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else read_utc(text)
