"""Messages to systemd: sd_notify, in a dozen lines over a datagram socket."""

import os
import socket
import time
from collections.abc import Mapping

from pattern_sync.domain.facts import Emit, ManagerUnreachable


class ServiceManager:
    """Reports to the service manager how the daemon is; does nothing where there is none."""

    def __init__(self, emit: Emit, environment: Mapping[str, str] = os.environ) -> None:
        self._emit = emit
        self._address = environment.get("NOTIFY_SOCKET", "")
        watchdog_usec = environment.get("WATCHDOG_USEC", "")
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_seconds = int(watchdog_usec) / 1_000_000 if watchdog_usec.isdigit() and mine else None

    def ready(self) -> None:
        """Report that the start, or a reload, is over."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Report that a reload has begun."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, within_seconds: float) -> None:
        """Report that the daemon drains and will exit, and ask for the time that this may take."""
        self._send("STOPPING=1")
        self.extend(within_seconds)

    def extend(self, seconds: float) -> None:
        """Ask for more time to start or to stop than the unit allows; it lasts from now on."""
        self._send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1_000_000)}")

    def status(self, line: str) -> None:
        """Show one line in `systemctl status`."""
        self._send("STATUS=" + " ".join(line.split()))

    def feed_watchdog(self) -> None:
        """Put off the restart that the watchdog would do."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A leading @ stands for Linux's abstract namespace, whose names begin with a NUL byte.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto(message.encode(), address)
        except OSError as fault:
            self._emit(ManagerUnreachable(str(fault)))
