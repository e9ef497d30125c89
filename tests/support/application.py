"""An application with tables of its own, as it was before Pattern Sync, and dumps of a database."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import all_binaries
from tests.support.database import TestDatabase

GOLDEN = Path(__file__).parents[1] / "golden"
APPLICATION_TABLES = GOLDEN / "application_tables.sql"
# New in every dump, or different between versions without a meaning.
_NOISE = re.compile(r"^(--.*|\\(un)?restrict .*|SET .*;|SELECT pg_catalog\.set_config\(.*)$")


def adopt(database: TestDatabase, schema: str | None = None) -> None:
    """Create the tables as an existing application has them, with a row in each of the two that matter."""
    with database.another_connection() as connection:
        if schema:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
            connection.execute(f"SET search_path = {schema}".encode())
        connection.execute(APPLICATION_TABLES.read_bytes())
        connection.execute("INSERT INTO operation_patterns (pattern_signature, pattern_type) VALUES ('old', 'x')")
        connection.execute(
            "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count,"
            " estimated_savings_usd, tool_sequence) VALUES ('gone', 'rejected', 0.5, 1, 1, 'x')"
        )


def installer(database: TestDatabase, parameters: str = "") -> Installer:
    """Return the installer for a database; `parameters` go into the URL."""
    url = database.url
    if parameters:
        url += ("&" if "?" in url else "?") + parameters
    return Installer(DatabaseAddress.parse(url))


def abouts(database: TestDatabase) -> list[str]:
    """Migrate, and return what was done."""
    return [step.about for step in installer(database).migrate()]


def dump(database: TestDatabase, *options: str) -> str:
    """Return the output of pg_dump for a database, without what differs from dump to dump."""
    done = subprocess.run(
        [server_program(server_major(database), "pg_dump"), f"--dbname={database.url}", "--no-owner", *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.strip() and not _NOISE.match(line)]
    return "\n".join(lines) + "\n"


def server_major(database: TestDatabase) -> int:
    return int(database.execute("SELECT current_setting('server_version_num')::int / 10000 AS major")[0]["major"])


@functools.cache  # every server here is probed for its version
def server_program(wanted: int, name: str) -> str:
    """Return a client program that is not older than a server's major version; skips where there is none."""
    # The oldest that is new enough: its output about this server changes least.
    for binaries in sorted(all_binaries(), key=lambda each: each.major):
        program = binaries.directory / name
        if binaries.major >= wanted and program.is_file():
            return str(program)
    if program_on_path := shutil.which(name):
        shown = subprocess.run([program_on_path, "--version"], capture_output=True, text=True, check=True).stdout
        version = re.search(r"\) (\d+)", shown)
        if version and int(version[1]) >= wanted:
            return program_on_path
    pytest.skip(f"no {name} for a server of version {wanted}")
