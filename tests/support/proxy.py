"""A TCP proxy that can harm connections as networks do."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

Filter = Callable[[bytes], bytes]


class WithoutNotifications:
    """Drops the NotificationResponse messages that a server sends, as a transaction-mode pooler does."""

    def __init__(self) -> None:
        self._rest = b""

    def __call__(self, data: bytes) -> bytes:
        self._rest += data
        passed = b""
        while len(self._rest) >= 5:
            (length,) = struct.unpack("!I", self._rest[1:5])
            if len(self._rest) < length + 1:
                break
            message, self._rest = self._rest[: length + 1], self._rest[length + 1 :]
            passed += b"" if message.startswith(b"A") else message
        return passed


class _Link:
    """One connection: two sockets, and a thread for each direction."""

    def __init__(self, client: socket.socket, server: socket.socket, to_server: Filter, from_server: Filter) -> None:
        self.swallowed: set[socket.socket] = set()
        self._sockets = (client, server)
        self._threads = [
            threading.Thread(target=self._pump, args=(client, server, to_server), daemon=True),
            threading.Thread(target=self._pump, args=(server, client, from_server), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def half_open(self, *, to_server: bool, from_server: bool) -> None:
        client, server = self._sockets
        self.swallowed |= ({client} if to_server else set()) | ({server} if from_server else set())

    def cut(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    @property
    def is_silent(self) -> bool:
        return bool(self.swallowed)

    @property
    def is_over(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        self.cut()
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()

    def _pump(self, source: socket.socket, target: socket.socket, change: Filter) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                # No answer and no reset: as a firewall does that forgets a connection.
                if source not in self.swallowed:
                    target.sendall(change(data))
        if not self.swallowed:
            self.cut()


class Proxy:
    """Listens on a port of its own; new connections always pass unless `refuse` or `swallow` was called."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        new_filter: Callable[[], Filter] = lambda: bytes,
        to_server: Filter = bytes,
        listen_on: str = "127.0.0.1",
    ) -> None:
        self._target = (host, port)
        self._new_filter = new_filter
        self._to_server = to_server
        self.accepted_at: list[float] = []
        self._links: list[_Link] = []
        self._refusing = False
        self._swallowing = False
        self._listener = socket.create_server((listen_on, 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for link in self._links:
            link.close()

    def half_open(self, *, to_server: bool = True, from_server: bool = True) -> None:
        """Stop forwarding on the connections that exist, and keep their sockets open."""
        for link in self._links:
            link.half_open(to_server=to_server, from_server=from_server)

    def cut(self) -> None:
        """Close the connections that exist."""
        for link in self._links:
            link.cut()

    def end_silence(self) -> None:
        """Cut the connections that nothing passes any more, as the keepalives of both sides do after a while."""
        for link in self._links.copy():
            if link.is_silent or link.is_over:
                link.close()
                self._links.remove(link)

    def refuse(self, *, refusing: bool) -> None:
        """Close every new connection at once, or accept them again."""
        self._refusing = refusing

    def swallow(self, *, swallowing: bool) -> None:
        """Accept every new connection and forward nothing on it, or forward again."""
        self._swallowing = swallowing

    def divert(self, port: int) -> None:
        """Lead every new connection to another port of this machine."""
        self._target = ("127.0.0.1", port)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.accepted_at.append(time.monotonic())
                if self._refusing:
                    client.close()
                    continue
                try:
                    server = socket.create_connection(self._target)
                except OSError:  # the server is away, as it would be without us
                    client.close()
                    continue
                link = _Link(client, server, self._to_server, self._new_filter())
                link.half_open(to_server=self._swallowing, from_server=self._swallowing)
                self._links.append(link)


def with_address(url: str, address: str) -> str:
    """Return the URL with another host:port list, its password spelt out and without TLS."""
    # A password file is looked up by host and port.
    with psycopg.connect(url) as connection:
        user, password = connection.info.user, connection.info.password
    login = f"{quote(user)}:{quote(password, safe='')}" if password else quote(user)
    return urlunsplit(urlsplit(url)._replace(netloc=f"{login}@{address}", query="sslmode=disable"))


@contextmanager
def proxy_to(
    url: str, *, new_filter: Callable[[], Filter] = lambda: bytes, to_server: Filter = bytes
) -> Iterator[tuple[Proxy, str]]:
    """Yield a proxy to the server of a URL, and the URL that leads through it."""
    with psycopg.connect(url) as connection:
        host, port = connection.info.host, connection.info.port
    with Proxy(host, port, new_filter=new_filter, to_server=to_server) as proxy:
        yield proxy, with_address(url, f"127.0.0.1:{proxy.port}")
