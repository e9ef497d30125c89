"""From a payload to marks, wherever it comes from: a notification, or a row that a writer left instead of one."""

from collections.abc import Iterable

from pattern_sync.domain.facts import Emit, NotificationIgnored
from pattern_sync.domain.notification import Request, UnknownPayload, parse_payload
from pattern_sync.domain.scans import ScanKind
from pattern_sync.sync.intake import Intake
from pattern_sync.sync.recovery import Recovery


class Payloads:
    """Marks what payloads name."""

    def __init__(self, intake: Intake, recovery: Recovery, emit: Emit) -> None:
        self._intake = intake
        self._recovery = recovery
        self._emit = emit

    def mark(self, payloads: Iterable[str]) -> None:
        """Mark what these payloads of the patterns' channel name."""
        row_ids = []
        for payload in payloads:
            match parse_payload(payload):
                case Request.EVERYTHING:
                    self.mark_everything()
                case Request.SETTINGS:
                    self._intake.add_everything(ScanKind.SETTINGS)
                case UnknownPayload(shown):
                    self._emit(NotificationIgnored(shown))
                case row_id:
                    row_ids.append(row_id)
        if row_ids:
            self._intake.add(row_ids)

    def mark_everything(self) -> None:
        """Request a scan on behalf of a bulk change."""
        self._recovery.everything_notified()
        self._intake.add_everything(ScanKind.REQUEST)
