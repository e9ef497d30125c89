"""Start the server: wait for a predecessor that is still stopping, and change the port if ours is taken."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from pattern_sync.domain.errors import EmbeddedServerError
from pattern_sync.embedded.account import Account, account_for
from pattern_sync.embedded.binaries import PostgresBinaries, check_major, find_binaries
from pattern_sync.embedded.cluster import create_cluster, ensure_database
from pattern_sync.embedded.folder import HOST, StateFolder
from pattern_sync.embedded.process import ServerProcess
from pattern_sync.embedded.reachable import reachable

# An orphan is a server whose owner has died; where there is no parent-death signal, it would stay for ever.
START_SECONDS = 30.0
PREDECESSOR_SECONDS = 10.0
ORPHAN_SECONDS = 3.0
POLL_SECONDS = 0.02

_PREDECESSOR = ('lock file "postmaster.pid" already exists', "pre-existing shared memory block")
_PORT_TAKEN = "could not create any TCP/IP sockets"
# Not synchronous_commit: with it off, even a killed server loses commits that it has acknowledged.
_UNDURABLE = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """How to run one server; only the lock's holder may start it."""

    folder: StateFolder
    durable: bool
    binaries: PostgresBinaries | None
    settings: Mapping[str, str]

    def check(self) -> None:
        """Refuse to create a folder for a server that is not installed. Raises InvalidSettings."""
        if self.binaries is None and self.folder.major() is None:
            find_binaries()

    def start(self) -> tuple[ServerProcess, int]:
        """Create the data if needed, start the server and wait for connections; return it with its port.

        Raises EmbeddedServerError with the end of the server's log and the way out.
        """
        binaries = self._binaries()
        account = account_for(self.folder.pgdata)
        if account.switch and (closed := account.first_closed(self.folder.path)):
            raise EmbeddedServerError(
                f"{closed} is closed to user {account.name!r}, who must run PostgreSQL because root may not."
                " Use another --data-dir, or start Pattern Sync as an ordinary user."
            )
        binaries = reachable(binaries, account, self.folder)
        create_cluster(self.folder, binaries, account, durable=self.durable)
        return self._start_server(binaries, account)

    def _binaries(self) -> PostgresBinaries:
        major = self.folder.major()
        if self.binaries and major:
            check_major(self.binaries, major)
        return self.binaries or find_binaries(major)

    def _start_server(self, binaries: PostgresBinaries, account: Account) -> tuple[ServerProcess, int]:
        port = self.folder.port() or self.folder.choose_port()
        begun = time.monotonic()
        while True:
            server = ServerProcess(self._command(binaries, port), account, self.folder)
            if self._accepts(server, port):
                return server, port
            output, waited = server.printed(), time.monotonic() - begun
            if any(sign in output for sign in _PREDECESSOR) and waited < PREDECESSOR_SECONDS:
                self._end_predecessor(waited)
            elif _PORT_TAKEN in output and waited < START_SECONDS:
                port = self.folder.choose_port()
            else:
                raise EmbeddedServerError(
                    f"PostgreSQL did not start on {self.folder.pgdata}. The end of {self.folder.log}:\n"
                    f"{_last_lines(output)}\n"
                    "Fix that, use another --data-dir, or set PATTERN_SYNC_DATABASE_URL."
                )

    def _command(self, binaries: PostgresBinaries, port: int) -> list[str]:
        settings = {
            **self.settings,
            **({} if self.durable else _UNDURABLE),
            "listen_addresses": HOST,
            "port": str(port),
            "unix_socket_directories": "",
            "logging_collector": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(binaries.directory / "postgres"), "-D", str(self.folder.pgdata), *options]

    def _accepts(self, server: ServerProcess, port: int) -> bool:
        """Wait for connections; return False if the server ended, or was stopped because it took too long."""
        deadline = time.monotonic() + START_SECONDS
        try:
            while time.monotonic() < deadline:
                # The wait is also the pause between two attempts.
                if server.join(POLL_SECONDS):
                    return False
                # Every driver error is waited out: a passing fault and a lasting one look the same.
                with suppress(psycopg.Error):
                    if server.ready:
                        ensure_database(self.folder, port)
                        return True
        except BaseException:
            server.stop()
            raise
        server.stop()
        return False

    def _end_predecessor(self, waited: float) -> None:
        """Give a server whose owner has died time to end, and interrupt it if it stays."""
        lines = self.folder.pid_file_lines()
        pid = int(lines[0]) if lines and lines[0].isdecimal() else None
        if pid is not None and _is_other_program(pid, self.folder.pgdata):
            # The pid was reused after a crash. PostgreSQL cannot see that; we can, and we hold the lock.
            self.folder.pid_file.unlink(missing_ok=True)
        elif pid is not None and waited > ORPHAN_SECONDS:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        time.sleep(5 * POLL_SECONDS)


def _is_other_program(pid: int, pgdata: Path) -> bool:
    """Return whether this process is certainly not a server on our data; False if that cannot be determined."""
    if sys.platform != "linux":
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return bool(command) and os.fsencode(pgdata) not in command


def _last_lines(text: str) -> str:
    return "\n".join(text.splitlines()[-10:]) or "(no output)"
