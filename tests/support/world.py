"""A world in use: a server, daemons behind a proxy, traffic; and what must hold in it after any fault."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx
import psycopg

from pattern_sync.embedded import EmbeddedServer
from tests.support.daemon import DaemonProcess
from tests.support.database import TestDatabase
from tests.support.proxy import Proxy, with_address
from tests.support.traffic import Ledger
from tests.support.usage import Usage, until_as_before
from tests.support.waiting import eventually

WAIT_SECONDS = 0.15
PROMPT_SECONDS = 2.0
QUEUED = "SELECT pattern_id FROM pattern_approvals WHERE pattern_id = ANY(%s)"


@dataclass(slots=True)
class World:
    """The parts of a world, and the record of what was committed in it."""

    server: EmbeddedServer
    database: TestDatabase
    proxy: Proxy
    password: str
    daemons: list[DaemonProcess] = field(default_factory=list)
    usage: dict[int, Usage] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def daemon_url(self) -> str:
        """Return the URL that leads through the proxy, with the password that the daemons have."""
        return with_address(self.database.url, f"127.0.0.1:{self.proxy.port}")

    def start_daemon(self) -> DaemonProcess:
        """Start one more daemon, which is killed with the world."""
        daemon = DaemonProcess(self.daemon_url)
        self.daemons.append(daemon)
        daemon.ready()
        self.usage[daemon.pid] = Usage.of(daemon)
        return daemon

    def kill_daemon(self, daemon: DaemonProcess) -> None:
        """Kill one daemon as the kernel does when memory is short."""
        self.daemons.remove(daemon)
        daemon.kill()

    def close(self) -> None:
        for daemon in self.daemons:
            daemon.kill()

    def recover(self, within_seconds: float) -> float:
        """Wait until nothing is missing of what was committed until now, and all is well; return how long that took."""
        begun = time.monotonic()
        committed = self.ledger.unseen.copy()
        try:
            eventually(lambda: not committed & self.not_queued(), within_seconds)
        except AssertionError:
            missing = sorted(committed & self.not_queued())
            raise AssertionError(f"missing: {missing[:9]} of {len(missing)}\n{self._everything()}") from None
        took = time.monotonic() - begun
        for daemon in self.daemons:
            self._until_well(daemon)
        signature = f"after:{time.monotonic_ns()}"
        self.database.add_pattern(signature)
        self.ledger.add_qualifying(signature)
        prompt = eventually(lambda: self.database.entry(signature), what="a pattern written after the fault")
        assert prompt < PROMPT_SECONDS, f"{prompt:.2f} s; recovered after {time.monotonic() - begun:.1f} s"
        return took

    def check(self, *, harms_writers: bool) -> None:
        """Check what must hold after the traffic. Writers may suffer only from a fault that is their own."""
        eventually(lambda: not self.not_queued(), what="everything in the queue")
        self._check_queue()
        if not harms_writers:
            assert not self.ledger.errors
            assert self.ledger.longest_extra_wait() < WAIT_SECONDS, self.ledger.longest_extra_wait()
        for daemon in self.daemons:
            assert daemon.process.poll() is None, daemon.text
            assert "Traceback" not in daemon.text
            until_as_before(daemon, self.usage[daemon.pid], self._sessions)

    def not_queued(self) -> set[str]:
        """Return the qualifying patterns that were committed by now and are not in the queue."""
        unseen = self.ledger.unseen.copy()
        seen = {row["pattern_id"] for row in self.database.execute(QUEUED, list(unseen))}
        self.ledger.unseen -= seen
        return unseen - seen

    def _everything(self) -> str:
        return "\n".join((self._sessions(), *(daemon.text for daemon in self.daemons)))

    def _sessions(self) -> str:
        rows = self.database.execute(
            "SELECT pid, application_name, state, wait_event, pg_blocking_pids(pid), now() - state_change AS since,"
            " query FROM pg_stat_activity WHERE datname = current_database()"
        )
        return "; ".join(str(tuple(row.values())) for row in rows)

    def _until_well(self, daemon: DaemonProcess) -> None:
        """Wait until all is well by the daemon's own report: the database is there, and notifications arrive."""
        last: list[httpx.Response] = []

        def is_well() -> bool:
            with suppress(httpx.HTTPError):
                last[:] = [httpx.get(f"{daemon.http_url}/api/v1/system/health", timeout=5)]
            return bool(last) and last[0].status_code == HTTPStatus.OK

        try:
            eventually(is_well)
        except AssertionError:
            Usage.of(daemon)  # whose log then has what every task waits for
            raise AssertionError(
                f"not well: {last[0].text if last else 'no answer'}\n{self._sessions()}\n{daemon.text}"
            ) from None

    def _check_queue(self) -> None:
        rows = self.database.execute("SELECT pattern_id, status FROM pattern_approvals")
        queue = {row["pattern_id"]: row["status"] for row in rows}
        assert len(rows) == len(queue), "entries twice"
        assert not self.ledger.short & queue.keys(), "entries that do not qualify"
        undone = {name: queue.get(name) for name, status in self.ledger.decided.items() if queue.get(name) != status}
        assert not undone, f"decisions undone: {undone}"


@contextmanager
def world_on(server: EmbeddedServer, *, daemons: int) -> Iterator[World]:
    """Yield a world with some daemons, behind one proxy, on a migrated server."""
    with ExitStack() as stack:
        with psycopg.connect(server.url) as connection:
            host, port, password = connection.info.host, connection.info.port, connection.info.password
            database = TestDatabase(server.url, connection.info.dbname)
        proxy = stack.enter_context(Proxy(host, port))
        world = World(server, database, proxy, password)
        stack.enter_context(world.database.connect())
        stack.callback(world.close)
        for _ in range(daemons):
            world.start_daemon()
        yield world
