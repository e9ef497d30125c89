"""A released version as a program: its source from this repository's history, run with this environment's libraries."""

import os
import subprocess
import tarfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.command import Finished, run_command
from tests.support.lived_in import documented_rights

ROOT = Path(__file__).parents[2]
# The version whose daemons run when this one's `migrate` comes.
RELEASED_COMMIT = "15032954992e8d6866008865a3129d93904e2020"
_WANTED = ("daemon", "sql", "docs/operate.md", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class ReleasedProgram:
    """The source of one version in a folder of its own."""

    folder: Path

    @property
    def path(self) -> str:
        """Return the PYTHONPATH with which `python -m pattern_sync` is that version."""
        return str(self.folder / "daemon")

    @property
    def rights(self) -> Sequence[str]:
        """Return the rights that its documentation gives the daemon's role."""
        return documented_rights(self.folder / "docs" / "operate.md")

    def command(self, *arguments: str, url: str) -> Finished:
        """Run one command of that version."""
        return run_command(*arguments, fresh=True, PYTHONPATH=self.path, PATTERN_SYNC_DATABASE_URL=url)


def unpack_released(folder: Path) -> ReleasedProgram:
    """Take the source out of the history; skips where there is none, as in a source distribution or a shallow clone."""
    try:
        packed = subprocess.run(
            ["git", "archive", RELEASED_COMMIT, *_WANTED], cwd=ROOT, check=True, capture_output=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        reason = f"the history of this repository, with the released version {RELEASED_COMMIT[:7]}, is not here"
        assert not os.environ.get("TEST_REQUIRE_RELEASED"), reason
        pytest.skip(reason)
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    version = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    # What the program reads its version from; it comes before this environment's.
    metadata = folder / "daemon" / f"pattern_sync-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.4\nName: pattern-sync\nVersion: {version}\n", encoding="utf-8")
    return ReleasedProgram(folder)
