"""Patterns that catch-ups and sweeps recover, counted exactly: silent ones, announced ones, and both at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pattern_sync.services.timings import Timings
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.scrape import scrape
from tests.support.waiting import eventually

# Nothing but the scan in question finds a silent pattern.
WITHOUT_POLLS = Timings(poll_seconds=300.0, settle_seconds=1.0, watch_seconds=0.2)
SILENT = 7
ANNOUNCED = 100


def add_silently(database: TestDatabase, count: int, prefix: str) -> set[str]:
    """Commit patterns that are not announced: their writer passes itself off as one that has announced enough."""
    with database.another_connection(autocommit=False) as connection:
        connection.execute(
            "SELECT set_config('pattern_sync.announced_by', pg_current_xact_id()::text, true),"
            " set_config('pattern_sync.announced', '301', true)"
        )
        rows = connection.execute(
            "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
            " potential_monthly_savings) SELECT %s || i, 'sdlc', 85, 99, 5000 FROM generate_series(1, %s) AS i"
            " RETURNING pattern_signature",
            (prefix, count),
        ).fetchall()
    return {row["pattern_signature"] for row in rows}


def recovered(*daemons: DaemonProcess) -> tuple[float, float]:
    """Return what catch-ups and sweeps have recovered, over all daemons."""
    scrapes = [scrape(daemon.http_url) for daemon in daemons]
    by_catch_up, by_sweep = (
        sum(each.value("recovered_patterns_total", by=by) or 0 for each in scrapes) for by in ("catch_up", "sweep")
    )
    return by_catch_up, by_sweep


def wait_for_sweeps(*daemons: DaemonProcess) -> None:
    """Wait until a sweep has begun, ended and settled that began after now."""
    wanted = {daemon: len(daemon.lines("scan.finished", kind="sweep")) + 4 for daemon in daemons}  # a second each
    for daemon, times in wanted.items():
        daemon.wait_for("scan.finished", kind="sweep", times=times)


def lose_the_listener(database: TestDatabase, daemon: DaemonProcess) -> None:
    """End the LISTEN session on the server, and wait for the catch-up of the next one."""
    caught_up = len(daemon.lines("scan.finished", kind="catch-up"))
    killed = database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'pattern-sync%listener'"
    )
    assert killed
    daemon.wait_for("scan.finished", kind="catch-up", times=caught_up + 1)


@contextmanager
def announcing(database: TestDatabase, prefix: str = "announced:") -> Iterator[None]:
    """Commit announced patterns one by one, beside the block, and wait for their entries."""
    wanted = {f"{prefix}{number}" for number in range(ANNOUNCED)}

    def write() -> None:
        with database.another_connection() as connection:
            for signature in wanted:
                connection.execute(
                    "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score,"
                    " occurrence_count, potential_monthly_savings) VALUES (%s, 'sdlc', 85, 99, 5000)",
                    (signature,),
                )
                connection.execute("SELECT pg_sleep(0.02)")

    writer = threading.Thread(target=write)
    writer.start()
    yield
    writer.join()
    eventually(lambda: wanted <= database.queue())


def test_a_catch_up_recovers_exactly_what_was_not_announced(database: TestDatabase) -> None:
    with running_daemon(database.url, timings=WITHOUT_POLLS) as daemon:
        for round_number in (1, 2):
            silent = add_silently(database, SILENT, f"silent:{round_number}:")
            lose_the_listener(database, daemon)
            assert silent <= database.queue()
            eventually(lambda: sum(recovered(daemon)) >= SILENT * round_number)  # noqa: B023 - called at once
            assert recovered(daemon) == (SILENT * round_number, 0)
        lose_the_listener(database, daemon)
        database.add_pattern("heard")
        eventually(lambda: database.entry("heard"))
        eventually(lambda: scrape(daemon.http_url).value("event_to_entry_seconds_count") == 1)
        assert recovered(daemon) == (2 * SILENT, 0), "a catch-up that finds nothing"


def test_sweeps_recover_exactly_what_was_not_announced_among_what_was(database: TestDatabase) -> None:
    add_silently(database, SILENT, "before:")
    with running_daemon(database.url, timings=WITHOUT_POLLS, PATTERN_SYNC_INTERVAL="1") as daemon:
        assert len(database.queue()) == SILENT
        with announcing(database):
            wait_for_sweeps(daemon)
        assert recovered(daemon) == (0, 0), "neither what was there before the start, nor sweeps that race"
        with announcing(database, "again:"):
            silent = add_silently(database, SILENT, "silent:")
        wait_for_sweeps(daemon)
        assert silent <= database.queue()
        assert recovered(daemon) == (0, SILENT)


def test_replicas_recover_each_pattern_once_between_them(database: TestDatabase) -> None:
    with (
        running_daemon(database.url, timings=WITHOUT_POLLS, PATTERN_SYNC_INTERVAL="1") as one,
        running_daemon(database.url, timings=WITHOUT_POLLS, PATTERN_SYNC_INTERVAL="1") as other,
    ):
        with announcing(database):
            add_silently(database, SILENT, "silent:")
        wait_for_sweeps(one, other)
        assert recovered(one, other) == (0, SILENT)
        queued = sum(scrape(each.http_url).sum_of("patterns_total", outcome="queued") for each in (one, other))
        assert queued == SILENT + ANNOUNCED, "each was queued once"
