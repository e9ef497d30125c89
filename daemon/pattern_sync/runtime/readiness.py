"""When the start is over for the service manager: after the first catch-up, or in a long outage before it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pattern_sync.domain.facts import DaemonReady, Emit, StartedInOutage
from pattern_sync.observability.systemd import ServiceManager

# What a start may take without a word from us. It is asked for again and again while nothing hangs, and a process that
# freezes is ended by the service manager after so long.
EXTENSION_SECONDS = 30.0


class Readiness:
    """Sends READY=1 once, and asks for time until then.

    A start that waits for the database must not hold up a boot, nor be ended as one that failed: an outage would become
    a restart loop. `lost_seconds` is for how long the database has been unavailable, 0 if it is not.
    """

    def __init__(
        self, emit: Emit, manager: ServiceManager, lost_seconds: Callable[[], float], patience_seconds: float
    ) -> None:
        self._emit = emit
        self._manager = manager
        self._lost_seconds = lost_seconds
        self._patience_seconds = patience_seconds
        self._has_caught_up = False
        self.is_reported = False

    def reached(self) -> None:
        """Record that a catch-up is done; only the first one is news."""
        if not self._has_caught_up:
            self._has_caught_up = True
            self._emit(DaemonReady())
            self._report()

    def still_starting(self) -> None:
        """Ask for more time, or give up on the database for now; call this while the start makes progress."""
        lost_seconds = self._lost_seconds()
        if lost_seconds < self._patience_seconds:
            self._manager.extend(EXTENSION_SECONDS)
        else:
            self._emit(StartedInOutage(lost_seconds))
            self._report()

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Report a reload to the service manager, from begin to end; one during the start is part of the start."""
        is_reported = self.is_reported
        if is_reported:
            self._manager.reloading()
        yield
        if is_reported:
            self._manager.ready()

    def _report(self) -> None:
        if not self.is_reported:
            self.is_reported = True
            self._manager.ready()
