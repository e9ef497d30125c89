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
from pathlib import Path
from typing import Protocol

COMMAND = (sys.executable, "-m", "pattern_sync")
_PRELOADED = (sys.executable, "-m", "tests.support.preloaded")
_ROOT = Path(__file__).parents[2]
_STARTING = threading.Lock()


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
            self._process = subprocess.Popen([*_PRELOADED, str(theirs.fileno())], pass_fds=[theirs.fileno()], cwd=_ROOT)
        atexit.register(self._close)

    def fork(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, streams: list[int]
    ) -> Forked:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {"arguments": list(arguments), "environment": dict(environment), "folder": str(folder)}
        with theirs:
            socket.send_fds(self._control, [json.dumps(request).encode()], [*streams, theirs.fileno()])
        return Forked(ours)

    def _close(self) -> None:
        self._control.close()
        self._process.wait()


def start(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, *, out: int, err: int, fresh: bool = False
) -> Program:
    """Start a command; `out` and `err` are file descriptors, and nothing is to be read from its standard input."""
    if fresh or os.environ.get("TEST_FRESH_PROCESSES"):
        return subprocess.Popen(
            [*COMMAND, *arguments], env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        return _preloaded().fork(arguments, environment, folder, [nothing.fileno(), out, err])


def _preloaded() -> Preloaded:
    """Return the one interpreter of these tests, whichever thread asks first."""
    with _STARTING:
        return _start_preloaded()


@functools.cache
def _start_preloaded() -> Preloaded:
    return Preloaded()
