"""Which schemas a version works with."""

import re

import pytest

from pattern_sync.database.definitions import load_definitions
from pattern_sync.database.version import SCHEMA_VERSION, check_version
from pattern_sync.domain.errors import SchemaError, SchemaMissing, SchemaOutdated, SchemaTooNew
from pattern_sync.domain.schema import SchemaVersion

OURS = SCHEMA_VERSION
_BREAKING = re.compile(r"^INSERT INTO pattern_sync\.migrations \(version\) VALUES \((?P<version>\d+)\);$", re.MULTILINE)
_ADDITIVE = re.compile(
    r"^UPDATE pattern_sync\.migrations AS m SET extended_to = (?P<version>\d+) WHERE m\.version = (?P<since>\d+);$",
    re.MULTILINE,
)


@pytest.mark.parametrize(
    "installed",
    [
        SchemaVersion(OURS, OURS),
        SchemaVersion(OURS, OURS - 1),
        SchemaVersion(OURS + 5, OURS),
        SchemaVersion(OURS + 1, 1),
    ],
)
def test_a_schema_that_holds_ours_and_only_adds_to_it_is_worked_with(installed: SchemaVersion) -> None:
    check_version(installed)


@pytest.mark.parametrize(
    ("installed", "fault", "words"),
    [
        (SchemaVersion(0, 0), SchemaMissing, "pattern-sync migrate"),
        (SchemaVersion(OURS - 1, OURS - 1), SchemaOutdated, "pattern-sync migrate"),
        (SchemaVersion(OURS + 2, OURS + 1), SchemaTooNew, f"knows version {OURS + 1}"),
    ],
)
def test_any_other_schema_is_refused_with_the_way_out(
    installed: SchemaVersion, fault: type[SchemaError], words: str
) -> None:
    with pytest.raises(fault, match=words):
        check_version(installed)


def test_each_migration_records_its_own_number_once_as_breaking_or_as_additive() -> None:
    compatible_from = 0
    for migration in load_definitions().migrations:
        breaking, additive = _BREAKING.findall(migration.sql), _ADDITIVE.findall(migration.sql)
        assert len(breaking) + len(additive) == 1, migration.name
        if breaking:
            compatible_from = int(breaking[0])
            assert compatible_from == migration.version
        else:
            assert additive == [(f"{migration.version}", f"{compatible_from}")]
