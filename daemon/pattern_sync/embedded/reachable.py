"""Make PostgreSQL's programs reachable for the server's user: copy them into the state folder if needed."""

import os
import shutil
import tempfile
from pathlib import Path

from pattern_sync.domain.errors import EmbeddedServerError
from pattern_sync.embedded.account import Account
from pattern_sync.embedded.binaries import WHEEL, PostgresBinaries
from pattern_sync.embedded.folder import StateFolder

# An installation's own folders. Copy no others: whatever else lies beside bin/ may be somebody's home.
_PARTS = ("bin", "lib", "share")
# Where the wheel's programs look for their libraries, relative to the installation: on Linux, on macOS.
_LIBRARIES = (f"../../{WHEEL}.libs", "../.dylibs")


def reachable(binaries: PostgresBinaries, account: Account, folder: StateFolder) -> PostgresBinaries:
    """Return programs that this user can run, copied if needed. Raises EmbeddedServerError."""
    if not account.switch:
        return binaries
    chosen = _copied(binaries, folder.runtime) if _closed(binaries, account) else binaries
    tried = account.run([str(chosen.directory / "postgres"), "--version"])
    if tried.returncode:
        raise EmbeddedServerError(
            f"User {account.name!r} cannot run {chosen.directory / 'postgres'} ({tried.stdout.strip()}). If"
            f" that disk is mounted noexec, use another --data-dir than {folder.path}; else install PostgreSQL"
            " from your distribution, or set PATTERN_SYNC_DATABASE_URL."
        )
    return chosen


def _closed(binaries: PostgresBinaries, account: Account) -> bool:
    # initdb needs all of them, and a strict umask during the installation may have closed any one.
    parts = (binaries.directory.parent / part for part in _PARTS)
    return account.first_closed(*filter(Path.is_dir, parts)) is not None


def _copied(binaries: PostgresBinaries, runtime: Path) -> PostgresBinaries:
    """Copy each build of an installation once, with the libraries where its programs look for them."""
    prefix = binaries.directory.parent
    build = (binaries.directory / "postgres").stat()
    home = runtime / f"{binaries.major}-{build.st_size}-{int(build.st_mtime)}"
    within = Path(prefix.parent.name, prefix.name)
    if not home.exists():
        # The caller holds the lock, so whatever is here is a copy of an older build or an interrupted copy.
        shutil.rmtree(runtime, ignore_errors=True)
        StateFolder(runtime).create()
        unfinished = Path(tempfile.mkdtemp(dir=runtime))
        for part in (*_PARTS, *_LIBRARIES):
            if (prefix / part).is_dir():
                shutil.copytree(prefix / part, os.path.normpath(unfinished / within / part))
        _open_to_all(unfinished)
        unfinished.rename(home)
    return PostgresBinaries(home / within / "bin", binaries.major)


def _open_to_all(folder: Path) -> None:
    """Let every user read our copy, and run the files that its owner may run."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
