"""psql, as an operator runs it on a file."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pattern_sync.embedded import all_binaries

SECONDS = 30.0


def run_psql(url: str, file: Path, **variables: str) -> list[str]:
    """Run a file in one transaction; return the statements that it sent. Raises AssertionError if one failed."""
    settings = [f"--set={name}={value}" for name, value in variables.items()]
    command = [_program(), "--no-psqlrc", "--echo-queries", "--single-transaction", *settings, "--file", str(file), url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _program() -> str:
    beside_a_server = [each.directory / "psql" for each in all_binaries()]
    found = next((str(path) for path in beside_a_server if path.exists()), None) or shutil.which("psql")
    return found or pytest.skip("this machine has no psql")
