"""Make the programs reachable for the server's user: copied into the state folder if theirs is closed."""

import os
import shutil
import tempfile
from pathlib import Path

from pattern_sync.domain.errors import EmbeddedServerError
from pattern_sync.embedded.account import Account
from pattern_sync.embedded.binaries import WHEEL, PostgresBinaries
from pattern_sync.embedded.folder import StateFolder

# An installation's own folders; what else lies beside bin/ may be somebody's home.
_PARTS = ("bin", "lib", "share")
# Where the wheel's programs look for their libraries, seen from the installation: on Linux, on macOS.
_LIBRARIES = (f"../../{WHEEL}.libs", "../.dylibs")


def reachable(binaries: PostgresBinaries, account: Account, folder: StateFolder) -> PostgresBinaries:
    """Return programs that this user can run, copied where they must be. Raises EmbeddedServerError."""
    if not account.switch:
        return binaries
    chosen = _copied(binaries, folder.runtime) if _closed(binaries, account) else binaries
    tried = account.run([str(chosen.directory / "postgres"), "--version"])
    if tried.returncode:
        raise EmbeddedServerError(
            f"User {account.name!r} cannot run {chosen.directory / 'postgres'} ({tried.stdout.strip()}); is"
            f" that disk mounted noexec? Use another --data-dir than {folder.path}, install PostgreSQL from"
            " your distribution, or set PATTERN_SYNC_DATABASE_URL."
        )
    return chosen


def _closed(binaries: PostgresBinaries, account: Account) -> bool:
    # initdb needs all of them, and a strict umask at the installation closes each by itself.
    parts = (binaries.directory.parent / part for part in _PARTS)
    return account.first_closed(*filter(Path.is_dir, parts)) is not None


def _copied(binaries: PostgresBinaries, runtime: Path) -> PostgresBinaries:
    """Copy an installation once for each build of it, with the libraries where its programs look for them."""
    prefix = binaries.directory.parent
    build = (binaries.directory / "postgres").stat()
    home = runtime / f"{binaries.major}-{build.st_size}-{int(build.st_mtime)}"
    within = Path(prefix.parent.name, prefix.name)
    if not home.exists():
        # The caller holds the lock, so what lies here is an older build's or an interrupted copy.
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
    """Let every user read our copy, and run what its owner may run."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
