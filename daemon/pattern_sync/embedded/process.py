"""One `postgres` process in the foreground, as our child."""

import os
import shutil
import signal
import subprocess
import threading
from concurrent.futures import Future

from pattern_sync.embedded.account import Account, environment
from pattern_sync.embedded.folder import StateFolder

_MOST_LOG_BYTES = 10 * 1024 * 1024
_QUOTED_LOG_BYTES = 8_000  # the end of the log, which a message quotes
_STATUS_LINE = 7  # of postmaster.pid, counted from 0, in every version from 10 on
# Fast shutdown, then immediate (the next start recovers), then SIGKILL; with the seconds to wait for each.
_SHUTDOWN = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


class ServerProcess:
    """A running `postgres`, from its start to its end.

    The kernel sends the parent-death signal when the thread that forked ends. So the server gets a thread of its own,
    which waits for it and ends early only with our whole process.
    """

    def __init__(self, command: list[str], account: Account, folder: StateFolder) -> None:
        self._command = account.command(command)
        self._folder = folder
        trim_log(folder)
        self._log_start = folder.log.stat().st_size if folder.log.exists() else 0
        started: Future[subprocess.Popen[bytes]] = Future()
        self._thread = threading.Thread(
            target=self._spawn_and_wait, args=[started], name="embedded-postgres", daemon=True
        )
        self._thread.start()
        self._child = started.result()

    def _spawn_and_wait(self, started: "Future[subprocess.Popen[bytes]]") -> None:
        try:
            child = self._spawn()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for the result
            started.set_exception(error)
        else:
            started.set_result(child)
            child.wait()

    def _spawn(self) -> subprocess.Popen[bytes]:
        descriptor = os.open(self._folder.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            return subprocess.Popen(  # noqa: S603 - the arguments are ours
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                env=environment(),
                cwd="/",
                start_new_session=True,  # Ctrl-C must reach only us: we shut the server down last
            )
        finally:
            os.close(descriptor)

    @property
    def running(self) -> bool:
        """Return whether the server has not ended."""
        return self._thread.is_alive()

    @property
    def ready(self) -> bool:
        """Return whether the server's pid file reports that it accepts connections.

        Check this before connecting: another program on our port must not receive our password.
        """
        lines = self._folder.pid_file_lines()
        return lines[:1] == [str(self._child.pid)] and lines[_STATUS_LINE:][:1] == ["ready"]

    def printed(self) -> str:
        """Return the end of the server's output since its start."""
        with self._folder.log.open("rb") as log:
            size = os.fstat(log.fileno()).st_size
            log.seek(max(min(self._log_start, size), size - _QUOTED_LOG_BYTES))
            return log.read().decode("utf-8", "replace").strip()

    def join(self, seconds: float) -> bool:
        """Wait for the server to end; return whether it has."""
        self._thread.join(seconds)
        return not self.running

    def stop(self) -> None:
        """Shut the server down: fast first, at last with SIGKILL; even that loses nothing that was committed."""
        for number, seconds in _SHUTDOWN:
            self._child.send_signal(number)
            if self.join(seconds):
                return


def trim_log(folder: StateFolder) -> None:
    """Copy a log beyond its limit to `postgres.log.1` and empty it.

    The server writes in append mode, so we can truncate the file while the server has it open.
    """
    if folder.log.exists() and folder.log.stat().st_size > _MOST_LOG_BYTES:
        shutil.copyfile(folder.log, folder.log.with_name("postgres.log.1"))
        os.truncate(folder.log, 0)
