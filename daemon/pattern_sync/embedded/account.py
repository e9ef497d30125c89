"""The user that runs the server: PostgreSQL refuses root, so root must switch to another user."""

import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pattern_sync.domain.errors import EmbeddedServerError
from pattern_sync.embedded import launch

_CANDIDATES = ("postgres", "nobody")
# Only these variables: others may hold secrets, and PGDATA or PGOPTIONS would change what the server does.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ")
_FIRST_CLOSED = 'for folder; do [ -x "$folder" ] || { printf %s "$folder"; exit 0; }; done'


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the server's processes run as; `switch` is True if that is not the current user."""

    name: str
    uid: int
    gid: int
    switch: bool

    def command(self, arguments: list[str]) -> list[str]:
        """Wrap a command line so that it runs as this user and ends with the thread that starts it."""
        return _launch(arguments, self.uid, self.gid) if self.switch else ends_with_us(arguments)

    def run(self, arguments: list[str], *, deadline_seconds: float = 10.0) -> subprocess.CompletedProcess[str]:
        """Run a program to its end and return its exit code and output. Raises EmbeddedServerError at the deadline."""
        try:
            return subprocess.run(  # noqa: S603 - the arguments are ours
                self.command(arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                env=environment(),
                cwd="/",  # that user may not be able to enter ours
                start_new_session=True,
                timeout=deadline_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EmbeddedServerError(
                f"{arguments[0]} did not finish within {deadline_seconds:.0f} s. Check the load of the disk and the"
                " machine and try again, or set PATTERN_SYNC_DATABASE_URL."
            ) from error

    def first_closed(self, *folders: Path) -> Path | None:
        """Return the topmost folder on these paths that this user may not enter; None if all are open.

        A process of that user tests each folder: permission bits alone do not show access control lists.
        """
        steps = [str(step) for folder in folders for step in (*reversed(folder.parents), folder)]
        found = self.run(["/bin/sh", "-c", _FIRST_CLOSED, "sh", *steps])
        if found.returncode:
            raise EmbeddedServerError(
                f"Cannot run a program as user {self.name!r} ({found.stdout.strip()}). Start Pattern Sync as"
                " an ordinary user, or set PATTERN_SYNC_DATABASE_URL."
            )
        return Path(found.stdout) if found.stdout else None


def ends_with_us(arguments: list[str]) -> list[str]:
    """Wrap a command line so that it gets SIGINT when the thread that starts it ends for any reason; Linux only."""
    return _launch(arguments, launch.UNCHANGED, launch.UNCHANGED)


def _launch(arguments: list[str], uid: int, gid: int) -> list[str]:
    # -S and -I: neither site-packages nor the environment's Python settings may slow or change the start.
    starter = [sys.executable, "-I", "-S", launch.__file__]
    return [*starter, str(os.getpid()), str(uid), str(gid), *arguments]


def environment() -> dict[str, str]:
    """Build the environment of the server's programs: no secrets, and messages in English."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed_on, "LC_ALL": "C"}


def account_for(pgdata: Path) -> Account:
    """Choose the server's user: the current user, or for root the owner of the data, `postgres` or `nobody`."""
    current = os.geteuid()
    data = pgdata.stat() if pgdata.exists() else None
    if current != 0:
        if data and data.st_uid != current:
            raise EmbeddedServerError(
                f"{pgdata} belongs to user {_name(data.st_uid)!r}, and PostgreSQL runs only as the"
                " owner of its data. Start Pattern Sync as that user, or use another --data-dir."
            )
        return Account(_name(current), current, os.getegid(), switch=False)
    if data is None:
        return _unprivileged()
    if data.st_uid == 0:
        raise EmbeddedServerError(
            f"{pgdata} belongs to root, and PostgreSQL refuses to run as root. Give it to another user"
            f" (chown -R nobody {pgdata}), or use another --data-dir."
        )
    # An account `postgres` that was added later must not lock us out of data that `nobody` owns.
    return Account(_name(data.st_uid), data.st_uid, data.st_gid, switch=True)


def _unprivileged() -> Account:
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid, switch=True)
    raise EmbeddedServerError(
        "PostgreSQL refuses to run as root, and neither 'postgres' nor 'nobody' exists as a user. Start"
        " Pattern Sync as an ordinary user, or set PATTERN_SYNC_DATABASE_URL."
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
