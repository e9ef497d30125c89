"""A box with the program installed, and the service in it. Without one, the tests say why and are skipped."""

import os
from collections.abc import Iterator

import psycopg
import pytest

from tests.support.box import ROOT, Box, BoxFailed, Unit, running_box, why_there_is_none
from tests.support.database import TestDatabase
from tests.support.proxy import with_address

UNIT = "pattern-sync.service"
ENV_FILE = "/etc/pattern-sync/pattern-sync.env"
DATABASE_URL = "/etc/pattern-sync/database-url"


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    if reason := why_there_is_none():
        pytest.skip(f"there is no systemd to run the unit under: {reason}")
    try:
        with running_box() as box:
            box.install_program()
            yield box
    except BoxFailed as fault:
        if os.environ.get("TEST_REQUIRE_SYSTEMD"):
            raise
        pytest.skip(str(fault))


def spelt_out(url: str) -> str:
    """Return a URL that works without any file of this machine."""
    with psycopg.connect(url) as connection:
        return with_address(url, f"{connection.info.host}:{connection.info.port}")


class Service(Unit):
    """The shipped unit, installed as an operator does, on a database of the test."""

    def __init__(self, box: Box, name: str = UNIT) -> None:
        super().__init__(box, name)
        template = f"{name.partition('@')[0]}@.service" if "@" in name else name
        box.write(f"/etc/systemd/system/{template}", (ROOT / "systemd" / template).read_text(encoding="utf-8"))
        box.run("systemctl", "daemon-reload")

    def settings(self, *lines: str, file: str = ENV_FILE) -> None:
        """Write the settings file; the port is any free one, as the box shares this machine's network."""
        names = ["HTTP_PORT=0", *lines]
        self.box.write(file, "".join(f"PATTERN_SYNC_{line}\n" for line in names))

    def database(self, url: str, file: str = DATABASE_URL) -> None:
        """Write the credential; its password is spelt out, as the box has no password file."""
        self.box.write(file, f"{spelt_out(url)}\n", 0o600)

    def start(self) -> None:
        """Start it and wait until it is ready."""
        done = self.systemctl("start", check=False)
        assert done.returncode == 0, f"{done.stderr}\n{self.messages()}"

    def remove(self) -> None:
        self.systemctl("stop", check=False)
        self.systemctl("reset-failed", check=False)
        self.box.remove(f"/etc/systemd/system/{self.name}.d")
        self.box.remove("/etc/pattern-sync")
        self.box.remove("/var/lib/private/pattern-sync")
        self.box.remove("/var/lib/pattern-sync")
        self.box.run("journalctl", "--rotate")
        self.box.run("journalctl", "--vacuum-time=1ms")


@pytest.fixture
def service(box: Box, database: TestDatabase) -> Iterator[Service]:
    """Return the service, not started, with the settings and the credential that it needs."""
    service = Service(box)
    service.settings()
    service.database(database.url)
    try:
        yield service
    finally:
        service.remove()
