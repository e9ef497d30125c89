"""What the daemon is doing: one log line for each change, and the same facts for whoever asks."""

from collections.abc import Callable, Collection, Sequence
from enum import StrEnum

import structlog

from pattern_sync.domain.filter import SyncFilter
from pattern_sync.domain.outcomes import Outcome, PatternOutcome, signatures_of
from pattern_sync.domain.results import Retried, SyncResult
from pattern_sync.domain.runs import RunKind, leading
from pattern_sync.domain.watching import Audience
from pattern_sync.observability.recovery import Recovery
from pattern_sync.observability.refusals import TELL_SECONDS, Refusals
from pattern_sync.observability.silence import Silence

SHOWN_SIGNATURES = 5


class Mode(StrEnum):
    """How changes reach the daemon."""

    STARTING = "starting"
    LISTENING = "listening"
    POLLING = "polling"


class DaemonState:
    """Told by the services what happens; logs changes and work done, never the same state twice.

    `now` is a monotonic clock in seconds; `show` takes one line for `systemctl status`.
    """

    def __init__(self, now: Callable[[], float], show: Callable[[str], None]) -> None:
        self._log = structlog.stdlib.get_logger("pattern_sync")
        self._now = now
        self._show = show
        self.started_at = now()
        self.mode = Mode.STARTING
        self.mode_since = now()
        self.database_lost_at: float | None = None
        self._without_database: set[str] = set()
        self._cut_off: set[str] = set()
        self.not_serving: str | None = None
        self.last_notification_at: float | None = None
        self.last_run_at: dict[RunKind, float] = {}
        self.next_sweep_at: float | None = None
        self.last_run_seconds = 0.0
        self.queued_total = 0
        self.failed_total = 0
        self.unknown_payloads_total = 0
        self.silence = Silence(now, self._on_silence)
        self.recovery = Recovery(now)
        self.refused = Refusals(now)
        self._failed: list[PatternOutcome] = []
        self._failed_untold = 0
        self._failures_told_at: float | None = None

    @property
    def must_poll(self) -> bool:
        """Return whether the daemon has to look by itself: it does not hear, or it is not told."""
        return self.mode is Mode.POLLING or self.silence.silences(Audience.DAEMONS)

    def waiting(self, reason: str) -> None:
        """Say once that the database cannot be reached yet."""
        if self.database_lost_at is None:
            self.database_lost_at = self._now()
            self._log.warning("waiting for the database", reason=reason)
            self._show(f"waiting for the database: {reason}")

    def listening(self) -> None:
        """Say that notifications arrive, as was just proven."""
        if self.mode is not Mode.LISTENING:
            degraded_seconds = round(self._now() - self.mode_since, 1) if self.mode is Mode.POLLING else None
            extra = {} if degraded_seconds is None else {"polled_for_seconds": degraded_seconds}
            self._change(Mode.LISTENING)
            self._log.info("listening", **extra)

    def polling(self, reason: str) -> None:
        """Say that notifications do not arrive, and that the daemon looks by itself meanwhile."""
        if self.mode is not Mode.POLLING:
            self.recovery.deafened()
            self._change(Mode.POLLING)
            self._log.warning("not listening, polling instead", reason=reason)

    def serving_refused(self, reason: str) -> None:
        """Say once that nobody can be served over HTTP yet; patterns are queued all the same."""
        if reason != self.not_serving:
            self.not_serving = reason
            self._log.warning("not serving HTTP, trying again", reason=reason)
            self._show_status()

    def serving(self, url: str) -> None:
        """Say where the API and the review page are from now on."""
        self.not_serving = None
        self._log.info("serving", url=url)
        self._show_status()

    def notified(self) -> None:
        """Note that something came on the channel."""
        self.last_notification_at = self._now()

    def sweep_planned(self, in_seconds: float) -> None:
        """Note when the next sweep will be."""
        self.next_sweep_at = self._now() + in_seconds

    def database_lost(self, reason: str, service: str = "") -> None:
        """Say that statements fail; those of a service that gives its name until that service says otherwise."""
        self._without_database.add(service)
        if self.database_lost_at is None:
            self.database_lost_at = self._now()
            self._log.warning("database unavailable, trying again", reason=reason)

    def database_back(self, service: str = "") -> None:
        """Say that statements work again, for a service; what one cannot do is not mended by what others can."""
        self._without_database -= {service, ""}
        if self.database_lost_at is not None and not self._without_database:
            self._log.info("database back", after_seconds=round(self._now() - self.database_lost_at, 1))
            self.database_lost_at = None

    @property
    def pages_cut_off(self) -> bool:
        """Return whether the review pages are not told what changes."""
        return bool(self._cut_off)

    def pages_lost(self, service: str, reason: str) -> None:
        """Say that a service cannot tell the review pages what changes; patterns are queued all the same."""
        if not self._cut_off:
            self._log.warning("review pages are not kept up to date, trying again", reason=reason)
        self._cut_off.add(service)

    def pages_back(self, service: str) -> None:
        """Say that a service tells the review pages again."""
        if service in self._cut_off:
            self._cut_off.remove(service)
            if not self._cut_off:
                self._log.info("review pages are kept up to date again")

    def filter_in_force(self, sync_filter: SyncFilter) -> None:
        """Say which filter the triggers and all daemons use from now on."""
        self._log.info("filter in force", filter=str(sync_filter))

    def unknown_payload(self, shown: str) -> None:
        """Count a notification that is not ours; say so at the 1st, 10th, 100th and so on."""
        self.unknown_payloads_total += 1
        if str(self.unknown_payloads_total).strip("0") == "1":
            self._log.warning(
                "ignored a notification that is not ours", payload=shown, so_far=self.unknown_payloads_total
            )

    def reconciled(self, outcomes: Sequence[PatternOutcome], milliseconds: float) -> None:
        """Tell what the event path did; nothing where it had nothing to do."""
        queued = signatures_of(outcomes, Outcome.QUEUED)
        refreshed = sum(item.outcome is Outcome.REFRESHED for item in outcomes)
        self.recovery.announced(outcomes)
        self._report_failures([item for item in outcomes if item.outcome is Outcome.FAILED])
        self.queued_total += len(queued)
        if queued:
            self._log.info(
                "queued",
                patterns=len(queued),
                refreshed=refreshed,
                milliseconds=round(milliseconds, 1),
                signatures=queued[:SHOWN_SIGNATURES],
            )

    def run_finished(self, kinds: Collection[RunKind], result: SyncResult) -> None:
        """Tell what a run for these wishes did; a poll or a request that found nothing to do is no news."""
        self.last_run_at.update(dict.fromkeys(kinds, self._now()))
        self.last_run_seconds = result.sync_duration_ms / 1000
        listening = self.mode is Mode.LISTENING and not self.silence.silences(Audience.DAEMONS)
        self.recovery.run_finished(kinds, result, listening=listening)
        self._report_run(leading(kinds), result)

    def refusals(self, count: int, reasons: Sequence[str]) -> None:
        """Note how many patterns qualify and are refused by the application, and why some of them are."""
        self.refused.update(count, reasons)

    def retried(self, retried: Retried) -> None:
        """Tell what of the quarantine went through at last."""
        self.refusals(retried.refused, retried.reasons)
        self.queued_total += len(retried.queued_signatures)
        if retried.queued_signatures:
            self._log.info(
                "queued after a refusal",
                patterns=len(retried.queued_signatures),
                still_refused=retried.refused,
                signatures=list(retried.queued_signatures[:SHOWN_SIGNATURES]),
            )

    def settle(self) -> int:
        """Say what has become clear meanwhile; return how many patterns the last sweep recovered, once."""
        self.refused.tell()
        self._tell_failures()
        if recovered := self.recovery.settle():
            self._log.warning(
                "recovered by the sweep, nobody had announced them",
                patterns=recovered,
                so_far=self.recovery.total,
            )
        return recovered

    def manual_run_finished(self, result: SyncResult) -> None:
        """Tell what a sync by hand did, in full: its caller is told only of which patterns it failed."""
        if result.errors:
            self._log.warning("could not be queued by hand", errors=list(result.errors))
        self._report_run(RunKind.MANUAL, result)

    def refreshed(self, result: SyncResult) -> None:
        """Tell, to whoever wants the details, that pending entries show newer figures."""
        if result.refreshed_count:
            self._log.debug(
                "refreshed",
                patterns=result.refreshed_count,
                milliseconds=round(result.sync_duration_ms, 1),
            )

    def _report_run(self, kind: RunKind, result: SyncResult) -> None:
        self.queued_total += result.synced_count
        self.failed_total += result.error_count
        did_something = result.synced_count or result.refreshed_count or result.error_count
        if did_something or kind in (RunKind.CATCH_UP, RunKind.SWEEP, RunKind.SETTINGS):
            self._log.log(
                30 if result.error_count else 20,
                kind.value,
                synced=result.synced_count,
                refreshed=result.refreshed_count,
                skipped=result.skipped_count,
                errors=result.error_count,
                milliseconds=round(result.sync_duration_ms, 1),
                signatures=list(result.synced_pattern_ids[:SHOWN_SIGNATURES]),
                **({"first_error": result.errors[0]} if result.errors else {}),
            )
        self._show_status()

    def _report_failures(self, failed: Sequence[PatternOutcome]) -> None:
        self.failed_total += len(failed)
        self._failed_untold += len(failed)
        self._failed = [*self._failed, *failed][:SHOWN_SIGNATURES]
        self._tell_failures()

    def _tell_failures(self) -> None:
        too_soon = self._failures_told_at is not None and self._now() < self._failures_told_at + TELL_SECONDS
        if not self._failed_untold or too_soon:
            return
        self._log.warning(
            "could not be queued, trying again later",
            patterns=self._failed_untold,
            signatures=[item.signature for item in self._failed],
            first_error=self._failed[0].error,
        )
        self._failed, self._failed_untold, self._failures_told_at = [], 0, self._now()

    def _on_silence(self) -> None:
        self.recovery.deafened()
        self._show_status()

    def _change(self, mode: Mode) -> None:
        self.mode = mode
        self.mode_since = self._now()
        self._show_status()

    def _show_status(self) -> None:
        mode = Mode.POLLING if self.must_poll else self.mode
        line = f"{mode}; {self.queued_total} queued, {self.failed_total} failed since start"
        self._show(f"{line}; not serving HTTP: {self.not_serving}" if self.not_serving else line)
