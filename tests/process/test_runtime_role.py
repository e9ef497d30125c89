"""A daemon and the commands with the rights of the runtime role alone, in a schema that is closed to everybody else."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.test_roles import KINDS, ROLES
from tests.integration.test_writers_rights import HARDENED, PATTERN, as_role
from tests.support.command import run_command
from tests.support.daemon import running_daemon
from tests.support.lived_in import LivedInDatabase
from tests.support.psql import run_psql
from tests.support.waiting import eventually

LISTENERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pattern-sync listener'"


@pytest.fixture
def detector(lived_in: LivedInDatabase) -> Iterator[str]:
    """Yield the detector's role; the daemon's login keeps no right but its membership in the runtime role."""
    names = {kind: f"{lived_in.name}_{kind}" for kind in KINDS if kind != "installer"}
    lived_in.execute(f"DROP OWNED BY {lived_in.roles.daemon}")
    try:
        run_psql(lived_in.url, ROLES, installer=lived_in.roles.owner, **names)
        lived_in.execute(f"GRANT {names['runtime']} TO {lived_in.roles.daemon}")
        for statement in HARDENED:
            lived_in.execute(statement)
        yield names["detector"]
    finally:
        for name in names.values():
            lived_in.execute(f"DROP OWNED BY {name}")
            lived_in.execute(f"DROP ROLE {name}")


def test_the_runtime_role_is_enough_for_a_daemon_and_for_the_commands(
    lived_in: LivedInDatabase, detector: str, tmp_path: Path
) -> None:
    env_file = tmp_path / "settings.env"
    env_file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=70\n")
    with running_daemon(lived_in.daemon_url, PATTERN_SYNC_ENV_FILE=str(env_file)) as daemon:
        daemon.ready()
        assert as_role(lived_in, detector, PATTERN) == []
        eventually(lambda: lived_in.entry("a"))
        assert httpx.get(f"{daemon.http_url}/readyz").json()["status"] == "ok"

        env_file.write_text("PATTERN_SYNC_MIN_CONFIDENCE=60\n")
        daemon.send(signal.SIGHUP)
        daemon.wait_for("filter.published", times=2)
        lived_in.execute(LISTENERS)
        daemon.wait_for("listener.listening", times=2)
        lived_in.add_pattern("after", confidence_score=65)
        eventually(lambda: lived_in.entry("after"))

        url = f"{daemon.http_url}/api/v1"
        assert httpx.get(f"{url}/system/health").json()["reasons"] == []
        for command in (
            ["status"],
            ["sync"],
            ["sync", "--dry-run"],
            ["explain", "a"],
            ["review", "list"],
            ["review", "comment", "a", "hm"],
            ["review", "approve", "a", "--notes", "fine"],
        ):
            done = run_command(*command, PATTERN_SYNC_DATABASE_URL=lived_in.daemon_url)
            assert done.code == 0, (command, done.err)
        warnings = {line["event"] for line in daemon.lines() if line["level"] not in ("info", "debug")}
        assert warnings == {"listener.lost"}
