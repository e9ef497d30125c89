"""Checks of what is installed: the application's tables, our schema and its functions."""

from collections.abc import Iterator

from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.definitions import Definitions, load_definitions
from pattern_sync.database.planning import CREATE_FUNCTIONS, MigrationPlan
from pattern_sync.database.rows.overview import to_schema_version
from pattern_sync.database.survey import find_application
from pattern_sync.database.version import SCHEMA_VERSION, check_version
from pattern_sync.doctor.check import SUPERUSER, Check, Finding, Remedy, fine, problem, unknown, warning
from pattern_sync.doctor.patient import Patient
from pattern_sync.domain.errors import DatabaseError, SchemaError, SchemaTooNew, UnfitApplication
from pattern_sync.domain.schema import SchemaVersion

_SHOWN = 5


def _application(patient: Patient) -> Iterator[Finding]:
    try:
        with patient.reading() as database:
            application = find_application(database)
    except UnfitApplication as fault:
        path = _path_to_tables(patient)
        yield problem(str(fault), path or Remedy.advice("change what the message names"))
        return
    if application.fresh:
        yield problem("there are no tables of an application", Remedy.command("pattern-sync migrate"))
    else:
        yield fine(f"the tables are in schema {application.schema}, and belong to {application.owner}")


def _path_to_tables(patient: Patient) -> Remedy | None:
    """Return how this role comes to see the tables that are served; None if it is not the search_path."""
    schemas = patient.fetch("application_schemas")
    seen = [str(row["schema_name"]) for row in schemas if row["visible"]][:1]
    served = [str(row["schema_name"]) for row in schemas if row["announced"] or row["looked_into"]]
    if not seen and len(schemas) == 1:
        served = [str(schemas[0]["schema_name"])]
    if not served or seen == served[:1]:
        return None
    paths = patient.fetch("path_through", served[0])
    if not paths:
        return None
    return Remedy.sql(str(paths[0]["remedy"]), SUPERUSER)


def _version(patient: Patient) -> Iterator[Finding]:
    installed = installed_version(patient)
    try:
        check_version(installed)
    except SchemaTooNew as fault:
        yield problem(str(fault), Remedy.advice("install the newer version of Pattern Sync on this machine"))
    except SchemaError as fault:
        yield problem(str(fault), *_migration(patient))
    else:
        if installed.newest > SCHEMA_VERSION:
            newer = f"version {installed.newest}, newer than this version's {SCHEMA_VERSION}, which can work with it"
            yield warning(newer, Remedy.advice("finish the upgrade: install the newer version on this machine"))
        else:
            yield fine(f"version {installed.newest}")


def installed_version(patient: Patient) -> SchemaVersion:
    """Return the version of the schema."""
    tables = {row["table_name"] for row in patient.fetch("own_tables")}
    if "migrations" not in tables:
        return SchemaVersion(0, 0)
    return to_schema_version(patient.fetch("schema_version"))


def _objects(patient: Patient) -> Iterator[Finding]:
    definitions = load_definitions()
    with patient.reading() as database:
        plan = MigrationPlan.of(database, definitions)
        if unreadable := sorted(name for name, readable in plan.tables.items() if not readable):
            yield unknown(f"this role, {plan.own.role}, may not read pattern_sync.{', pattern_sync.'.join(unreadable)}")
            return
        steps = plan.lacking()
        changed = changed_bodies(database, definitions) if steps else []
        # What follows in the plan follows from the functions.
        intact = bool(steps) and steps[0].about == CREATE_FUNCTIONS and plan.mends_functions and not changed
        closed = intact and _is_closed(database)
    if not steps:
        yield fine("every table and function is as this version installs it")
    elif closed:
        yield warning(
            "every function's body is as this version installs it, but everybody's rights on the schema were revoked."
            " If that was on purpose, leave it: migrate would grant them again",
            *_migration(patient),
        )
    else:
        described = "; ".join(step.about for step in steps)
        yield problem(f"migrate has something to do: {described}{_named(changed)}", *_migration(patient))


def _is_closed(database: BlockingDatabase) -> bool:
    return any(row["closed"] for row in database.fetch("closed_schema"))


def _named(changed: list[str]) -> str:
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return f" (changed: {', '.join(changed[:_SHOWN])}{more})" if changed else ""


def changed_bodies(database: BlockingDatabase, definitions: Definitions) -> list[str]:
    """Return the functions whose bodies are neither in the files nor what the files' functions would build."""
    rows = database.fetch("function_bodies", definitions.own_functions)
    built = _built_bodies(database)
    return [
        row["function"]
        for row in rows
        if row["body"] not in definitions.functions and row["body"] != built.get(row["function"])
    ]


def _built_bodies(database: BlockingDatabase) -> dict[str, str]:
    try:
        with database.savepoint():
            return {row["function"]: row["body"] for row in database.fetch("built_bodies")}
    except (DatabaseError, SchemaError):  # what builds them is gone, too
        return {}


def _migration(patient: Patient) -> tuple[Remedy, ...]:
    with patient.reading() as database:
        try:
            owner = find_application(database).owner
        except UnfitApplication:
            owner = None
    return (Remedy.command("pattern-sync migrate", owner),)


CHECKS = (
    Check(
        "application",
        "the application's tables: found by the search_path, with the columns and keys that are needed, served once",
        "Another operation_patterns in front in the search_path is another table, without our triggers.",
        _application,
    ),
    Check(
        "schema-version",
        "the version of the schema pattern_sync",
        "A daemon refuses a schema that it does not know.",
        _version,
    ),
    Check(
        "schema-objects",
        "every table, function and grant of ours against what this version installs, function bodies included",
        "A function that somebody replaced decides what is announced, and what is queued.",
        _objects,
    ),
)
