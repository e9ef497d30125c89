"""Messages to systemd: sd_notify, in a dozen lines over a datagram socket."""

import os
import socket
import time
from collections.abc import Mapping

from pattern_sync.domain.facts import Emit, ManagerUnreachable


class ServiceManager:
    """Reports to the service manager how the daemon is; does nothing where there is none.

    Its socket holds few messages, and while it is busy it takes none. What it must hear is then kept, the latest of
    each kind, and sent before the next message, which is the watchdog's at the latest.
    """

    def __init__(self, emit: Emit, environment: Mapping[str, str] = os.environ) -> None:
        self._emit = emit
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._kept: dict[str, str] = {}
        self._is_unreachable = False
        watchdog_usec = environment.get("WATCHDOG_USEC", "")
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_seconds = int(watchdog_usec) / 1_000_000 if watchdog_usec.isdigit() and mine else None

    @property
    def keeps_messages(self) -> bool:
        """Return whether the service manager has not taken everything yet."""
        return bool(self._kept)

    def ready(self) -> None:
        """Report that the start, or a reload, is over."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """Report that a reload has begun."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, within_seconds: float) -> None:
        """Report that the daemon drains and will exit, and ask for the time that this may take."""
        self._tell("STOPPING=1")
        self.extend(within_seconds)

    def extend(self, seconds: float) -> None:
        """Ask for more time to start or to stop than the unit allows; it lasts from now on."""
        self._tell(f"EXTEND_TIMEOUT_USEC={round(seconds * 1_000_000)}")

    def status(self, line: str) -> None:
        """Show one line in `systemctl status`."""
        self._tell("STATUS=" + " ".join(line.split()))

    def feed_watchdog(self) -> None:
        """Put off the restart that the watchdog would do."""
        self._send_kept()
        self._send("WATCHDOG=1")

    def _tell(self, message: str) -> None:
        kind = message.partition("=")[0]
        self._kept.pop(kind, None)  # the order is that of the latest of each kind
        self._kept[kind] = message
        self._send_kept()

    def _send_kept(self) -> None:
        for kind, message in list(self._kept.items()):
            if not self._send(message):
                return
            del self._kept[kind]

    def _send(self, message: str) -> bool:
        """Send a message; return whether there is nothing left to do for it."""
        if not self._address:
            return True
        # A leading @ stands for Linux's abstract namespace, whose names begin with a NUL byte.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto(message.encode(), address)
        except OSError as fault:
            if not self._is_unreachable:
                self._emit(ManagerUnreachable(str(fault)))
            self._is_unreachable = True
            return False
        self._is_unreachable = False
        return True
