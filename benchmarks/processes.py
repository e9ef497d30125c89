"""The measured processes: the daemon, and children that take orders line by line."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parent.parent
START_SECONDS = 60.0
END_SECONDS = 30.0


class Child:
    """A module of this package: gets its options, says "ready", answers each order with a line of JSON."""

    def __init__(self, module: str, **options: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._say(json.dumps(options))
        if self._line() != "ready":
            raise RuntimeError(f"benchmarks.{module} did not start")

    def ask(self, order: str = "go") -> Any:  # noqa: ANN401 - whatever the child measures
        self._say(order)
        return json.loads(self._line())

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        finally:
            self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._process.kill()
            self._process.wait()

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


class DaemonProcess:
    """`pattern-sync run` on one database, from ready to SIGTERM."""

    def __init__(self, url: str, **settings: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pattern-sync-daemon-")
        self._log = Path(self._folder.name) / "log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PATTERN_SYNC_")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pattern_sync", "run"],
                stderr=log,
                cwd=self._folder.name,  # a folder without a .env
                env={
                    **clean,
                    "PATTERN_SYNC_DATABASE_URL": url,
                    "PATTERN_SYNC_LOG_FORMAT": "json",
                    "PATTERN_SYNC_HTTP_PORT": "0",
                    **settings,
                },
            )

    def __enter__(self) -> Self:
        deadline = time.monotonic() + START_SECONDS
        while not ('"daemon.ready"' in (logged := self._log.read_text()) and '"listener.listening"' in logged):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError(f"The daemon did not start:\n{logged}")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            code = self._process.wait(END_SECONDS)
        finally:
            self._process.kill()
            logged = self._log.read_text()
            self._folder.cleanup()
        if code:
            raise RuntimeError(f"The daemon ended with {code}:\n{logged[-2000:]}")

    @property
    def http_url(self) -> str:
        """The base URL of its HTTP API, without a trailing slash."""
        lines = (json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{"))
        return next(str(line["url"]).rstrip("/") for line in lines if line["event"] == "http.serving")

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_logged(self, text: str) -> bool:
        return text in self._log.read_text()

    def resident_mb(self) -> float:
        return self._memory("VmRSS")

    def peak_mb(self) -> float:
        return self._memory("VmHWM")

    def reset_peak(self) -> None:
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")

    def _memory(self, name: str) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0]) / 1024
