"""The schema that this version works with."""

from pattern_sync.domain.errors import SchemaMissing, SchemaOutdated, SchemaTooNew
from pattern_sync.domain.schema import SchemaVersion

# The newest file in sql/migrations; a test compares them.
SCHEMA_VERSION = 10


def check_version(installed: SchemaVersion) -> None:
    """Raise SchemaMissing, SchemaOutdated or SchemaTooNew unless this version can work with the schema."""
    if installed.newest == 0:
        raise SchemaMissing("Pattern Sync is not installed in this database. Run: pattern-sync migrate")
    if installed.newest < SCHEMA_VERSION:
        raise SchemaOutdated(
            f"The database has schema version {installed.newest}, but this version of Pattern Sync needs"
            f" {SCHEMA_VERSION}. Run: pattern-sync migrate"
        )
    if installed.compatible_from > SCHEMA_VERSION:
        raise SchemaTooNew(
            f"The database has schema version {installed.newest}, which is newer than this version's {SCHEMA_VERSION}"
            f" and needs a Pattern Sync that knows version {installed.compatible_from}."
            " Install the newer Pattern Sync on this machine, too."
        )
