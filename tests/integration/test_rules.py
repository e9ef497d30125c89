"""Rules on a real database: what they would have decided, what they may decide, and who wins."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from pattern_sync import PatternSyncService
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.connector import Connector
from pattern_sync.database.pool import Pool
from pattern_sync.database.rules import RulesGateway
from pattern_sync.database.statements import load_statements
from pattern_sync.domain.batches import UndoOutcome
from pattern_sync.domain.entry import EntryMark, Status
from pattern_sync.domain.errors import AlreadyDecided, InvalidInput, RuleRefused, UnknownPattern, UnknownRule
from pattern_sync.domain.facts import Fact, RuleDecided, RulePaused, RulesCounted
from pattern_sync.domain.rules import Rule, RuleState, VetoOutcome
from pattern_sync.ruling import RuleKeeper
from pattern_sync.services.timings import Timings
from tests.support.application import adopt, installer
from tests.support.asynchronous import run
from tests.support.database import TestDatabase
from tests.support.notifications import Listener

pytestmark = pytest.mark.lived_in_too

Answer = TypeVar("Answer")
TERMS: Mapping[str, Any] = {
    "verdict": "approve",
    "min_confidence": 90.0,
    "max_savings": 500.0,
    "allow_flags": ("nothing-recorded", "no-steps"),
}
ENOUGH = 59


class Court:
    """A queue with rules, over the daemon's own role; `facts` are what the keeper told."""

    def __init__(self, database: TestDatabase) -> None:
        self.database = database
        self.service = PatternSyncService(database.daemon_url)
        self.facts: list[Fact] = []
        # Larger than all others, so that it is the largest of the queue, which is never a machine's.
        self.queue("largest", estimated_savings_usd=1_000_000, confidence_score=0.5)

    def queue(self, name: str, **columns: object) -> None:
        figures: dict[str, Any] = {"confidence_score": 0.95, "estimated_savings_usd": 100, "occurrence_count": 50}
        self.database.add_entry(name, "pending", **{**figures, **columns})

    def rule(self, name: str = "cheap", state: RuleState = RuleState.OFF, **terms: object) -> Rule:
        """Write a rule, and have it in a state whether or not it has proved itself."""
        rule = self.service.set_rule(name, reviewer="ann", **{**TERMS, **terms})
        if state is not RuleState.OFF:
            self.database.execute(
                "SELECT pattern_sync.switch_rule(%s, %s, %s, 'ann')", rule.name, rule.version, state.value
            )
        return self.service.get_rule(name).rule

    def teach(self, count: int = ENOUGH, *, against: int = 0, prefix: str = "past") -> None:
        """Have people decide on entries that the rule fits, each by itself."""
        for number in range(count):
            self.queue(f"{prefix}:{number}")
        self.database.execute(
            "SELECT (SELECT d.outcome FROM pattern_sync.decide_many(ARRAY[%s || ':' || n], verdict, verdict, verdict,"
            "  'bob', 'so', 'pending', NULL, true, false) AS d)"
            " FROM generate_series(0, %s) AS n,"
            "  LATERAL (SELECT CASE WHEN n < %s THEN 'rejected' ELSE 'approved' END AS verdict) AS v",
            prefix,
            count - 1,
            against,
        )

    def call(self, use: Callable[[RulesGateway], Awaitable[Answer]]) -> Answer:
        async def go() -> Answer:
            async with Pool(Connector(DatabaseAddress.parse(self.database.daemon_url), load_statements())) as pool:
                return await use(RulesGateway(pool.lane("rules", 1).fetch))

        return run(go())

    def keep(self) -> list[Fact]:
        """Run the keeper once, as a daemon does after the traits were kept; return what it told."""
        self.database.execute("SELECT pattern_sync.keep_traits(NULL, NULL)")
        facts: list[Fact] = []

        async def go(store: RulesGateway) -> None:
            keeper = RuleKeeper(store, facts.append, None, lambda: 0.0, Timings())  # type: ignore[arg-type] # no waiting
            await keeper.run_once()

        self.call(go)
        return [fact for fact in facts if not isinstance(fact, RulesCounted)]

    def ripen(self, hours: float = 24.0) -> None:
        """Have the waiting time of every mark pass."""
        self.database.execute(
            "UPDATE pattern_sync.rule_log SET at = at - make_interval(secs => %s)"
            " WHERE act = 'would' AND ended_at IS NULL",
            hours * 3600 + 1,
        )

    def marked(self) -> set[str]:
        return {mark.pattern_id for mark in self.service.rule_marks(1_000)}

    def state(self, name: str = "cheap") -> RuleState:
        return self.service.get_rule(name).rule.state

    def status(self, name: str) -> str:
        entry = self.database.entry(name)
        assert entry is not None
        return str(entry["status"])


def unchecked(count: int, prefix: str = "new") -> list[str]:
    """Return names that are no check of a rule: by their lot, which is the same for ever."""
    found = (f"{prefix}:{number}" for number in range(count * 3))

    def lot(name: str) -> float:
        return int(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:8], 16) / 2**32

    return [name for name in found if lot(name) >= 0.5][:count]


@pytest.fixture
def court(database: TestDatabase) -> Court:
    database.empty("pattern_approvals", "pattern_sync.decisions", "pattern_sync.traits")
    return Court(database)


def test_a_rule_is_off_until_it_was_switched_on_and_that_takes_proof(court: Court) -> None:
    court.teach(ENOUGH - 1)
    rule = court.rule()
    assert (rule.state, rule.version) == (RuleState.OFF, 1)
    with pytest.raises(RuleRefused, match="has to watch first"):
        court.service.turn_rule_on("cheap")
    assert court.service.watch_rule("cheap", reviewer="ann").state is RuleState.WATCHING
    with pytest.raises(RuleRefused, match=r"58 of 58 agree; 1 more is needed for 95 %\."):
        court.service.turn_rule_on("cheap")
    court.teach(1, prefix="last")
    assert court.service.turn_rule_on("cheap", reviewer="ann").state is RuleState.ON


def test_a_batch_of_one_shape_teaches_once(court: Court) -> None:
    names = [f"many:{number}" for number in range(ENOUGH)]
    for name in names:
        court.queue(name)
    court.service.decide_many(names, "approved", reviewer="ann")
    court.rule()
    trial = court.service.try_rule("cheap")
    assert (trial.measured.fitting, trial.measured.agreed, trial.proof.judged) == (ENOUGH, ENOUGH, 1)
    assert not trial.is_proven


def test_what_it_marks_it_decides_after_its_waiting_time_as_the_application_reads_it(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    (name,) = unchecked(1)
    court.queue(name)
    court.database.add_pattern(name, confidence_score=95.0, potential_monthly_savings=100, occurrence_count=50)
    assert court.keep() == []
    assert court.marked() == {name}
    (mark,) = court.service.rule_marks()
    shown = court.service.get_entry(name)[0].mark
    assert shown == EntryMark("cheap", 1, Status.AUTO_APPROVED, mark.due_at)
    assert mark.due_at == mark.since + timedelta(hours=24)
    court.ripen(23.9)
    assert court.keep() == []
    assert court.status(name) == "pending"
    court.ripen(0.1)
    (told,) = court.keep()
    assert isinstance(told, RuleDecided)
    assert (told.rule, told.version, told.patterns) == ("cheap", 1, 1)
    entry = court.database.entry(name)
    assert entry is not None
    assert (entry["status"], entry["reviewed_by"]) == ("auto-approved", "rule:cheap@1")
    (noted,) = court.database.history_of(name)
    assert (noted["action"], noted["reviewer"]) == ("approved", "rule:cheap@1")
    assert noted["notes"] == (
        "Rule cheap, version 1: confidence at least 90 %; savings at most 500 USD a month; flags allowed:"
        " nothing-recorded, no-steps. People made 59 of 59 such decisions likewise."
    )
    assert court.database.mark_of(name)[:2] == ("approved", "rule:cheap@1")
    assert court.marked() == set()


def test_a_machines_decisions_count_as_nobodys(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    before = (court.service.progress(), court.service.advice(), court.service.try_rule("cheap").measured)
    for name in unchecked(5):
        court.queue(name)
    court.keep()
    court.ripen()
    court.keep()
    assert court.service.get_review_statistics().auto_approved == 5
    after = (court.service.progress(), court.service.advice(), court.service.try_rule("cheap").measured)
    assert after[1:] == before[1:]
    assert (after[0].decided_today, set(after[0].by_reviewer)) == (before[0].decided_today, {"bob"})


def test_watching_marks_and_decides_nothing_and_learns_what_people_do(court: Court) -> None:
    court.rule(state=RuleState.WATCHING)
    names = unchecked(3)
    for name in names:
        court.queue(name)
    court.keep()
    court.ripen(9_999)
    assert court.keep() == []
    assert court.marked() == set(names)
    assert {court.status(name) for name in names} == {"pending"}
    court.service.approve(names[0], reviewer="ann")
    court.service.reject(names[1], "no", reviewer="ann")
    assert court.marked() == {names[2]}
    trial = court.service.try_rule("cheap")
    assert (trial.measured.fitting, trial.measured.agreed) == (2, 1)
    (other,) = trial.disagreements
    assert (other.pattern_id, other.reviewer, other.reason) == (names[1], "ann", "REJECTED: no")


def test_a_share_is_left_to_people_unmarked_for_ever(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON, check_share=0.5, per_day=1_000)
    names = [f"e:{number}" for number in range(200)]
    for name in names:
        court.queue(name)
    court.keep()
    marked = court.marked()
    assert 70 <= len(marked) <= 130
    assert court.service.get_rule("cheap").counts.left_as_checks == 200 - len(marked)
    for _ in range(3):
        court.ripen()
        court.keep()
    assert {name for name in names if court.status(name) == "pending"} == set(names) - marked
    with pytest.raises(RuleRefused, match="No rule is about to decide"):
        court.service.veto(next(iter(set(names) - marked)))


def test_what_it_must_not_decide(court: Court) -> None:
    court.teach()
    names = unchecked(8)
    flagged, commented, snoozed, taken_back, dear, unsure, fine, queued = names
    for name in names:
        court.queue(name)
    court.database.add_pattern(flagged, potential_monthly_savings=100, confidence_score=95)
    court.database.execute(
        "INSERT INTO pattern_occurrences (pattern_id, workflow_id)"
        " SELECT id, 'wf-1' FROM operation_patterns WHERE pattern_signature = %s",
        flagged,
    )
    court.service.comment(commented, "ask bob first", reviewer="ann")
    court.service.snooze(snoozed, datetime.now(UTC) + timedelta(days=3))
    made = court.service.decide_many([taken_back], "approved", reviewer="ann")
    assert made.batch_id is not None
    court.service.undo(made.batch_id, reviewer="ann")
    court.database.execute("UPDATE pattern_approvals SET estimated_savings_usd = 501 WHERE pattern_id = %s", dear)
    court.database.execute("UPDATE pattern_approvals SET confidence_score = 0.899 WHERE pattern_id = %s", unsure)
    court.rule(state=RuleState.ON)
    court.keep()
    court.ripen()
    court.keep()
    assert {name for name in names if court.status(name) == "auto-approved"} == {fine, queued}
    assert court.status("largest") == "pending"


def test_the_largest_of_the_queue_is_never_a_machines(court: Court) -> None:
    court.teach()
    court.database.execute("DELETE FROM pattern_approvals WHERE pattern_id = 'largest'")
    court.rule(state=RuleState.ON)
    small, large = unchecked(2)
    court.queue(small, estimated_savings_usd=10)
    court.queue(large, estimated_savings_usd=20)
    court.keep()
    court.ripen()
    court.keep()
    assert (court.status(small), court.status(large)) == ("auto-approved", "pending")


def test_figures_that_moved_while_it_waited_count_as_they_are(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    (name,) = unchecked(1)
    court.queue(name)
    court.keep()
    court.ripen()
    court.database.execute("UPDATE pattern_approvals SET estimated_savings_usd = 9999 WHERE pattern_id = %s", name)

    async def apply(store: RulesGateway) -> list[object]:
        return list(await store.apply(rule, "because"))

    rule = court.service.get_rule("cheap").rule
    assert court.call(apply) == [], "the traits, which have the old figures, decide nothing"
    court.keep()
    assert court.marked() == set()


def test_where_two_rules_disagree_nobody_decides(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    court.rule("junk", RuleState.WATCHING, verdict="reject", min_confidence=0.0, max_savings=50.0)
    both, one = unchecked(2)
    court.queue(both, estimated_savings_usd=40)
    court.queue(one, estimated_savings_usd=60)
    court.keep()
    court.ripen()
    court.keep()
    assert (court.status(both), court.status(one)) == ("pending", "auto-approved")
    assert court.service.get_entry(both)[0].mark is None
    court.service.turn_rule_off("junk")
    court.keep()
    assert court.status(both) == "auto-approved"


def test_a_veto_holds_against_every_rule_and_at_the_last_second(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    early, late = unchecked(2)
    court.queue(early)
    court.queue(late)
    court.keep()
    assert court.service.veto(early, reviewer="ann", reason="mine") is VetoOutcome.VETOED
    court.ripen()
    court.keep()
    assert (court.status(early), court.status(late)) == ("pending", "auto-approved")
    assert court.service.veto(late, reviewer="ann") is VetoOutcome.TAKEN_BACK
    assert court.status(late) == "pending"
    court.rule("other", RuleState.ON)
    for _ in range(2):
        court.ripen()
        court.keep()
    assert (court.status(early), court.status(late)) == ("pending", "pending")
    with pytest.raises(UnknownPattern):
        court.service.veto("nowhere")
    court.service.approve(early, reviewer="ann")
    with pytest.raises(RuleRefused, match="decided already"):
        court.service.veto(early)


def test_a_person_who_still_saw_it_pending_wins(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    names = unchecked(4)
    for name in names:
        court.queue(name)
    court.keep()
    court.ripen()
    court.keep()
    assert {court.status(name) for name in names} == {"auto-approved"}
    assert court.service.reject(names[0], "no", reviewer="ann").status == "rejected"
    made = court.service.decide_many(names[1:3], "rejected", "no", reviewer="ann")
    assert made.decided == 2
    assert [row["action"] for row in court.database.history_of(names[0])] == ["approved", "flagged", "rejected"]
    court.database.execute("UPDATE pattern_sync.rule_log SET at = at - interval '1 minute' WHERE act = 'decided'")
    with pytest.raises(AlreadyDecided, match="auto-approved by rule:cheap@1"):
        court.service.reject(names[3], "no", reviewer="ann")
    assert made.batch_id is not None
    court.service.undo(made.batch_id, reviewer="ann")
    assert {court.status(name) for name in names[1:3]} == {"pending"}, "as ann had seen them"


def test_it_pauses_when_people_turn_its_decisions_around(court: Court) -> None:
    court.teach(200)
    court.rule(state=RuleState.ON)
    names = unchecked(3)
    for name in names:
        court.queue(name)
    court.keep()
    court.ripen()
    court.keep()
    for name in names[:2]:
        assert court.keep() == []
        court.database.execute("UPDATE pattern_sync.rule_log SET at = at - interval '1 minute' WHERE act = 'decided'")
        court.service.reject(name, "no", reviewer="ann", replaces=Status.AUTO_APPROVED)
    (told,) = court.keep()
    assert isinstance(told, RulePaused)
    assert told.reason == "people took back, or turned around, 2 of its decisions of the last 30 days"
    assert court.state() is RuleState.PAUSED
    assert court.keep() == []
    assert court.service.turn_rule_on("cheap").state is RuleState.ON
    assert court.keep() == [], "what a person has seen does not pause it again"


def test_it_pauses_when_agreement_is_not_enough_any_more(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    court.teach(1, against=1, prefix="against")
    (told,) = court.keep()
    assert isinstance(told, RulePaused)
    assert told.reason.startswith("people's agreement is not enough any more: 59 of 60 agree; 33 more are needed")


def test_pages_are_told_that_the_marks_of_a_paused_rule_are_gone(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    (name,) = unchecked(1)
    court.queue(name)
    court.keep()
    assert court.marked() == {name}
    with court.database.another_connection() as connection:
        announced = Listener(connection, "pattern_sync_queue")
        connection.execute("LISTEN pattern_sync_queue")
        assert court.service.revert_rule("cheap").paused
        assert [json.loads(payload) for payload in announced.received()] == [{"refreshed": [name]}]
    assert court.marked() == set()


def test_it_pauses_when_nobody_could_object(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    (name,) = unchecked(1)
    court.queue(name)
    court.keep()
    court.ripen()
    court.database.execute("UPDATE pattern_sync.rules SET looked_at = looked_at - interval '13 hours'")
    rule = court.service.get_rule("cheap").rule
    assert court.call(lambda store: store.apply(rule, "because")) == [], "no daemon that has not looked decides"
    (told,) = court.keep()
    assert isinstance(told, RulePaused)
    assert "no daemon looked at it for 13.0 hours" in told.reason
    assert court.status(name) == "pending"


def test_it_pauses_when_what_it_approved_gets_a_flag(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    (name,) = unchecked(1)
    court.queue(name)
    court.keep()
    court.ripen()
    court.keep()
    court.database.execute("UPDATE pattern_sync.traits SET flags = '{counted-twice}' WHERE pattern_id = %s", name)
    rule = court.service.get_rule("cheap").rule
    look = court.call(lambda store: store.look_at(rule))
    assert look is not None
    assert look.flagged == 1


def test_its_budget_of_a_day_holds_and_pauses_it_the_second_time(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON, per_day=2)
    names = unchecked(7)
    for name in names:
        court.queue(name)
    court.keep()
    court.ripen()
    for _ in range(3):
        court.keep()
    assert sum(court.status(name) == "auto-approved" for name in names) == 2
    a_day_later = "UPDATE pattern_sync.rule_log SET at = at - interval '25 hours'"
    court.database.execute(a_day_later)
    court.database.execute("UPDATE pattern_sync.rules SET full_at = full_at - interval '25 hours'")
    (told,) = court.keep()
    assert isinstance(told, RulePaused)
    assert told.reason == "more was due than its 2 decisions a day, for the second time in 30 days"
    assert sum(court.status(name) == "auto-approved" for name in names) == 2


def test_a_clock_that_was_set_back_counts_against_the_rule(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON, per_day=2)
    names = unchecked(4)
    for name in names[:2]:
        court.queue(name)
    court.keep()
    court.ripen()
    court.keep()
    court.database.execute("UPDATE pattern_sync.rule_log SET at = at + interval '3 days' WHERE act = 'decided'")
    for name in names[2:]:
        court.queue(name)
    court.keep()
    court.ripen()
    court.keep()
    assert sum(court.status(name) == "auto-approved" for name in names) == 2


def test_a_change_is_a_new_version_that_watches_again(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    (name,) = unchecked(1)
    court.queue(name)
    court.keep()
    assert court.service.set_rule("cheap", max_savings=500.0).version == 1, "nothing has changed"
    changed = court.service.set_rule("cheap", reviewer="carl", max_savings=400.0)
    assert (changed.version, changed.state, changed.changed_by) == (2, RuleState.WATCHING, "carl")
    assert court.marked() == set()
    court.keep()
    assert [mark.version for mark in court.service.rule_marks()] == [2]


def test_what_it_decided_is_taken_back_as_a_batch(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    names = unchecked(5)
    for name in names:
        court.queue(name)
        court.database.add_pattern(name, confidence_score=95.0, potential_monthly_savings=100, occurrence_count=50)
    rows = (
        "SELECT to_jsonb(a) - 'updated_at' AS entry, (SELECT to_jsonb(p) - 'updated_at' FROM operation_patterns AS p"
        " WHERE p.pattern_signature = a.pattern_id) AS pattern FROM pattern_approvals AS a ORDER BY a.pattern_id"
    )
    court.keep()
    before = court.database.execute(rows)
    court.ripen()
    court.keep()
    assert court.database.execute(rows) != before
    reverted = court.service.revert_rule("cheap", reviewer="ann")
    assert (reverted.undone, reverted.counts, reverted.paused) == (5, {UndoOutcome.UNDONE: 5}, True)
    assert court.database.execute(rows) == before
    view = court.service.get_rule("cheap")
    assert view.rule.paused_because == "ann took back what it had decided"
    assert view.counts.taken_back == 5
    assert court.service.turn_rule_on("cheap").state is RuleState.ON
    court.keep()
    assert court.marked() == set(), "what a person has taken back stays with people"
    with pytest.raises(InvalidInput, match="for 7 days"):
        court.service.revert_rule("cheap", datetime.now(UTC) - timedelta(days=8))
    with pytest.raises(UnknownRule, match="no rule 'nobody'"):
        court.service.revert_rule("nobody")


def test_what_the_application_refuses_pauses_the_rule(court: Court) -> None:
    court.teach()
    court.rule(state=RuleState.ON)
    (name,) = unchecked(1)
    court.queue(name)
    court.keep()
    court.ripen()
    court.database.execute(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN IF NEW.status LIKE ''auto-%%'' THEN RAISE ''people only''; END IF; RETURN NEW; END';"
        " CREATE TRIGGER no BEFORE UPDATE ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION no()".replace("%%", "%")
    )
    (told,) = court.keep()
    assert isinstance(told, RulePaused)
    assert "people only" in told.reason
    assert court.status(name) == "pending"


def test_a_rule_that_would_reject_everything_says_so_first(court: Court) -> None:
    """As the application's own classification does: whatever is below 95 % is rejected, and everything is."""
    court.database.execute("DELETE FROM pattern_approvals")
    for number in range(10):
        court.queue(f"new:{number}", confidence_score=0.9)
    court.rule("classify", verdict="reject", min_confidence=None, max_confidence=94.99, max_savings=None)
    trial = court.service.try_rule("classify")
    assert trial.alarms[0] == "Every entry of the last month (10) would have been rejected by this rule."


def test_a_rule_that_can_never_fire_is_told_so_with_the_bound(court: Court) -> None:
    """As the application's own auto-approval cannot: it asks for more than 99 % of what is capped there."""
    court.queue("capped", confidence_score=0.99, occurrence_count=300, estimated_savings_usd=6_000)
    court.rule("never", min_confidence=99.5, min_savings=5_000.0, max_savings=1e6)
    assert court.service.try_rule("never").never == (
        "It can never fire: min_confidence is 99.5, which none of the 2 entries reaches; the highest is 99.",
    )
    for contradiction, words in (
        ({"min_savings": 600.0}, "nothing is within both"),
        ({"max_savings": None}, "max_savings is missing"),
        ({"needs_tools": ("Read",), "without_tools": ("read",)}, "no sequence has it"),
        ({"only_kinds": ("a:b",), "exclude_kinds": ("A:B",)}, "no kind is left"),
        ({"allow_flags": ("odd",)}, "is no flag"),
        ({"check_share": 0.0}, "from 0.01 to 0.5"),
        ({"wait_hours": 0.5}, "from 1 to 720"),
    ):
        with pytest.raises(InvalidInput, match=words):
            court.service.set_rule("never2", **{**TERMS, **contradiction})


def test_a_trial_works_on_decisions_from_before_the_record(empty_database: TestDatabase) -> None:
    """On an adopted database, on day one: a decided entry keeps its figures."""
    adopt(empty_database)
    empty_database.execute("DELETE FROM pattern_approvals")
    for number in range(60):
        status = "rejected" if number == 7 else "approved"
        empty_database.add_entry(
            f"old:{number}", status, confidence_score=0.95, estimated_savings_usd=100 + number, reviewed_by="ann",
            reviewed_at=datetime(2025, 12, 1, tzinfo=UTC), approval_notes="REJECTED: too rare" if number == 7 else None,
        )  # fmt: skip
    empty_database.add_entry("by a rule of theirs", "auto-approved", confidence_score=0.95)
    installer(empty_database).migrate()
    service = PatternSyncService(empty_database.url)
    service.set_rule("cheap", **TERMS)
    trial = service.try_rule("cheap")
    assert (trial.measured.decided, trial.measured.fitting, trial.measured.agreed) == (60, 60, 59)
    (other,) = trial.disagreements
    assert (other.pattern_id, other.reviewer, other.reason) == ("old:7", "ann", "REJECTED: too rare")
    assert trial.proof_in_words == "59 of 60 agree; 33 more are needed for 95 %."


def test_nobody_passes_for_a_rule_and_the_operator_forbids_them(court: Court) -> None:
    court.queue("x")
    with pytest.raises(InvalidInput, match="kept for rules"):
        court.service.approve("x", reviewer="rule:cheap@1")
    court.rule()
    forbidden = PatternSyncService(court.database.daemon_url, rules_allowed=False)
    with pytest.raises(RuleRefused, match="PATTERN_SYNC_RULES is off"):
        forbidden.watch_rule("cheap")
    assert forbidden.try_rule("cheap").rule.name == "cheap"
