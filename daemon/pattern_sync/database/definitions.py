"""The SQL files that are installed into the database."""

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pattern_sync.database.comments import comments_on

_OWN_TABLE = re.compile(r"^CREATE TABLE pattern_sync\.(\w+)", re.MULTILINE)
# Includes functions that another function creates from a text.
_OWN_FUNCTION = re.compile(r"CREATE OR REPLACE (?:FUNCTION|PROCEDURE) pattern_sync\.(\w+)")
# A part of one table, created with it: an index, the first row.
_PART = re.compile(r"^(?:CREATE (?:UNIQUE )?INDEX \w+ ON|INSERT INTO|ALTER TABLE) pattern_sync\.(\w+)", re.MULTILINE)
_INDEX = re.compile(r"^CREATE (?:UNIQUE )?INDEX \w+ ON pattern_sync\.(\w+)", re.MULTILINE)
_OWN_SCHEMA = re.compile(r"^CREATE SCHEMA pattern_sync\b", re.MULTILINE)
_NEW_COLUMN = re.compile(r"^ALTER TABLE pattern_sync\.(\w+) ADD COLUMN", re.MULTILINE)
_APPLIED = re.compile(r"^(?:INSERT INTO|UPDATE) pattern_sync\.migrations\b", re.MULTILINE)
# In this order: a function needs those before it.
_FUNCTION_FILES = (
    *("functions", "reconcile", "evidence", "learning", "finding", "rules", "deciding"),
    *("telling", "detecting", "roi"),
)
# Functions of former releases: where they still exist, they are ours.
_FORMER_FUNCTIONS = frozenset(
    (
        *("qualifies", "eligible", "figure", "impact", "moment", "send", "notify", "request", "decide"),
        *("entry_confidence", "entry_occurrences", "entry_savings", "tell_changes"),
        *("announce", "announce_pattern", "announce_entries", "announce_settings"),
        *("matters", "missing_triggers", "tables_without_trigger", "install_trigger"),
    )
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step, which never changes after its release."""

    version: int
    name: str
    sql: str

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the names of the tables that it creates in our schema."""
        return tuple(_OWN_TABLE.findall(self.sql))

    @property
    def widened(self) -> tuple[str, ...]:
        """Return the names of the tables in our schema that get a column from it."""
        return tuple(dict.fromkeys(_NEW_COLUMN.findall(self.sql)))

    @property
    def indexed(self) -> tuple[str, ...]:
        """Return the names of the tables of earlier migrations that get an index from it."""
        return tuple(table for table in dict.fromkeys(_INDEX.findall(self.sql)) if table not in self.tables)

    @property
    def enlarges(self) -> bool:
        """Return whether it creates tables or columns, which a publication of all tables would include."""
        return bool(self.tables or self.widened)

    @property
    def creates_schema(self) -> bool:
        """Return whether it creates the schema itself."""
        return _OWN_SCHEMA.search(self.sql) is not None

    def remainder(self, missing: Collection[str], *, applied: bool) -> str:
        """Return the statements that are left to run if part of the migration exists.

        These create the `missing` tables, their parts and their later columns; the other statements are included unless
        `applied`.
        """
        return "\n".join(
            statement for statement in split_statements(self.sql) if _is_left(statement, missing, applied=applied)
        )


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything under sql/, as text that psql can run; the functions are followed by a COMMENT ON each object."""

    application_tables: str
    review_history: str
    migrations: tuple[Migration, ...]
    functions: str
    owner: str
    readers: str
    roles: str
    trigger: str
    uninstall: str

    @property
    def own_tables(self) -> list[str]:
        """Return the names of the tables in our schema."""
        return [table for migration in self.migrations for table in migration.tables]

    @property
    def own_functions(self) -> list[str]:
        """Return the names of the functions in our schema, those of former releases included."""
        return sorted(_FORMER_FUNCTIONS.union(_OWN_FUNCTION.findall(self.functions)))

    def functions_fingerprint(self, schema: str) -> str:
        """Return a digest of these functions for the schema that they search."""
        return hashlib.md5(f"{schema}\n{self.functions}".encode(), usedforsecurity=False).hexdigest()


def load_definitions() -> Definitions:
    """Read the SQL files of the package, or of the checkout in an editable installation."""
    folder = _folder()
    names = sorted(entry.name for entry in (folder / "migrations").iterdir() if entry.name.endswith(".sql"))
    migrations = tuple(
        Migration(int(name[:4]), f"migrations/{name}", _read(folder / "migrations" / name)) for name in names
    )
    functions = "".join(_read(folder / f"{name}.sql") for name in _FUNCTION_FILES)
    return Definitions(
        application_tables=_read(folder / "application_tables.sql"),
        review_history=_read(folder / "review_history.sql"),
        migrations=migrations,
        functions=functions + _comments(functions, *(migration.sql for migration in migrations)),
        owner=_read(folder / "owner.sql"),
        readers=_read(folder / "readers.sql"),
        roles=_read(folder / "roles.sql"),
        trigger=_read(folder / "trigger.sql"),
        uninstall=_read(folder / "uninstall.sql"),
    )


def split_statements(script: str) -> Iterator[str]:
    """Yield the statements of a file of sql/ with the comments before them; each ends with a line that ends in `;`."""
    lines: list[str] = []
    quoted = False
    for line in script.splitlines():
        lines.append(line)
        quoted ^= line.count("$$") % 2 == 1
        if not quoted and line.endswith(";") and not line.lstrip().startswith("--"):
            yield "\n".join(lines)
            lines.clear()


def _comments(*scripts: str) -> str:
    made = [comment for script in scripts for comment in comments_on(split_statements(script))]
    return "\n".join(["", *made, ""])


def _is_left(statement: str, missing: Collection[str], *, applied: bool) -> bool:
    if _OWN_SCHEMA.search(statement):
        return False
    if _APPLIED.search(statement):
        return not applied
    if widened := _NEW_COLUMN.search(statement):
        return not applied or widened[1] in missing
    if named := _OWN_TABLE.search(statement) or _PART.search(statement):
        return named[1] in missing
    return not applied or any(f"pattern_sync.{table}" in statement for table in missing)


def _folder() -> Traversable:
    packaged = files("pattern_sync") / "sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "sql"


def _read(file: Traversable) -> str:
    return file.read_text(encoding="utf-8")
