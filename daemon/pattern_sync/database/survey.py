"""What the installer finds in a database, and what it refuses before anything is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.domain.errors import AccessRefused, SchemaError, UnfitApplication

_KINDS: Mapping[str, str] = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}
# Only local tables can have triggers that notify of every change; the table of examples is only read.
_WITH_TRIGGERS = ("operation_patterns", "pattern_approvals", "pattern_review_history")
_TABLES_ENOUGH = ("r", "p")
# Without these there is nothing to queue, or nowhere to queue it.
_REQUIRED = ("operation_patterns", "pattern_approvals")
_UNTOUCHED = "Nothing was changed."


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation: its kind (pg_class.relkind), its owner, and whether this role has the owner's rights."""

    kind: str
    owner: str
    owned: bool


@dataclass(frozen=True, slots=True)
class Application:
    """The application's tables, and the schema that holds or will hold them."""

    schema: str
    relations: Mapping[str, Relation]

    @property
    def fresh(self) -> bool:
        """Return whether there is no application yet."""
        return not self.relations

    @property
    def owner(self) -> str | None:
        """Return the owner of the patterns."""
        return self.relations["operation_patterns"].owner if self.relations else None

    @property
    def lacks_history(self) -> bool:
        """Return whether the application has no review history, as older ones have none."""
        return not self.fresh and "pattern_review_history" not in self.relations

    def remarks(self) -> list[str]:
        """Return, for a person, what would work better if the application were changed."""
        found = []
        if not self.fresh and "pattern_occurrences" not in self.relations:
            found.append("There is no table pattern_occurrences, so entries have no example workflows.")
        found += [
            f"{name} is partitioned: the review pages are notified of writes to {name}, not of writes to a partition."
            for name, relation in self.relations.items()
            if relation.kind == "p" and name.startswith(("pattern_approvals", "pattern_review"))
        ]
        return found


@dataclass(frozen=True, slots=True)
class OwnSchema:
    """The schema that has our name, if there is one."""

    owner: str | None
    owned: bool
    ours: bool
    vacant: bool
    may_create: bool
    role: str
    database: str

    @classmethod
    def read(cls, database: BlockingDatabase) -> "OwnSchema":
        """Read its current state."""
        return cls(**database.fetch("own_schema")[0])

    @property
    def there(self) -> bool:
        """Return whether a schema of this name exists, whoever owns it."""
        return self.owner is not None


def find_application(database: BlockingDatabase) -> Application:
    """Point the transaction at the application's schema. Raises UnfitApplication if it cannot be served."""
    schemas = database.fetch("application_schemas")
    visible = [row for row in schemas if row["visible"]]
    if not visible and schemas:
        names = ", ".join(row["schema_name"] for row in schemas)
        raise UnfitApplication(
            f"The application's tables are in schema {names}, which is not on this connection's search_path."
            f" Add it to the URL: …?options=-csearch_path%3D{schemas[0]['schema_name']}"
        )
    schema = visible[0]["schema_name"] if visible else database.fetch("current_schema")[0]["schema_name"]
    if schema is None:
        raise UnfitApplication(
            "The search_path of this connection names no schema that exists. Create one, or name another."
        )
    _refuse_second(schema, schemas)
    database.fetch("set_search_path", schema)
    found = database.fetch("application_relations", schema) if visible else []
    application = Application(
        schema, {row["table_name"]: Relation(row["kind"], row["owner"], row["owned"]) for row in found}
    )
    if visible and (problems := _problems(database, application)):
        raise UnfitApplication(f"This application cannot be served as it is: {'; '.join(problems)}. {_UNTOUCHED}")
    return application


def check_own_schema(own: OwnSchema) -> None:
    """Raise SchemaError if the schema of our name is somebody else's."""
    if own.there and not own.ours and not own.vacant:
        raise SchemaError(
            f"The schema pattern_sync in this database is not Pattern Sync's (it belongs to {own.owner})."
            f" Rename it, or use another database. {_UNTOUCHED}"
        )


def check_ownership(application: Application, own: OwnSchema) -> None:
    """Raise AccessRefused unless this role has the rights of the owner of the tables and of our schema."""
    foreign = {
        name: relation.owner
        for name, relation in application.relations.items()
        if name in _WITH_TRIGGERS and not relation.owned
    }
    if foreign:
        names = ", ".join(f"{name} belongs to {owner}" for name, owner in sorted(foreign.items()))
        raise AccessRefused(
            f"Only the owner of the tables can install triggers on them: {names}. This role is {own.role}, without the"
            f" owner's rights. Connect as {application.owner or own.owner} or as a superuser. {_UNTOUCHED}"
        )
    if not own.owned:
        raise AccessRefused(
            f"The schema pattern_sync belongs to {own.owner}, but this role is {own.role}. Connect as {own.owner} or as"
            f" a superuser: migrate then gives the schema to {application.owner or own.role}. {_UNTOUCHED}"
        )
    if not own.there and not own.may_create:
        raise AccessRefused(
            f"This role, {own.role}, may not create a schema. As the owner of the database: GRANT CREATE ON DATABASE"
            f" {own.database} TO {own.role}; or: CREATE SCHEMA pattern_sync AUTHORIZATION {own.role}; {_UNTOUCHED}"
        )


def check_publications(database: BlockingDatabase) -> None:
    """Raise UnfitApplication if a publication would send new tables or columns to subscribers that lack them."""
    names = [row["publication"] for row in database.fetch("catch_all_publications")]
    if names:
        raise UnfitApplication(
            f"Publication {', '.join(names)} publishes every table. It would include new tables or columns of Pattern"
            " Sync, and each subscriber that lacks them would stop. Let the publication name its tables (drop it and"
            " create it FOR TABLE …); or install on every subscriber first, with migrate or with the output of"
            f" pattern-sync sql, and then here: pattern-sync migrate --replicated. {_UNTOUCHED}"
        )


def _refuse_second(schema: str, schemas: Sequence[Mapping[str, object]]) -> None:
    """Refuse every schema but the one that is served already."""
    announced = [row["schema_name"] for row in schemas if row["announced"]]
    served = announced or [row["schema_name"] for row in schemas if row["looked_into"]]
    if served and schema not in served:
        raise UnfitApplication(
            f"This database is served already: the tables in schema {served[0]}. A database can have only one"
            f" installation. To serve schema {schema} instead: pattern-sync uninstall, then migrate. {_UNTOUCHED}"
        )


def _problems(database: BlockingDatabase, application: Application) -> list[str]:
    relations = application.relations
    problems = [f"table {table} is missing" for table in _REQUIRED if table not in relations]
    problems += [
        f"{table} is a {_KINDS[relations[table].kind]}, which cannot have the triggers that notify of every change"
        for table in _WITH_TRIGGERS
        if table in relations and relations[table].kind not in _TABLES_ENOUGH
    ]
    problems += [
        f"column {row['table_name']}.{row['column_name']} {row['fault']}"
        for row in database.fetch("column_faults", application.schema)
    ]
    problems += [
        f"column {row['table_name']}.{row['column_name']} is NOT NULL without a default, so our inserts would fail"
        for row in database.fetch("unfilled_columns", application.schema)
    ]
    if relations.get("pattern_approvals", Relation("", "", owned=False)).kind in _TABLES_ENOUGH:
        problems += _key_problems(database, application)
    return problems


def _key_problems(database: BlockingDatabase, application: Application) -> list[str]:
    keys = database.fetch("queue_keys", application.schema)
    # A deferrable key makes ON CONFLICT fail even if there is another one beside it.
    deferrable = [row["key_name"] for row in keys if row["fault"] == "deferrable"]
    if deferrable:
        return [f"the unique key {name} on pattern_approvals (pattern_id) is deferrable" for name in deferrable]
    if any(row["fault"] is None for row in keys):
        return []
    unusable = [f"{row['key_name']} is {row['fault']}" for row in keys]
    why = f" ({', '.join(unusable)})" if unusable else ""
    return [f"a unique key on pattern_approvals (pattern_id) is missing{why}"]
