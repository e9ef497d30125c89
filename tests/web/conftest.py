"""A daemon on a database of its own for all tests of one module: each test uses its own pattern names.

And a browser, for the tests of the page.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import pytest

from tests.conftest import fresh_database
from tests.support.browser import Tabs, find_chromium, running_chromium
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import psycopg
    from playwright.sync_api import Browser

API_TOKEN = "reader-token"
ADMIN_TOKEN = "administrator-token"


@dataclass(frozen=True)
class Served:
    database: TestDatabase
    daemon: DaemonProcess
    client: httpx.Client

    def queue(self, signature: str, **columns: object) -> str:
        """Write a pattern that qualifies, wait until it is in the queue, and return its path below the API."""
        self.database.add_pattern(signature, **columns)
        eventually(lambda: self.database.entry(signature), what=f"the entry of {signature!r}")
        return path_of(signature)


def path_of(signature: str) -> str:
    return f"/api/v1/patterns/{quote(signature, safe='')}"


@pytest.fixture(scope="module")
def module_database(
    server_url: str, admin: "psycopg.Connection[dict[str, object]]", template: str
) -> Iterator[TestDatabase]:
    with fresh_database(server_url, admin, template) as database, database.connect():
        yield database


@pytest.fixture(scope="module")
def served(module_database: TestDatabase) -> Iterator[Served]:
    """Return a daemon without an API token, as on loopback; administration has its token."""
    with (
        running_daemon(module_database.url, PATTERN_SYNC_ADMIN_TOKEN=ADMIN_TOKEN) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        yield Served(module_database, daemon, client)


@pytest.fixture
def emptied(served: Served) -> Served:
    """Return the module's daemon with empty tables, so that a page shows only the test's own entries."""
    served.database.empty("operation_patterns", "pattern_approvals")
    return served


@pytest.fixture(scope="session")
def chromium() -> str:
    program = find_chromium()
    if program is None:
        missing = "no Chromium here; install the distribution's package `chromium`"
        if os.environ.get("TEST_REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    return program


@pytest.fixture(scope="module")  # no wider scope: while Playwright runs, asyncio.run() of other tests would raise
def browser(chromium: str) -> "Iterator[Browser]":
    with running_chromium(chromium) as browser:
        yield browser


@pytest.fixture
def tabs(browser: "Browser", request: pytest.FixtureRequest) -> Iterator[Tabs]:
    """Return the opener of pages; a page's forbidden behaviour fails its test."""
    with Tabs(browser) as tabs:
        failed_before = request.session.testsfailed
        yield tabs
        if request.session.testsfailed > failed_before:
            tabs.describe()
    assert tabs.faults() == []  # after the pages are closed, when their last events have arrived
