"""Installs, mends and removes Pattern Sync: safe beside live traffic, and twenty times at once."""

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import psycopg

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.definitions import Definitions, Migration, load_definitions
from pattern_sync.database.survey import (
    Application,
    OwnSchema,
    check_own_schema,
    check_ownership,
    check_publications,
    find_application,
)
from pattern_sync.database.version import SCHEMA_VERSION, check_version
from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import (
    AccessRefused,
    DatabaseUnavailable,
    SchemaError,
    SchemaMissing,
    StatementFailed,
    TransactionConflict,
    UnfitApplication,
)

# A lock that is not had in this time is given up: the detector's statements queue up behind whoever waits for one.
LOCK_TIMEOUT_MS = 200
INSTALLERS_TIMEOUT_MS = 20_000
PATIENCE_SECONDS = 120.0
CREATE_FUNCTIONS = "create the functions"

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done or would be; `sql` is what psql would run for it."""

    about: str
    sql: str
    creates_tables: bool = False


class Installer:
    """Migrates one database to this version's schema, mends what is broken of it, or takes it away."""

    def __init__(self, address: DatabaseAddress) -> None:
        self._address = address
        self._definitions = load_definitions()

    def plan(self, *, replicated: bool = False) -> list[Step]:
        """Return what migrate would do now; changes nothing."""
        with BlockingDatabase.connect(self._address) as database, database.transaction(read_only=True):
            return _Look.take(database, self._definitions).plan(replicated=replicated)

    def migrate(self, *, replicated: bool = False) -> list[Step]:
        """Install, upgrade or mend; returns what was done, nothing where all was as it should be.

        `replicated`: our tables are on every subscriber of the publications that they will enter.

        Raises UnfitApplication, SchemaError and AccessRefused before anything is changed, SchemaTooNew, and
        DatabaseUnavailable when a lock could not be had for two minutes.
        """
        with BlockingDatabase.connect(self._address) as database:
            done = _persist(lambda: self._migrate_schema(database, replicated=replicated))
            # Each table by itself: CREATE TRIGGER holds up the writers until its transaction ends.
            while step := _persist(lambda: self._install_next_trigger(database)):
                if step in done:
                    raise SchemaError(f"To {step.about} did not help: it is as it was.")
                done.append(step)
        return done

    def remarks(self) -> list[str]:
        """Return what of the application works less well with us than it could, for a person."""
        with BlockingDatabase.connect(self._address) as database, database.transaction(read_only=True):
            return find_application(database).remarks()

    def uninstall(self, *, dry_run: bool = False, cascade: bool = False) -> list[Step]:
        """Take away our schema and triggers, nothing else; returns what was (or would be) done.

        Raises SchemaError where the schema is not ours, or where things that are not ours would go with it, unless that
        is asked for by `cascade`; AccessRefused where it is another role's.
        """
        with BlockingDatabase.connect(self._address) as database:
            if not _persist(lambda: self._uninstall(database, dry_run=dry_run, cascade=cascade)):
                return []
        return [Step("remove the schema pattern_sync and its triggers", self._definitions.uninstall)]

    def _migrate_schema(self, database: BlockingDatabase, *, replicated: bool) -> list[Step]:
        with database.transaction():
            _lock(database)
            look = _Look.take(database, self._definitions)
            steps = look.schema_steps(replicated=replicated)
            before, mends = look.inventory(), look.mends_functions
            for step in steps:
                _run(database, step)
            if not any(step.about == CREATE_FUNCTIONS for step in steps):
                return steps
            database.fetch("record_functions", look.fingerprint())
            if not mends:
                return steps
            return [
                _mended(step, before, look.inventory()) if step.about == CREATE_FUNCTIONS else step for step in steps
            ]

    def _install_next_trigger(self, database: BlockingDatabase) -> Step | None:
        with database.transaction():
            _lock(database)
            find_application(database)
            lacking = database.fetch("tables_without_trigger")
            if not lacking:
                return None
            table = lacking[0]["relation"]
            database.fetch("install_trigger", table)
        return Step(f"create the triggers on {table}", "")

    def _uninstall(self, database: BlockingDatabase, *, dry_run: bool, cascade: bool) -> bool:
        with database.transaction(read_only=dry_run):
            if not dry_run:
                _lock(database)
            own = OwnSchema.read(database)
            if not own.there:
                return False
            if not own.ours:
                raise SchemaError(
                    f"The schema pattern_sync in this database is not Pattern Sync's (it belongs to {own.owner});"
                    " it was left as it is."
                )
            if not own.owned:
                raise AccessRefused(
                    f"The schema pattern_sync belongs to {own.owner}, and this role is {own.role}."
                    f" Connect as {own.owner} or as a superuser. Nothing was removed."
                )
            if not cascade:
                self._refuse_foreign(database)
            if not dry_run:
                database.run_script(self._definitions.uninstall)
        return True

    def _refuse_foreign(self, database: BlockingDatabase) -> None:
        definitions = self._definitions
        found = database.fetch("foreign_objects", definitions.own_tables, definitions.own_functions)
        if found:
            names = ", ".join(row["described"] for row in found)
            raise SchemaError(
                f"This is not Pattern Sync's and would go with it: {names}. Nothing was removed."
                " Move or drop it first, or let it go as well: pattern-sync uninstall --cascade"
            )


def full_script(definitions: Definitions, *, with_application_tables: bool) -> Iterator[Step]:
    """Yield everything that a fresh installation runs, for a person who runs it by hand."""
    if with_application_tables:
        yield Step("application_tables.sql", definitions.application_tables)
        yield Step("review_history.sql", definitions.review_history)
    for migration in definitions.migrations:
        yield Step(migration.name, migration.sql)
    yield Step("functions.sql", definitions.functions)
    yield Step("owner.sql", definitions.owner)
    yield Step("readers.sql", definitions.readers)
    yield Step("trigger.sql", definitions.trigger)


@dataclass(frozen=True, slots=True)
class _Look:
    """The database as it was found, in a transaction that is pointed at the application's schema."""

    database: BlockingDatabase
    definitions: Definitions
    application: Application
    own: OwnSchema
    tables: Mapping[str, bool]  # ours that are there, and whether this role may read them

    @classmethod
    def take(cls, database: BlockingDatabase, definitions: Definitions) -> "_Look":
        """Look once. Raises UnfitApplication and SchemaError for what cannot be served."""
        application = find_application(database)
        own = OwnSchema.read(database)
        check_own_schema(own)
        tables = {row["table_name"]: row["readable"] for row in database.fetch("own_tables")}
        return cls(database, definitions, application, own, tables)

    def plan(self, *, replicated: bool) -> list[Step]:
        """Return every step of a migration from here."""
        steps = self.schema_steps(replicated=replicated)
        # The functions of an older version do not know which triggers this one wants.
        if steps or self.database.fetch("tables_without_trigger"):
            steps.append(Step("create the triggers that are missing", self.definitions.trigger))
        return steps

    def schema_steps(self, *, replicated: bool) -> list[Step]:
        """Return the steps of its first transaction, after all that would speak against them."""
        if not all(self.tables.values()):  # what is installed is the owner's to know
            check_ownership(self.application, self.own)
        steps = [*self._application_steps(), *self._table_steps()]
        # The version alone does not tell: a release may mend a function and need no new table.
        if steps or self._recorded_fingerprint() != self.fingerprint():
            steps.append(Step(CREATE_FUNCTIONS, self.definitions.functions))
        steps += self._rights_steps(steps)
        if steps:
            check_ownership(self.application, self.own)
        if not replicated and any(step.creates_tables for step in steps):
            check_publications(self.database)
        return steps

    @property
    def mends_functions(self) -> bool:
        """Return whether the functions were these before, by what was recorded, and are not as they were made."""
        return self._recorded_fingerprint().startswith(self.definitions.functions_fingerprint(self.application.schema))

    def fingerprint(self) -> str:
        """Return what tells functions that are as they should be from others: the file, and what is in the database."""
        inventory = "\n".join(f"{thing} {digest}" for thing, digest in self.inventory().items())
        present = hashlib.md5(inventory.encode(), usedforsecurity=False).hexdigest()
        return f"{self.definitions.functions_fingerprint(self.application.schema)} {present}"

    def inventory(self) -> dict[str, str]:
        """Return what functions.sql has made, by name, each with a digest of it."""
        rows = self.database.fetch("inventory", self.definitions.own_functions)
        return {row["thing"]: row["digest"] for row in rows}

    def _application_steps(self) -> list[Step]:
        tables, history = self.definitions.application_tables, self.definitions.review_history
        if self.application.fresh:
            return [Step("create the application's tables", f"{tables}\n{history}", creates_tables=True)]
        if self.application.lacks_history:
            return [Step("create pattern_review_history, which uninstall leaves", history, creates_tables=True)]
        return []

    def _table_steps(self) -> list[Step]:
        installed = self._installed_version()
        if installed > SCHEMA_VERSION:
            check_version(installed)
        steps = [
            step for migration in self.definitions.migrations for step in self._steps_of(migration, installed=installed)
        ]
        if "settings" in self.tables and not self.database.fetch("filter_is_there")[0]["present"]:
            sql = "INSERT INTO pattern_sync.settings DEFAULT VALUES;"
            steps.append(Step("put back the filter that was lost: the default one", sql))
        return steps

    def _steps_of(self, migration: Migration, *, installed: int) -> Iterator[Step]:
        applied = migration.version <= installed
        missing = [table for table in migration.tables if table not in self.tables]
        begun = len(missing) < len(migration.tables) or (migration.creates_schema and self.own.there)
        if not applied and not begun:
            yield Step(f"apply {migration.name}", migration.sql, creates_tables=bool(missing))
        elif not applied or missing:
            lost = f": {', '.join(missing)}" if missing else ""
            remainder = migration.remainder(missing, applied=applied)
            yield Step(f"mend {migration.name}{lost}", remainder, creates_tables=bool(missing))

    def _rights_steps(self, before: list[Step]) -> Iterator[Step]:
        tables, functions = self.definitions.own_tables, self.definitions.own_functions
        schema, owner = self.application.schema, self.application.owner
        if owner is None:
            return
        makes_own = bool(before) and owner != self.own.role
        if makes_own or self.database.fetch("not_the_owners", tables, functions, schema)[0]["found"]:
            yield Step(f"give the schema pattern_sync to {owner}, whose the tables are", self.definitions.owner)
        readers = [row["role"] for row in self.database.fetch("readers_in_want", schema, tables)]
        if readers:
            yield Step(
                f"let those who read the application's tables read ours: {', '.join(readers)}", self.definitions.readers
            )

    def _installed_version(self) -> int:
        if "migrations" not in self.tables:
            return 0
        return int(self.database.fetch("schema_version")[0]["version"])

    def _recorded_fingerprint(self) -> str:
        rows = self.database.fetch("installed_functions") if "migrations" in self.tables else []
        return str(rows[0]["functions_md5"]) if rows else ""


def _run(database: BlockingDatabase, step: Step) -> None:
    """Run a step. Raises UnfitApplication with the server's words."""
    try:
        database.run_script(step.sql)
    except psycopg.errors.InternalError_ as fault:
        # "tuple concurrently updated": a daemon has just created a function anew, for another filter.
        raise TransactionConflict(str(fault)) from fault
    except (psycopg.Error, SchemaMissing, StatementFailed) as fault:
        words = " ".join(str(fault.__cause__ or fault).split())
        raise UnfitApplication(f"The server refused to {step.about}: {words}. Nothing was changed.") from fault


def _mended(step: Step, before: Mapping[str, str], after: Mapping[str, str]) -> Step:
    """Return the step with what of the functions it has mended."""
    names = sorted(thing for thing in {*before, *after} if before.get(thing) != after.get(thing))
    return replace(step, about=f"{step.about}, which mended: {'; '.join(names)}") if names else step


def _lock(database: BlockingDatabase) -> None:
    database.fetch("set_lock_timeout", str(INSTALLERS_TIMEOUT_MS))
    database.fetch("lock_installation")
    database.fetch("set_lock_timeout", str(LOCK_TIMEOUT_MS))


def _persist(attempt: Callable[[], Done]) -> Done:
    """Try again after a lock that was not to be had: the writers go first."""
    backoff = Backoff(random.random, base_seconds=0.1, cap_seconds=2.0)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return attempt()
        except TransactionConflict as fault:
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    f"A lock on the application's tables could not be had for {PATIENCE_SECONDS:.0f} seconds; a long"
                    f" transaction holds it. Nothing was changed half-way; try again later. ({fault})"
                ) from fault
            time.sleep(backoff.next_delay_seconds())
