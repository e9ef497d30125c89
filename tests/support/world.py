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
from tests.support.scrape import scrape
from tests.support.traffic import ENTRY, Ledger
from tests.support.usage import MOST_SESSIONS, Usage, until_as_before
from tests.support.waiting import eventually

PROMPT_SECONDS = 2.0
QUEUED = "SELECT pattern_id FROM pattern_approvals WHERE pattern_id = ANY(%s)"
DECIDED = f"SELECT {ENTRY} FROM pattern_approvals WHERE pattern_id = ANY(%s)"
SESSIONS = (
    "SELECT count(*) AS n FROM pg_stat_activity"
    " WHERE application_name LIKE 'pattern-sync%' AND datname = current_database()"
)


@dataclass(slots=True, kw_only=True)
class Installation:
    """A database, daemons, and the record of what was committed in it."""

    database: TestDatabase
    daemon_url: str
    interval_seconds: int = 3600
    daemons: list[DaemonProcess] = field(default_factory=list)
    # Of each daemon when it was first well.
    usage: dict[int, Usage] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)

    def start_daemon(self) -> DaemonProcess:
        """Start one more daemon, which is killed with the world, and do not wait for it."""
        daemon = DaemonProcess(self.daemon_url, PATTERN_SYNC_INTERVAL=str(self.interval_seconds))
        self.daemons.append(daemon)
        return daemon

    def kill_daemon(self, daemon: DaemonProcess) -> None:
        """Kill one daemon as the kernel does when memory is short."""
        self.daemons.remove(daemon)
        daemon.kill()

    def close(self) -> None:
        for daemon in self.daemons:
            daemon.kill()

    def begin(self) -> None:
        """Wait until the daemons are ready, and take down what they use."""
        for daemon in self.daemons:
            daemon.ready()
            self.usage[daemon.pid] = Usage.of(daemon)

    def recover(self, within_seconds: float, prompt_seconds: float = PROMPT_SECONDS) -> float:
        """Wait until nothing is missing of what was committed until now, and all is well; return how long that took.

        From then on, a pattern is in the queue after `prompt_seconds`.
        """
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
            if daemon.pid not in self.usage:
                self.usage[daemon.pid] = Usage.of(daemon)
        signature = f"after:{time.monotonic_ns()}"
        self.database.add_pattern(signature)
        self.ledger.add_qualifying(signature)
        prompt = eventually(lambda: self.database.entry(signature), what="a pattern written after the fault")
        assert prompt < prompt_seconds, f"{prompt:.2f} s; recovered after {time.monotonic() - begun:.1f} s"
        return took

    def check(self) -> None:
        """Check what must hold after the traffic."""
        eventually(lambda: not self.not_queued(), what="everything in the queue")
        self._check_queue()
        self.check_writers()
        for daemon in self.daemons:
            assert daemon.process.poll() is None, daemon.text
            assert "Traceback" not in daemon.text
            until_as_before(daemon, self.usage[daemon.pid], self._sessions)
        most = MOST_SESSIONS * len(self.daemons)
        eventually(lambda: self.sessions() <= most, what=f"at most {most} sessions of the daemons")

    def check_writers(self) -> None:
        """Check that no writer suffered, but from a fault that was its own."""
        complaints = self.ledger.complaints()
        assert not complaints, f"writers suffered: {complaints}"

    def sessions(self) -> int:
        """Return how many sessions the server has for the daemons."""
        return int(self.database.execute(SESSIONS)[0]["n"])

    def counted(self) -> int:
        """Return how many patterns the daemons have queued by their own count."""
        return int(sum(scrape(daemon.http_url).sum_of("patterns_total", outcome="queued") for daemon in self.daemons))

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
            return bool(last) and last[0].status_code == HTTPStatus.OK and last[0].json()["listener"] == "listening"

        try:
            eventually(is_well)
        except AssertionError:
            Usage.of(daemon)  # whose log then has what every task waits for
            raise AssertionError(
                f"not well: {last[0].text if last else 'no answer'}\n{self._sessions()}\n{daemon.text}"
            ) from None

    def _check_queue(self) -> None:
        assert self.ledger.qualifying_total, "no traffic"
        short = self.database.execute(QUEUED, list(self.ledger.short))
        assert not short, f"entries that do not qualify: {short}"
        decided = self.ledger.decided
        assert decided, "no decision"
        now = {row["pattern_id"]: tuple(row.values()) for row in self.database.execute(DECIDED, list(decided))}
        undone = [(row, now.get(name)) for name, row in decided.items() if now.get(name) != row]
        assert not undone, f"{len(undone)} decisions undone or touched: {undone[:3]}"


@dataclass(slots=True, kw_only=True)
class World(Installation):
    """An installation whose server and link to the daemons can be harmed."""

    server: EmbeddedServer
    proxy: Proxy
    password: str


@contextmanager
def world_on(server: EmbeddedServer, *, daemons: int, interval_seconds: int = 3600) -> Iterator[World]:
    """Yield a world with some daemons, behind one proxy, on a migrated server."""
    with ExitStack() as stack:
        with psycopg.connect(server.url) as connection:
            host, port, password = connection.info.host, connection.info.port, connection.info.password
            database = TestDatabase(server.url, connection.info.dbname)
        proxy = stack.enter_context(Proxy(host, port))
        daemon_url = with_address(database.url, f"127.0.0.1:{proxy.port}")
        world = World(
            database=database,
            daemon_url=daemon_url,
            interval_seconds=interval_seconds,
            server=server,
            proxy=proxy,
            password=password,
        )
        stack.enter_context(world.database.connect())
        stack.callback(world.close)
        for _ in range(daemons):
            world.start_daemon()
        world.begin()
        yield world
