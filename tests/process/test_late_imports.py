"""Import time: no program or command loads a driver or a web server that it does not use."""

import subprocess
import sys

import pytest

import pattern_sync
from tests.support.command import DEADLINE_SECONDS, QUIET_FOLDER, environment

# Not pydantic itself: typer may parse a command's options with it.
HEAVY = {"asyncio", "asyncpg", "fastapi", "psycopg", "pydantic_settings", "rich.live", "rich.progress", "structlog"}
HELP = "import sys; sys.argv[1:] = {arguments!r}\nfrom pattern_sync.cli.main import app\napp(standalone_mode=False)"


def loaded_by(program: str, *, heavy: set[str] = HEAVY) -> set[str]:
    """Run a program in a fresh interpreter and return which of the heavy modules it has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules, file=sys.stderr)"],
        env=environment(),
        cwd=QUIET_FOLDER,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    return heavy & set(done.stderr.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("from pattern_sync import SyncFilter, PatternSyncError", heavy=HEAVY | {"rich", "typer"}) == set()


def test_the_service_loads_its_driver_and_no_web_server() -> None:
    loaded = loaded_by("from pattern_sync import PatternSyncService")
    assert "psycopg" in loaded
    assert not {"fastapi", "rich.live"} & loaded


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["sync", "--help"], ["review", "list", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by(HELP.format(arguments=arguments)) == set()


def test_only_the_public_names_can_be_imported() -> None:
    assert all(hasattr(pattern_sync, name) for name in pattern_sync.__all__)
    assert not hasattr(pattern_sync, "Nonsense")
