"""What the state of no trigger shows: writers that were closed out, another daemon's filter; as an operator sees it."""

import signal
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from pattern_sync.services.timings import Timings
from tests.support.command import run_command
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import eventually

QUICK = Timings(watch_seconds=0.3, poll_seconds=0.3, settle_seconds=0.3)
NOTICED_SECONDS = 15.0
PATTERN = (
    "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
    " potential_monthly_savings) VALUES ('unheard', 'sdlc', 85, 99, 5000)"
)
WRITES = ("INSERT, SELECT ON operation_patterns", "USAGE ON ALL SEQUENCES IN SCHEMA public")
# Each is one right that the trigger needs, and the grant that brings it back.
CLOSED = {
    "the schema": ("USAGE ON SCHEMA pattern_sync", "GRANT USAGE ON SCHEMA pattern_sync"),
    "a function": (
        "EXECUTE ON FUNCTION pattern_sync.announce_pattern",
        "GRANT EXECUTE ON FUNCTION pattern_sync.announce_pattern(bigint,text)",
    ),
    "all functions": (
        "EXECUTE ON ALL FUNCTIONS IN SCHEMA pattern_sync",
        "GRANT EXECUTE ON FUNCTION pattern_sync.announce_pattern(bigint,text), pattern_sync.mark(text,text)",
    ),
}


def health_of(daemon: DaemonProcess) -> tuple[str, Sequence[str]]:
    answer = httpx.get(f"{daemon.http_url}/readyz").json()
    return answer["status"], answer["reasons"]


@pytest.mark.parametrize("closed", CLOSED)
def test_a_quiet_detector_without_a_right_is_polled_for_and_named_with_its_grant(
    database: TestDatabase, closed: str
) -> None:
    revoked, grant = CLOSED[closed]
    # Where a quiet writer cannot leave its mark either, nothing at all is left of its announcement.
    with database.role(*WRITES) as role, running_daemon(database.url, timings=QUICK) as daemon:
        eventually(lambda: health_of(daemon) == ("ok", []))
        database.execute(f"REVOKE {revoked} FROM PUBLIC")
        with database.another_connection() as detector:
            detector.execute(f"SET ROLE {role}".encode())
            detector.execute("SET pattern_sync.quiet = on")
            detector.execute(PATTERN)
        told = daemon.wait_for("triggers.silent", seconds=NOTICED_SECONDS)
        assert told["faults"][0].startswith(f"the role {role} may write operation_patterns and lacks ")
        assert told["remedy"].startswith(grant)
        eventually(lambda: database.entry("unheard"), NOTICED_SECONDS)
        status, reasons = health_of(daemon)
        assert (status, told["remedy"] in " ".join(reasons)) == ("degraded", True)
        shown = " ".join(run_command("status", "--json", PATTERN_SYNC_DATABASE_URL=database.url).out.split())
        assert told["remedy"] in shown
        database.execute(told["remedy"])
        daemon.wait_for("triggers.sound", seconds=NOTICED_SECONDS)
        eventually(lambda: health_of(daemon) == ("ok", []))


def test_a_right_that_is_missing_at_the_start_is_a_warning_at_the_start(database: TestDatabase) -> None:
    with database.role(*WRITES) as role:
        database.execute("REVOKE EXECUTE ON FUNCTION pattern_sync.send FROM PUBLIC")
        with running_daemon(database.url) as daemon:
            assert role in daemon.wait_for("triggers.silent")["faults"][0]


def test_a_rolling_change_of_the_filter_warns_each_daemon_once_and_ends_well(
    database: TestDatabase, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("first.env", "second.env")]
    for file in files:
        file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=60\n")
    with (
        running_daemon(database.daemon_url, timings=QUICK, PATTERN_SYNC_ENV_FILE=str(files[0])) as first,
        running_daemon(database.daemon_url, timings=QUICK, PATTERN_SYNC_ENV_FILE=str(files[1])) as second,
    ):
        for daemon in (first, second):
            eventually(lambda daemon=daemon: health_of(daemon) == ("ok", []))  # type: ignore[misc]
        files[0].write_text("PATTERN_SYNC_MIN_CONFIDENCE=30\n")
        first.send(signal.SIGHUP)
        told = second.wait_for("filter.foreign", seconds=NOTICED_SECONDS)
        assert "confidence" in told["in_force"]
        assert "30" in told["in_force"]
        assert "60" in told["own"]
        assert " from " in told["published_by"]
        status, (reason,) = health_of(second)
        assert (status, told["in_force"] in reason, told["own"] in reason) == ("degraded", True, True)
        assert health_of(first) == ("ok", [])
        shown = run_command("status", PATTERN_SYNC_DATABASE_URL=database.url).out
        assert f"published by {told['published_by']}" in shown
        files[1].write_text("PATTERN_SYNC_MIN_CONFIDENCE=30\n")
        second.send(signal.SIGHUP)
        eventually(lambda: health_of(second) == ("ok", []))
        assert (len(first.lines("filter.foreign")), len(second.lines("filter.foreign"))) == (0, 1)
