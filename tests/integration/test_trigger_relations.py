"""The trigger on applications whose patterns are partitioned, inherited or written by a role without rights."""

from collections.abc import Iterator

import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from tests.support.database import TestDatabase
from tests.support.notifications import listening

INSERT = (
    "INSERT INTO {} (pattern_signature, pattern_type, confidence_score, occurrence_count, potential_monthly_savings)"
    " VALUES ('{}', 'sdlc', 85, 99, 5000)"
)


def migrate(database: TestDatabase) -> list[str]:
    return [step.about for step in Installer(DatabaseAddress.parse(database.url)).migrate()]


@pytest.fixture
def partitioned(database: TestDatabase) -> TestDatabase:
    """Turn the patterns into a partitioned table, as in an application with very many of them."""
    database.execute("ALTER TABLE operation_patterns RENAME TO plain")
    database.execute("DROP TRIGGER pattern_sync_announce ON plain")
    database.execute("CREATE TABLE public.operation_patterns (LIKE plain INCLUDING DEFAULTS) PARTITION BY HASH (id)")
    database.execute("CREATE SEQUENCE public.ids")
    database.execute("ALTER TABLE operation_patterns ALTER id SET DEFAULT nextval('ids')")
    database.execute(
        "CREATE TABLE public.part_0 PARTITION OF operation_patterns FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
    )
    migrate(database)
    return database


def test_writes_to_the_parent_and_to_a_partition_are_announced_once(partitioned: TestDatabase) -> None:
    with listening(partitioned) as listener:
        partitioned.execute(INSERT.format("operation_patterns", "through the parent"))
        partitioned.execute("INSERT INTO part_0 (id, pattern_signature, pattern_type) VALUES (-1, 'directly', 'sdlc')")
        partitioned.execute(
            "UPDATE part_0 SET confidence_score = 90, occurrence_count = 9, potential_monthly_savings = 5000"
            " WHERE pattern_signature = 'directly'"
        )
        assert len(listener.received()) == 2
    assert migrate(partitioned) == []


def test_a_partition_that_is_attached_later_is_announced(database: TestDatabase) -> None:
    database.execute("ALTER TABLE operation_patterns RENAME TO plain")
    database.execute("DROP TRIGGER pattern_sync_announce ON plain")
    database.execute(
        "CREATE TABLE public.operation_patterns (LIKE plain INCLUDING DEFAULTS) PARTITION BY LIST (pattern_type)"
    )
    migrate(database)
    database.execute("CREATE TABLE public.later (LIKE plain INCLUDING DEFAULTS)")
    database.execute("ALTER TABLE operation_patterns ATTACH PARTITION later FOR VALUES IN ('sdlc')")
    with listening(database) as listener:
        database.execute(INSERT.replace("(pattern", "(id, pattern", 1).replace("('", "(7, '", 1).format("later", "a"))
        assert listener.received() == ["7"]


def test_a_child_that_inherits_gets_its_own_trigger_from_migrate(database: TestDatabase) -> None:
    database.execute("CREATE TABLE public.child () INHERITS (operation_patterns)")
    assert migrate(database) == ["create the triggers on child"]
    assert migrate(database) == []
    with listening(database) as listener:
        database.execute(INSERT.replace("(pattern", "(id, pattern", 1).replace("('", "(7, '", 1).format("child", "a"))
        assert listener.received() == ["7"]


@pytest.fixture
def detector_role(database: TestDatabase) -> Iterator[str]:
    with database.role(
        "INSERT, SELECT, UPDATE ON operation_patterns",
    ) as role:
        yield role


def test_a_detector_without_rights_on_our_tables_writes_and_is_announced(
    database: TestDatabase, detector_role: str
) -> None:
    with listening(database) as listener, database.another_connection() as detector:
        detector.execute(f"SET ROLE {detector_role}".encode())
        detector.execute(INSERT.format("operation_patterns", "a").encode())
        assert len(listener.received()) == 1
        rights = detector.execute("SELECT has_table_privilege('pattern_approvals', 'SELECT') AS has").fetchone()
        assert rights == {"has": False}
        detector.execute("SELECT pattern_sync.request('a'), pattern_sync.request()")
        assert len(listener.received()) == 2


def test_a_detector_cannot_gain_rights_through_us(database: TestDatabase, detector_role: str) -> None:
    found = database.execute(
        "SELECT has_function_privilege(%s, 'pattern_sync.install_trigger(regclass)', 'EXECUTE') AS may", detector_role
    )
    assert found == [{"may": False}]
    found = database.execute("SELECT has_table_privilege(%s, 'pattern_sync.settings', 'UPDATE') AS may", detector_role)
    assert found == [{"may": False}]


def test_a_temporary_table_of_the_same_name_does_not_mislead_the_trigger(database: TestDatabase) -> None:
    with listening(database) as listener, database.another_connection() as detector:
        detector.execute("CREATE TEMP TABLE pattern_approvals (pattern_id text)")
        detector.execute("INSERT INTO pattern_approvals VALUES ('a')")
        detector.execute(INSERT.format("operation_patterns", "a").encode())
        assert len(listener.received()) == 1
