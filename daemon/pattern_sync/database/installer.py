"""Installs and removes Pattern Sync: safe beside live traffic, and twenty times at once."""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.definitions import Definitions, load_definitions
from pattern_sync.database.rows import SCHEMA_VERSION, check_version
from pattern_sync.domain.backoff import Backoff
from pattern_sync.domain.errors import DatabaseUnavailable, TransactionConflict, UnfitApplication

# A lock that is not had in this time is given up: the detector's statements queue up behind whoever waits for one.
LOCK_TIMEOUT_MS = 200
INSTALLERS_TIMEOUT_MS = 20_000
PATIENCE_SECONDS = 120.0

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done or would be; `sql` is what psql would run for it."""

    about: str
    sql: str


class Installer:
    """Migrates one database to this version's schema, or takes it away."""

    def __init__(self, address: DatabaseAddress) -> None:
        self._address = address
        self._definitions = load_definitions()

    def plan(self) -> list[Step]:
        """Return what migrate would do now; changes nothing."""
        with BlockingDatabase.connect(self._address) as database, database.transaction(read_only=True):
            return _plan(database, self._definitions)

    def migrate(self) -> list[Step]:
        """Install or upgrade; returns what was done, nothing where all was there.

        Raises UnfitApplication before anything is changed, SchemaTooNew, and DatabaseUnavailable when a lock could
        not be had for two minutes.
        """
        with BlockingDatabase.connect(self._address) as database:
            done = _persist(lambda: self._migrate_schema(database))
            # Each table by itself: CREATE TRIGGER holds up the writers until its transaction ends.
            while step := _persist(lambda: _install_next_trigger(database)):
                done.append(step)
        return done

    def uninstall(self, *, dry_run: bool = False) -> list[Step]:
        """Take away our schema and triggers, nothing else; returns what was (or would be) done."""
        with BlockingDatabase.connect(self._address) as database:
            if not database.fetch("is_installed")[0]["installed"]:
                return []
            if not dry_run:
                _persist(lambda: self._uninstall(database))
        return [Step("remove the schema pattern_sync and its triggers", self._definitions.uninstall)]

    def _migrate_schema(self, database: BlockingDatabase) -> list[Step]:
        with database.transaction():
            _lock(database)
            steps = _schema_steps(database, self._definitions)
            for step in steps:
                database.run_script(step.sql)
            if steps:
                database.fetch("record_functions", _fingerprint(self._definitions.functions))
        return steps

    def _uninstall(self, database: BlockingDatabase) -> None:
        with database.transaction():
            _lock(database)
            database.run_script(self._definitions.uninstall)


def full_script(definitions: Definitions, *, with_application_tables: bool) -> Iterator[Step]:
    """Yield everything that a fresh installation runs, for a person who runs it by hand."""
    if with_application_tables:
        yield Step("application_tables.sql", definitions.application_tables)
    for migration in definitions.migrations:
        yield Step(migration.name, migration.sql)
    yield Step("functions.sql", definitions.functions)
    yield Step("trigger.sql", definitions.trigger)


def _schema_steps(database: BlockingDatabase, definitions: Definitions) -> list[Step]:
    fresh = _find_application(database)
    installed = _installed_version(database)
    if installed > SCHEMA_VERSION:
        check_version(installed)
    steps = [Step("create the application's tables", definitions.application_tables)] if fresh else []
    pending = [migration for migration in definitions.migrations if migration.version > installed]
    steps += [Step(f"apply {migration.name}", migration.sql) for migration in pending]
    # The version alone does not tell: a release may mend a function and need no new table.
    if pending or _installed_functions(database) != _fingerprint(definitions.functions):
        steps.append(Step("create the functions", definitions.functions))
    return steps


def _plan(database: BlockingDatabase, definitions: Definitions) -> list[Step]:
    steps = _schema_steps(database, definitions)
    # The functions of an older version do not know which triggers this one wants.
    if steps or database.fetch("tables_without_trigger"):
        steps.append(Step("create the triggers that are missing", definitions.trigger))
    return steps


def _install_next_trigger(database: BlockingDatabase) -> Step | None:
    with database.transaction():
        _lock(database)
        _find_application(database)
        lacking = database.fetch("tables_without_trigger")
        if not lacking:
            return None
        table = lacking[0]["relation"]
        database.fetch("install_trigger", table)
    return Step(f"create the triggers on {table}", "")


def _installed_version(database: BlockingDatabase) -> int:
    if not database.fetch("is_installed")[0]["installed"]:
        return 0
    return int(database.fetch("schema_version")[0]["version"])


def _installed_functions(database: BlockingDatabase) -> str | None:
    rows = database.fetch("installed_functions")
    return rows[0]["functions_md5"] if rows else None


def _fingerprint(sql: str) -> str:
    return hashlib.md5(sql.encode(), usedforsecurity=False).hexdigest()


def _find_application(database: BlockingDatabase) -> bool:
    """Point the transaction at the application's schema; True where there is no application yet."""
    schemas = database.fetch("application_schemas")
    visible = [row for row in schemas if row["visible"]]
    if not visible and schemas:
        names = ", ".join(row["schema_name"] for row in schemas)
        raise UnfitApplication(
            f"The application's tables are in schema {names}, which this connection does not look into."
            f" Add it to the URL: …?options=-csearch_path%3D{schemas[0]['schema_name']}"
        )
    schema = visible[0]["schema_name"] if visible else database.fetch("current_schema")[0]["schema_name"]
    if schema is None:
        raise UnfitApplication("The search_path of this connection leads to no schema; create one, or name one.")
    database.fetch("set_search_path", schema)
    if visible:
        _check_needs(database)
    return not visible


def _check_needs(database: BlockingDatabase) -> None:
    unmet = database.fetch("unmet_needs")
    tables = sorted({row["table_name"] for row in unmet if row["table_missing"]})
    columns = [f"{row['table_name']}.{row['column_name']}" for row in unmet if not row["table_missing"]]
    missing = [f"table {table}" for table in tables] + [f"column {column}" for column in columns]
    if not missing and not database.fetch("queue_key_is_unique")[0]["is_unique"]:
        missing = ["a unique key on pattern_approvals (pattern_id)"]
    if missing:
        raise UnfitApplication(
            f"This application lacks what Pattern Sync needs: {', '.join(missing)}. Nothing was changed."
        )


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
