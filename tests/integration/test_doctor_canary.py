"""The canary of the doctor: what it proves, and for which writers it cannot."""

from collections.abc import Iterator

import pytest

from tests.support.database import TestDatabase
from tests.support.doctor import carry_out, examined, listening_daemon

DETECTOR = ("INSERT, UPDATE, SELECT ON operation_patterns", "USAGE ON SEQUENCE operation_patterns_id_seq")
FUNCTION = "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$"
TRIGGER = "CREATE TRIGGER meddle {} INSERT ON operation_patterns FOR EACH ROW WHEN ({}) EXECUTE FUNCTION meddle()"


@pytest.fixture
def watched(database: TestDatabase) -> Iterator[TestDatabase]:
    """Return a database with a session that looks like a daemon's."""
    with listening_daemon(database):
        yield database


def meddle(database: TestDatabase, moment: str, body: str, condition: str = "true") -> None:
    database.execute(FUNCTION.format(body))
    database.execute(TRIGGER.format(moment, condition))


def test_a_detector_that_may_not_use_the_schema_is_the_fault_that_the_canary_is_for(watched: TestDatabase) -> None:
    with watched.role(*DETECTOR) as role:
        watched.execute("REVOKE ALL ON SCHEMA pattern_sync FROM PUBLIC")
        found = examined(watched.url_as(role), canary=True)
        assert found.state("canary") == "problem"
        assert "cannot read the filter" in found.text("canary")
        assert all("GRANT" in each["text"] for each in found.remedies("canary"))
        carry_out(found.remedies("canary"), watched)
        assert examined(watched.url_as(role), canary=True).state("canary") == "ok"


def test_a_detector_that_may_only_insert_has_a_canary(watched: TestDatabase) -> None:
    with watched.role("INSERT ON operation_patterns", DETECTOR[1]) as role:
        assert examined(watched.url_as(role), canary=True).state("canary") == "ok"
        watched.execute("ALTER TABLE operation_patterns DISABLE TRIGGER pattern_sync_announce")
        assert examined(watched.url_as(role), canary=True).state("canary") == "problem"


def test_a_pattern_that_the_application_writes_beside_the_canary_does_not_hide_it(watched: TestDatabase) -> None:
    another = (
        "INSERT INTO operation_patterns (pattern_signature, pattern_type, confidence_score, occurrence_count,"
        " potential_monthly_savings) VALUES (NEW.pattern_signature || ' too', 'x', 100, 10, 99999); RETURN NULL;"
    )
    meddle(watched, "AFTER", another, "NEW.pattern_signature !~ 'too'")
    assert examined(watched.url, canary=True).state("canary") == "ok"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("RETURN NULL;", "did not insert"),
        ("NEW.confidence_score := 1; RETURN NEW;", "changed the pattern's confidence_score"),
        ("NEW.pattern_signature := lower('X'); NEW.confidence_score := 1; RETURN NEW;", "pattern_signature"),
    ],
)
def test_a_canary_that_the_application_changes_is_no_fault_of_the_announcement(
    watched: TestDatabase, body: str, says: str
) -> None:
    meddle(watched, "BEFORE", body)
    found = examined(watched.url, canary=True)
    assert found.state("canary") == "cannot check"
    assert says in found.text("canary")


def test_the_canary_is_of_a_type_that_the_application_knows(watched: TestDatabase) -> None:
    watched.add_pattern("known", pattern_type="known")
    watched.execute("ALTER TABLE operation_patterns ADD CHECK (pattern_type = 'known')")
    assert examined(watched.url, canary=True).state("canary") == "ok"
