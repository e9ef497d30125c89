"""Prometheus's own checker."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def promtool(*arguments: str, given: bytes = b"", cwd: Path | None = None) -> str:
    """Run promtool, which has to be content, and return its words; skip the test where it is missing."""
    program = shutil.which("promtool")
    if program is None:
        missing = "no promtool here; install the distribution's package `prometheus`"
        if os.environ.get("TEST_REQUIRE_PROMTOOL"):
            pytest.fail(missing)
        pytest.skip(missing)
    done = subprocess.run([program, *arguments], input=given, capture_output=True, cwd=cwd, check=False, timeout=60)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said
