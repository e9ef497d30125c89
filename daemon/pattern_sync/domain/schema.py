"""The version of the schema in a database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """`newest` is the newest migration that was applied, 0 if there is none.

    All migrations after `compatible_from` are additive: a daemon that knows that version can work with this schema.
    """

    newest: int
    compatible_from: int
