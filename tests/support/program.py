"""Start the program as a process: a fork of an interpreter that has it loaded, or a fresh one at ten times the cost.

Both run the same `main` with an environment, a folder and streams of their own. A fresh interpreter is for tests of
what happens while Python starts, of memory, and of what Python reads from its environment; for all of them it is
with TEST_FRESH_PROCESSES=1.
"""

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from pattern_sync.services.timings import Timings

_COMMAND = (sys.executable, "-m", "pattern_sync")
_ENTRY = (sys.executable, "-m", "tests.support.entry")
_PRELOADED = (sys.executable, "-m", "tests.support.preloaded")
_ROOT = Path(__file__).parents[2]
_STARTING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Start:
    """What a process is started with: a command, its whole environment, its folder, how long its daemon waits.

    `under` is a command that runs a fresh one, such as `unshare`.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    timings: Timings | None = None
    fresh: bool = False
    under: Sequence[str] = ()

    def timings_by_name(self) -> dict[str, float]:
        return asdict(self.timings) if self.timings else {}


class Program(Protocol):
    """What the tests need of a process; Popen has all of it."""

    @property
    def pid(self) -> int:
        """The process id."""

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code; a signal's number, negated, if one ended it."""

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""

    def kill(self) -> None:
        """Send SIGKILL, unless it has ended."""


class Forked:
    """A process whose parent is the preloaded interpreter, which reports on it over a socket."""

    def __init__(self, reports: socket.socket) -> None:
        self._reports = reports
        self._exit_code: int | None = None
        self.pid = self._read()

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("pattern-sync", timeout or 0)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, seconds: float | None) -> int | None:
        if self._exit_code is None and select.select([self._reports], [], [], seconds)[0]:
            self._exit_code = os.waitstatus_to_exitcode(self._read())
            self._reports.close()
        return self._exit_code

    def _read(self) -> int:
        return int(self._reports.recv(32))


class Preloaded:
    """The interpreter that forks; it ends when its socket is closed, at the latest with this process."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [*_PRELOADED, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                cwd=_ROOT,
            )
        atexit.register(self._close)

    def fork(self, what: Start, streams: list[int]) -> Forked:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {
            "arguments": list(what.arguments),
            "timings": what.timings_by_name(),
            "environment": dict(what.environment),
            "folder": str(what.folder),
        }
        with theirs:
            socket.send_fds(self._control, [json.dumps(request).encode()], [*streams, theirs.fileno()])
        return Forked(ours)

    def _close(self) -> None:
        self._control.close()
        self._process.wait()


def start(what: Start, *, out: int, err: int) -> Program:
    """Start a process that writes to two file descriptors, and has nothing to read."""
    if what.fresh or what.under or os.environ.get("TEST_FRESH_PROCESSES"):
        return _start_fresh(what, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        return _preloaded().fork(what, [nothing.fileno(), out, err])


def _start_fresh(what: Start, **streams: Any) -> Program:  # noqa: ANN401 - Popen's own
    command, environment = list(_COMMAND), dict(what.environment)
    if what.timings:
        command = [*_ENTRY, json.dumps(what.timings_by_name())]
        environment["PYTHONPATH"] = str(_ROOT)
    return subprocess.Popen([*what.under, *command, *what.arguments], env=environment, cwd=what.folder, **streams)


def _preloaded() -> Preloaded:
    """Return the one interpreter of these tests, whichever thread asks first."""
    with _STARTING:
        return _start_preloaded()


@functools.cache
def _start_preloaded() -> Preloaded:
    return Preloaded()
