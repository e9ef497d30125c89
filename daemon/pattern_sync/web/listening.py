"""The socket that the HTTP server listens on, and how many connections it may accept."""

import errno
import resource
import socket
from dataclasses import dataclass

from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.web.port_holder import holder_of

# The usual limit is 1,024 open files, too few for 500 pages that load at once.
WANTED_FILES = 8_192
# For the database, the log, Python itself, and connections that are accepted in one go before they are counted.
OTHER_FILES = 300
MOST_CONNECTIONS = 2_000
# The kernel drops a client that acknowledges nothing for this long, together with its send buffer.
_KEEPALIVE = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}
# Waiting helps against these: another process ends, or a network comes up.
_PASSING = {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class AddressUnavailable(Exception):
    """The address cannot be listened on now, but may be later; the text says why and what to set."""


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where to listen: the host and port as configured, and the address that they resolve to."""

    host: str
    port: int
    family: socket.AddressFamily
    address: tuple[object, ...]

    @classmethod
    def resolve(cls, host: str, port: int) -> "ListenAddress":
        """Resolve the name, which may take long. Raises AddressUnavailable, or InvalidSettings if it can be no name.

        A name that is unknown may become known: at a boot, the name server may come later than the daemon.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except OSError as fault:
            raise unresolved(host, fault.strerror) from None
        except UnicodeError:
            raise InvalidSettings(
                f"PATTERN_SYNC_HTTP_HOST is {host!r}, which can be no host name. Set it to an address of this machine."
            ) from None
        family, _, _, _, address = found[0]
        return cls(host, port, family, address)

    def listen(self) -> socket.socket:
        """Return a listening socket. Raises AddressUnavailable, or InvalidSettings if waiting would not help."""
        try:
            listener = socket.create_server(
                self.address,
                family=self.family,
                dualstack_ipv6=self.family == socket.AF_INET6 and self.host == "::" and socket.has_dualstack_ipv6(),
            )
        except OSError as fault:
            if fault.errno not in _PASSING:
                raise _refusal(self.host, self.port, fault) from None
            raise AddressUnavailable(self._reason(fault)) from None
        # asyncio does not set it on a socket that it is given. Without it, every answer but the first on a connection
        # would wait 40 ms for the client's ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE.items():
            if hasattr(socket, name):
                listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)  # accepted sockets inherit it
        return listener

    def _reason(self, fault: OSError) -> str:
        if fault.errno == errno.EADDRINUSE:
            holder = holder_of(self.port) or "another process"
            return (
                f"port {self.port} of {self.host} is taken by {holder}; set PATTERN_SYNC_HTTP_PORT to another port"
                " (0: any free port)"
            )
        if fault.errno == errno.EADDRNOTAVAIL:
            return f"this machine has no address {self.host} now; set PATTERN_SYNC_HTTP_HOST to one of its addresses"
        return f"{self.host}, port {self.port}: {fault.strerror}"


def raise_file_limit() -> int:
    """Raise this process's limit of open files, and return how many connections fit within it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    files = max(soft, wanted)
    return min(MOST_CONNECTIONS, max(files - OTHER_FILES, files // 3))


def url_of(listener: socket.socket) -> str:
    """Return the URL to open in a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def unresolved(host: str, reason: str | None) -> AddressUnavailable:
    """Return the fault that the address of a name is not known now."""
    return AddressUnavailable(
        f"the host name {host} cannot be resolved now: {reason}; set PATTERN_SYNC_HTTP_HOST to an address of this"
        " machine"
    )


def _refusal(host: str, port: int, fault: OSError) -> InvalidSettings:
    return InvalidSettings(
        f"Cannot listen on {host}, port {port}: {fault.strerror}. Set PATTERN_SYNC_HTTP_PORT to another port (0: any"
        " free port; ports below 1024 need a privilege), or PATTERN_SYNC_HTTP_HOST to an address of this machine."
    )
