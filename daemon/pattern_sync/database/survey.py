"""What the installer finds in a database, and refuses before anything is changed."""

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
# Only tables of our own server can have the triggers that tell of every change; the examples are only read.
_WITH_TRIGGERS = ("operation_patterns", "pattern_approvals", "pattern_review_history")
_TABLES_ENOUGH = ("r", "p")
# Without the rest there is nothing to queue or nowhere to queue it.
_REQUIRED = ("operation_patterns", "pattern_approvals")
_UNTOUCHED = "Nothing was changed."


@dataclass(frozen=True, slots=True)
class Relation:
    """What stands under a name: its kind (pg_class.relkind), its owner, and whether we have the owner's rights."""

    kind: str
    owner: str
    owned: bool


@dataclass(frozen=True, slots=True)
class Application:
    """The application's tables in the schema that they are in, or will be in."""

    schema: str
    relations: Mapping[str, Relation]

    @property
    def fresh(self) -> bool:
        """Return whether there is no application yet."""
        return not self.relations

    @property
    def owner(self) -> str | None:
        """Return whom the patterns belong to."""
        return self.relations["operation_patterns"].owner if self.relations else None

    @property
    def lacks_history(self) -> bool:
        """Return whether it is one without a history of the review, as older ones are."""
        return not self.fresh and "pattern_review_history" not in self.relations

    def remarks(self) -> list[str]:
        """Return what works less well than it could, for a person."""
        found = []
        if not self.fresh and "pattern_occurrences" not in self.relations:
            found.append("There is no table pattern_occurrences: entries come without examples of workflows.")
        found += [
            f"{name} is partitioned: the review pages are told what is written by this name, not by a partition's own."
            for name, relation in self.relations.items()
            if relation.kind == "p" and name.startswith(("pattern_approvals", "pattern_review"))
        ]
        return found


@dataclass(frozen=True, slots=True)
class OwnSchema:
    """What stands under the name of our schema."""

    owner: str | None
    owned: bool
    ours: bool
    vacant: bool
    may_create: bool
    role: str
    database: str

    @classmethod
    def read(cls, database: BlockingDatabase) -> "OwnSchema":
        """Return what is there now."""
        return cls(**database.fetch("own_schema")[0])

    @property
    def there(self) -> bool:
        """Return whether there is a schema of this name, whoever's."""
        return self.owner is not None


def find_application(database: BlockingDatabase) -> Application:
    """Point the transaction at the application's schema. Raises UnfitApplication for what cannot be served."""
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
    """Raise SchemaError where the schema of our name is somebody else's."""
    if own.there and not own.ours and not own.vacant:
        raise SchemaError(
            f"The schema pattern_sync in this database is not Pattern Sync's (it belongs to {own.owner})."
            f" Rename it, or use another database. {_UNTOUCHED}"
        )


def check_ownership(application: Application, own: OwnSchema) -> None:
    """Raise AccessRefused unless this role has the rights of whom the tables and our schema belong to."""
    foreign = {
        name: relation.owner
        for name, relation in application.relations.items()
        if name in _WITH_TRIGGERS and not relation.owned
    }
    if foreign:
        names = ", ".join(f"{name} to {owner}" for name, owner in sorted(foreign.items()))
        raise AccessRefused(
            f"Triggers and the schema belong to whom the tables belong to: {names}. This role is {own.role}, which has"
            f" not that role's rights. Connect as {application.owner or own.owner} or as a superuser. {_UNTOUCHED}"
        )
    if not own.owned:
        raise AccessRefused(
            f"The schema pattern_sync belongs to {own.owner}, and this role is {own.role}. Connect as {own.owner} or as"
            f" a superuser: migrate then gives the schema to {application.owner or own.role}. {_UNTOUCHED}"
        )
    if not own.there and not own.may_create:
        raise AccessRefused(
            f"This role may not create a schema. As the owner of the database: GRANT CREATE ON DATABASE {own.database}"
            f" TO {own.role}; or, to be filled by us: CREATE SCHEMA pattern_sync AUTHORIZATION {own.role}; {_UNTOUCHED}"
        )


def check_publications(database: BlockingDatabase) -> None:
    """Raise UnfitApplication where a publication would send our new tables to subscribers that have none of them."""
    names = [row["publication"] for row in database.fetch("catch_all_publications")]
    if names:
        raise UnfitApplication(
            f"Publication {', '.join(names)} publishes every table, so Pattern Sync's own would enter it, and each"
            " subscriber that has none of them would stop. Let the publication name its tables (drop it and create it"
            " FOR TABLE …); or install on every subscriber first, by migrate or by what pattern-sync sql prints, and"
            f" then here: pattern-sync migrate --replicated. {_UNTOUCHED}"
        )


def _refuse_second(schema: str, schemas: Sequence[Mapping[str, object]]) -> None:
    """Refuse another schema than the one that is served already."""
    announced = [row["schema_name"] for row in schemas if row["announced"]]
    served = announced or [row["schema_name"] for row in schemas if row["looked_into"]]
    if served and schema not in served:
        raise UnfitApplication(
            f"This database is served already: the tables in schema {served[0]}. There is one installation for each"
            f" database; to serve schema {schema} instead: pattern-sync uninstall, then migrate. {_UNTOUCHED}"
        )


def _problems(database: BlockingDatabase, application: Application) -> list[str]:
    relations = application.relations
    problems = [f"table {table} is missing" for table in _REQUIRED if table not in relations]
    problems += [
        f"{table} is a {_KINDS[relations[table].kind]}, which cannot have the triggers that tell of every change"
        for table in _WITH_TRIGGERS
        if table in relations and relations[table].kind not in _TABLES_ENOUGH
    ]
    problems += [
        f"column {row['table_name']}.{row['column_name']} {row['fault']}"
        for row in database.fetch("column_faults", application.schema)
    ]
    problems += [
        f"column {row['table_name']}.{row['column_name']} is NOT NULL without a default, and we do not fill it"
        for row in database.fetch("unfilled_columns", application.schema)
    ]
    if relations.get("pattern_approvals", Relation("", "", owned=False)).kind in _TABLES_ENOUGH:
        problems += _key_problems(database, application)
    return problems


def _key_problems(database: BlockingDatabase, application: Application) -> list[str]:
    keys = database.fetch("queue_keys", application.schema)
    # A deferrable one is in the way of ON CONFLICT even where there is another beside it.
    deferrable = [row["key_name"] for row in keys if row["fault"] == "deferrable"]
    if deferrable:
        return [f"the unique key {name} on pattern_approvals (pattern_id) is deferrable" for name in deferrable]
    if any(row["fault"] is None for row in keys):
        return []
    unusable = [f"{row['key_name']} is {row['fault']}" for row in keys]
    why = f" ({', '.join(unusable)})" if unusable else ""
    return [f"a unique key on pattern_approvals (pattern_id) is missing{why}"]
