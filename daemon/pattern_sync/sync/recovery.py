"""Recovery: what catch-ups and sweeps queue that no notification announced: how far notifications can be trusted."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from pattern_sync.domain.facts import CatchUpSettled, Emit, SweepSettled
from pattern_sync.domain.outcomes import Outcome, PatternOutcome
from pattern_sync.domain.results import SyncResult
from pattern_sync.domain.scans import ScanKind
from pattern_sync.sync.intake import Intake

MOST_NAMES = 10_000
# Of what the event path has queued itself, no scan has.
_NOT_SCANNED = (Outcome.QUEUED, Outcome.UNTRIED)


@dataclass(frozen=True, slots=True)
class _Scan:
    """A catch-up or a sweep that queued something; `since` is the end of the scan before."""

    kind: ScanKind
    result: SyncResult
    since: float
    finished_at: float

    @property
    def begun_at(self) -> float:
        return self.finished_at - self.result.sync_duration_ms / 1000


class Recovery:
    """Counts what a catch-up or a sweep queued without a notification. `now` is a monotonic clock in seconds.

    A scan may be faster than the notification of what it finds, so its count is settled `settle_seconds` later, when
    the event path has handled what arrived until then: what it has met was notified. What a scan finds after a bulk
    change was notified proves nothing. The first catch-up after a start queues what nobody could have notified.
    `found` is set while the last sweep recovered any.
    """

    def __init__(self, now: Callable[[], float], emit: Emit, settle_seconds: float, intake: Intake) -> None:
        self._now = now
        self._emit = emit
        self._settle_seconds = settle_seconds
        self._intake = intake
        self._total = 0
        self.found = asyncio.Event()
        self._heard: dict[str, float] = {}
        self._everything_at = {ScanKind.CATCH_UP: float("-inf"), ScanKind.SWEEP: float("-inf")}
        self._previous_scan_at = now()
        self._deaf = True
        self._has_caught_up = False
        self._unsettled: list[_Scan] = []

    def deafened(self) -> None:
        """Record that notifications may be missed until the next catch-up."""
        self._deaf = True

    def everything_notified(self) -> None:
        """Record that a bulk change was notified."""
        self._everything_at[ScanKind.CATCH_UP] = self._now()
        self.everything_marked()

    def everything_marked(self) -> None:
        """Record that this daemon itself has reason to scan: what a sweep finds then is no surprise."""
        self._everything_at[ScanKind.SWEEP] = self._now()

    def reconciled(self, outcomes: Iterable[PatternOutcome]) -> None:
        """Record what the event path came to."""
        for item in outcomes:
            if item.outcome not in _NOT_SCANNED:
                self._heard.pop(item.signature, None)
                self._heard[item.signature] = self._now()
        while len(self._heard) > MOST_NAMES:
            del self._heard[next(iter(self._heard))]

    def scanned(self, kinds: Collection[ScanKind], result: SyncResult, *, listening: bool) -> None:
        """Record a scan. A sweep of its own accord counts if the daemon was listening since the scan before."""
        since, self._previous_scan_at = self._previous_scan_at, self._now()
        if kind := self._counted_as(kinds, result, listening=listening):
            scan = _Scan(kind, result, since, self._now())
            if result.synced_count:
                self._unsettled.append(scan)
            else:
                self._settle(scan, 0)
        if ScanKind.CATCH_UP in kinds:
            self._deaf, self._has_caught_up = False, True
        if not self._unsettled:
            self._heard.clear()

    def settle(self) -> int:
        """Return how many patterns sweeps have recovered, once: as soon as that is known."""
        swept = 0
        while self._unsettled and self._is_settled(self._unsettled[0]):
            scan = self._unsettled.pop(0)
            recovered = self._recovered_by(scan)
            self._settle(scan, recovered)
            swept += recovered if scan.kind is ScanKind.SWEEP else 0
            # What was heard later may be about a scan that is running now.
            self._heard = {signature: at for signature, at in self._heard.items() if at > scan.finished_at}
        return swept

    def _counted_as(self, kinds: Collection[ScanKind], result: SyncResult, *, listening: bool) -> ScanKind | None:
        if ScanKind.CATCH_UP in kinds:
            return ScanKind.CATCH_UP if self._has_caught_up else None
        if set(kinds) != {ScanKind.SWEEP}:
            return None
        # One that found nothing is good news, whether or not the daemon was listening.
        counts = not result.synced_count or (listening and not self._deaf)
        return ScanKind.SWEEP if counts else None

    def _is_settled(self, scan: _Scan) -> bool:
        settles_at = scan.finished_at + self._settle_seconds
        oldest_at = self._intake.oldest_at()
        return self._now() >= settles_at and (oldest_at is None or oldest_at > settles_at)

    def _recovered_by(self, scan: _Scan) -> int:
        overflowed_at = self._intake.overflowed_at
        all_notified = self._everything_at[scan.kind] >= scan.since
        if all_notified or (overflowed_at is not None and overflowed_at >= scan.since):
            return 0
        # What the event path met before the scan was not in the queue by its own doing: the scan found it changed.
        heard = {signature for signature, at in self._heard.items() if at >= scan.begun_at}
        named = set(scan.result.synced_pattern_ids)
        unnamed_total = scan.result.synced_count - len(named)
        return len(named - heard) + max(0, unnamed_total - len(heard - named))

    def _settle(self, scan: _Scan, recovered: int) -> None:
        if scan.kind is ScanKind.CATCH_UP:
            self._emit(CatchUpSettled(recovered))
            return
        if recovered:
            self.found.set()
        else:
            self.found.clear()
        self._total += recovered
        self._emit(SweepSettled(recovered, self._total, scan.finished_at))
