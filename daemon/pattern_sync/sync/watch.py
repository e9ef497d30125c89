"""Looks every few seconds whether changes are still told, and for what writers could not notify."""

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

import structlog

from pattern_sync.domain.errors import DatabaseUnavailable, PatternSyncError
from pattern_sync.domain.notification import Request, UnknownPayload, parse_payload
from pattern_sync.domain.runs import RunKind
from pattern_sync.domain.watching import Audience, Sighting, TriggerFault
from pattern_sync.observability.state import DaemonState
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.liveness import Life

# One statement. What is marked has to be found in seconds, a fault within fifteen.
WATCH_SECONDS = 5.0
# An outage is the other services' to report; that only the watch is blind is worth a word of its own.
PATIENT_LOOKS = 2
SETTINGS = "pattern_sync.settings"


class Watched(Protocol):
    """What the watch needs of the database; every method raises DatabaseError or SchemaError."""

    async def look(self) -> Sighting: ...
    async def mend(self, relation: str) -> None: ...
    async def record_recovery(self, patterns: int) -> None: ...


class TriggerWatch:
    """Takes the marks, says what is wrong with the triggers and, where it is told to, mends them.

    `tell_pages` gets payloads of the queue's channel; `republish` puts the filter in force again after it was lost.
    """

    NAME = "trigger watch"

    def __init__(
        self,
        watched: Watched,
        intake: Intake,
        tell_pages: Callable[[str], None],
        republish: Callable[[], Awaitable[object]],
        state: DaemonState,
        life: Life,
        *,
        mends: bool,
    ) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._watched = watched
        self._intake = intake
        self._tell_pages = tell_pages
        self._republish = republish
        self._state = state
        self._life = life
        self._mends = mends
        self._storage: str | None = None
        self._body: str | None = None
        self._old_writers: set[str] = set()
        self._failures = 0
        self._filter_is_lost = False
        self._said: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            with self._life.working():
                await self.run_once()
            await self._life.pause(WATCH_SECONDS)

    async def run_once(self) -> None:
        """Look once. What fails is tried again: nothing that the watch meets may end the daemon."""
        try:
            sighting = await self._look()
            if self._mends and await self._mend(sighting.faults):
                sighting = await self._look()
            if recovered := self._state.settle():
                await self._watched.record_recovery(recovered)
        except PatternSyncError as fault:
            self._failed(fault)

    async def _look(self) -> Sighting:
        sighting = await self._watched.look()
        silence = self._state.silence
        before = {audience for audience in Audience if silence.silences(audience)}
        silence.seen(sighting)
        after = {audience for audience in Audience if silence.silences(audience)}
        self._take_marks(sighting)
        if Audience.DAEMONS in before - after:
            self._intake.add_everything(RunKind.CATCH_UP)
        if Audience.PAGES in before | after:
            self._tell_pages(Request.EVERYTHING.value)
        self._look_at_storage(sighting.storage)
        self._look_after_writers(sighting)
        if self._failures:
            # The last answer may have been lost on the way, and marks with it.
            self._failures = 0
            self._look_at_everything()
        await self._look_after_filter(sighting.faults)
        return sighting

    def _take_marks(self, sighting: Sighting) -> None:
        pattern_ids = []
        for payload in sighting.patterns:
            match parse_payload(payload):
                case int(pattern_id):
                    pattern_ids.append(pattern_id)
                case Request.EVERYTHING:
                    self._look_at_everything()
                case Request.SETTINGS:
                    self._intake.add_everything(RunKind.SETTINGS)
                case UnknownPayload(shown):
                    self._state.unknown_payload(shown)
        if pattern_ids:
            self._intake.add(pattern_ids)
        for payload in sighting.entries:
            self._tell_pages(payload)

    def _look_at_storage(self, storage: str | None) -> None:
        before, self._storage = self._storage, storage
        if before is not None and storage is not None and storage != before:
            self._log.info("the table of the patterns was rebuilt or got other parts, looking at everything")
            self._look_at_everything()

    def _look_after_writers(self, sighting: Sighting) -> None:
        """Look again when those have ended that wrote under another filter: it was not announced."""
        before, self._body = self._body, sighting.body
        ended = self._old_writers - sighting.writers
        self._old_writers -= ended
        if sighting.body != before:
            self._old_writers = set(sighting.writers)
        # One that ended before the first look at a new body is found by this one.
        if ended or (before is not None and sighting.body != before):
            self._intake.add_everything(RunKind.POLL)

    def _look_at_everything(self) -> None:
        self._state.recovery.everything_announced()
        self._intake.add_everything(RunKind.REQUEST)

    async def _mend(self, faults: Collection[TriggerFault]) -> bool:
        mended = False
        for relation in dict.fromkeys(fault.relation for fault in faults if fault.mendable and fault.relation):
            wrong = [fault.fault for fault in faults if fault.relation == relation]
            try:
                await self._watched.mend(relation)
            except PatternSyncError as fault:
                self._say_once(relation, str(fault))
            else:
                mended = True
                self._log.info("mended", relation=relation, faults=wrong)
        return mended

    def _say_once(self, relation: str, reason: str) -> None:
        if (relation, reason) not in self._said:
            self._said.add((relation, reason))
            self._log.warning("could not be mended, trying again", relation=relation, reason=reason)

    async def _look_after_filter(self, faults: Collection[TriggerFault]) -> None:
        lost = any(fault.relation == SETTINGS for fault in faults)
        if self._filter_is_lost and not lost:
            await self._republish()
        self._filter_is_lost = lost

    def _failed(self, fault: PatternSyncError) -> None:
        self._failures += 1
        known = self._state.database_lost_at is not None
        if not known and (self._failures > PATIENT_LOOKS or not isinstance(fault, DatabaseUnavailable)):
            self._state.silence.blind(str(fault))
