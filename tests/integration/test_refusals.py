"""A refused row affects only itself: whoever refuses it and however, the others are queued."""

import time

import pytest
from rich.table import Table

from pattern_sync import PatternSyncService
from pattern_sync.cli.output import explanation_table
from pattern_sync.domain.errors import PassingFault
from pattern_sync.domain.outcomes import Outcome
from tests.support.database import TestDatabase
from tests.support.paths import UNCAPPED, daemon_everything, reconcile, reconcile_ids, reconcile_outcomes, with_gateway

KEPT_OUT = "the application's own trigger or rule kept it out"
# What an application's trigger on the queue may do to a row whose name begins with "bad", and the reported reason.
BODIES = {
    "a code of its own": ("RAISE EXCEPTION 'not this one' USING ERRCODE = 'ZZ123';", "not this one"),
    "a table that may not be written": (
        "RAISE insufficient_privilege USING MESSAGE = 'permission denied for table audit';",
        "permission denied for table audit",
    ),
    "a table that is missing": ("INSERT INTO no_such_table VALUES (1);", 'relation "no_such_table" does not exist'),
    "a function that is missing": ("PERFORM no_such_function();", "function no_such_function() does not exist"),
    "a column that is missing": ("PERFORM NEW.no_such_column;", 'record "new" has no field "no_such_column"'),
    "an internal error": ("RAISE EXCEPTION 'inside' USING ERRCODE = 'XX000';", "inside"),
    "an assertion": ("ASSERT false, 'this cannot be';", "this cannot be"),
    "another server that is gone": ("RAISE EXCEPTION 'no route' USING ERRCODE = '08001';", "no route"),
    "a file that is missing": (
        "PERFORM pg_read_file('/nonexistent/file');",
        'could not open file "/nonexistent/file" for reading: No such file or directory',
    ),
    "a code as of a server that stops": ("RAISE EXCEPTION 'stopping' USING ERRCODE = '57P01';", "stopping"),
    "a code as of a full disk": ("RAISE EXCEPTION 'no space' USING ERRCODE = '53100';", "no space"),
    "a code as of a standby": ("RAISE EXCEPTION 'we only read' USING ERRCODE = '25006';", "we only read"),
    "a code as of a lock": ("RAISE EXCEPTION 'we are busy' USING ERRCODE = '55P03';", "we are busy"),
    "a code as of a conflict": ("RAISE EXCEPTION 'try again' USING ERRCODE = '40001';", "try again"),
    "a code as of a cancelation": ("RAISE EXCEPTION 'give it up' USING ERRCODE = '57014';", "give it up"),
    "silence": ("RETURN NULL;", KEPT_OUT),
    "another name": ("NEW.pattern_id := 'renamed:' || NEW.pattern_id;", KEPT_OUT),
}


def refuse(database: TestDatabase, body: str, when: str = "NEW.pattern_id LIKE 'bad%%'") -> None:
    database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF {when.replace('%%', '%')} THEN {body} END IF; RETURN NEW; END $$"
    )
    database.execute("CREATE TRIGGER refuse BEFORE INSERT ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION refuse()")


@pytest.mark.parametrize("what", BODIES)
def test_a_refused_row_is_named_with_its_reason_and_the_others_are_queued(database: TestDatabase, what: str) -> None:
    body, reason = BODIES[what]
    refuse(database, body)
    for name in ("good 1", "bad", "good 2"):
        database.add_pattern(name)
    outcomes = {item.signature: item for item in reconcile_outcomes(database)}
    assert outcomes["bad"].outcome is Outcome.FAILED
    assert outcomes["bad"].error == reason
    assert database.queue() == {"good 1", "good 2"}
    assert database.execute("SELECT pattern_id, reason FROM pattern_sync.refusals") == [
        {"pattern_id": "bad", "reason": reason}
    ]
    everything = daemon_everything(database, UNCAPPED)
    assert (everything.skipped_count, everything.error_count, everything.total_candidates) == (2, 1, 3)


@pytest.mark.parametrize("what", ["a code of its own", "silence"])
def test_a_refused_row_is_queued_once_the_application_accepts_it(database: TestDatabase, what: str) -> None:
    refuse(database, BODIES[what][0])
    for number in range(3):
        database.add_pattern(f"bad {number}")
    assert daemon_everything(database, UNCAPPED).error_count == 3
    database.execute("DROP TRIGGER refuse ON pattern_approvals")
    assert daemon_everything(database, UNCAPPED).error_count == 3, "they are in the quarantine"
    result = PatternSyncService(database.url).sync_patterns(UNCAPPED)
    assert (result.synced_count, result.error_count) == (3, 0), "a manual sync follows a repair"
    assert database.count("pattern_sync.refusals") == 0


@pytest.mark.parametrize(
    ("rule", "queued", "reason"),
    [
        ("WHERE NEW.pattern_id LIKE 'bad%%' DO INSTEAD NOTHING", {"good"}, KEPT_OUT),
        ("DO ALSO INSERT INTO audit VALUES (NEW.pattern_id)", {"good", "bad"}, None),
        ("DO INSTEAD NOTHING", set(), KEPT_OUT),
    ],
)
def test_every_kind_of_rule_on_the_queue_has_its_outcome(
    database: TestDatabase, rule: str, queued: set[str], reason: str | None
) -> None:
    database.execute("CREATE TABLE audit (pattern_id text)")
    database.execute(f"CREATE RULE own AS ON INSERT TO pattern_approvals {rule}".replace("%%", "%"))
    database.add_pattern("good")
    database.add_pattern("bad")
    outcomes = reconcile_outcomes(database)
    assert database.queue() == queued
    assert {item.signature for item in outcomes if item.outcome is Outcome.QUEUED} == queued
    assert {item.error for item in outcomes if item.outcome is Outcome.FAILED} == ({reason} if reason else set())


def test_a_constraint_checked_at_the_commit_fails_only_its_row(database: TestDatabase) -> None:
    database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.pattern_id = 'bad' THEN RAISE EXCEPTION 'too late'; END IF; RETURN NULL; END $$"
    )
    database.execute(
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON pattern_approvals DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    database.add_pattern("good")
    database.add_pattern("bad")
    assert reconcile(database) == {"good": Outcome.QUEUED, "bad": Outcome.FAILED}


def test_many_refused_rows_delay_the_good_ones_by_two_seconds_at_most(database: TestDatabase) -> None:
    database.add_patterns(10_000, "good", potential_monthly_savings=2_000)
    started = time.monotonic()
    daemon_everything(database, UNCAPPED)
    alone_seconds = time.monotonic() - started
    database.execute("TRUNCATE pattern_approvals CASCADE")
    refuse(database, "RAISE EXCEPTION 'no';")
    database.add_patterns(10_000, "bad", potential_monthly_savings=5_000)
    started = time.monotonic()
    result = daemon_everything(database, UNCAPPED)
    took_seconds = time.monotonic() - started
    assert (result.synced_count, result.error_count) == (10_000, 10_000)
    assert took_seconds < alone_seconds * 5 + 10, "two seconds on an idle machine; halving took 75"
    assert database.count("pattern_sync.refusals") == 10_000, "none is forgotten"
    started = time.monotonic()
    again = daemon_everything(database, UNCAPPED)
    assert (again.skipped_count, again.error_count) == (10_000, 10_000)
    assert time.monotonic() - started < 2, "not every reconcile retries them"


def test_an_entry_that_never_stores_the_value_is_written_once_per_change(database: TestDatabase) -> None:
    database.execute(
        "CREATE FUNCTION round_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " NEW.estimated_savings_usd := round(NEW.estimated_savings_usd, -3); RETURN NEW; END $$"
    )
    database.execute(
        "CREATE TRIGGER round_it BEFORE INSERT OR UPDATE ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION round_it()"
    )
    database.add_pattern("x", potential_monthly_savings=12_345)
    assert reconcile(database) == {"x": Outcome.QUEUED}
    assert reconcile(database) == {"x": Outcome.UNCHANGED}
    assert daemon_everything(database, UNCAPPED).refreshed_count == 0
    database.execute("UPDATE operation_patterns SET potential_monthly_savings = 23456")
    assert reconcile(database) == {"x": Outcome.REFRESHED}
    assert daemon_everything(database, UNCAPPED).refreshed_count == 0
    entry = database.entry("x")
    assert entry is not None
    assert entry["estimated_savings_usd"] == 23_000


@pytest.mark.parametrize(
    "gone", ["DELETE FROM operation_patterns", "UPDATE operation_patterns SET confidence_score = 1"]
)
def test_a_pattern_that_needs_no_entry_any_more_leaves_the_quarantine(database: TestDatabase, gone: str) -> None:
    refuse(database, "RAISE EXCEPTION 'no';")
    for name in ("bad 1", "bad 2", "bad 3"):
        database.add_pattern(name)
    daemon_everything(database, UNCAPPED)
    database.execute(f"{gone} WHERE pattern_signature <> 'bad 3'")
    database.execute("UPDATE pattern_sync.refusals SET retry_at = now()")
    retried = with_gateway(database, lambda gateway: gateway.retry_refused(UNCAPPED, 50))
    assert (retried.tried, retried.failed, retried.refused) == (3, 1, 1)


def test_refused_figures_are_named_and_retried(database: TestDatabase) -> None:
    database.add_pattern("good")
    database.add_pattern("bad")
    daemon_everything(database, UNCAPPED)
    database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.pattern_id = 'bad' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$"
    )
    database.execute("CREATE TRIGGER refuse BEFORE UPDATE ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION refuse()")
    database.execute("UPDATE operation_patterns SET occurrence_count = 7")
    assert daemon_everything(database, UNCAPPED).refreshed_count == 1
    assert database.execute("SELECT pattern_id, reason FROM pattern_sync.refusals") == [
        {"pattern_id": "bad", "reason": "no"}
    ]
    database.execute("DROP TRIGGER refuse ON pattern_approvals")
    database.execute("UPDATE pattern_sync.refusals SET retry_at = now()")
    retried = with_gateway(database, lambda gateway: gateway.retry_refused(UNCAPPED, 50))
    assert (retried.refreshed_signatures, retried.refused) == (("bad",), 0)
    assert {row["n"] for row in database.execute("SELECT occurrence_count AS n FROM pattern_approvals")} == {7}


def test_a_figure_set_by_another_program_stays_until_the_patterns_figure_changes(database: TestDatabase) -> None:
    database.add_pattern("x", confidence_score=85, occurrence_count=10)
    reconcile(database)
    database.execute("UPDATE pattern_approvals SET confidence_score = 0.6")
    assert reconcile(database) == {"x": Outcome.UNCHANGED}
    assert daemon_everything(database, UNCAPPED).refreshed_count == 0
    database.execute("UPDATE operation_patterns SET occurrence_count = 11")
    assert reconcile(database) == {"x": Outcome.REFRESHED}
    entry = database.entry("x")
    assert entry is not None
    assert (entry["confidence_score"], entry["occurrence_count"]) == (0.6, 11), "each figure by itself"
    database.execute("UPDATE operation_patterns SET confidence_score = 90")
    assert reconcile(database) == {"x": Outcome.REFRESHED}
    moved = database.entry("x")
    assert moved is not None
    assert moved["confidence_score"] == 0.9


def test_a_pattern_whose_rejection_is_remembered_is_not_queued_again(database: TestDatabase) -> None:
    database.add_pattern("rejected")
    database.add_pattern("other")
    database.execute("INSERT INTO pattern_sync.rejections (pattern_id) VALUES ('rejected')")
    assert reconcile(database) == {"rejected": Outcome.SHORT, "other": Outcome.QUEUED}
    result = daemon_everything(database, UNCAPPED)
    assert (result.total_candidates, result.skipped_count) == (1, 1)


def test_the_best_of_several_rows_with_one_signature_counts_every_time(database: TestDatabase) -> None:
    database.execute("ALTER TABLE operation_patterns DROP CONSTRAINT operation_patterns_pattern_signature_key")
    database.add_pattern("x", potential_monthly_savings=5_000)
    database.add_pattern("x", potential_monthly_savings=9_000)
    database.add_pattern("x", potential_monthly_savings=7_000)
    database.add_pattern("y")
    assert reconcile(database) == {"x": Outcome.QUEUED, "y": Outcome.QUEUED}
    for _ in range(2):
        assert set(reconcile(database).values()) == {Outcome.UNCHANGED}
        assert daemon_everything(database, UNCAPPED).refreshed_count == 0
        entry = database.entry("x")
        assert entry is not None
        assert entry["estimated_savings_usd"] == 9_000


def test_zero_and_negative_row_ids_are_valid(database: TestDatabase) -> None:
    for row_id in (0, -1, -(2**62)):
        database.add_pattern(f"row {row_id}", id=row_id)
    assert daemon_everything(database, UNCAPPED).synced_count == 3
    database.execute("UPDATE operation_patterns SET occurrence_count = occurrence_count + 1")
    assert daemon_everything(database, UNCAPPED).refreshed_count == 3


def test_a_locked_entry_is_held_and_no_transaction_is_killed(database: TestDatabase) -> None:
    for name in ("a", "b", "c"):
        database.add_pattern(name)
    insert = (
        "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count,"
        " estimated_savings_usd, tool_sequence) VALUES (%s, 'pending', 0.5, 1, 1, 'x')"
    )
    with database.another_connection(autocommit=False) as application:
        application.execute(insert.encode(), ["b"])
        started = time.monotonic()
        assert reconcile(database) == {"a": Outcome.QUEUED, "b": Outcome.HELD, "c": Outcome.QUEUED}
        assert time.monotonic() - started < 3
        application.execute(insert.encode(), ["d"])
        application.commit()
    assert reconcile(database)["b"] is Outcome.REFRESHED
    assert database.count("pattern_sync.refusals") == 0, "a lock is no refusal"


def test_a_cancellation_ends_the_statement_and_blames_no_row(database: TestDatabase) -> None:
    refuse(database, "PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(30);")
    database.add_pattern("bad")
    started = time.monotonic()
    with pytest.raises(PassingFault):
        reconcile(database)
    assert time.monotonic() - started < 20
    assert database.count("pattern_sync.refusals") == 0


def test_an_explanation_of_a_refused_pattern_gives_the_reason(database: TestDatabase) -> None:
    refuse(database, "RAISE EXCEPTION 'not this one';")
    database.add_pattern("bad")
    reconcile(database)
    explanation = PatternSyncService(database.url).explain("bad")
    assert explanation.outcome is Outcome.FAILED
    assert explanation.refusal == "not this one"
    shown = explanation_table(explanation)
    assert isinstance(shown, Table)
    assert str(shown.caption).endswith("it is tried again. The database reports: not this one")


def test_a_column_that_was_renamed_is_named_for_each_pattern(database: TestDatabase) -> None:
    database.add_patterns(2)
    ids = sorted(row["id"] for row in database.execute("SELECT id FROM operation_patterns"))
    database.execute("ALTER TABLE operation_patterns RENAME COLUMN confidence_score TO certainty")
    outcomes = reconcile_ids(database, ids)
    assert sorted(item.row_id for item in outcomes) == ids
    assert all(item.outcome is Outcome.FAILED and "confidence_score" in (item.error or "") for item in outcomes)
    database.execute("ALTER TABLE operation_patterns RENAME COLUMN certainty TO confidence_score")
    assert {item.outcome for item in reconcile_ids(database, ids)} == {Outcome.QUEUED}
