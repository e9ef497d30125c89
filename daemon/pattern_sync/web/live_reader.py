"""Reads what the pages need: the changed entries, or the whole state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pattern_sync.domain.entry import QueueCounts, QueueEntry
from pattern_sync.services.marks import Taken
from pattern_sync.web.fingerprint_check import FingerprintCheck
from pattern_sync.web.messages import Change, ChangesMessage, EntryChange, StateMessage, to_json

# A longer message of changes is replaced by a state: while it is sent, there is one copy per client.
LONGEST_MESSAGE_CHARACTERS = 1_000_000
STATE_ENTRIES = 20


class QueueView(Protocol):
    """The reads that live updates need."""

    async def first_entries(self, limit: int) -> list[QueueEntry]: ...
    async def find_entries(self, signatures: Sequence[str]) -> list[QueueEntry]: ...
    async def count_entries(self) -> QueueCounts: ...
    async def fingerprint(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Update:
    """Two messages: `state` for newcomers, or for all pages if `is_for_all`; `changes` for the others."""

    state: str | None
    changes: str | None
    is_for_all: bool


class LiveReader:
    """Reads the marked entries. `now` is a monotonic clock in seconds."""

    def __init__(self, view: QueueView, now: Callable[[], float]) -> None:
        self._view = view
        self._check = FingerprintCheck(view.fingerprint, now)

    async def read(self, taken: Taken[str, Change], *, newcomers: bool, only_newcomers: bool, polling: bool) -> Update:
        """Return what the pages need: a state for all of them if changes may have been missed."""
        quiet = not taken.marks and not newcomers
        is_for_all = taken.everything or await self._check.requires_state(quiet=quiet, polling=polling)
        changes = await self._read_changes(taken.marks) if taken.marks and not is_for_all else None
        if changes is not None and len(changes) > LONGEST_MESSAGE_CHARACTERS:
            is_for_all = True
        if not is_for_all and not newcomers:
            return Update(None, changes, is_for_all=False)
        state = await self._read_state(reaches_all=is_for_all or only_newcomers)
        return Update(state, changes, is_for_all)

    async def _read_state(self, *, reaches_all: bool) -> str:
        if reaches_all:
            await self._check.record()
        entries = await self._view.first_entries(STATE_ENTRIES)
        return to_json(StateMessage(await self._view.count_entries(), tuple(entries)))

    async def _read_changes(self, changed: Mapping[str, Change]) -> str:
        self._check.invalidate()
        found = {entry.pattern_id: entry for entry in await self._view.find_entries(list(changed))}
        changes = tuple(
            EntryChange(change if signature in found else "removed", signature, found.get(signature))
            for signature, change in changed.items()
        )
        return to_json(ChangesMessage(await self._view.count_entries(), changes))
