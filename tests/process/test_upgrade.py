"""Two daemons of the released version, upgraded and rolled back beside a detector that writes without a pause.

`make test` does it on a newborn database, `make test-upgrade` also on a lived-in one, on every PostgreSQL at hand.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest

from pattern_sync.database.version import SCHEMA_VERSION
from tests.conftest import fresh_database
from tests.faults.test_failover import kill_server, multi_host_url, primary_and_standby
from tests.support import lived_in
from tests.support.application import abouts, dump
from tests.support.command import run_command
from tests.support.daemon import DaemonProcess
from tests.support.database import QUALIFYING, TestDatabase
from tests.support.folders import open_folder
from tests.support.lived_in import LivedInDatabase, Roles
from tests.support.released_program import ReleasedProgram, unpack_released
from tests.support.waiting import eventually, show

EVERYTHING = bool(os.environ.get("TEST_UPGRADE"))
WORLDS = ("newborn", "lived-in") if EVERYTHING else ("newborn",)
COMMANDS = ("status", "sync --dry-run", "review list", "explain a") if EVERYTHING else ("status",)
PAUSE_SECONDS = 0.1
# Of an interpreter of its own, which compiles what it imports, on a busy machine.
START_SECONDS = 90.0
# A poll comes every three seconds, should no daemon hear; the rest is for a busy machine.
SLOWEST_SECONDS = 6.0


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> ReleasedProgram:
    return unpack_released(tmp_path_factory.mktemp("released"))


@pytest.fixture(params=WORLDS)
def world(
    request: pytest.FixtureRequest,
    server_url: str,
    admin: "psycopg.Connection[dict[str, object]]",
    roles: Roles,
    released: ReleasedProgram,
) -> Iterator[LivedInDatabase]:
    """Yield a database that the released version's `migrate` has installed, with the rights that it documents."""
    with fresh_database(server_url, admin, None, owner=roles.owner) as empty:
        database = LivedInDatabase(empty.url, empty.name, roles)
        with database.connect():

            def install() -> None:
                assert released.command("migrate", url=database.owner_url).code == 0

            if request.param == "lived-in":
                lived_in.fill_around(database, install, released.rights)
            else:
                install()
                for right in released.rights:
                    database.execute(f"GRANT {right} TO {roles.daemon}")
            yield database


@dataclass(slots=True)
class Detector:
    """What was written: each pattern with the server's time at its insert."""

    written: dict[str, float] = field(default_factory=dict)
    fault: Exception | None = None


@contextmanager
def writing(database: TestDatabase) -> Iterator[Detector]:
    detector, stop = Detector(), threading.Event()
    columns = ", ".join(["pattern_signature", *QUALIFYING])
    insert = (
        f"INSERT INTO operation_patterns ({columns}) VALUES (%s, %s, %s, %s, %s)"
        " RETURNING extract(epoch FROM clock_timestamp())::float8 AS at"
    ).encode()

    def write() -> None:
        try:
            with database.another_connection() as connection:
                while not stop.wait(PAUSE_SECONDS):
                    signature = f"written:{len(detector.written)}"
                    row = connection.execute(insert, (signature, *QUALIFYING.values())).fetchone()
                    detector.written[signature] = row["at"] if row else 0.0
        except Exception as fault:  # noqa: BLE001 - reported by the test, not lost in a thread
            detector.fault = fault

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield detector
    finally:
        stop.set()
        thread.join()


class Pair:
    """Two daemons, each of either version; `start` gives a new one."""

    def __init__(self, *daemons: DaemonProcess) -> None:
        self.daemons = list(daemons)

    def replace(self, number: int, start: Callable[[], DaemonProcess]) -> DaemonProcess:
        """Stop one in order and start another in its place; the other one goes on."""
        self.daemons[number].stop()
        self.daemons[number].kill()
        self.daemons[number] = start()
        self.ready()
        return self.daemons[number]

    def ready(self) -> None:
        for daemon in self.daemons:
            daemon.wait_for("daemon.ready", seconds=START_SECONDS)
            daemon.ready()
        self.check()

    def check(self) -> None:
        for daemon in self.daemons:
            assert daemon.process.poll() is None, daemon.text

    def caught_up_again(self, lose_connections: Callable[[], object]) -> None:
        """Wait until each daemon has lost its connections and has scanned everything once more."""
        before = [len(daemon.lines("scan.finished", kind="catch-up")) for daemon in self.daemons]
        lose_connections()
        for daemon, scans in zip(self.daemons, before, strict=True):
            daemon.wait_for("scan.finished", kind="catch-up", times=scans + 1)
        self.check()

    def kill(self) -> None:
        for daemon in self.daemons:
            daemon.kill()


def test_a_pair_is_upgraded_and_rolled_back_without_a_gap(world: LivedInDatabase, released: ReleasedProgram) -> None:
    def old() -> DaemonProcess:
        return DaemonProcess(world.daemon_url, fresh=True, PYTHONPATH=released.path)

    def new() -> DaemonProcess:
        return DaemonProcess(world.daemon_url)

    def lose_connections() -> None:
        world.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", world.roles.daemon)

    pair = Pair(old(), old())
    try:
        pair.ready()
        with writing(world) as detector:
            migrate(world.owner_url)
            world.execute("SELECT pattern_sync.request()")
            pair.caught_up_again(lose_connections)
            pair.replace(0, old)
            assert pair.replace(0, new).lines("schema.newer") == []
            pair.replace(1, new)
            pair.caught_up_again(lose_connections)
            pair.replace(0, old)
            assert released.command("migrate", url=world.owner_url).code == 0
            pair.caught_up_again(lose_connections)  # the new daemon with the old functions
            pair.replace(1, old)
        assert detector.fault is None
        eventually(lambda: not missing(world, detector), what="the last entry")
        show(f"{len(detector.written)} patterns, the slowest after {slowest(world, detector):.2f} s")
        assert slowest(world, detector) < SLOWEST_SECONDS
    finally:
        pair.kill()


def migrate(url: str) -> None:
    done = run_command("migrate", PATTERN_SYNC_DATABASE_URL=url)
    assert done.code == 0, done.err


def missing(database: TestDatabase, detector: Detector) -> set[str]:
    return set(detector.written) - database.queue()


def slowest(database: TestDatabase, detector: Detector) -> float:
    """Return the longest time in seconds from a pattern to its entry."""
    rows = database.execute(
        "SELECT pattern_id, extract(epoch FROM created_at::timestamptz)::float8 AS at FROM pattern_approvals"
        " WHERE pattern_id LIKE 'written:%'"
    )
    return max(float(row["at"]) - detector.written[row["pattern_id"]] for row in rows)


@pytest.mark.skipif(not EVERYTHING, reason="slow; make test-upgrade runs it")
def test_released_daemons_follow_a_promoted_standby_on_the_new_schema(released: ReleasedProgram) -> None:
    with open_folder() as folder, primary_and_standby(folder) as (primary, standby), ExitStack() as stack:
        url = multi_host_url(folder, primary, standby)
        pair = Pair(*(DaemonProcess(url, fresh=True, PYTHONPATH=released.path) for _ in range(2)))
        stack.callback(pair.kill)
        pair.ready()

        def fail_over() -> None:
            kill_server(folder)
            with psycopg.connect(standby.url, autocommit=True) as replica:
                replica.execute("SELECT pg_promote()")

        pair.caught_up_again(fail_over)
        after = TestDatabase(standby.url, "pattern_sync")
        with after.connect():
            after.add_pattern("after:failover:1")
            eventually(lambda: after.entry("after:failover:1"))
            pair.replace(0, lambda: DaemonProcess(url, fresh=True, PYTHONPATH=released.path))
            pair.replace(1, lambda: DaemonProcess(url))
            after.add_pattern("after:failover:2")
            eventually(lambda: after.entry("after:failover:2"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_released_command_works_on_the_new_schema(
    database: TestDatabase, released: ReleasedProgram, command: str
) -> None:
    database.add_pattern("a")
    done = released.command(*command.split(), url=database.url)
    assert done.code == 0, done.err + done.out


def test_the_released_migrate_and_this_one_may_alternate(database: TestDatabase, released: ReleasedProgram) -> None:
    before = dump(database)
    database.execute("CREATE OR REPLACE FUNCTION pattern_sync.arrow() RETURNS text LANGUAGE sql AS $$SELECT 'newer'$$")
    for printed in ("create the functions", "Nothing to do"):
        done = released.command("migrate", url=database.url)
        assert (done.code, printed in done.out) == (0, True), done.err + done.out
    newest = database.execute("SELECT max(extended_to) AS newest FROM pattern_sync.migrations")
    assert newest == [{"newest": SCHEMA_VERSION}]
    abouts(database)
    assert abouts(database) == []
    assert dump(database) == before
