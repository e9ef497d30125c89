"""Every packet is dropped, with no word to either side: what a pulled cable or a firewall without mercy does."""

import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.support.cable import cable_to
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import QUICK_STOP_SECONDS, eventually, show

PULLED_SECONDS = 12.0
# An unanswered ARP would end a connect after three seconds, with a word.
SILENCE_SECONDS = 5.0

pytestmark = pytest.mark.slow


def test_a_pulled_cable_says_nothing_to_either_side_and_forgets_nothing(database: TestDatabase) -> None:
    with cable_to(database.url) as cable:
        address = urlsplit(cable.url)
        place = address.hostname, address.port
        with socket.create_connection(place) as open_before:
            open_before.settimeout(SILENCE_SECONDS)
            cable.pull()
            ask_for_tls = (8).to_bytes(4) + (80877103).to_bytes(4)
            open_before.sendall(ask_for_tls)
            with pytest.raises(TimeoutError):
                open_before.recv(1)
            with pytest.raises(TimeoutError):
                socket.create_connection(place, timeout=SILENCE_SECONDS)
            cable.plug_in()
            open_before.settimeout(None)
            assert open_before.recv(1) in b"SN"


def test_a_pulled_cable_is_noticed_and_the_gap_is_caught_up(database: TestDatabase) -> None:
    with cable_to(database.url) as cable, running_daemon(cable.url) as daemon:
        database.add_pattern("before")
        assert eventually(lambda: database.entry("before")) < 2
        cable.pull()
        pulled = time.monotonic()
        database.add_pattern("during")
        daemon.wait_for("listener.lost")
        noticed = time.monotonic() - pulled
        time.sleep(max(0.0, PULLED_SECONDS - noticed))
        cable.plug_in()
        took = eventually(lambda: database.entry("during"))
        daemon.wait_for("listener.listening", times=2)
        show(f"a pulled cable was noticed after {noticed:.1f} s, and caught up {took:.1f} s after it was back")
        database.add_pattern("after")
        assert eventually(lambda: database.entry("after")) < 2
        assert noticed < 10


def test_a_stop_over_a_pulled_cable_is_no_slower(database: TestDatabase) -> None:
    with cable_to(database.url) as cable, running_daemon(cable.url) as daemon:
        cable.pull()
        daemon.wait_for("listener.lost")
        begun = time.monotonic()
        daemon.stop()
        took = time.monotonic() - begun
        show(f"stopped in {took:.1f} s over a pulled cable")
        assert took < QUICK_STOP_SECONDS
