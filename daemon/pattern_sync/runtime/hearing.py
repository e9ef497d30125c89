"""Who hears that the queue has changed: the live updates and the traits keeper."""

from pattern_sync.domain.notification import Request
from pattern_sync.sync.traits_keeper import TraitsKeeper
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.messages import parse_changes


class QueueHearing:
    """Passes the hints at changed entries on."""

    def __init__(self, live: LiveUpdates, keeper: TraitsKeeper) -> None:
        self._live = live
        self._keeper = keeper

    def notified(self, payload: str) -> None:
        """Pass on a notification of the queue's channel."""
        self._live.notified(payload)
        self._mark(payload)

    def mark(self, payload: str) -> None:
        """Pass on a payload that was read from the marks."""
        self._live.mark(payload)
        self._mark(payload)

    def readers_told(self, payload: str) -> None:
        """Pass on who reads what at a replica's pages."""
        self._live.presence.heard_replica(payload)

    def mark_everything(self) -> None:
        """Say that notifications may have been missed."""
        self._live.mark_everything()
        self._keeper.mark_everything()

    def _mark(self, payload: str) -> None:
        changes = None if payload == Request.EVERYTHING.value else parse_changes(payload)
        if changes is None:
            self._keeper.mark_everything()
        else:
            self._keeper.mark(list(changes))
