"""The trigger watch: whether changes are still notified, and what writers could not notify."""

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from pattern_sync.domain.errors import PatternSyncError
from pattern_sync.domain.facts import Emit, TableRebuilt, TriggersChecked, TriggersMended, TriggersNotMended
from pattern_sync.domain.notification import Request
from pattern_sync.domain.reception import Audience, Sighting, TriggerFault
from pattern_sync.domain.scans import ScanKind
from pattern_sync.services.activity import Activity
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.payloads import Payloads
from pattern_sync.sync.recovery import Recovery
from pattern_sync.sync.silence import Silence

SETTINGS = "pattern_sync.settings"


class Watched(Protocol):
    """What the watch needs of the database; every method raises DatabaseError or SchemaError."""

    async def look(self) -> Sighting: ...
    async def mend(self, relation: str) -> None: ...
    async def record_recovery(self, patterns: int) -> None: ...


class TriggerWatch:
    """Looks every few seconds (in one statement), takes the marks that writers left, and mends triggers if it may.

    `notify_pages` gets payloads of the queue's channel; `republish` puts the filter in force again after it was lost.
    """

    name = "trigger-watch"

    def __init__(
        self,
        watched: Watched,
        intake: Intake,
        payloads: Payloads,
        silence: Silence,
        recovery: Recovery,
        notify_pages: Callable[[str], None],
        republish: Callable[[], Awaitable[object]],
        emit: Emit,
        activity: Activity,
        watch_seconds: float,
        *,
        mends: bool,
    ) -> None:
        self._watched = watched
        self._intake = intake
        self._payloads = payloads
        self._silence = silence
        self._recovery = recovery
        self._notify_pages = notify_pages
        self._republish = republish
        self._emit = emit
        self._activity = activity
        self._watch_seconds = watch_seconds
        self._mends = mends
        self._storage: str | None = None
        self._body: str | None = None
        self._old_writers: set[str] = set()
        self._lost_marks = False
        self._filter_is_lost = False
        self._not_mended: set[TriggersNotMended] = set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            async with self._activity.working(put_back=self._lose_marks):
                await self.run_once()
            if not self._activity.in_outage:
                await self._activity.wait(self._watch_seconds)

    async def run_once(self) -> None:
        """Look once. Raises PassingFault."""
        sighting = await self._look()
        if self._mends and await self._mend(sighting.faults):
            await self._look()
        if recovered := self._recovery.settle():
            await self._watched.record_recovery(recovered)

    def _lose_marks(self) -> None:
        # The answer may have been lost on its way, and with it the marks, which the look had taken.
        self._lost_marks = True

    async def _look(self) -> Sighting:
        sighting = await self._watched.look()
        self._emit(TriggersChecked(sighting.queue_usage))
        before = self._silenced()
        self._silence.seen(sighting)
        after = self._silenced()
        self._payloads.mark(sighting.patterns)
        for payload in sighting.entries:
            self._notify_pages(payload)
        if Audience.DAEMONS in before - after:
            self._intake.add_everything(ScanKind.CATCH_UP)
        if Audience.PAGES in before | after:
            self._notify_pages(Request.EVERYTHING.value)
        self._look_at_storage(sighting.storage)
        self._look_after_writers(sighting)
        if self._lost_marks:
            self._lost_marks = False
            self._payloads.mark_everything()
        await self._look_after_filter(sighting.faults)
        return sighting

    def _silenced(self) -> set[Audience]:
        return {audience for audience in Audience if self._silence.silences(audience)}

    def _look_at_storage(self, storage: str | None) -> None:
        before, self._storage = self._storage, storage
        if before is not None and storage is not None and storage != before:
            self._emit(TableRebuilt())
            self._payloads.mark_everything()

    def _look_after_writers(self, sighting: Sighting) -> None:
        """Scan again when those have ended that wrote under another filter: they did not notify."""
        before, self._body = self._body, sighting.body
        ended = self._old_writers - sighting.writers
        self._old_writers -= ended
        if sighting.body != before:
            self._old_writers = set(sighting.writers)
        # One that ended before the first look at a new body is found by this one.
        if ended or (before is not None and sighting.body != before):
            self._intake.add_everything(ScanKind.POLL)

    async def _mend(self, faults: Collection[TriggerFault]) -> bool:
        mended = False
        faulty = {fault.relation for fault in faults}
        self._not_mended = {fact for fact in self._not_mended if fact.relation in faulty}
        for relation in dict.fromkeys(fault.relation for fault in faults if fault.mendable and fault.relation):
            try:
                await self._watched.mend(relation)
            except PatternSyncError as fault:
                self._emit_once(TriggersNotMended(relation, str(fault)))
            else:
                mended = True
                wrong = tuple(fault.fault for fault in faults if fault.relation == relation)
                self._emit(TriggersMended(relation, wrong))
        return mended

    def _emit_once(self, fact: TriggersNotMended) -> None:
        if fact not in self._not_mended:
            self._not_mended.add(fact)
            self._emit(fact)

    async def _look_after_filter(self, faults: Collection[TriggerFault]) -> None:
        lost = any(fault.relation == SETTINGS for fault in faults)
        if self._filter_is_lost and not lost:
            await self._republish()
        self._filter_is_lost = lost
