"""The detector at work: sessions are read and kept, routines are found in all of them, and written as patterns."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from pattern_sync.detecting.keeping import Kept
from pattern_sync.detecting.mining import mine
from pattern_sync.detecting.sources import Source
from pattern_sync.detecting.terms import Terms
from pattern_sync.domain.calls import ReadSession, Session
from pattern_sync.domain.errors import StatementFailed
from pattern_sync.domain.routines import Findings, Routine, Written

# In one transaction.
_SESSIONS_AT_ONCE = 100
# Signatures of others that are met by chance; each time, the routines are named anew.
_MOST_NAMINGS = 3
_NOBODYS_SHAPE: tuple[str, ...] = ()


class Store(Protocol):
    """What the detector keeps and writes; every method raises DatabaseError or SchemaError."""

    def transaction(self) -> AbstractContextManager[None]: ...
    def known_sessions(self) -> list[ReadSession]: ...
    def keep(self, session: Session) -> bool: ...
    def drop(self, session_ids: Sequence[str]) -> None: ...
    def forget(self, days: int) -> None: ...
    def kept_sessions(self) -> Iterator[Session]: ...
    def routines(self) -> dict[str, tuple[str, ...]]: ...
    def signatures_of_others(self, signatures: Sequence[str]) -> list[str]: ...
    def write(self, routine: Routine) -> Written: ...


@dataclass(frozen=True, slots=True)
class WrittenRoutine:
    """What became of a routine; `reason` says why it could not be written."""

    routine: Routine
    outcome: Written | None
    reason: str | None = None


class Detector:
    """Keeps what sources show, and finds and writes the routines in it. Whatever is done twice changes nothing."""

    def __init__(self, store: Store, sources: Sequence[Source], terms: Terms, keep_days: int) -> None:
        self._store = store
        self._sources = sources
        self._terms = terms
        self._keep_days = keep_days

    def read(self, *, again: bool = False) -> int:
        """Keep the sessions that have changed, and return how many these were; `again` reads the others, too."""
        kept = Kept(self._store.known_sessions(), again=again)
        changed = 0
        for source in self._sources:
            sessions = source.sessions(kept)
            while some := list(islice(sessions, _SESSIONS_AT_ONCE)):
                with self._store.transaction():
                    changed += sum(self._keep(session, kept) for session in some)
        self._store.forget(self._keep_days)
        return changed

    def find(self) -> Findings:
        """Return the routines in all kept sessions, each with the signature that it has or would get."""
        taken = self._store.routines()
        for _ in range(_MOST_NAMINGS):
            findings = mine(self._store.kept_sessions(), taken, self._terms)
            found = [routine.signature for routine in findings.routines]
            others = set(self._store.signatures_of_others(found)) - taken.keys()
            if not others:
                break
            taken |= dict.fromkeys(others, _NOBODYS_SHAPE)
        return findings

    def write(self, routines: Sequence[Routine]) -> list[WrittenRoutine]:
        """Write routines as patterns; one that the database refuses costs no other."""
        return [self._write(routine) for routine in routines]

    def _keep(self, session: Session, kept: Kept) -> bool:
        if replaced := kept.take(session):
            self._store.drop(replaced)
        return self._store.keep(session)

    def _write(self, routine: Routine) -> WrittenRoutine:
        try:
            return WrittenRoutine(routine, self._store.write(routine))
        except StatementFailed as fault:
            return WrittenRoutine(routine, None, str(fault))
