"""The real command, as a process with a chosen environment."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.support.program import Start, start

# No .env file lies here.
QUIET_FOLDER = Path(__file__).parent
DEADLINE_SECONDS = 60.0
# Variables that a service manager or a developer's shell would add.
_FOREIGN = ("PATTERN_SYNC_", "NOTIFY_", "WATCHDOG_", "CREDENTIALS_", "PG")


def environment(**settings: str) -> dict[str, str]:
    """Return our environment with no settings but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    # A wide terminal, so that no message is cut or folded.
    # And a port of its own: another daemon may run on this machine.
    return {**kept, "COLUMNS": "200", "PYTHONUNBUFFERED": "1", "PATTERN_SYNC_HTTP_PORT": "0", **settings}


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - whatever the command prints
        return json.loads(self.out)

    def check_manners(self) -> None:
        assert "Traceback" not in self.err + self.out, self.err


def run_command(
    *arguments: str,
    cwd: Path = QUIET_FOLDER,
    environ: Mapping[str, str] | None = None,
    fresh: bool = False,
    out: int | None = None,
    **settings: str,
) -> Finished:
    """Run one command to its end; `environ` is for names that are computed, `fresh` for an interpreter of its own.

    With `out`, a file descriptor, nothing that it prints is returned.
    """
    wanted = environment(**settings, **(environ or {}))
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as err:
        output = printed.fileno() if out is None else out
        process = start(Start(arguments, wanted, cwd, fresh=fresh), out=output, err=err.fileno())
        try:
            code = process.wait(DEADLINE_SECONDS)
        finally:
            process.kill()
        finished = Finished(code, _written(printed), _written(err))
    finished.check_manners()
    return finished


def _written(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
