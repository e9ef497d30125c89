"""Twenty daemons lose one server at the same moment: they come back spread over time."""

from contextlib import ExitStack

import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer
from tests.support.daemon import DaemonProcess, starting_daemon
from tests.support.database import TestDatabase
from tests.support.folders import open_folder
from tests.support.proxy import proxy_to
from tests.support.waiting import eventually, show

DAEMONS = 20
OUTAGE_SECONDS = 5.0
SLICE_SECONDS = 0.1


@pytest.mark.slow
@pytest.mark.timing
def test_twenty_daemons_reconnect_spread_over_time() -> None:
    with (
        open_folder() as folder,
        EmbeddedServer(folder / "server", durable=False, settings={"max_connections": "300"}) as server,
        proxy_to(server.url) as (proxy, url),
        ExitStack() as stack,
    ):
        Installer(DatabaseAddress.parse(server.url)).migrate()
        database = TestDatabase(server.url, "pattern_sync")
        stack.enter_context(database.connect())
        daemons = [stack.enter_context(starting_daemon(url)) for _ in range(DAEMONS)]
        for daemon in daemons:
            daemon.ready()
        proxy.refuse(refusing=True)
        proxy.cut()
        for daemon in daemons:
            daemon.wait_for("listener.lost")
        proxy.accepted_at.clear()
        eventually(lambda: proxy.accepted_at and proxy.accepted_at[-1] - proxy.accepted_at[0] > OUTAGE_SECONDS)
        busiest, mean = _busiest(proxy.accepted_at), len(proxy.accepted_at) / (OUTAGE_SECONDS / SLICE_SECONDS)
        proxy.refuse(refusing=False)
        database.add_pattern("after")
        took = eventually(lambda: all(_listens_again(daemon) for daemon in daemons))
        show(f"{len(proxy.accepted_at)} attempts in {OUTAGE_SECONDS:g} s; in 0.1 s at most {busiest}, {mean:.1f} on")
        show(f"average; all listened {took:.1f} s after the end")
        assert busiest < 4 * mean
        assert database.entry("after") is not None


def _busiest(moments: list[float]) -> int:
    slices = [int((moment - moments[0]) / SLICE_SECONDS) for moment in moments]
    return max(slices.count(each) for each in slices)


def _listens_again(daemon: DaemonProcess) -> bool:
    return len(daemon.lines("listener.listening")) > 1
