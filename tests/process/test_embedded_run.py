"""Daemons without a URL: the embedded server, shared, restarted and taken over."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import run_command
from tests.support.daemon import running_daemon
from tests.support.folders import open_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder / "state"


def kill_server(folder: Path) -> None:
    os.kill(int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)


def test_two_daemons_share_the_embedded_server_and_the_second_takes_it_over(folder: Path) -> None:
    place = str(folder)
    with (
        running_daemon(None, fresh=True, PATTERN_SYNC_DATA_DIR=place) as owner,
        running_daemon(None, fresh=True, PATTERN_SYNC_DATA_DIR=place) as sharing,
    ):
        kill_server(folder)
        assert owner.wait_for("embedded.restarted")["reason"] == "restarted"
        owner.wait_for("listener.listening", times=2)
        sharing.wait_for("listener.listening", times=2)
        owner.send(signal.SIGKILL)
        assert sharing.wait_for("embedded.restarted")["reason"] == "taken over"
        sharing.wait_for("listener.listening", times=3)
        assert run_command("status", PATTERN_SYNC_DATA_DIR=place).code == 0
