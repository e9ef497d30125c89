"""A service manager's side of sd_notify: a datagram socket that keeps its messages."""

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import PATIENCE_SECONDS


class ServiceManagerSocket:
    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._messages: list[tuple[float, str]] = []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def messages(self) -> list[str]:
        with self._news:
            return [text for _, text in self._messages]

    def messages_of(self, start: str) -> list[str]:
        return [text for text in self.messages() if text.startswith(start)]

    def times_of(self, text: str) -> list[float]:
        """Return when a message came, by the monotonic clock."""
        with self._news:
            return [at for at, message in self._messages if message == text]

    def wait_for(self, start: str, *, times: int = 1, seconds: float = PATIENCE_SECONDS) -> str:
        deadline = time.monotonic() + seconds
        with self._news:
            while len(found := [text for _, text in self._messages if text.startswith(start)]) < times:
                left = deadline - time.monotonic()
                assert left > 0, f"no {start!r} (x{times}) among {self._messages}"
                self._news.wait(left)
            return found[times - 1]

    def close(self) -> None:
        # A datagram without content ends the reader.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as farewell:
            farewell.sendto(b"", self.path)
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        while content := self._socket.recv(65_536):
            with self._news:
                self._messages.append((time.monotonic(), content.decode()))
                self._news.notify_all()


@contextmanager
def service_manager() -> Iterator[ServiceManagerSocket]:
    # Not tmp_path: a socket's name may be 107 bytes long.
    folder = Path(tempfile.mkdtemp(prefix="notify-"))
    manager = ServiceManagerSocket(folder / "socket")
    try:
        yield manager
    finally:
        manager.close()
        shutil.rmtree(folder)
