"""The embedded server, on real processes: who owns it, and what survives the death of which process."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

import pattern_sync
from pattern_sync.domain.errors import EmbeddedServerError
from pattern_sync.embedded import (
    EmbeddedServer,
    PostgresBinaries,
    Supervision,
    all_binaries,
    find_binaries,
    process,
    server,
)
from pattern_sync.embedded.account import account_for
from pattern_sync.embedded.lock import OwnerLock
from tests.support.folders import open_folder

IS_ROOT = os.geteuid() == 0
# Opens the server, prints that it is open, and lives until it is killed or its input ends.
OPENER = """
import json, sys
from pathlib import Path
from pattern_sync.embedded import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1]), durable=sys.argv[2] == "True") as server:
    print(json.dumps({"owner": server.is_owner, "url": server.url}), flush=True)
    sys.stdin.read()
"""
PYTHONPATH = os.pathsep.join(str(Path(module.__file__ or "").parents[1]) for module in (pattern_sync, psycopg, asyncpg))


@pytest.fixture
def empty() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder / "state"


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with open_folder() as folder:
        with embedded(folder / "state"):
            pass
        yield folder / "state"


@pytest.fixture
def state(empty: Path, template: Path) -> Path:
    """A folder whose server was started once: a copy takes a tenth of the time of an initdb."""
    subprocess.run(["cp", "-a", template, empty], check=True)
    return empty


class Opener:
    """Another process that opens the server."""

    def __init__(
        self, state: Path, *, python: str = sys.executable, user: str | None = None, durable: bool = False
    ) -> None:
        self.process = subprocess.Popen(
            [python, "-c", OPENER, str(state), str(durable)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": PYTHONPATH},
            cwd="/",
            user=user,
            extra_groups=[] if user else None,
        )

    def opened(self) -> dict[str, Any]:
        assert self.process.stdout
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def leave(self) -> int:
        self.process.communicate()
        return self.process.returncode


@pytest.fixture
def opener() -> Iterator[Callable[..., Opener]]:
    openers: list[Opener] = []

    def start(state: Path, *, durable: bool = False) -> Opener:
        openers.append(Opener(state, durable=durable))
        return openers[-1]

    yield start
    for each in openers:
        each.leave()


def embedded(state: Path, **options: Any) -> EmbeddedServer:  # noqa: ANN401 - the server's own keywords
    return EmbeddedServer(state, durable=False, **options)


def execute(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def keep(url: str) -> None:
    execute(url, "CREATE TABLE kept AS SELECT 42 AS value")


def kept(url: str) -> int:
    value: int = execute(url, "SELECT value FROM kept")[0][0]
    return value


def postmaster(state: Path) -> int:
    return int((state / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that is not our child may stay for a moment.
    return not (stat := Path(f"/proc/{pid}/stat")).exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def eventually(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def test_the_first_start_creates_a_private_database_and_the_second_reuses_it(empty: Path) -> None:
    with embedded(empty) as first:
        assert first.is_owner
        assert first.check() is Supervision.RUNNING
        keep(first.url)
        url = first.url
        assert execute(url, "SELECT current_user::text, current_database()::text") == [("postgres", "pattern_sync")]
        assert execute(url, "SHOW listen_addresses") == [("127.0.0.1",)]
        assert execute(url, "SHOW unix_socket_directories") == [("",)]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url.partition("?")[0], passfile=os.devnull)
        assert (empty / "pgpass").stat().st_mode & 0o777 == 0o600
        assert (empty / "pgpass").read_text().strip().rpartition(":")[2] not in url
        assert os.getsid(postmaster(empty)) != os.getsid(0), "Ctrl-C must not reach the server"
    assert not (empty / "postgres" / "postmaster.pid").exists()
    begun = time.monotonic()
    with embedded(empty) as second:
        assert time.monotonic() - begun < 5
        assert second.url == url
        assert kept(url) == 42


def test_both_drivers_accept_the_url_of_an_odd_path(empty: Path) -> None:
    async def ask(url: str) -> str:
        connection = await asyncpg.connect(url)
        try:
            user: str = await connection.fetchval("SELECT current_user::text")
            return user
        finally:
            await connection.close()

    deep = empty.parent.joinpath("it's a b+ü%?&#=", *["long" * 50] * 2, "state")
    with embedded(deep) as opened:
        assert execute(opened.url, "SELECT current_user::text") == [("postgres",)]
        assert asyncio.run(ask(opened.url)) == "postgres"


def test_a_socket_path_that_postgresql_would_truncate_is_refused(empty: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="too long"):
        embedded(empty.joinpath(*["long" * 50] * 5)).open()


@pytest.mark.parametrize("binaries", all_binaries(), ids=lambda each: f"{each.major}")
def test_every_installed_postgresql_serves(empty: Path, binaries: PostgresBinaries) -> None:
    with embedded(empty, binaries=binaries) as opened:
        assert execute(opened.url, "SHOW server_version_num")[0][0].startswith(str(binaries.major))


def test_data_survives_when_every_process_is_killed(state: Path, opener: Callable[..., Opener]) -> None:
    owner = opener(state, durable=True)
    keep(owner.opened()["url"])
    pid = postmaster(state)
    os.kill(pid, signal.SIGKILL)
    owner.kill()
    with embedded(state) as successor:
        assert successor.is_owner
        assert kept(successor.url) == 42


def test_the_server_ends_with_its_killed_owner(state: Path, opener: Callable[..., Opener]) -> None:
    owner = opener(state)
    assert owner.opened()["owner"]
    pid = postmaster(state)
    owner.kill()
    eventually(lambda: not alive(pid))


def test_a_start_waits_for_a_killed_owners_server_to_end(state: Path, opener: Callable[..., Opener]) -> None:
    owner = opener(state)
    url = owner.opened()["url"]
    keep(url)
    owner.kill()
    with embedded(state) as successor:
        assert successor.is_owner
        assert successor.url == url
        assert kept(url) == 42


def test_of_many_simultaneous_openers_one_owns_and_all_share(empty: Path, opener: Callable[..., Opener]) -> None:
    answers = [each.opened() for each in [opener(empty) for _ in range(3)]]
    assert sorted(each["owner"] for each in answers) == [False, False, True]
    assert len({each["url"] for each in answers}) == 1
    assert execute(answers[0]["url"], "SELECT 1") == [(1,)]


def test_a_sharer_takes_over_when_the_owner_is_killed(state: Path, opener: Callable[..., Opener]) -> None:
    owner = opener(state)
    url = owner.opened()["url"]
    keep(url)
    with embedded(state) as sharing:
        assert not sharing.is_owner
        assert sharing.check() is Supervision.RUNNING
        owner.kill()
        eventually(lambda: sharing.check() is Supervision.TAKEN_OVER)
        assert sharing.is_owner
        assert sharing.url == url
        assert kept(url) == 42
        assert sharing.check() is Supervision.RUNNING


def test_a_sharer_that_closes_leaves_the_server_running(state: Path) -> None:
    with embedded(state) as owner:
        with embedded(state) as sharing:
            assert not sharing.is_owner
        sharing.close()
        assert execute(owner.url, "SELECT 1") == [(1,)]


def test_a_server_that_dies_is_started_again(state: Path) -> None:
    with embedded(state) as owner:
        keep(owner.url)
        os.kill(postmaster(state), signal.SIGKILL)
        eventually(lambda: owner.check() is Supervision.RESTARTED)
        assert kept(owner.url) == 42
        assert owner.check() is Supervision.RUNNING


def test_the_server_outlives_the_thread_that_opened_it(state: Path) -> None:
    owner = embedded(state)
    thread = threading.Thread(target=owner.open)
    thread.start()
    thread.join()
    try:
        pid = postmaster(state)
        # A fast shutdown would abort this statement.
        assert execute(owner.url, "SELECT pg_sleep(0.5)::text") == [("",)]
        assert execute(owner.url, "SELECT 1") == [(1,)]
        assert (owner.check(), postmaster(state)) == (Supervision.RUNNING, pid)
    finally:
        owner.close()


def test_a_taken_port_is_replaced_and_the_sharers_get_the_new_one(state: Path) -> None:
    with embedded(state) as first:
        old = first.url
    with socket.socket() as other:
        # As a server would: the first one's connections still linger in TIME_WAIT.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int((state / "port").read_text())))
        other.listen()
        with embedded(state) as owner, embedded(state) as sharing:
            assert owner.url != old
            assert execute(sharing.url, "SELECT 1") == [(1,)]
            (state / "port").write_text("20000\n")
            assert sharing.check() is Supervision.RESTARTED


def test_a_pid_file_that_names_another_program_does_not_stop_the_start(state: Path) -> None:
    with embedded(state):
        pass
    command = account_for(state / "postgres").command(["/bin/sleep", "60"])
    with subprocess.Popen(command) as other:
        try:
            eventually(lambda: b"launch" not in Path(f"/proc/{other.pid}/cmdline").read_bytes())
            (state / "postgres" / "postmaster.pid").write_text(f"{other.pid}\n{state / 'postgres'}\n")
            with embedded(state) as opened:
                assert opened.is_owner
            assert other.poll() is None
        finally:
            other.kill()


def works_in(folder: Path) -> bool:
    def command(process: Path) -> bytes:
        with suppress(OSError):
            return (process / "cmdline").read_bytes()
        return b""

    return any(os.fsencode(folder) in command(process) for process in Path("/proc").glob("[0-9]*"))


def test_an_interrupted_initdb_leaves_no_half_made_data(empty: Path, opener: Callable[..., Opener]) -> None:
    owner = opener(empty)
    eventually(lambda: any(empty.glob("initdb-*/data/base")))
    owner.kill()
    eventually(lambda: not works_in(empty))  # initdb outlives its parent for a moment and writes into the folder
    with embedded(empty) as opened:
        assert execute(opened.url, "SELECT 1") == [(1,)]
        assert not list(empty.glob("initdb-*"))


def test_data_of_a_missing_version_is_named(empty: Path) -> None:
    (empty / "postgres").mkdir(parents=True)
    (empty / "postgres" / "PG_VERSION").write_text("13\n")
    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 13"):
        embedded(empty).open()
    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 13"):
        embedded(empty, binaries=find_binaries()).open()


def test_an_inaccessible_folder_is_named(empty: Path) -> None:
    empty.mkdir()
    empty.chmod(0o700 if IS_ROOT else 0o500)
    with pytest.raises(EmbeddedServerError, match="is closed to user" if IS_ROOT else "Permission denied") as caught:
        embedded(empty / "below").open()
    assert str(empty) in str(caught.value)
    assert empty.stat().st_mode & 0o777 == (0o700 if IS_ROOT else 0o500)


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_in_the_folders_place_is_named(empty: Path, below: str) -> None:
    empty.write_text("a file")
    with pytest.raises(EmbeddedServerError, match=str(empty)):
        embedded(empty / below).open()


def test_a_failed_start_shows_the_servers_log_and_releases_the_lock(state: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="shared_buffers") as caught:
        embedded(state, settings={"shared_buffers": "nonsense"}).open()
    assert "--data-dir" in str(caught.value)
    with embedded(state) as opened:
        assert opened.is_owner


def test_an_initdb_that_fails_is_explained(empty: Path) -> None:
    directory = empty.parent / "programs" / "bin"
    directory.mkdir(parents=True)
    for name, script in (("postgres", "exit 0"), ("initdb", "echo 'No space left on device'; exit 1")):
        (directory / name).write_text(f"#!/bin/sh\n{script}\n")
        (directory / name).chmod(0o755)
    with pytest.raises(EmbeddedServerError, match="No space left on device"):
        embedded(empty, binaries=PostgresBinaries(directory, 18)).open()
    assert not list(empty.glob("initdb-*"))


def test_a_lost_password_file_is_named(state: Path) -> None:
    with embedded(state):
        pass
    (state / "pgpass").unlink()
    with pytest.raises(EmbeddedServerError, match="pgpass is missing"):
        embedded(state).open()


def test_an_owner_whose_server_never_responds_is_named(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ATTACH_SECONDS", 0.2)
    empty.mkdir()
    holder = OwnerLock(empty / "lock")
    assert holder.take()
    with pytest.raises(EmbeddedServerError, match=f"held by process {os.getpid()}"):
        embedded(empty).open()
    holder.release()


def test_a_server_that_is_not_open_has_no_url(empty: Path) -> None:
    closed = embedded(empty)
    for use in (lambda: closed.url, closed.check):
        with pytest.raises(EmbeddedServerError, match="not open"):
            use()
    closed.close()


def test_a_log_that_has_grown_is_rotated(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded(state) as opened:
        monkeypatch.setattr(process, "_MOST_LOG_BYTES", 10)
        before = (state / "postgres.log").read_bytes()
        opened.check()
        assert (state / "postgres.log.1").read_bytes() == before
        assert (state / "postgres.log").stat().st_size < len(before)


@pytest.mark.skipif(not IS_ROOT, reason="only root runs the server as another user")
def test_programs_that_the_servers_user_cannot_read_are_copied_once() -> None:
    installed = find_binaries()
    prefix = installed.directory.parent
    with open_folder(runs_programs=True) as folder:
        state, closed = folder / "state", folder / "closed"
        closed.mkdir(mode=0o700)
        (closed / "package").symlink_to(prefix.parent)
        programs = PostgresBinaries(closed / "package" / prefix.name / "bin", installed.major)
        copies = set()
        for _ in range(2):
            with embedded(state, binaries=programs) as opened:
                assert execute(opened.url, "SELECT 1") == [(1,)]
                running = Path(f"/proc/{postmaster(state)}/exe").readlink()
                assert running.is_relative_to(state / "runtime")
                copies.add((running, running.stat().st_ino))
        assert len(copies) == 1
        assert len(list((state / "runtime").iterdir())) == 1
        assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user runs all the other tests as itself")
def test_an_ordinary_user_runs_it_as_itself(empty: Path) -> None:
    python = _python_for("nobody")
    empty.mkdir()
    shutil.chown(empty, "nobody")
    other = Opener(empty, python=python, user="nobody")
    try:
        answer = other.opened()
        assert answer["owner"]
        assert (empty / "postgres").owner() == "nobody"
        assert execute(answer["url"], "SELECT 1") == [(1,)]
    finally:
        assert other.leave() == 0
    # Root runs the server as the owner of existing data, not as the user it would choose.
    with embedded(empty) as opened:
        assert execute(opened.url, "SELECT 1") == [(1,)]


def _python_for(user: str) -> str:
    for python in (sys.executable, "/usr/bin/python3"):
        with suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(
                [python, "-c", "import psycopg, pattern_sync.embedded"],
                env={"PYTHONPATH": PYTHONPATH},
                cwd="/",
                user=user,
                extra_groups=[],
                check=True,
                capture_output=True,
            )
            return python
    pytest.skip(f"no Python with our packages that user {user!r} can read")
