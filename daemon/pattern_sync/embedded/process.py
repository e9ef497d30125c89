"""One run of `postgres` in the foreground, as our child."""

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
# Fast shutdown, then immediate (the next start recovers), then the kernel's own; seconds to wait for each.
_SHUTDOWN = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


class ServerProcess:
    """A running `postgres`, from its start to its end.

    The parent-death signal is tied to the thread that forks, so the server gets a thread of its own, which
    then waits for it: it lives as long as the server does, and ends early only with our whole process.
    """

    def __init__(self, command: list[str], account: Account, folder: StateFolder) -> None:
        self._command = account.command(command)
        self._folder = folder
        trim_log(folder)
        self._log_start = folder.log.stat().st_size if folder.log.exists() else 0
        started: Future[subprocess.Popen[bytes]] = Future()
        self._thread = threading.Thread(target=self._live, args=[started], name="embedded-postgres", daemon=True)
        self._thread.start()
        self._child = started.result()

    def _live(self, started: "Future[subprocess.Popen[bytes]]") -> None:
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
                start_new_session=True,  # Ctrl-C is for us, and we shut the server down in our own time
            )
        finally:
            os.close(descriptor)

    @property
    def running(self) -> bool:
        """Return whether the server has not ended."""
        return self._thread.is_alive()

    @property
    def ready(self) -> bool:
        """Return whether the server itself says that it accepts connections.

        Asked before any connection: whoever else may have our port shall not be sent our password.
        """
        lines = self._folder.pid_file_lines()
        return lines[:1] == [str(self._child.pid)] and lines[_STATUS_LINE:][:1] == ["ready"]

    def printed(self) -> str:
        """Return the end of what the server has printed since its start."""
        with self._folder.log.open("rb") as log:
            size = os.fstat(log.fileno()).st_size
            log.seek(max(min(self._log_start, size), size - _QUOTED_LOG_BYTES))
            return log.read().decode("utf-8", "replace").strip()

    def join(self, seconds: float) -> bool:
        """Wait for the end; return whether it came."""
        self._thread.join(seconds)
        return not self.running

    def stop(self) -> None:
        """Shut the server down, politely first; the last resort loses nothing that was committed."""
        for number, patience in _SHUTDOWN:
            self._child.send_signal(number)
            if self.join(patience):
                return


def trim_log(folder: StateFolder) -> None:
    """Keep the log below twice its limit: set what is there aside, as `postgres.log.1`, and begin anew.

    The server writes in append mode, so the file can be cut under its hands.
    """
    if folder.log.exists() and folder.log.stat().st_size > _MOST_LOG_BYTES:
        shutil.copyfile(folder.log, folder.log.with_name("postgres.log.1"))
        os.truncate(folder.log, 0)
