"""An embedded PostgreSQL that processes share: the first one owns it; when that ends, another takes over."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

from pattern_sync.domain.errors import EmbeddedServerError
from pattern_sync.embedded.binaries import PostgresBinaries
from pattern_sync.embedded.cluster import connection_fault, database_url
from pattern_sync.embedded.folder import StateFolder
from pattern_sync.embedded.lock import OwnerLock
from pattern_sync.embedded.process import ServerProcess, trim_log
from pattern_sync.embedded.start import ServerPlan

ATTACH_SECONDS = 30.0  # the owner may still run initdb
_POLL_SECONDS = 0.05


class Supervision(Enum):
    """What a check of the server found and did; after any result but RUNNING, the URL may differ."""

    RUNNING = "running"
    RESTARTED = "restarted"
    TAKEN_OVER = "taken over"


class EmbeddedServer:
    """A PostgreSQL server on one state folder, for this process or shared with others.

    `durable=False` is for tests and benchmarks: a crash of the machine may then destroy the data. `settings` are
    further server settings; the address and the port cannot be set. All methods block. Any thread may call them, and
    the server survives the thread that called `open`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        binaries: PostgresBinaries | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = StateFolder(data_dir.expanduser().absolute())
        self._plan = ServerPlan(self._folder, durable, binaries, dict(settings or {}))
        self._lock = OwnerLock(self._folder.lock)
        self._mutex = threading.Lock()
        self._server: ServerProcess | None = None
        self._port: int | None = None

    @property
    def is_owner(self) -> bool:
        """Return whether this process runs the server; False while it shares another's."""
        return self._lock.held

    @property
    def url(self) -> str:
        """Return the database's URL for any driver; it holds no secret. Raises EmbeddedServerError unless open."""
        return database_url(self._folder, self._opened())

    def open(self) -> bool:
        """Start the server, or share the one that runs; return whether this process owns it.

        About a second the first time, at most half a minute. Raises EmbeddedServerError with the obstacle, and
        InvalidSettings where there is no PostgreSQL to run.
        """
        with self._mutex, _explained(self._folder.path):
            if self._port is None:
                self._plan.check()
                self._folder.create()
                try:
                    self._start_or_attach()
                except BaseException:
                    self._lock.release()
                    raise
            return self.is_owner

    def check(self) -> Supervision:
        """Check the server: restart it if it died, take it over if its owner died.

        Call this about every second: a check of a running server costs microseconds, a restart blocks as `open` does.
        Raises EmbeddedServerError if the server cannot be started; the next call tries again.
        """
        with self._mutex, _explained(self._folder.path):
            before = self._opened()
            if self.is_owner:
                return self._check_own()
            if self._lock.take():
                self._start()
                return Supervision.TAKEN_OVER
            self._port = self._folder.port() or before
            return Supervision.RUNNING if self._port == before else Supervision.RESTARTED

    def close(self) -> None:
        """Stop the server if this process owns it; a second call does nothing."""
        with self._mutex:
            server, self._server, self._port = self._server, None, None
            try:
                if server:
                    server.stop()
            finally:
                self._lock.release()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _opened(self) -> int:
        if self._port is None:
            raise EmbeddedServerError(f"The embedded server in {self._folder.path} is not open.")
        return self._port

    def _start(self) -> None:
        self._server, self._port = self._plan.start()

    def _start_or_attach(self) -> None:
        deadline = time.monotonic() + ATTACH_SECONDS
        fault: str | None = "it has no port yet"
        while time.monotonic() < deadline:
            # Try the lock each time: the owner may die while we wait for its server.
            if self._lock.take():
                self._start()
                return
            if port := self._folder.port():
                fault = connection_fault(self._folder, port)
                if fault is None:
                    self._port = port
                    return
            time.sleep(_POLL_SECONDS)
        raise EmbeddedServerError(
            f"{self._folder.path} is held by process {self._lock.holder()}, but its server does not accept"
            f" connections ({fault}). See {self._folder.log}, stop that process, or use another --data-dir."
        )

    def _check_own(self) -> Supervision:
        if self._server and self._server.running:
            trim_log(self._folder)
            return Supervision.RUNNING
        self._start()
        return Supervision.RESTARTED


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn an OSError into a message that names the folder."""
    try:
        yield
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise EmbeddedServerError(
            f"Cannot use {path} for the embedded server ({what}). Fix that, or use another --data-dir."
        ) from error
