"""The socket that the HTTP server listens on, and how many may come in through it."""

import errno
import resource
import socket
from dataclasses import dataclass

from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.web.port_holder import holder_of

# By default a process may have 1,024 files open: too few for 500 pages that all load at once.
WANTED_FILES = 8_192
# Of the database, the log and Python itself, and what is accepted in one go before it can be counted.
OTHER_FILES = 300
MOST_CONNECTIONS = 2_000
# A client that takes nothing for this long is dropped by the kernel, with what was buffered for it.
_KEEPALIVE = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}
# These pass: another process ends, a network comes up.
_PASSING = {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class NotNow(Exception):
    """Nobody can listen there at the moment; the text says why and what to set."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen: what was asked for, and what that name means on this machine."""

    host: str
    port: int
    family: socket.AddressFamily
    address: tuple[object, ...]

    @classmethod
    def find(cls, host: str, port: int) -> "Place":
        """Look the name up, once. Raises InvalidSettings where there is no such name."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except OSError as fault:
            raise _refusal(host, port, fault) from None
        family, _, _, _, address = found[0]
        return cls(host, port, family, address)

    def listen(self) -> socket.socket:
        """Return a socket that listens. Raises NotNow, or InvalidSettings where waiting would not help."""
        try:
            listener = socket.create_server(
                self.address,
                family=self.family,
                dualstack_ipv6=self.family == socket.AF_INET6 and self.host == "::" and socket.has_dualstack_ipv6(),
            )
        except OSError as fault:
            if fault.errno not in _PASSING:
                raise _refusal(self.host, self.port, fault) from None
            raise NotNow(self._why_not_now(fault)) from None
        # asyncio leaves it out for a socket of ours; every answer but the first would wait 40 ms for the client's ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE.items():
            if hasattr(socket, name):
                listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)  # accepted sockets inherit it
        return listener

    def _why_not_now(self, fault: OSError) -> str:
        if fault.errno == errno.EADDRINUSE:
            holder = holder_of(self.port) or "another process"
            return (
                f"port {self.port} of {self.host} is taken by {holder}; set PATTERN_SYNC_HTTP_PORT to another port"
                " (0: any that is free)"
            )
        if fault.errno == errno.EADDRNOTAVAIL:
            return f"this machine has no address {self.host} now; set PATTERN_SYNC_HTTP_HOST to one that it has"
        return f"{self.host}, port {self.port}: {fault.strerror}"


def raise_file_limit() -> int:
    """Let this process open as many files as it may want, and return how many connections that is good for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    files = max(soft, wanted)
    return min(MOST_CONNECTIONS, max(files - OTHER_FILES, files // 3))


def url_of(listener: socket.socket) -> str:
    """Return what to type into a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _refusal(host: str, port: int, fault: OSError) -> InvalidSettings:
    return InvalidSettings(
        f"Nobody can listen on {host}, port {port}: {fault.strerror}. Set PATTERN_SYNC_HTTP_PORT to another port"
        " (0: any that is free; below 1024 they need a right), PATTERN_SYNC_HTTP_HOST to an address of this machine."
    )
