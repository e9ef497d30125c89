"""Installs, mends and removes Pattern Sync, safely beside live traffic and other installers."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import psycopg

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.definitions import load_definitions
from pattern_sync.database.planning import CREATE_FUNCTIONS, MigrationPlan, Step, grant_steps
from pattern_sync.database.survey import OwnSchema, find_application
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

# No lock is waited for longer: the detector's statements queue up behind whoever waits for one.
LOCK_TIMEOUT_MS = 200
INSTALLERS_TIMEOUT_MS = 20_000
PATIENCE_SECONDS = 120.0

Done = TypeVar("Done")


class Installer:
    """Migrates one database to this version's schema, mends the schema, or removes it."""

    def __init__(self, address: DatabaseAddress) -> None:
        self._address = address
        self._definitions = load_definitions()

    def plan(self, *, replicated: bool = False) -> list[Step]:
        """Return the steps that migrate would take now; changes nothing."""
        with BlockingDatabase.connect(self._address) as database, database.transaction(read_only=True):
            return MigrationPlan.of(database, self._definitions).steps(replicated=replicated)

    def migrate(self, *, replicated: bool = False) -> list[Step]:
        """Install, upgrade or mend; returns the steps taken, none if there was nothing to do.

        `replicated`: our tables exist on every subscriber of the publications that they will enter.

        Raises UnfitApplication, SchemaError, SchemaTooNew and AccessRefused before anything is changed, and
        DatabaseUnavailable if a lock stays taken for two minutes.
        """
        with BlockingDatabase.connect(self._address) as database:
            done = _persist(lambda: self._migrate_schema(database, replicated=replicated))
            # One table a transaction: CREATE TRIGGER blocks the writers until its transaction ends.
            while step := _persist(lambda: self._install_next_trigger(database)):
                if step in done:
                    raise SchemaError(f"The step had no effect: {step.about}. For the fault: pattern-sync status")
                done.append(step)
            return [*done, *_persist(lambda: self._grant(database))]

    def remarks(self) -> list[str]:
        """Return, for a person, what would work better if the application were changed."""
        with BlockingDatabase.connect(self._address) as database, database.transaction(read_only=True):
            return find_application(database).remarks()

    def uninstall(self, *, dry_run: bool = False, cascade: bool = False) -> list[Step]:
        """Remove our schema and triggers, nothing else; returns the steps that were (or would be) taken.

        Raises SchemaError if the schema is not ours, or if foreign objects would be dropped with it, unless `cascade`
        allows that. Raises AccessRefused if the schema belongs to another role.
        """
        with BlockingDatabase.connect(self._address) as database:
            if not _persist(lambda: self._uninstall(database, dry_run=dry_run, cascade=cascade)):
                return []
        return [Step("remove the schema pattern_sync and its triggers", self._definitions.uninstall)]

    def _migrate_schema(self, database: BlockingDatabase, *, replicated: bool) -> list[Step]:
        with database.transaction():
            _lock(database)
            plan = MigrationPlan.of(database, self._definitions)
            steps = plan.schema_steps(replicated=replicated)
            before, mends = plan.inventory(), plan.mends_functions
            for step in steps:
                _run(database, step)
            if not any(step.about == CREATE_FUNCTIONS for step in steps):
                return steps
            database.fetch("record_functions", plan.fingerprint())
            if not mends:
                return steps
            return [
                _mended(step, before, plan.inventory()) if step.about == CREATE_FUNCTIONS else step for step in steps
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

    def _grant(self, database: BlockingDatabase) -> list[Step]:
        """Grant what roles lack that we have to do with: last, as the objects may just have been created."""
        with database.transaction():
            _lock(database)
            find_application(database)
            steps = grant_steps(database)
            for step in steps:
                _run(database, step)
        return steps

    def _uninstall(self, database: BlockingDatabase, *, dry_run: bool, cascade: bool) -> bool:
        with database.transaction(read_only=dry_run):
            if not dry_run:
                _lock(database)
            own = OwnSchema.read(database)
            if not own.there:
                return False
            if not own.ours:
                raise SchemaError(
                    f"The schema pattern_sync in this database is not Pattern Sync's (it belongs to {own.owner})."
                    " Nothing was removed."
                )
            if not own.owned:
                raise AccessRefused(
                    f"The schema pattern_sync belongs to {own.owner}, but this role is {own.role}."
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
                f"Objects that are not Pattern Sync's would go with it: {names}. Nothing was removed."
                " Move or drop them first, or drop them as well: pattern-sync uninstall --cascade"
            )


def _run(database: BlockingDatabase, step: Step) -> None:
    """Run a step. Raises UnfitApplication with the server's message."""
    try:
        database.run_script(step.sql)
    except psycopg.errors.InternalError_ as fault:
        # "tuple concurrently updated": a daemon has just re-created a function, for another filter.
        raise TransactionConflict(str(fault)) from fault
    except (psycopg.Error, SchemaMissing, StatementFailed) as fault:
        words = " ".join(str(fault.__cause__ or fault).split())
        raise UnfitApplication(f"The server refused to {step.about}: {words}. Nothing was changed.") from fault


def _mended(step: Step, before: Mapping[str, str], after: Mapping[str, str]) -> Step:
    """Return the step with the names of the functions that it mended."""
    names = sorted(thing for thing in {*before, *after} if before.get(thing) != after.get(thing))
    return replace(step, about=f"{step.about}, which mended: {'; '.join(names)}") if names else step


def _lock(database: BlockingDatabase) -> None:
    database.fetch("set_lock_timeout", str(INSTALLERS_TIMEOUT_MS))
    database.fetch("lock_installation")
    database.fetch("set_lock_timeout", str(LOCK_TIMEOUT_MS))


def _persist(attempt: Callable[[], Done]) -> Done:
    """Try again while a lock is taken: the writers go first."""
    backoff = Backoff(random.random, base_seconds=0.1, cap_seconds=2.0)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return attempt()
        except TransactionConflict as fault:
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    f"A lock on the application's tables was not free for {PATIENCE_SECONDS:.0f} seconds: a long"
                    f" transaction holds it. Nothing is half done; try again later. ({fault})"
                ) from fault
            time.sleep(backoff.next_delay_seconds())
