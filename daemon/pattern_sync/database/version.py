"""The schema that this version works with."""

from pattern_sync.domain.errors import SchemaMissing, SchemaOutdated, SchemaTooNew

# The newest file in sql/migrations; a test compares them.
SCHEMA_VERSION = 3


def check_version(installed: int) -> None:
    """Raise SchemaMissing, SchemaOutdated or SchemaTooNew unless the schema is ours."""
    if installed == 0:
        raise SchemaMissing("Pattern Sync is not installed in this database. Run: pattern-sync migrate")
    if installed < SCHEMA_VERSION:
        raise SchemaOutdated(
            f"The database has schema version {installed}, but this version of Pattern Sync needs {SCHEMA_VERSION}."
            " Run: pattern-sync migrate"
        )
    if installed > SCHEMA_VERSION:
        raise SchemaTooNew(
            f"The database has schema version {installed}, which is newer than this version's {SCHEMA_VERSION}."
            " Install the newer Pattern Sync on this machine, too."
        )
