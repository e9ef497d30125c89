"""An interpreter that has loaded the program, and forks a process for each request: `python -m …preloaded FD`.

A request is one message on the Unix socket: arguments, environment and folder as JSON, with four file descriptors, the
standard streams and a socket on which the process's number and, when it has ended, its status are sent back.
"""

import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import Self

import pattern_sync

MOST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Request:
    """What a process is started with; `streams` are its standard streams, `reply` receives its number and status."""

    arguments: list[str]
    timings: dict[str, float]
    environment: dict[str, str]
    folder: str
    streams: list[int]
    reply: int

    @classmethod
    def receive(cls, control: socket.socket) -> Self | None:
        """Wait for a request; None when the other side has closed."""
        data, descriptors, _, _ = socket.recv_fds(control, MOST_BYTES, 4)
        if not data:
            return None
        *streams, reply = descriptors
        return cls(**json.loads(data), streams=streams, reply=reply)


def main() -> None:
    """Serve until the other side closes; in a fork, run the program."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests and for the program
    for module in pkgutil.walk_packages(pattern_sync.__path__, "pattern_sync."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    importlib.import_module("tests.support.entry")
    gc.freeze()  # keep the memory that is shared with the forks shared
    with socket.socket(fileno=int(sys.argv[1])) as control:
        request = _serve(control)
    if request is not None:
        _become(request)
        importlib.import_module("tests.support.entry").main(request.timings)


def _serve(control: socket.socket) -> Request | None:
    """Fork for each request; return the request in the process that is to run the program, None at the end."""
    while request := Request.receive(control):
        if os.fork() == 0:
            if _is_the_program(request.reply):
                return request
            os._exit(0)
        for descriptor in (*request.streams, request.reply):
            os.close(descriptor)
        _reap()
    return None


def _is_the_program(reply: int) -> bool:
    """Fork once more: True in the program's process, False in its parent, when it has ended."""
    pid = os.fork()
    if pid == 0:
        return True
    os.write(reply, b"%d" % pid)
    _, status = os.waitpid(pid, 0)
    os.write(reply, b"%d" % status)
    return False


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _become(request: Request) -> None:
    """Give this process the streams, environment, folder and arguments of a fresh interpreter."""
    for number, descriptor in enumerate(request.streams):
        os.dup2(descriptor, number)
    for descriptor in (*request.streams, request.reply):
        os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    os.chdir(request.folder)
    sys.argv = ["pattern-sync", *request.arguments]


if __name__ == "__main__":
    main()
