"""One check finds whatever keeps changes from being notified, describes it, and `migrate` repairs it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.blocking import BlockingDatabase
from pattern_sync.database.rows.overview import to_sighting
from pattern_sync.domain.reception import Sighting
from tests.support.application import abouts, server_major
from tests.support.database import TestDatabase
from tests.support.notifications import listening

PATTERNS = "operation_patterns"
SETTINGS = "pattern_sync.settings"


@dataclass(frozen=True, slots=True)
class Damage:
    """A damage to the tables, and the faults that are found then."""

    done: Sequence[str]
    seen: Sequence[str]
    tables: Sequence[str] = (PATTERNS,)


PARTITIONED = (
    "ALTER TABLE operation_patterns RENAME TO plain",
    "ALTER TABLE plain ALTER id DROP IDENTITY",
    "CREATE TABLE public.operation_patterns (LIKE plain INCLUDING DEFAULTS) PARTITION BY LIST (pattern_type)",
    "CREATE SEQUENCE public.ids",
    "ALTER TABLE operation_patterns ALTER id SET DEFAULT nextval('ids')",
)
DAMAGES = {
    "dropped": Damage(
        ["DROP TRIGGER pattern_sync_announce ON operation_patterns"],
        ["the trigger on operation_patterns is missing (pattern_sync_announce)"],
    ),
    "the table was created anew": Damage(
        [
            "CREATE TABLE public.copy (LIKE operation_patterns INCLUDING ALL)",
            "DROP TABLE operation_patterns CASCADE",
            "ALTER TABLE copy RENAME TO operation_patterns",
        ],
        ["the trigger on operation_patterns is missing (pattern_sync_announce)"],
    ),
    "the table was swapped by renaming": Damage(
        [
            "CREATE TABLE public.copy (LIKE operation_patterns INCLUDING ALL)",
            "ALTER TABLE operation_patterns RENAME TO old",
            "ALTER TABLE copy RENAME TO operation_patterns",
        ],
        [
            "old has a trigger of Pattern Sync that is not wanted there (pattern_sync_announce)",
            "the trigger on operation_patterns is missing (pattern_sync_announce)",
        ],
        ("old", PATTERNS),
    ),
    "disabled": Damage(
        ["ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce"],
        ["the trigger on operation_patterns is disabled (pattern_sync_announce)"],
    ),
    "all are disabled, as for a bulk load": Damage(
        ["ALTER TABLE pattern_approvals DISABLE TRIGGER ALL"],
        [
            (
                "the trigger on pattern_approvals is disabled (pattern_sync_deleted, pattern_sync_inserted,"
                " pattern_sync_truncated, pattern_sync_updated)"
            )
        ],
        ("pattern_approvals",),
    ),
    "enabled as triggers usually are": Damage(
        ["ALTER TABLE operation_patterns ENABLE TRIGGER pattern_sync_announce"],
        ["the trigger on operation_patterns does not fire for replicated writes (pattern_sync_announce)"],
    ),
    "for replicas only": Damage(
        ["ALTER TABLE operation_patterns ENABLE REPLICA TRIGGER pattern_sync_announce"],
        ["the trigger on operation_patterns does not fire for replicated writes (pattern_sync_announce)"],
    ),
    "renamed": Damage(
        ["ALTER TRIGGER pattern_sync_announce ON operation_patterns RENAME TO other"],
        [
            "operation_patterns has a trigger of Pattern Sync that is not wanted there (other)",
            "the trigger on operation_patterns is missing (pattern_sync_announce)",
        ],
    ),
    "another function": Damage(
        [
            "CREATE FUNCTION public.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            (
                "CREATE OR REPLACE TRIGGER pattern_sync_announce AFTER INSERT OR UPDATE ON operation_patterns"
                " FOR EACH ROW EXECUTE FUNCTION mine()"
            ),
        ],
        ["the trigger on operation_patterns calls another function (pattern_sync_announce)"],
    ),
    "fewer events": Damage(
        [
            (
                "CREATE OR REPLACE TRIGGER pattern_sync_announce AFTER INSERT ON operation_patterns"
                " FOR EACH ROW EXECUTE FUNCTION pattern_sync.announce()"
            )
        ],
        ["the trigger on operation_patterns was changed (pattern_sync_announce)"],
    ),
    "a column list": Damage(
        [
            (
                "CREATE OR REPLACE TRIGGER pattern_sync_announce AFTER INSERT OR UPDATE OF pattern_type"
                " ON operation_patterns FOR EACH ROW EXECUTE FUNCTION pattern_sync.announce()"
            )
        ],
        ["the trigger on operation_patterns was changed (pattern_sync_announce)"],
    ),
    "a condition": Damage(
        [
            (
                "CREATE OR REPLACE TRIGGER pattern_sync_announce AFTER INSERT OR UPDATE ON operation_patterns"
                " FOR EACH ROW WHEN (NEW.occurrence_count > 9) EXECUTE FUNCTION pattern_sync.announce()"
            )
        ],
        ["the trigger on operation_patterns was changed (pattern_sync_announce)"],
    ),
    "the condition is gone": Damage(
        [
            (
                "CREATE OR REPLACE TRIGGER pattern_sync_truncated AFTER TRUNCATE ON pattern_approvals"
                " FOR EACH STATEMENT EXECUTE FUNCTION pattern_sync.announce_entries()"
            )
        ],
        ["the trigger on pattern_approvals was changed (pattern_sync_truncated)"],
        ("pattern_approvals",),
    ),
    "an inherited child without one": Damage(
        ["CREATE TABLE public.child () INHERITS (operation_patterns)"],
        ["the trigger on child is missing (pattern_sync_announce)"],
        ("child",),
    ),
    "made partitioned, the old table a partition": Damage(
        [*PARTITIONED, "ALTER TABLE operation_patterns ATTACH PARTITION plain DEFAULT"],
        ["the trigger on operation_patterns is missing (pattern_sync_announce)"],
    ),
    "one partition is disabled": Damage(
        [
            *PARTITIONED,
            "ALTER TABLE operation_patterns ATTACH PARTITION plain DEFAULT",
            "DROP TRIGGER pattern_sync_announce ON plain",
            (
                "CREATE TRIGGER pattern_sync_announce AFTER INSERT OR UPDATE ON operation_patterns"
                " FOR EACH ROW EXECUTE FUNCTION pattern_sync.announce()"
            ),
            "ALTER TABLE operation_patterns ENABLE ALWAYS TRIGGER pattern_sync_announce",
            "ALTER TABLE plain DISABLE TRIGGER pattern_sync_announce",
        ],
        ["the trigger on plain is disabled (pattern_sync_announce)"],
        ("plain",),
    ),
    "the history lost its triggers": Damage(
        ["DROP TRIGGER pattern_sync_inserted ON pattern_review_history"],
        ["the trigger on pattern_review_history is missing (pattern_sync_inserted)"],
        ("pattern_review_history",),
    ),
    "the filter is lost": Damage(
        ["DELETE FROM pattern_sync.settings"],
        ["pattern_sync.settings has no row, so there is no filter"],
        (SETTINGS,),
    ),
    "a new filter is not told": Damage(
        ["ALTER TABLE pattern_sync.settings DISABLE TRIGGER USER"],
        ["the trigger on pattern_sync.settings is disabled"],
        (SETTINGS,),
    ),
    "a new filter is not told by a replica": Damage(
        ["ALTER TABLE pattern_sync.settings ENABLE TRIGGER announce_settings"],
        ["the trigger on pattern_sync.settings does not fire for replicated writes"],
        (SETTINGS,),
    ),
    "the filter was changed behind the trigger": Damage(
        [
            "ALTER TABLE pattern_sync.settings DISABLE TRIGGER USER",
            "UPDATE pattern_sync.settings SET min_savings = 7",
            "ALTER TABLE pattern_sync.settings ENABLE ALWAYS TRIGGER announce_settings",
        ],
        ["the function pattern_sync.announce() was changed, or was created for another filter"],
    ),
    "a body that does nothing": Damage(
        [
            (
                "CREATE OR REPLACE FUNCTION pattern_sync.announce() RETURNS trigger LANGUAGE plpgsql"
                " AS 'BEGIN RETURN NULL; END'"
            )
        ],
        ["the function pattern_sync.announce() was changed, or was created for another filter"],
    ),
}


def look(database: TestDatabase) -> Sighting:
    with BlockingDatabase.connect(DatabaseAddress.parse(database.url)) as connection:
        return to_sighting(connection.fetch("watch")[0])


def faults(database: TestDatabase) -> list[str]:
    return sorted(fault.fault for fault in look(database).faults)


def test_a_fresh_installation_has_no_fault_and_fires_always(database: TestDatabase) -> None:
    assert look(database).faults == ()
    found = database.execute(
        "SELECT DISTINCT tgenabled::text AS enabled FROM pg_trigger WHERE tgname LIKE 'pattern_sync_%%'"
    )
    assert found == [{"enabled": "A"}]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_every_cause_of_a_silent_trigger_is_found_and_repaired(database: TestDatabase, damage: Damage) -> None:
    for statement in damage.done:
        database.execute(statement)
    assert faults(database) == sorted(damage.seen)
    done = abouts(database)
    # Faults of our own table are repaired before those of the application's.
    assert [f"create the triggers on {table}" for table in damage.tables if table != SETTINGS] == [
        about for about in done if about.startswith("create the triggers on ")
    ]
    assert done != []
    assert look(database).faults == ()
    assert abouts(database) == []


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_the_daemons_own_repair_fixes_the_same_faults(database: TestDatabase, damage: Damage) -> None:
    for statement in damage.done:
        database.execute(statement)
    with BlockingDatabase.connect(DatabaseAddress.parse(database.url)) as connection:
        for relation in {fault.relation for fault in look(database).faults if fault.mendable}:
            connection.fetch("mend", relation)
    assert look(database).faults == ()
    with listening(database) as listener:
        row_id = database.add_pattern("after")
        assert listener.received() == [str(row_id)]


@pytest.mark.parametrize(
    ("gone", "seen"),
    [
        ("DROP TABLE pattern_review_history CASCADE", "there is no table pattern_review_history"),
        ("DROP TABLE operation_patterns CASCADE", "there is no table operation_patterns"),
        ("ALTER TABLE operation_patterns RENAME TO away", "there is no table operation_patterns"),
        ("DROP FUNCTION pattern_sync.announce() CASCADE", "the function pattern_sync.announce() is missing"),
        ("DROP FUNCTION pattern_sync.announce_entries() CASCADE", "the function pattern_sync.announce_entries() is"),
        ("DROP TRIGGER announce_settings ON pattern_sync.settings", "the trigger on pattern_sync.settings is missing"),
        ("DROP TABLE pattern_sync.settings CASCADE", "there is no table pattern_sync.settings"),
    ],
)
def test_the_check_of_triggers_never_fails_whatever_is_missing(database: TestDatabase, gone: str, seen: str) -> None:
    database.execute(gone)
    assert any(fault.startswith(seen) for fault in faults(database)), faults(database)
    database.execute("SELECT pattern_sync.install_trigger(t) FROM pattern_sync.tables_without_trigger() AS t")


def test_a_view_in_the_place_of_the_table_is_named(database: TestDatabase) -> None:
    database.execute("ALTER TABLE operation_patterns RENAME TO away")
    database.execute("CREATE VIEW public.operation_patterns AS SELECT * FROM away")
    assert "operation_patterns is no table" in faults(database)


def test_a_foreign_trigger_that_calls_our_function_is_no_fault(database: TestDatabase) -> None:
    with database.role("CREATE ON SCHEMA public") as role, database.another_connection() as somebody:
        somebody.execute(f"SET ROLE {role}".encode())
        somebody.execute("CREATE TABLE public.theirs (id int)")
        somebody.execute(
            "CREATE TRIGGER pattern_sync_x AFTER INSERT ON theirs FOR EACH ROW"
            " EXECUTE FUNCTION pattern_sync.announce_entries()"
        )
        assert look(database).faults == ()


def test_a_table_without_a_fault_is_not_locked(database: TestDatabase) -> None:
    with database.another_connection(autocommit=False) as writer:
        writer.execute("LOCK TABLE pattern_approvals IN ROW EXCLUSIVE MODE")
        database.execute("SELECT pattern_sync.install_trigger('pattern_approvals')")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE operation_patterns ALTER confidence_score TYPE numeric USING confidence_score * 100",
        "CREATE TABLE public.child () INHERITS (operation_patterns)",
        "TRUNCATE operation_patterns CASCADE",
        (
            "BEGIN; ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce;"
            " ALTER TABLE operation_patterns ENABLE ALWAYS TRIGGER pattern_sync_announce; COMMIT"
        ),
    ],
)
def test_rows_written_without_a_trigger_show_in_the_storage_fingerprint(database: TestDatabase, change: str) -> None:
    before = look(database).storage
    database.add_pattern("a")
    database.execute("UPDATE operation_patterns SET confidence_score = 1")
    assert look(database).storage == before
    database.execute(change)
    assert look(database).storage != before


def test_a_partition_that_is_attached_shows_in_the_storage_and_fires_always(database: TestDatabase) -> None:
    for statement in [*PARTITIONED, "DROP TRIGGER pattern_sync_announce ON plain"]:
        database.execute(statement)
    abouts(database)
    before = look(database).storage
    database.execute("ALTER TABLE operation_patterns ATTACH PARTITION plain DEFAULT")
    found = look(database)
    assert (found.faults, found.storage == before) == ((), False)
    with listening(database) as listener, database.another_connection() as replica:
        replica.execute("SET session_replication_role = replica")
        replica.execute(
            "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
            " potential_monthly_savings) VALUES ('a', 'x', 99, 99, 9999)"
        )
        assert len(listener.received()) == 1


@pytest.mark.parametrize("scope", ["ROLE CURRENT_USER IN DATABASE {0}", "DATABASE {0}"])
def test_neither_a_pattern_nor_a_filter_is_lost_where_replica_is_the_usual_role_of_a_session(
    database: TestDatabase, scope: str
) -> None:
    database.execute(f"ALTER {scope.format(database.name)} SET session_replication_role = replica")
    with listening(database) as listener, database.another_connection() as replica:
        assert replica.execute("SHOW session_replication_role").fetchall() == [{"session_replication_role": "replica"}]
        replica.execute("UPDATE pattern_sync.settings SET min_confidence = 10")
        replica.execute(
            "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
            " potential_monthly_savings) VALUES ('by the new filter', 'x', 20, 99, 9999)"
        )
        received = listener.received()
    assert (received[0], len(received)) == ("settings", 2)


@pytest.mark.parametrize("scope", ["ROLE CURRENT_USER IN DATABASE {0}", "DATABASE {0}"])
@pytest.mark.parametrize("value", ["301", "rubbish"])
def test_no_setting_of_a_role_or_a_database_keeps_a_pattern_from_being_announced(
    database: TestDatabase, scope: str, value: str
) -> None:
    database.execute(f"ALTER {scope.format(database.name)} SET pattern_sync.announced = '{value}'")
    database.execute(f"ALTER {scope.format(database.name)} SET pattern_sync.announced_by = '1'")
    with listening(database) as listener, database.another_connection(autocommit=False) as writer:
        for number in range(2):
            writer.execute(
                "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
                f" potential_monthly_savings) VALUES ('{number}', 'x', 85, 99, 9999)"
            )
        writer.commit()
        assert len(listener.received()) == 2


def test_writes_of_a_session_in_replica_role_are_announced(database: TestDatabase) -> None:
    with listening(database) as listener, database.another_connection() as replica:
        replica.execute("SET session_replication_role = replica")
        replica.execute(
            "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
            " potential_monthly_savings) VALUES ('a', 'x', 99, 99, 9999)"
        )
        assert len(listener.received()) == 1


def test_marks_are_taken_once_and_by_channel(database: TestDatabase) -> None:
    database.execute(
        "INSERT INTO pattern_sync.marks VALUES ('pattern_sync', '7'), ('pattern_sync', '7'), ('pattern_sync', '*'),"
        " ('pattern_sync_queue', '{\"queued\": [\"a\"]}'), ('elsewhere', 'x')"
    )
    seen = look(database)
    assert sorted(seen.patterns) == ["*", "7"]
    assert seen.entries == ('{"queued": ["a"]}',)
    assert database.count("pattern_sync.marks") == 0
    assert look(database).patterns == ()


def test_a_mark_in_a_transaction_that_is_open_is_left_and_not_waited_for(database: TestDatabase) -> None:
    with database.another_connection(autocommit=False) as writer:
        writer.execute("INSERT INTO pattern_sync.marks VALUES ('pattern_sync', '8')")
        assert look(database).patterns == ()
        writer.commit()
    assert look(database).patterns == ("8",)


def test_the_check_of_triggers_is_cheap(database: TestDatabase) -> None:
    for _ in range(12):  # the plan is cached after some executions
        database.execute("SELECT * FROM pattern_sync.trigger_faults()")
    took = []
    for _ in range(20):
        plan = database.execute("EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM pattern_sync.trigger_faults()")
        took.append(plan[0]["QUERY PLAN"][0]["Execution Time"])
    assert min(took) < 1.0, (server_major(database), took)


def test_a_trigger_of_somebody_else_on_our_settings_neither_counts_nor_stands_for_ours(database: TestDatabase) -> None:
    database.execute(
        "CREATE TRIGGER audit BEFORE UPDATE ON pattern_sync.settings FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    )
    assert faults(database) == []
    database.execute("ALTER TABLE pattern_sync.settings ENABLE ALWAYS TRIGGER audit")
    database.execute("DROP TRIGGER announce_settings ON pattern_sync.settings")
    assert faults(database) == ["the trigger on pattern_sync.settings is missing"]
