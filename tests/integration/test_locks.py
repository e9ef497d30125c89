"""Locked rows: no other session fails because of us, and none waits for long."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from pattern_sync import SyncFilter
from pattern_sync.domain.outcomes import Outcome
from tests.support.database import TestDatabase
from tests.support.paths import UNCAPPED, daemon_everything, reconcile, reconcile_ids, service_everything, with_gateway

MANY = 1_000
ENTRY = (
    "INSERT INTO pattern_approvals"
    " (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence)"
    " SELECT name, 'pending', 0.5, 1, 1, 'x' FROM unnest(%s::text[]) AS name"
)


@contextmanager
def holding(database: TestDatabase, names: list[str]) -> Iterator["psycopg.Connection[dict[str, object]]"]:
    """Write entries as an application that does not commit yet."""
    with database.another_connection(autocommit=False) as application:
        application.execute(ENTRY.encode(), [names])
        yield application


@pytest.mark.parametrize("path", ["event", "run"])
def test_an_application_that_locks_in_the_opposite_order_never_becomes_a_deadlock_victim(
    database: TestDatabase, path: str
) -> None:
    """Each would wait for the other, and the application's deadlock_timeout is a second."""
    database.add_patterns(20, "first", potential_monthly_savings=900_000)
    database.add_patterns(MANY, "held")
    faults: list[Exception] = []
    waited_seconds: list[float] = []
    over = threading.Event()

    def want(application: "psycopg.Connection[dict[str, object]]") -> None:
        for number in range(1, 21):
            if over.is_set():
                return
            time.sleep(1.0 if number == 1 else 0.2)
            started = time.monotonic()
            try:
                with application.transaction():
                    application.execute(f"{ENTRY} ON CONFLICT DO NOTHING".encode(), [[f"first:{number}"]])
            except psycopg.Error as fault:
                faults.append(fault)
                return
            waited_seconds.append(time.monotonic() - started)

    with holding(database, [f"held:{number}" for number in range(1, MANY + 1)]) as application:
        other = threading.Thread(target=want, args=[application])
        other.start()
        started = time.monotonic()
        while time.monotonic() - started < 4:
            if path == "event":
                reconcile(database)
            else:
                daemon_everything(database, UNCAPPED)
        over.set()
        other.join()
        application.rollback()
    assert faults == []
    assert max(waited_seconds) < 2, "a second on an idle machine"


@pytest.mark.parametrize("path", ["event", "run"])
def test_a_thousand_locked_entries_do_not_delay_other_patterns(database: TestDatabase, path: str) -> None:
    database.add_patterns(MANY, "held", potential_monthly_savings=900_000)
    database.add_patterns(MANY, "free")
    with holding(database, [f"held:{number}" for number in range(1, MANY + 1)]) as application:
        started = time.monotonic()
        if path == "event":
            outcomes = list(reconcile(database).values())
            assert (outcomes.count(Outcome.HELD), outcomes.count(Outcome.QUEUED)) == (MANY, MANY)
        else:
            result = daemon_everything(database, UNCAPPED)
            assert (result.synced_count, result.remaining_count, result.total_candidates) == (MANY, MANY, 2 * MANY)
        assert time.monotonic() - started < 15, "three on an idle machine"
        application.rollback()
    assert daemon_everything(database, UNCAPPED).synced_count == MANY


@pytest.mark.parametrize("most", [1, 30])
def test_held_and_refused_patterns_do_not_count_against_the_cap(database: TestDatabase, most: int) -> None:
    database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.pattern_id LIKE 'bad%%' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$".replace("%%", "%")
    )
    database.execute("CREATE TRIGGER refuse BEFORE INSERT ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION refuse()")
    database.add_patterns(40, "bad", potential_monthly_savings=900_000)
    database.add_patterns(40, "held", potential_monthly_savings=800_000)
    database.add_patterns(40, "good", potential_monthly_savings=700_000)
    with holding(database, [f"held:{number}" for number in range(1, 41)]) as application:
        result = service_everything(database, SyncFilter.high_priority(max_patterns=most))
        assert result.synced_count == most
        assert (result.error_count, result.total_candidates) == (40, 120)
        again = service_everything(database, SyncFilter.high_priority(max_patterns=most))
        assert again.synced_count == min(most, 40 - most), "a manual sync tries the quarantine once only"
        assert again.total_candidates == 120
        application.rollback()


def test_two_daemons_that_meet_in_the_quarantine_do_not_fail(database: TestDatabase) -> None:
    database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$"
    )
    database.execute("CREATE TRIGGER refuse BEFORE INSERT ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION refuse()")
    database.add_pattern("bad")
    reconcile(database)
    with database.another_connection(autocommit=False) as other:
        other.execute(b"UPDATE pattern_sync.refusals SET attempts = attempts + 1, retry_at = now() - interval '1 s'")
        assert reconcile(database) == {"bad": Outcome.FAILED}
        assert daemon_everything(database, UNCAPPED).error_count == 1
        retried = with_gateway(database, lambda gateway: gateway.retry_refused(UNCAPPED, 50))
        assert (retried.tried, retried.refused) == (0, 1), "the other daemon is retrying it"
        other.commit()
    retried = with_gateway(database, lambda gateway: gateway.retry_refused(UNCAPPED, 50))
    assert (retried.tried, retried.failed, retried.refused) == (1, 1, 1)


@pytest.mark.parametrize("table", ["operation_patterns", "pattern_approvals", "pattern_sync.written"])
def test_every_pattern_has_one_outcome_while_a_table_is_locked(database: TestDatabase, table: str) -> None:
    database.add_patterns(3)
    ids = sorted(row["id"] for row in database.execute("SELECT id FROM operation_patterns"))
    with database.another_connection(autocommit=False) as blocker:
        blocker.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        outcomes = reconcile_ids(database, ids)
    assert sorted(item.row_id for item in outcomes) == ids
    assert {item.outcome for item in outcomes} == {Outcome.HELD}
    assert {item.outcome for item in reconcile_ids(database, ids)} == {Outcome.QUEUED}
