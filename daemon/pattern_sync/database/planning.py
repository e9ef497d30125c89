"""The steps of a migration, planned from the state of the database."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.definitions import Definitions, Migration
from pattern_sync.database.rows.overview import to_lacking_roles, to_schema_version
from pattern_sync.database.survey import (
    Application,
    OwnSchema,
    check_own_schema,
    check_ownership,
    check_publications,
    find_application,
)
from pattern_sync.database.version import SCHEMA_VERSION, check_version
from pattern_sync.domain.schema import SchemaVersion

CREATE_FUNCTIONS = "create the functions"


@dataclass(frozen=True, slots=True)
class Step:
    """One step that was or would be taken; `sql` is what psql would run for it.

    `enlarges`: it creates tables or columns, which a publication of all tables would include.
    """

    about: str
    sql: str
    enlarges: bool = False


def full_script(definitions: Definitions, *, with_application_tables: bool) -> Iterator[Step]:
    """Yield everything that a fresh installation runs, for a person who runs it manually."""
    if with_application_tables:
        yield Step("application_tables.sql", definitions.application_tables)
        yield Step("review_history.sql", definitions.review_history)
    for migration in definitions.migrations:
        yield Step(migration.name, migration.sql)
    yield Step("functions.sql", definitions.functions)
    yield Step("owner.sql", definitions.owner)
    yield Step("readers.sql", definitions.readers)
    yield Step("trigger.sql", definitions.trigger)


def grant_steps(database: BlockingDatabase) -> list[Step]:
    """Return what has to be granted to daemons' roles, to roles that write, and to the functions' owner."""
    daemons = [
        Step(f"grant the rights on what is new to the daemon's role {row['role']}", row["remedy"])
        for row in database.fetch("daemons_without_rights")
    ]
    writers = [
        Step(f"grant {role.lacks} to {role.role}, which {role.part}", role.remedy)
        for role in to_lacking_roles(database.fetch("writers_without_rights"))
    ]
    return [*daemons, *writers]


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """The state of the database, read with the application's schema as the search_path, and the steps from it."""

    database: BlockingDatabase
    definitions: Definitions
    application: Application
    own: OwnSchema
    tables: Mapping[str, bool]  # our existing tables, and whether this role may read them

    @classmethod
    def of(cls, database: BlockingDatabase, definitions: Definitions) -> "MigrationPlan":
        """Read the state of the database. Raises UnfitApplication and SchemaError if it cannot be served."""
        application = find_application(database)
        own = OwnSchema.read(database)
        check_own_schema(own)
        tables = {row["table_name"]: row["readable"] for row in database.fetch("own_tables")}
        return cls(database, definitions, application, own, tables)

    def steps(self, *, replicated: bool) -> list[Step]:
        """Return every step of a migration from here."""
        steps = self.schema_steps(replicated=replicated)
        # The functions of an older version check for that version's triggers.
        if steps or self.database.fetch("tables_without_trigger"):
            steps.append(Step("create the triggers that are missing", self.definitions.trigger))
        return [*steps, *grant_steps(self.database)]

    def schema_steps(self, *, replicated: bool) -> list[Step]:
        """Return the steps of the first transaction, after every check.

        Raises AccessRefused and UnfitApplication.
        """
        if not all(self.tables.values()):  # only the owner may see what is installed
            check_ownership(self.application, self.own)
        steps = self.lacking()
        if steps:
            check_ownership(self.application, self.own)
        if not replicated and any(step.enlarges for step in steps):
            check_publications(self.database)
        return steps

    def lacking(self) -> list[Step]:
        """Return the steps of the first transaction, whoever may take them."""
        steps = [*self._application_steps(), *self._table_steps()]
        # The version is not enough: a release may change a function and need no new table.
        if steps or self._recorded_fingerprint() != self.fingerprint():
            steps.append(Step(CREATE_FUNCTIONS, self.definitions.functions))
        return [*steps, *self._rights_steps(steps)]

    def remarks(self) -> list[str]:
        """Return, for a person, what would work better if the application, or this machine, were changed."""
        remarks = self.application.remarks()
        newest = self._installed_version().newest
        if newest > SCHEMA_VERSION:
            remarks.append(
                f"The schema has version {newest}, newer than this version's {SCHEMA_VERSION}; its functions are this"
                " version's now, with which newer daemons can work, too. To have the newer ones again, run the newer"
                " version's migrate."
            )
        return remarks

    @property
    def mends_functions(self) -> bool:
        """Return whether these functions were installed before, so that re-creating them mends them."""
        return self._recorded_fingerprint().startswith(self.definitions.functions_fingerprint(self.application.schema))

    def fingerprint(self) -> str:
        """Return the fingerprint of intact functions: a digest of the files and one of the objects in the database."""
        inventory = "\n".join(f"{thing} {digest}" for thing, digest in self.inventory().items())
        present = hashlib.md5(inventory.encode(), usedforsecurity=False).hexdigest()
        return f"{self.definitions.functions_fingerprint(self.application.schema)} {present}"

    def inventory(self) -> dict[str, str]:
        """Return the objects that functions.sql created, each with a digest."""
        rows = self.database.fetch("inventory", self.definitions.own_functions)
        return {row["thing"]: row["digest"] for row in rows}

    def _application_steps(self) -> list[Step]:
        tables, history = self.definitions.application_tables, self.definitions.review_history
        if self.application.fresh:
            return [Step("create the application's tables", f"{tables}\n{history}", enlarges=True)]
        if self.application.lacks_history:
            return [Step("create pattern_review_history, which uninstall keeps", history, enlarges=True)]
        return []

    def _table_steps(self) -> list[Step]:
        installed = self._installed_version()
        if installed.newest > SCHEMA_VERSION:
            check_version(installed)
        steps = [
            step
            for migration in self.definitions.migrations
            for step in self._steps_of(migration, installed=installed.newest)
        ]
        if "settings" in self.tables and not self.database.fetch("filter_is_there")[0]["present"]:
            sql = "INSERT INTO pattern_sync.settings DEFAULT VALUES;"
            steps.append(Step("restore the lost filter as the default one", sql))
        return steps

    def _steps_of(self, migration: Migration, *, installed: int) -> Iterator[Step]:
        applied = migration.version <= installed
        missing = [table for table in migration.tables if table not in self.tables]
        begun = len(missing) < len(migration.tables) or (migration.creates_schema and self.own.there)
        # A table that is created anew lacks the columns that later migrations gave it.
        narrowed = [table for table in (*migration.widened, *migration.indexed) if table not in self.tables]
        if not applied and not begun:
            yield Step(f"apply {migration.name}", migration.sql, enlarges=migration.enlarges)
        elif lost := [*missing, *narrowed]:
            remainder = migration.remainder(lost, applied=applied)
            yield Step(f"mend {migration.name}: {', '.join(lost)}", remainder, enlarges=True)
        elif not applied:
            yield Step(f"mend {migration.name}", migration.remainder([], applied=False), enlarges=False)

    def _rights_steps(self, before: list[Step]) -> Iterator[Step]:
        tables, functions = self.definitions.own_tables, self.definitions.own_functions
        schema, owner = self.application.schema, self.application.owner
        if owner is None:
            return
        makes_own = bool(before) and owner != self.own.role
        if makes_own or self.database.fetch("wrongly_owned", tables, functions, schema)[0]["found"]:
            yield Step(f"give the schema pattern_sync to {owner}, the owner of the tables", self.definitions.owner)
        readers = [row["role"] for row in self.database.fetch("readers_without_grants", schema, tables)]
        if readers:
            yield Step(
                f"grant SELECT on our tables to the readers of the application's: {', '.join(readers)}",
                self.definitions.readers,
            )

    def _installed_version(self) -> SchemaVersion:
        if "migrations" not in self.tables:
            return SchemaVersion(0, 0)
        return to_schema_version(self.database.fetch("schema_version"))

    def _recorded_fingerprint(self) -> str:
        rows = self.database.fetch("installed_functions") if "migrations" in self.tables else []
        return str(rows[0]["functions_md5"]) if rows else ""
