"""The demonstration: real processes, and a view of the queue while it fills."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from pattern_sync.cli.detecting import print_detected
from pattern_sync.cli.output import queue_table
from pattern_sync.config import PREFIX, Settings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.domain.errors import EmbeddedServerError
from pattern_sync.embedded import EmbeddedServer, ends_with_us
from pattern_sync.observability.lines import Line
from pattern_sync.runtime.detecting import Detection, DetectionTerms
from pattern_sync.service import PatternSyncService
from pattern_sync.simulation import SimulatedDetector, invent_patterns

# One person's agents save no thousands of dollars a month, and without prices nobody knows what they save.
_WHATEVER_IS_FOUND = {f"{PREFIX}MIN_CONFIDENCE": "30", f"{PREFIX}MIN_OCCURRENCES": "5", f"{PREFIX}MIN_SAVINGS": "0"}
_SHOWN_ENTRIES = 10
_SHOWN_LOG_LINES = 6
_VIEW_SECONDS = 0.5
_LINE_SECONDS = 2.0
_READY_SECONDS = 30.0
_STOP_SECONDS = 20.0
_USUAL_PORT = int(Settings.model_fields["http_port"].default)
_ANY_PORT = 0


class _PortTakenError(EmbeddedServerError):
    """The daemon cannot serve its page, so far."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where a demonstration takes place."""

    url: str
    log: Path
    service: PatternSyncService


class Demonstration:
    """An embedded server, a daemon in its own process, a detector in a thread, and a view of their work."""

    def __init__(self, patterns: int, seed: int, ended: threading.Event) -> None:
        self._patterns = invent_patterns(patterns, seed)
        self._seed = seed
        self._ended = ended
        self._detected = threading.Event()
        self._observed = 0
        self._console = Console(highlight=False)

    def run(self, *, per_second: float, seconds: float) -> None:
        """Run the simulated detector for `seconds` and print the result."""
        with self._running({}) as stage:
            detector = SimulatedDetector(DatabaseAddress.parse(stage.url), self._patterns, self._seed)
            thread = threading.Thread(target=self._detect, args=(detector, per_second, seconds))
            thread.start()
            try:
                self._watch(stage.service, stage.log)
            except KeyboardInterrupt:
                self._console.print("Stopping …")
            finally:
                self._ended.set()
                thread.join()
            self._conclude(stage.service)

    def run_on_transcripts(self, folders: Sequence[Path]) -> None:
        """Run the reference detector once on what coding agents have left on this machine, and print the result."""
        with self._running(_WHATEVER_IS_FOUND) as stage:
            self._console.print("Reading transcripts …")
            detection = Detection(Settings.load(), DetectionTerms(tuple(folders)))
            detected = detection.run(DatabaseAddress.parse(stage.url))
            print_detected(detected)
            if not detected.findings.routines:
                return
            self._console.print("\nWith these, every routine of five runs and 30 % confidence is queued.")
            if self._console.is_terminal:
                self._console.print("The page stays until Ctrl-C.")
                with suppress(KeyboardInterrupt):
                    while not self._ended.wait(_VIEW_SECONDS):
                        pass

    @contextmanager
    def _running(self, settings: Mapping[str, str]) -> Iterator["_Stage"]:
        self._console.print("Starting PostgreSQL, installing the schema, starting the daemon …")
        with _temporary_folder() as folder, EmbeddedServer(folder / "server") as server:
            Installer(DatabaseAddress.parse(server.url)).migrate()
            log = folder / "daemon.log"
            with _daemon(server.url, log, settings) as page_url:
                self._console.print(f"The review page: {page_url}", soft_wrap=True)
                self._console.print(f"The database:    psql '{server.url}'\n", soft_wrap=True)
                yield _Stage(server.url, log, PatternSyncService(server.url))

    def _detect(self, detector: SimulatedDetector, per_second: float, seconds: float) -> None:
        try:
            for observed in detector.run(per_second=per_second, seconds=seconds, stopped=self._ended.is_set):
                self._observed = observed
        except BaseException:
            self._ended.set()
            raise
        self._detected.set()
        if not self._console.is_terminal:  # on a terminal, the page stays until Ctrl-C
            self._ended.set()

    def _watch(self, service: PatternSyncService, log: Path) -> None:
        if not self._console.is_terminal:
            while not self._ended.wait(_LINE_SECONDS):
                self._console.print(self._headline(service), soft_wrap=True)
            return
        with Live(console=self._console, auto_refresh=False) as view:
            while not self._ended.wait(_VIEW_SECONDS):
                queue = queue_table(service.list_entries(limit=_SHOWN_ENTRIES))
                view.update(
                    Group(self._headline(service), queue, Panel(_tail(log), title="the daemon's log")),
                    refresh=True,
                )

    def _headline(self, service: PatternSyncService) -> Text:
        counts = service.get_sync_statistics()
        return Text(
            f"{self._observed:,} observations, {counts.patterns_in_source:,} patterns,"
            f" {counts.qualifying:,} qualify, {counts.patterns_in_review:,} in the queue"
            + ("; the detector has finished, press Ctrl-C to stop" if self._detected.is_set() else "")
        )

    def _conclude(self, service: PatternSyncService) -> None:
        counts = service.get_sync_statistics()
        self._console.print(queue_table(service.list_entries(limit=_SHOWN_ENTRIES)))
        self._console.print(
            f"{self._observed:,} observations of {counts.patterns_in_source:,} patterns; {counts.qualifying:,} qualify,"
            f" {counts.patterns_in_review:,} are in the queue, {counts.qualifying_missing:,} are missing."
        )


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pattern-sync-demo-"))
    folder.chmod(0o711)  # as root, the server runs as another user, who must be able to enter
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _daemon(url: str, log: Path, settings: Mapping[str, str]) -> Iterator[str]:
    try:
        with _daemon_at(_USUAL_PORT, url, log, settings) as page_url:
            yield page_url
    except _PortTakenError:  # only the daemon knows: a port that is free when one looks may be taken when it listens
        with _daemon_at(_ANY_PORT, url, log, settings) as page_url:
            yield page_url


@contextmanager
def _daemon_at(port: int, url: str, log: Path, settings: Mapping[str, str]) -> Iterator[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment |= {
        f"{PREFIX}DATABASE_URL": url,
        f"{PREFIX}LOG_FORMAT": "json",
        f"{PREFIX}HTTP_PORT": str(port),
        **settings,
    }
    # A demonstration that is killed must not leave a daemon behind.
    command = ends_with_us([sys.executable, "-m", "pattern_sync", "run"])
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stderr=output, cwd=log.parent, start_new_session=True)  # noqa: S603 - our own command
    try:
        yield _wait_until_ready(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_ready(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        lines = {line["event"]: line for line in _lines(log)}
        if Line.HTTP_WAITING.event in lines:
            raise _PortTakenError(f"The page cannot be served: {lines[Line.HTTP_WAITING.event]['reason']}.")
        if Line.DAEMON_READY.event in lines:
            return str(lines[Line.HTTP_SERVING.event]["url"])
        if process.poll() is not None or time.monotonic() > deadline:
            raise EmbeddedServerError(f"The daemon did not become ready:\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.05)


def _lines(log: Path) -> Iterator[dict[str, object]]:
    for line in log.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):  # the last line may be half written
            yield json.loads(line)


def _tail(log: Path) -> Text:
    lines = log.read_text(encoding="utf-8").splitlines()[-_SHOWN_LOG_LINES:]
    return Text("\n".join(_readable(line) for line in lines), no_wrap=True, overflow="ellipsis")


def _readable(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    time_of_day = str(entry.pop("timestamp", ""))[11:23]
    event = entry.pop("event", "")
    for name in ("level", "message"):
        entry.pop(name, None)
    return f"{time_of_day} {event} " + " ".join(f"{name}={value}" for name, value in entry.items())
