"""Reception: whether notifications of every change reach this daemon, or it has to poll."""

from collections.abc import Callable

from pattern_sync.domain.facts import Emit, ListenerListening, ListenerLost
from pattern_sync.domain.reception import Audience, Mode
from pattern_sync.sync.silence import Silence


class Reception:
    """The listener decides the mode, the trigger watch the silence; polling goes on until both are well.

    `on_deaf` is called when notifications may be missed from now on; `now` is a monotonic clock in seconds.
    """

    def __init__(self, now: Callable[[], float], emit: Emit, silence: Silence, on_deaf: Callable[[], None]) -> None:
        self._now = now
        self._emit = emit
        self._silence = silence
        self._on_deaf = on_deaf
        self.mode = Mode.STARTING
        self._since = now()

    @property
    def must_poll(self) -> bool:
        """Return whether some changes are not notified, or not heard."""
        return self.mode is Mode.POLLING or self._silence.silences(Audience.DAEMONS)

    @property
    def is_complete(self) -> bool:
        """Return whether every change is notified and heard."""
        return self.mode is Mode.LISTENING and not self._silence.silences(Audience.DAEMONS)

    def listening(self) -> None:
        """Record that notifications arrive, as was just proven."""
        if self.mode is not Mode.LISTENING:
            polled_seconds = self._now() - self._since if self.mode is Mode.POLLING else None
            self._change(Mode.LISTENING)
            self._emit(ListenerListening(polled_seconds))

    def lost(self, reason: str) -> None:
        """Record that notifications do not arrive."""
        if self.mode is not Mode.POLLING:
            self._on_deaf()
            self._change(Mode.POLLING)
            self._emit(ListenerLost(reason))

    def _change(self, mode: Mode) -> None:
        self.mode = mode
        self._since = self._now()
