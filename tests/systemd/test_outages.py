"""A database that is away: at boot, later, and for long. The process stays the same."""

import os
import time

import pytest

from tests.support.database import TestDatabase
from tests.support.proxy import proxy_to
from tests.support.waiting import eventually, show
from tests.systemd.conftest import Service

pytestmark = pytest.mark.slow

OUTAGE_SECONDS = float(os.environ.get("TEST_OUTAGE_SECONDS") or 40)


def test_a_boot_without_the_database_is_no_restart_loop(service: Service, database: TestDatabase) -> None:
    service.drop_in("TimeoutStartSec=30")
    with proxy_to(database.url) as (proxy, url):
        service.database(url)
        proxy.refuse(refusing=True)
        begun = time.monotonic()
        service.start()
        took = time.monotonic() - begun
        assert took > 20
        assert service.show("StatusText").startswith("waiting for the database: 127.0.0.1")
        pid = service.pid
        time.sleep(90 - took)  # three times what a start may take
        assert (service.pid, service.show("NRestarts")) == (pid, "0")
        database.add_pattern("meanwhile")
        proxy.refuse(refusing=False)
        seconds = eventually(lambda: database.entry("meanwhile"))
        assert (service.pid, service.show("NRestarts")) == (pid, "0")
    show(f"ready after {took:.1f} s without a database; queued {seconds:.2f} s after it was back")


def test_an_outage_leaves_the_process_as_it_is(service: Service, database: TestDatabase) -> None:
    service.drop_in("WatchdogSec=6")
    with proxy_to(database.url) as (proxy, url):
        service.database(url)
        service.start()
        pid = service.pid
        proxy.refuse(refusing=True)
        proxy.cut()
        service.wait_for("database.lost")
        begun = time.monotonic()
        assert service.systemctl("reload").returncode == 0
        assert time.monotonic() - begun < 10, "a reload does not wait for the database"
        assert "the new filter waits for the database" in service.show("StatusText")
        time.sleep(OUTAGE_SECONDS)
        assert len(service.lines("database.lost")) == 1, "an outage is one line"
        database.add_pattern("meanwhile")
        proxy.refuse(refusing=False)
        seconds = eventually(lambda: database.entry("meanwhile"))
        service.wait_for("settings.reloaded")
        assert (service.pid, service.show("NRestarts")) == (pid, "0")
        eventually(lambda: service.show("StatusText").startswith("listening;"))
    show(f"queued {seconds:.2f} s after {OUTAGE_SECONDS:g} s without a database")


def test_a_stop_in_an_outage_takes_a_moment(service: Service, database: TestDatabase) -> None:
    with proxy_to(database.url) as (proxy, url):
        service.database(url)
        service.start()
        proxy.refuse(refusing=True)
        proxy.cut()
        service.wait_for("database.lost")
        begun = time.monotonic()
        service.systemctl("stop")
        assert time.monotonic() - begun < 5
    assert service.show("Result") == "success"
