"""A commit in any gap between connecting, LISTEN and the catch-up is queued at once, and not by some later scan."""

import itertools
import threading

import psycopg

from pattern_sync.services.timings import Timings
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.proxy import proxy_to
from tests.support.traffic import INSERT, OFTEN
from tests.support.waiting import eventually, show

# So that nothing but the notifications and the catch-ups can find a pattern while this test runs.
WITHOUT_POLLS = Timings(poll_seconds=3600, refresh_seconds=3600, watch_seconds=3600)
# Each pattern makes the daemon send more messages: this has to end.
IN_A_START = 150
IN_RECONNECTS = 150


class CommitInEachGap:
    """Commits a pattern before it lets anything pass: between any two messages there is then a commit."""

    def __init__(self, url: str) -> None:
        self.committed: list[str] = []
        self.most = IN_A_START
        self._numbers = itertools.count()
        self._connection = psycopg.connect(url, autocommit=True)
        self._turn = threading.Lock()

    def __call__(self, data: bytes) -> bytes:
        with self._turn:
            number = next(self._numbers)
            if len(self.committed) < self.most:
                self._connection.execute(INSERT.encode(), [f"gap:{number}", OFTEN])
                self.committed.append(f"gap:{number}")
        return data

    def close(self) -> None:
        self._connection.close()


def test_a_pattern_committed_in_any_gap_of_a_start_or_a_reconnect_is_queued(database: TestDatabase) -> None:
    gaps = CommitInEachGap(database.url)
    try:
        with (
            proxy_to(database.url, new_filter=lambda: gaps, to_server=gaps) as (proxy, url),
            running_daemon(url, timings=WITHOUT_POLLS) as daemon,
        ):
            gaps.most += IN_RECONNECTS
            while len(gaps.committed) < gaps.most:
                proxy.cut()
                daemon.wait_for("listener.listening", times=len(daemon.lines("listener.listening")) + 1)
            took = eventually(lambda: set(gaps.committed) <= database.queue(), what="every pattern")
            show(f"{gaps.most} commits, one in each gap; the last queued in {took:.2f} s")
            assert not daemon.lines("scan.finished", kind="sweep")
            assert not daemon.lines("scan.finished", kind="poll")
    finally:
        gaps.close()
