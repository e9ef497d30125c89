"""A real daemon: `pattern-sync run` as a process, and its log while it is written."""

import array
import fcntl
import json
import os
import resource
import signal
import termios
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from pattern_sync.services.timings import Timings
from tests.support.command import QUIET_FOLDER, environment
from tests.support.program import Start, start
from tests.support.waiting import PATIENCE_SECONDS, show

LogLine = dict[str, Any]
# Of the latest lines, and of each event: a soak logs for an hour.
KEPT_LINES = 10_000


class DaemonProcess:
    """Reads the log in a thread; tests wait for its lines by name."""

    def __init__(
        self,
        url: str | None,
        *,
        cwd: Path = QUIET_FOLDER,
        timings: Timings | None = None,
        fresh: bool = False,
        under: Sequence[str] = (),
        **settings: str,
    ) -> None:
        address = {} if url is None else {"PATTERN_SYNC_DATABASE_URL": url}
        wanted = environment(**{"PATTERN_SYNC_LOG_FORMAT": "json", **address, **settings})
        reading, writing = os.pipe()
        with open(os.devnull, "wb") as nothing, open(writing, "wb"):  # noqa: PTH123
            self.process = start(Start(["run"], wanted, cwd, timings, fresh, under), out=nothing.fileno(), err=writing)
        self._log = open(reading, "rb")  # noqa: PTH123, SIM115 - closed by kill()
        self._text: deque[str] = deque(maxlen=KEPT_LINES)
        self._lines: deque[LogLine] = deque(maxlen=KEPT_LINES)
        self._by_event: defaultdict[str, deque[LogLine]] = defaultdict(lambda: deque(maxlen=KEPT_LINES))
        self._news = threading.Condition()
        self._ended = False
        self._reading = threading.Event()
        self._reading.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def http_url(self) -> str:
        """The base URL of its HTTP API, without a trailing slash."""
        return str(self.wait_for("http.serving")["url"]).rstrip("/")

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def text(self) -> str:
        """Everything written to standard error, JSON or not."""
        with self._news:
            return "".join(self._text)

    def lines(self, event: str | None = None, **fields: object) -> list[LogLine]:
        """Return the log lines so far: all, or those of one event with these fields."""
        with self._news:
            found = self._lines if event is None else self._by_event[event]
            return [line for line in found if all(line.get(name) == value for name, value in fields.items())]

    def wait_for(self, event: str, *, times: int = 1, seconds: float = PATIENCE_SECONDS, **fields: object) -> LogLine:
        """Wait until an event with these fields was logged for the n-th time and return that line."""
        deadline = time.monotonic() + seconds
        with self._news:
            while len(found := self.lines(event, **fields)) < times:
                left = deadline - time.monotonic()
                what = f"{event!r} {fields or ''} (x{times})"
                assert left > 0, f"no {what} in {seconds:g} s; the log:\n{''.join(self._text)}"
                assert not self._ended, f"the daemon ended without {what}:\n{''.join(self._text)}"
                self._news.wait(left)
            return found[times - 1]

    def ready(self) -> Self:
        """Wait until the first catch-up is done and notifications are known to arrive."""
        self.wait_for("daemon.ready")
        self.wait_for("listener.listening")
        return self

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for the end and return the exit code."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Request a stop, which has to be orderly."""
        self.send(number)
        code = self.exit_code()
        assert code == 0, f"ended with {code}:\n{self.text}"
        assert "Traceback" not in self.text
        assert '"exception"' not in self.text

    @contextmanager
    def unread(self) -> Iterator[None]:
        """Read nothing that it writes during the block, until the pipe is full."""
        self._reading.clear()
        try:
            yield
        finally:
            self._reading.set()

    def is_log_full(self) -> bool:
        """Return whether the pipe has no room for another page of what it writes."""
        waiting = array.array("i", [0])
        fcntl.ioctl(self._log, termios.FIONREAD, waiting)
        return waiting[0] > fcntl.fcntl(self._log, fcntl.F_GETPIPE_SZ) - 2 * resource.getpagesize()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.exit_code()
        self._log.close()

    def resident_kilobytes(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))

    def _read(self) -> None:
        for raw in self._log:
            self._reading.wait()
            text = raw.decode()
            with self._news:
                self._text.append(text)
                if text.startswith("{"):
                    line = json.loads(text)
                    self._lines.append(line)
                    self._by_event[line["event"]].append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


@contextmanager
def starting_daemon(
    url: str | None,
    *,
    cwd: Path = QUIET_FOLDER,
    timings: Timings | None = None,
    fresh: bool = False,
    under: Sequence[str] = (),
    **settings: str,
) -> Iterator[DaemonProcess]:
    """Yield a daemon that was just started; if it still runs at the end, its stop has to be orderly."""
    daemon = DaemonProcess(url, cwd=cwd, timings=timings, fresh=fresh, under=under, **settings)
    try:
        yield daemon
        if daemon.process.poll() is None:
            daemon.stop()
    except BaseException:
        show(daemon.text)
        raise
    finally:
        daemon.kill()


@contextmanager
def running_daemon(
    url: str | None,
    *,
    cwd: Path = QUIET_FOLDER,
    timings: Timings | None = None,
    fresh: bool = False,
    under: Sequence[str] = (),
    **settings: str,
) -> Iterator[DaemonProcess]:
    """Yield a daemon that is ready; at the end its stop has to be orderly."""
    with starting_daemon(url, cwd=cwd, timings=timings, fresh=fresh, under=under, **settings) as daemon:
        yield daemon.ready()
