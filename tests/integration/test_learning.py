"""What is learned from decisions in a database, what was foretold of them, and what people see of it."""

import math
from typing import Any

import psycopg
import pytest

from pattern_sync import PatternSyncService
from pattern_sync.domain.entry import QueueEntry
from pattern_sync.domain.errors import NothingLearned, UnknownPattern
from pattern_sync.domain.facts import LikelihoodsHidden, LikelihoodsShown, ModelIgnored, ModelLearned
from pattern_sync.domain.folding import is_drawn
from pattern_sync.domain.standing import LearnMode
from tests.support.command import run_command
from tests.support.database import TestDatabase
from tests.support.learning import KINDS, decide, decide_by_kind, learned, look, proved, queue_kinds

LIKED, DISLIKED = KINDS


@pytest.fixture
def service(database: TestDatabase) -> PatternSyncService:
    return PatternSyncService(database.url)


def record(database: TestDatabase) -> list[dict[str, Any]]:
    return database.execute(
        "SELECT pattern_id, decision, likelihood, model_id, folded FROM pattern_sync.decisions ORDER BY id"
    )


def predictions(database: TestDatabase) -> dict[str, float]:
    rows = database.execute("SELECT pattern_id, likelihood FROM pattern_sync.predictions")
    return {row["pattern_id"]: row["likelihood"] for row in rows}


@pytest.mark.lived_in_too
def test_a_decision_takes_along_what_was_foretold_of_it(database: TestDatabase) -> None:
    names = learned(database)
    foretold = predictions(database)
    assert set(foretold) == set(names)
    assert all((foretold[name] > 0.5) == name.startswith(LIKED) for name in names)
    decide(database, names[0], "rejected")
    last = record(database)[-1]
    assert (last["pattern_id"], last["likelihood"]) == (names[0], foretold[names[0]])
    assert last["model_id"] == database.execute("SELECT max(id) AS id FROM pattern_sync.models")[0]["id"]


def test_what_was_decided_before_is_never_foretold_afterwards(database: TestDatabase) -> None:
    learned(database)
    before = record(database)
    assert all(row["likelihood"] is None for row in before)
    look(database)
    assert record(database) == before


def test_of_a_decision_that_replaces_another_nothing_was_foretold(database: TestDatabase) -> None:
    names = learned(database)
    decide(database, names[0], "approved")
    decide(database, names[0], "rejected", replaces="approved")
    assert [row["likelihood"] is None for row in record(database)[-2:]] == [False, True]


def test_of_a_pattern_only_the_first_decision_counts(database: TestDatabase, service: PatternSyncService) -> None:
    """After an undo the model may have learned from it."""
    names = learned(database)
    decide(database, names[0], "approved")
    service.undo(service.batches(limit=1)[0].id)
    look(database)
    decide(database, names[0], "approved")
    assert record(database)[-1]["likelihood"] is not None
    assert database.execute("SELECT * FROM pattern_sync.foretold()") == []


@pytest.mark.lived_in_too
def test_the_gate_opens_after_fifty_that_were_foretold(database: TestDatabase, service: PatternSyncService) -> None:
    names = learned(database, 30)
    decide_by_kind(database, names[:49])
    assert not any(isinstance(fact, LikelihoodsShown) for fact in look(database))
    standing = service.model()
    assert (standing.gate.scored, standing.gate.is_open, standing.shown) == (49, False, False)
    assert "49 were foretold; needs 50" in standing.words
    assert all(entry.likelihood is None and not entry.folded for entry in service.list_entries(limit=100))
    with pytest.raises(NothingLearned, match="49 were foretold; needs 50"):
        service.list_entries(sort="expected")
    decide_by_kind(database, names[49:50])
    assert any(isinstance(fact, LikelihoodsShown) for fact in look(database))
    assert service.model().shown
    assert all(entry.likelihood is not None for entry in service.list_entries(limit=100))
    assert len(service.list_entries(sort="expected")) == 10


def test_while_it_is_only_recorded_nothing_is_shown(database: TestDatabase, service: PatternSyncService) -> None:
    proved(database, LearnMode.RECORD)
    standing = service.model()
    assert standing.gate.is_open
    assert not standing.shown
    assert standing.words.endswith("nothing is shown, as PATTERN_SYNC_LEARN is not `on`")
    assert all(entry.likelihood is None for entry in service.list_entries())


@pytest.mark.parametrize("mode", [LearnMode.OFF, LearnMode.RECORD])
def test_it_can_be_switched_off(database: TestDatabase, service: PatternSyncService, mode: LearnMode) -> None:
    proved(database)
    assert service.model().shown
    look(database, mode)
    assert not service.model().shown
    assert all(entry.likelihood is None for entry in service.list_entries())


def test_switched_off_nothing_is_learned(database: TestDatabase) -> None:
    decide_by_kind(database, queue_kinds(database, 10))
    queue_kinds(database, 3, "w")
    assert look(database, LearnMode.OFF) == []
    assert database.count("pattern_sync.models") == 0
    assert predictions(database) == {}


@pytest.mark.lived_in_too
def test_what_is_expected_to_bring_most_comes_first_and_likely_rejects_last(
    database: TestDatabase, service: PatternSyncService
) -> None:
    names = proved(database)
    listed = service.list_entries(limit=1_000, sort="expected")
    assert {entry.pattern_id for entry in listed} == set(names)  # nothing is left out

    def rank(entry: QueueEntry) -> tuple[bool, float]:
        worth = entry.evidence.savings_by_evidence or entry.estimated_savings_usd
        return entry.folded, -(entry.likelihood or 0) * worth

    assert list(listed) == sorted(listed, key=rank)
    assert listed[0].pattern_id.startswith(LIKED)
    folded = [entry for entry in listed if entry.folded]
    assert folded
    assert folded == list(listed[-len(folded) :])
    assert all((entry.likelihood or 0) < 0.1 and not is_drawn(entry.pattern_id) for entry in folded)
    backwards = service.list_entries(limit=1_000, sort="-expected")
    assert backwards[0].pattern_id == listed[-1].pattern_id
    pages = [service.list_entries(limit=30, sort="expected", offset=offset) for offset in (0, 30, 60)]
    assert [entry.pattern_id for page in pages for entry in page] == [entry.pattern_id for entry in listed]


def test_the_fold_is_counted_and_what_it_costs_is_told(database: TestDatabase, service: PatternSyncService) -> None:
    names = proved(database)
    listed = {entry.pattern_id: entry for entry in service.list_entries(limit=1_000)}
    fold = service.model().fold
    likely_rejects = [entry for entry in listed.values() if entry.likelihood is not None and entry.likelihood < 0.1]
    assert fold.now.entries == sum(entry.folded for entry in listed.values()) > 0
    assert fold.now.entries + fold.now.drawn == len(likely_rejects)
    before = fold.tried
    folded = next(name for name in names if listed[name].folded)
    decide(database, folded, "approved")
    assert record(database)[-1]["folded"] is True
    assert service.model().fold.tried == before  # who looks into the fold looks for approvals
    look(database)
    assert service.model().fold.now.entries < fold.now.entries


def test_what_folds_is_found_by_a_term_while_it_is_shown(database: TestDatabase, service: PatternSyncService) -> None:
    proved(database)
    folded = {entry.pattern_id for entry in service.list_entries(limit=1_000) if entry.folded}
    assert folded
    assert {entry.pattern_id for entry in service.list_entries(limit=1_000, query="likely:reject")} == folded
    others = {entry.pattern_id for entry in service.list_entries(limit=1_000, query="-likely:reject")}
    assert others == {entry.pattern_id for entry in service.list_entries(limit=1_000)} - folded
    look(database, LearnMode.RECORD)
    assert service.list_entries(query="likely:reject") == ()
    assert len(service.list_entries(limit=1_000, query="-likely:reject")) == len(folded) + len(others)


def test_a_drawn_likely_reject_is_shown_in_place_and_its_approval_is_a_loss(
    database: TestDatabase, service: PatternSyncService
) -> None:
    proved(database)
    drawn = next(name for number in range(10_000) if is_drawn(name := f"{DISLIKED}:d{number}"))
    database.add_entry(drawn, confidence_score=0.8, estimated_savings_usd=1_500, tool_sequence="Read→Tool→Edit")
    look(database)
    entry = service.get_entry(drawn)[0]
    assert entry.likelihood is not None
    assert entry.likelihood < 0.1
    assert not entry.folded
    before = service.model().fold
    decide(database, drawn, "approved")
    after = service.model().fold
    assert (after.tried, after.lost) == (before.tried + 1, before.lost + 1)
    assert after.lost_share_at_most > before.lost_share_at_most


def test_drift_closes_the_gate(database: TestDatabase, service: PatternSyncService) -> None:
    names = proved(database)
    assert service.model().shown
    decide_by_kind(database, names, DISLIKED)  # the same person, of another mind
    assert any(isinstance(fact, LikelihoodsHidden) for fact in look(database))
    standing = service.model()
    assert not standing.shown
    assert "not better than the base rate any more" in standing.words
    assert all(entry.likelihood is None for entry in service.list_entries())


def test_a_batch_counts_as_one_decision_for_each_shape(database: TestDatabase, service: PatternSyncService) -> None:
    for number in range(300):
        database.add_entry(f"test:b{number}", tool_sequence="Read→Edit" if number % 2 else "Grep")
    service.decide_many([f"test:b{number}" for number in range(300)], "approved", reviewer="ann")
    assert service.model().lessons == 2
    look(database)
    assert database.count("pattern_sync.models") == 0


def test_what_was_undone_never_counts_nor_what_a_rule_did(database: TestDatabase, service: PatternSyncService) -> None:
    names = queue_kinds(database, 10)
    decide_by_kind(database, names)
    for batch in service.batches(limit=20):
        service.undo(batch.id)
    assert service.model().lessons == 0
    for number, name in enumerate(names):
        database.execute(
            "SELECT pattern_sync.decide_many("
            "ARRAY[%s], %s, %s, 'approved', 'rule:cheap@3', 'x', 'pending', NULL, true, false)",
            name,
            "auto-approved" if number % 2 else "auto-rejected",
            "approved" if number % 2 else "rejected",
        )
    assert database.count("pattern_sync.decisions") == 2 * len(names)
    assert service.model().lessons == 0
    look(database)
    assert database.count("pattern_sync.models") == 0


def test_what_a_rule_decided_is_never_scored_and_the_person_after_it_is(
    database: TestDatabase, service: PatternSyncService
) -> None:
    name = learned(database)[0]
    decided = database.execute(
        "SELECT batch_id FROM pattern_sync.decide_many("
        "ARRAY[%s], 'auto-approved', 'approved', 'approved', 'rule:cheap@3', 'x', 'pending', NULL, true, false)",
        name,
    )
    assert record(database)[-1]["likelihood"] is not None
    foretold = "SELECT reviewer, approved FROM pattern_sync.foretold()"
    assert database.execute(foretold) == []
    service.undo(decided[0]["batch_id"])
    assert database.execute(foretold) == []
    decide(database, name, "rejected")
    assert database.execute(foretold) == [{"reviewer": "ann", "approved": False}]


@pytest.mark.lived_in_too
def test_decisions_before_the_record_are_learned_from_too(database: TestDatabase) -> None:
    for name in queue_kinds(database, 10):
        database.execute(
            "UPDATE pattern_approvals SET status = %s, reviewed_by = 'ann' WHERE pattern_id = %s",
            "approved" if name.startswith(LIKED) else "rejected",
            name,
        )
    queue_kinds(database, 2, "w")
    assert [type(fact) for fact in look(database)] == [ModelLearned]
    assert all((value > 0.5) == name.startswith(LIKED) for name, value in predictions(database).items())


def test_it_learns_anew_after_ten_decisions(database: TestDatabase) -> None:
    names = learned(database)
    decide_by_kind(database, names[:9])
    assert look(database) == []
    decide_by_kind(database, names[9:10])
    assert [type(fact) for fact in look(database)] == [ModelLearned]


def test_between_sweeps_it_only_foretells(database: TestDatabase) -> None:
    names = learned(database)
    decide_by_kind(database, names)
    database.add_entry(f"{LIKED}:new")
    assert look(database, swept=False) != []  # a new daemon has to learn first
    model = database.execute("SELECT max(id) AS id FROM pattern_sync.models")[0]["id"]
    assert model == 2
    assert f"{LIKED}:new" in predictions(database)


def test_a_change_of_an_entry_is_foretold_anew(database: TestDatabase) -> None:
    name = learned(database)[0]
    before = predictions(database)[name]
    database.execute("UPDATE pattern_approvals SET estimated_savings_usd = 900000 WHERE pattern_id = %s", name)
    look(database)
    assert predictions(database)[name] != before


@pytest.mark.lived_in_too
def test_what_is_not_foretold_yet_is_found_page_by_page(database: TestDatabase) -> None:
    names = queue_kinds(database, 10)
    database.execute("SELECT pattern_sync.keep_traits(NULL, NULL)")
    database.execute(
        "INSERT INTO pattern_sync.predictions SELECT t.pattern_id, CASE t.pattern_id WHEN %s THEN 2 ELSE 1 END, 0.5,"
        " false, pattern_sync.version_of(t.changed_at) + CASE t.pattern_id WHEN %s THEN 1 ELSE 0 END"
        " FROM pattern_sync.traits AS t WHERE t.pattern_id = ANY(%s)",
        names[0],
        names[1],
        names[:5],
    )
    page = "SELECT pattern_id FROM pattern_sync.unforetold(%s, %s, %s)"
    for model, wanted in ((1, {names[1], *names[5:]}), (2, {*names[1:]}), (3, {*names})):
        found = [row["pattern_id"] for row in database.execute(page, model, "", 1_000)]
        paged: list[str] = []
        while rows := database.execute(page, model, paged[-1] if paged else "", 3):
            paged += [row["pattern_id"] for row in rows]
        assert wanted <= set(found)
        assert paged == found


def test_what_is_decided_or_gone_is_not_foretold_any_more(database: TestDatabase) -> None:
    names = learned(database)
    decide(database, names[0], "approved")
    database.execute("DELETE FROM pattern_approvals WHERE pattern_id = %s", names[1])
    look(database)
    assert set(predictions(database)) == set(names[2:])


EDITS = {
    "edited": "UPDATE pattern_sync.models SET model = replace(model, '\"bias\":', '\"bias\":1')",
    "no JSON": "UPDATE pattern_sync.models SET model = 'nonsense'",
    "NaN": "UPDATE pattern_sync.models SET model = regexp_replace(model, '\"bias\":[-0-9.]+', '\"bias\":NaN')",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_model_that_was_edited_is_said_and_learned_anew(
    database: TestDatabase, service: PatternSyncService, edit: str
) -> None:
    proved(database)
    database.execute(edit)
    assert service.model().ignored is not None
    assert "is not used" in service.model().words
    assert not service.model().shown
    assert {ModelIgnored, ModelLearned} <= {type(fact) for fact in look(database)}
    assert service.model().ignored is None
    assert service.model().shown


def test_a_later_versions_model_is_left_alone(database: TestDatabase, service: PatternSyncService) -> None:
    names = proved(database)
    database.execute("UPDATE pattern_sync.models SET model = replace(model, '\"version\":1', '\"version\":2')")
    decide_by_kind(database, names[:20])
    models = database.count("pattern_sync.models")
    facts = look(database)
    assert [type(fact) for fact in facts] == [ModelIgnored]
    assert database.count("pattern_sync.models") == models
    assert "has version 2, and this program reads version 1" in service.model().words


def test_a_gate_that_was_edited_is_closed_until_the_next_look(
    database: TestDatabase, service: PatternSyncService
) -> None:
    learned(database)
    database.execute("UPDATE pattern_sync.models SET gate = '{\"is_open\": 1}'")
    assert not service.model().gate.is_open
    look(database)
    assert service.model().gate.scored == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1])
def test_no_likelihood_is_out_of_range(database: TestDatabase, value: float) -> None:
    learned(database)
    with pytest.raises(psycopg.errors.CheckViolation):
        database.execute("UPDATE pattern_sync.predictions SET likelihood = %s", value)


def test_only_one_of_two_daemons_keeps_its_model(database: TestDatabase) -> None:
    learned(database)
    newest = database.execute("SELECT max(id) AS id FROM pattern_sync.models")[0]["id"]
    keep = "SELECT pattern_sync.keep_model(%s, 20, '{}', 'x') AS id"
    assert database.execute(keep, newest)[0]["id"] is not None
    assert database.execute(keep, newest)[0]["id"] is None
    with database.another_connection(autocommit=False) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('pattern_sync'), hashtext('model'))")
        assert database.execute(keep, newest + 1)[0]["id"] is None


def test_an_older_model_overwrites_nothing(database: TestDatabase) -> None:
    names = learned(database)
    before = predictions(database)
    database.execute("UPDATE pattern_sync.predictions SET model_id = 100")
    database.execute(
        "SELECT pattern_sync.keep_predictions(7, ARRAY[%s], ARRAY[0.5]::float8[], ARRAY[false], ARRAY[1]::bigint[])",
        names[0],
    )
    assert predictions(database) == before


def test_the_reasons_are_told_once_likelihoods_are_shown(database: TestDatabase, service: PatternSyncService) -> None:
    names = learned(database, 30)
    hidden = service.likelihood(names[0])
    assert (hidden.likelihood, hidden.reasons) == (None, ())
    assert "not better than the base rate yet" in hidden.words
    decide_by_kind(database, names)
    database.add_entry(f"{LIKED}:new", confidence_score=0.9, estimated_savings_usd=3_000)
    look(database)
    shown = service.likelihood(f"{LIKED}:new")
    assert shown.likelihood == pytest.approx(service.get_entry(f"{LIKED}:new")[0].likelihood, abs=1e-9)
    assert f"40 of 40 with {LIKED} were approved, and 50 % of all" in shown.reasons
    with pytest.raises(UnknownPattern):
        service.likelihood("nowhere")


def test_reviewers_who_contradict_each_other_are_reported(database: TestDatabase, service: PatternSyncService) -> None:
    names = learned(database, 30)
    for number, name in enumerate(names):
        approved = name.startswith(LIKED) == (number % 2 == 0)
        decide(database, name, "approved" if approved else "rejected", reviewer="bob" if number % 2 else "ann")
    look(database)
    ann, bob = service.model().reviewers
    assert (ann.reviewer, ann.decided, ann.as_foretold) == ("ann", 30, 30)
    assert (bob.reviewer, bob.decided, bob.as_foretold) == ("bob", 30, 0)
    assert not service.model().shown


def test_the_command_says_not_yet(database: TestDatabase) -> None:
    told = run_command("model", PATTERN_SYNC_DATABASE_URL=database.url)
    assert told.code == 0, told.err
    assert "Nothing was learned yet: 0 decisions so far, of at least 10." in told.out
    names = learned(database)
    told = run_command("model", PATTERN_SYNC_DATABASE_URL=database.url)
    assert "Learned from 20 decisions; not better than the base rate yet" in told.out
    document = run_command("model", "--json", PATTERN_SYNC_DATABASE_URL=database.url).document
    assert (document["lessons"], document["shown"], document["fold"]["lost_share_at_most"]) == (20, False, 1.0)
    told = run_command("model", names[0], PATTERN_SYNC_DATABASE_URL=database.url)
    assert "no likelihood is shown" in told.out
    told = run_command("review", "list", "--sort", "expected", PATTERN_SYNC_DATABASE_URL=database.url)
    assert told.code == 1
    assert "There is no order `expected` now: learned from 20 decisions" in told.err
    assert run_command("model", "nowhere", PATTERN_SYNC_DATABASE_URL=database.url).code == 1


def test_the_command_shows_what_was_learned(database: TestDatabase) -> None:
    names = proved(database)
    told = run_command("model", PATTERN_SYNC_DATABASE_URL=database.url)
    assert "better than the base rate (z = " in told.out
    assert "pending entries are likely rejects" in told.out
    assert f"kind {LIKED}" in told.out
    told = run_command("model", names[0], PATTERN_SYNC_DATABASE_URL=database.url)
    assert "% likely" in told.out
    document = run_command("model", names[0], "--json", PATTERN_SYNC_DATABASE_URL=database.url).document
    assert 0 < document["likelihood"] < 1
    told = run_command("review", "show", names[0], PATTERN_SYNC_DATABASE_URL=database.url)
    assert "% likely" in told.out


def test_the_record_holds_what_is_written_by_nobody_else(database: TestDatabase) -> None:
    """A daemon of the release before decides without a prediction, and nothing breaks."""
    names = learned(database)
    database.execute("DELETE FROM pattern_sync.predictions")
    decide(database, names[0], "approved")
    assert record(database)[-1]["likelihood"] is None
    assert record(database)[-1]["folded"] is None
