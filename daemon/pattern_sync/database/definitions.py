"""The SQL files that are installed into the database."""

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step, never changed once it was released."""

    version: int
    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything under sql/, as text that psql can run."""

    application_tables: str
    migrations: tuple[Migration, ...]
    functions: str
    trigger: str
    uninstall: str


def load_definitions() -> Definitions:
    """Read the SQL files of the package, or of the checkout in an editable installation."""
    folder = _folder()
    names = sorted(entry.name for entry in (folder / "migrations").iterdir() if entry.name.endswith(".sql"))
    return Definitions(
        application_tables=_read(folder / "application_tables.sql"),
        migrations=tuple(
            Migration(int(name[:4]), f"migrations/{name}", _read(folder / "migrations" / name)) for name in names
        ),
        functions=_read(folder / "functions.sql") + _read(folder / "reconcile.sql"),
        trigger=_read(folder / "trigger.sql"),
        uninstall=_read(folder / "uninstall.sql"),
    )


def _folder() -> Traversable:
    packaged = files("pattern_sync") / "sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "sql"


def _read(file: Traversable) -> str:
    return file.read_text(encoding="utf-8")
