"""Where the API listens: passing faults are waited out, others are refused, and a port's holder is named."""

import errno
import os
import resource
import socket
from pathlib import Path

import pytest

from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.web import listening
from pattern_sync.web.listening import AddressUnavailable, ListenAddress
from pattern_sync.web.port_holder import holder_of


def test_a_taken_port_is_a_passing_fault_and_its_holder_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        address = ListenAddress.resolve("127.0.0.1", port)
        with pytest.raises(AddressUnavailable) as refused:
            address.listen()
    comm = Path("/proc/self/comm").read_text().strip()
    for words in (f"port {port} of 127.0.0.1 is taken by process {os.getpid()} ({comm})", "PATTERN_SYNC_HTTP_PORT"):
        assert words in str(refused.value)
    address.listen().close()


def test_an_address_that_this_machine_lacks_is_a_passing_fault() -> None:
    with pytest.raises(AddressUnavailable, match=r"has no address 203\.0\.113\.77 now.*PATTERN_SYNC_HTTP_HOST"):
        ListenAddress.resolve("203.0.113.77", 8002).listen()


@pytest.mark.parametrize("number", [socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_NONAME])
def test_a_host_name_that_cannot_be_resolved_now_is_a_passing_fault(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(number, "as the resolver says")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(AddressUnavailable, match=r"review\.example .* as the resolver says.*PATTERN_SYNC_HTTP_HOST"):
        ListenAddress.resolve("review.example", 8002)


def test_what_can_be_no_host_name_is_refused() -> None:
    with pytest.raises(InvalidSettings, match=r"'review\.\.example', which can be no host name"):
        ListenAddress.resolve("review..example", 8002)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EAFNOSUPPORT])
def test_a_port_without_the_right_to_it_is_refused(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(InvalidSettings, match=r"port 80: .*below 1024"):
        ListenAddress.resolve("127.0.0.1", 80).listen()


TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F42 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F43 0100007F:1F42 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
"""


def make_proc(folder: Path, table: str) -> Path:
    (folder / "net").mkdir()
    (folder / "net" / "tcp").write_text(table)
    for process, inode in (("17", "4711"), ("18", "4712"), ("self", "4711")):
        (folder / process / "fd").mkdir(parents=True)
        (folder / process / "comm").write_text("uvicorn\n")
        (folder / process / "fd" / "3").symlink_to(f"socket:[{inode}]")
    (folder / "19").mkdir()  # this process has just ended
    return folder


def test_the_holder_of_a_port_listens_on_it_and_is_not_merely_connected(tmp_path: Path) -> None:
    proc = make_proc(tmp_path, TABLE)
    assert holder_of(8002, proc) == "process 17 (uvicorn)"
    assert holder_of(8003, proc) is None


def test_no_holder_is_named_where_proc_does_not_show_it(tmp_path: Path) -> None:
    assert holder_of(8002, tmp_path / "nothing") is None
    proc = make_proc(tmp_path, TABLE)
    (proc / "17" / "fd" / "3").unlink()  # another user's process shows none of its own
    assert holder_of(8002, proc) is None


@pytest.mark.parametrize(
    ("soft", "hard", "connections"),
    [(1024, 1 << 20, 2_000), (1024, 1024, 724), (256, 256, 85), (65_536, 65_536, 2_000)],
)
def test_there_are_always_fewer_connections_than_files(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, connections: int
) -> None:
    limits = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    assert listening.raise_file_limit() == connections
    assert limits[-1][0] <= hard
