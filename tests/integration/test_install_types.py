"""Which applications are adopted and which refused, by the types of their columns and by their keys."""

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.domain.errors import UnfitApplication
from tests.support.application import adopt, dump, installer
from tests.support.database import TestDatabase
from tests.support.paths import UNCAPPED

# The row of adopt() prevents some types, and the foreign keys of other tables prevent some changes.
CLEAR = "TRUNCATE operation_patterns, pattern_approvals CASCADE; "
NO_KEY = "ALTER TABLE pattern_approvals DROP CONSTRAINT pattern_approvals_pattern_id_key CASCADE; "
NO_REFERENCES = (
    "ALTER TABLE pattern_occurrences DROP CONSTRAINT pattern_occurrences_pattern_id_fkey;"
    "ALTER TABLE cost_savings_log DROP CONSTRAINT cost_savings_log_pattern_id_fkey; "
)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (
            NO_REFERENCES + CLEAR + "ALTER TABLE operation_patterns ALTER id DROP DEFAULT,"
            " ALTER id TYPE uuid USING gen_random_uuid()",
            "column operation_patterns.id has type uuid, where an integer is needed",
        ),
        (
            NO_REFERENCES + "ALTER TABLE operation_patterns ALTER id DROP DEFAULT, ALTER id TYPE text",
            "column operation_patterns.id has type text, where an integer is needed",
        ),
        (
            NO_REFERENCES + "ALTER TABLE operation_patterns ALTER id TYPE numeric(12)",
            "column operation_patterns.id has type numeric(12,0), where an integer is needed",
        ),
        (
            "ALTER TABLE operation_patterns ALTER confidence_score DROP DEFAULT, ALTER confidence_score TYPE text",
            "column operation_patterns.confidence_score has type text, where a number is needed",
        ),
        (
            "ALTER TABLE operation_patterns ALTER potential_monthly_savings TYPE money",
            "column operation_patterns.potential_monthly_savings has type money, where a number is needed",
        ),
        (
            "ALTER TABLE operation_patterns ALTER occurrence_count TYPE real",
            "column operation_patterns.occurrence_count has type real, where an integer is needed",
        ),
        (
            CLEAR + "ALTER TABLE pattern_approvals ALTER reviewed_at TYPE time",
            "column pattern_approvals.reviewed_at has type time without time zone, where a timestamp is needed",
        ),
        (
            CLEAR + "ALTER TABLE pattern_approvals ALTER example_sessions TYPE jsonb USING NULL",
            "column pattern_approvals.example_sessions has type jsonb, where text is needed",
        ),
        (
            CLEAR + "ALTER TABLE pattern_approvals DROP COLUMN tool_sequence,"
            " ADD COLUMN tool_sequence text GENERATED ALWAYS AS (status || '') STORED",
            "column pattern_approvals.tool_sequence is generated",
        ),
        (
            "CREATE TYPE state AS ENUM ('pending', 'approved');" + CLEAR + "ALTER TABLE pattern_approvals"
            " DROP CONSTRAINT pattern_approvals_status_check, ALTER status TYPE state USING status::state",
            "column pattern_approvals.status has type state, which lacks rejected",
        ),
        (
            CLEAR + "ALTER TABLE pattern_approvals ADD COLUMN tenant integer NOT NULL",
            "column pattern_approvals.tenant is NOT NULL without a default",
        ),
        (
            "CREATE DOMAIN tenant AS integer NOT NULL; ALTER TABLE pattern_review_history ADD COLUMN tenant tenant",
            "column pattern_review_history.tenant is NOT NULL without a default",
        ),
        (
            NO_KEY + "ALTER TABLE pattern_approvals ADD CONSTRAINT late UNIQUE (pattern_id) DEFERRABLE",
            "the unique key late on pattern_approvals (pattern_id) is deferrable",
        ),
        (
            "ALTER TABLE pattern_approvals ADD CONSTRAINT late UNIQUE (pattern_id) DEFERRABLE",
            "the unique key late on pattern_approvals (pattern_id) is deferrable",
        ),
        (
            NO_KEY + "CREATE UNIQUE INDEX few ON pattern_approvals (pattern_id) WHERE status = 'pending'",
            "a unique key on pattern_approvals (pattern_id) is missing (few is partial)",
        ),
        (
            NO_KEY + "CREATE UNIQUE INDEX low ON pattern_approvals (lower(pattern_id))",
            "a unique key on pattern_approvals (pattern_id) is missing (low is on an expression)",
        ),
        (
            NO_KEY + "CREATE UNIQUE INDEX wide ON pattern_approvals (pattern_id, status)",
            "a unique key on pattern_approvals (pattern_id) is missing",
        ),
    ],
)
def test_an_unfit_application_is_refused_by_name_before_anything_is_changed(
    empty_database: TestDatabase, damage: str, named: str
) -> None:
    adopt(empty_database)
    empty_database.execute(damage)
    before = dump(empty_database)
    for attempt in (installer(empty_database).migrate, installer(empty_database).plan):
        with pytest.raises(UnfitApplication) as refusal:
            attempt()
        assert named in str(refusal.value)
        assert str(refusal.value).endswith("Nothing was changed.")
    assert dump(empty_database) == before


# Differences from the application's own tables that work all the same.
FIT = {
    "as it is": "",
    "smallint ids": NO_REFERENCES + "ALTER TABLE operation_patterns ALTER id TYPE smallint",
    "integer ids": NO_REFERENCES + "ALTER TABLE operation_patterns ALTER id TYPE integer",
    "a domain over ids": (
        NO_REFERENCES + "CREATE DOMAIN row_id AS bigint CHECK (value <> 0);"
        "ALTER TABLE operation_patterns ALTER id TYPE row_id"
    ),
    "identity": (
        NO_REFERENCES + "ALTER TABLE operation_patterns ALTER id DROP DEFAULT,"
        " ALTER id ADD GENERATED ALWAYS AS IDENTITY (START 100)"
    ),
    "uuid ids of the queue": (
        "ALTER TABLE pattern_approvals ALTER id DROP DEFAULT, ALTER id TYPE uuid USING gen_random_uuid(),"
        " ALTER id SET DEFAULT gen_random_uuid()"
    ),
    "figures of other types": (
        "ALTER TABLE operation_patterns ALTER confidence_score TYPE numeric(5, 2), ALTER occurrence_count TYPE bigint,"
        " ALTER potential_monthly_savings TYPE real;"
        "ALTER TABLE pattern_approvals ALTER confidence_score TYPE numeric(6, 4), ALTER occurrence_count TYPE bigint,"
        " ALTER estimated_savings_usd TYPE numeric(12, 2)"
    ),
    "domains over figures": (
        "CREATE DOMAIN share AS double precision CHECK (value BETWEEN 0 AND 1); CREATE DOMAIN usd AS numeric(14, 4);"
        "CREATE DOMAIN cents AS usd; CREATE DOMAIN times AS integer;"
        "ALTER TABLE operation_patterns ALTER potential_monthly_savings TYPE cents, ALTER occurrence_count TYPE times;"
        "ALTER TABLE pattern_approvals ALTER confidence_score TYPE share, ALTER estimated_savings_usd TYPE usd,"
        " ALTER occurrence_count TYPE times"
    ),
    "operations as text": "ALTER TABLE operation_patterns ALTER typical_operations TYPE text",
    "operations as json": "ALTER TABLE operation_patterns ALTER typical_operations TYPE json USING NULL",
    "times with a zone": (
        "ALTER TABLE pattern_approvals ALTER created_at TYPE timestamptz, ALTER reviewed_at TYPE timestamptz"
    ),
    "a column that must be filled, with a default": (
        "ALTER TABLE pattern_approvals ADD COLUMN tenant text NOT NULL DEFAULT 'one'"
    ),
    "a domain with a default": (
        "CREATE DOMAIN tenant AS text NOT NULL DEFAULT 'one';ALTER TABLE pattern_approvals ADD COLUMN tenant tenant"
    ),
    "no unique key on signatures": (
        "ALTER TABLE operation_patterns DROP CONSTRAINT operation_patterns_pattern_signature_key"
    ),
    "names of a fixed length": "ALTER TABLE operation_patterns ALTER pattern_signature TYPE char(20)",
    "citext": (
        "CREATE EXTENSION citext; ALTER TABLE operation_patterns ALTER pattern_signature TYPE citext,"
        " ALTER pattern_type TYPE citext; ALTER TABLE pattern_approvals ALTER status TYPE citext"
    ),
    "varchar names": "ALTER TABLE pattern_approvals ALTER pattern_id TYPE varchar(255)",
    "domains over names": (
        "CREATE DOMAIN label AS text CHECK (value <> '');"
        "ALTER TABLE operation_patterns ALTER pattern_signature TYPE label, ALTER pattern_type TYPE label"
    ),
}
# Columns that are compared as text, whatever their type.
ENUMERATIONS = {
    "no table of occurrences": "DROP TABLE pattern_occurrences",
    "a status of the source that is an enumeration": (
        "CREATE TYPE automation AS ENUM ('detected', 'candidate', 'approved', 'implemented', 'rejected');"
        "ALTER TABLE operation_patterns DROP CONSTRAINT operation_patterns_automation_status_check,"
        " ALTER automation_status DROP DEFAULT, ALTER automation_status TYPE automation USING 'detected',"
        " ALTER automation_status SET DEFAULT 'detected'"
    ),
    "a type of pattern that is an enumeration": (
        "CREATE TYPE kind AS ENUM ('sdlc', 'test');"
        "ALTER TABLE operation_patterns ALTER pattern_type TYPE kind USING 'sdlc'"
    ),
    "a status of the queue that is an enumeration": (
        "CREATE TYPE state AS ENUM ('pending', 'approved', 'rejected', 'auto-approved', 'auto-rejected');"
        "ALTER TABLE pattern_approvals DROP CONSTRAINT pattern_approvals_status_check, ALTER status TYPE state USING"
        " status::state"
    ),
    "an action of the history that is an enumeration": (
        "CREATE TYPE act AS ENUM ('approved', 'rejected', 'flagged', 'commented');"
        "ALTER TABLE pattern_review_history DROP CONSTRAINT pattern_review_history_action_check,"
        " ALTER action TYPE act USING action::act"
    ),
}


def lives_through_everything(database: TestDatabase) -> None:
    """Queue, refresh, decide, comment and read: every statement of the queue and of the review."""
    service = PatternSyncService(database.url)
    database.add_pattern("a", potential_monthly_savings=2000)
    database.add_pattern("b", potential_monthly_savings=3000)
    assert service.sync_patterns(UNCAPPED).synced_count == 2
    assert service.sync_patterns(UNCAPPED).refreshed_count == 0
    database.execute("UPDATE operation_patterns SET occurrence_count = 99 WHERE pattern_signature = 'a'")
    assert service.sync_patterns(UNCAPPED).refreshed_count == 1
    assert [entry.pattern_id for entry in service.list_entries()] == ["b", "a"]
    service.approve("a", "good", reviewer="ann")
    service.reject("b", "bad", reviewer="bob")
    service.comment("b", "seen", reviewer="ann")
    _, history = service.get_entry("b")
    assert [item.action for item in history] == ["rejected", "commented"]
    assert service.explain("a").signature == "a"
    assert service.get_sync_statistics().patterns_in_source == 2
    assert service.get_review_statistics().approved == 1
    assert service.overview().trigger_missing_on == ()


@pytest.mark.parametrize("difference", FIT)
def test_tables_of_other_types_are_adopted_and_everything_works(empty_database: TestDatabase, difference: str) -> None:
    if difference == "citext" and not empty_database.execute(
        "SELECT name FROM pg_available_extensions WHERE name = 'citext'"
    ):
        pytest.skip("this server has no citext")
    adopt(empty_database)
    empty_database.execute(CLEAR)
    if FIT[difference]:
        empty_database.execute(FIT[difference])
    before = dump(empty_database)
    assert installer(empty_database).migrate() != []
    lives_through_everything(empty_database)
    empty_database.execute(CLEAR)
    installer(empty_database).uninstall()
    left = [line for line in dump(empty_database).splitlines() if "setval" not in line]
    assert left == [line for line in before.splitlines() if "setval" not in line]


@pytest.mark.parametrize("difference", ENUMERATIONS)
def test_enumerations_are_adopted_and_everything_works(empty_database: TestDatabase, difference: str) -> None:
    adopt(empty_database)
    empty_database.execute(CLEAR)
    empty_database.execute(ENUMERATIONS[difference])
    assert installer(empty_database).migrate() != []
    lives_through_everything(empty_database)
