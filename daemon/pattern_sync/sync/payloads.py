"""From a payload to marks, wherever it comes from: a notification, or a row that a writer left instead of one."""

from collections.abc import Iterable

from pattern_sync.domain.facts import Emit, NotificationIgnored, NotificationReceived
from pattern_sync.domain.identity import RowId
from pattern_sync.domain.notification import Channel, Request, UnknownPayload, kind_of, parse_payload
from pattern_sync.domain.scans import ScanKind
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.recovery import Recovery


class Payloads:
    """Marks what payloads name."""

    def __init__(self, intake: Intake, recovery: Recovery, emit: Emit) -> None:
        self._intake = intake
        self._recovery = recovery
        self._emit = emit

    def notified(self, payload: str) -> None:
        """Mark what a notification of the patterns' channel names."""
        parsed = parse_payload(payload)
        self._emit(NotificationReceived(Channel.PATTERNS, kind_of(parsed)))
        self._mark([parsed])

    def mark(self, payloads: Iterable[str]) -> None:
        """Mark what writers left in place of notifications."""
        self._mark(map(parse_payload, payloads))

    def mark_everything(self) -> None:
        """Request a scan on behalf of changes that may not have been notified one by one."""
        self._recovery.everything_marked()
        self._intake.add_everything(ScanKind.REQUEST)

    def _mark(self, payloads: Iterable[RowId | Request | UnknownPayload]) -> None:
        row_ids = []
        for parsed in payloads:
            match parsed:
                case Request.EVERYTHING:
                    self._recovery.everything_notified()
                    self._intake.add_everything(ScanKind.REQUEST)
                case Request.SETTINGS:
                    self._intake.add_everything(ScanKind.SETTINGS)
                case UnknownPayload(shown):
                    self._emit(NotificationIgnored(shown))
                case row_id:
                    row_ids.append(row_id)
        if row_ids:
            self._intake.add(row_ids)
