"""When the gate opens and closes, and how that is said."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.domain.gate import (
    FEWEST_SCORED,
    WINDOW,
    Gate,
    ReviewerScore,
    Scored,
    judge,
    reviewer_scores,
)
from pattern_sync.domain.kept import Folded
from pattern_sync.domain.learning import learn
from pattern_sync.domain.standing import Fold, Standing, fold_of, gate_words, nothing_learned
from tests.support.tastes import MadeUp


def foretold(number: int, *, right: float = 1.0, share: float = 0.4, seed: int = 1) -> list[Scored]:
    """Return a record in which so large a share of the predictions is right."""
    chance = Random(seed)
    record = []
    for _ in range(number):
        approved = chance.random() < share
        says_so = approved if chance.random() < right else not approved
        record.append(Scored(0.8 if says_so else 0.2, approved, "ann"))
    return record


def test_good_predictions_open_it_at_fifty() -> None:
    record = foretold(FEWEST_SCORED)
    assert judge(record).is_open
    assert not judge(record[:-1]).is_open
    assert judge(record[:-1]).z > 2


def test_it_needs_ten_of_each_sort() -> None:
    record = [Scored(0.05 if number > 8 else 0.95, number <= 8, "ann") for number in range(100)]
    gate = judge(record)
    assert gate.z > 2
    assert not gate.is_open
    assert judge([*record, Scored(0.95, approved=True, reviewer="ann")]).is_open


def test_the_base_rate_itself_never_opens_it() -> None:
    record: list[Scored] = []
    for each in foretold(400):
        base = (sum(one.approved for one in record) + 1) / (len(record) + 2)
        record.append(Scored(base, each.approved, "ann"))
    assert judge(record) == Gate(False, False, 0.0, sum(each.approved for each in record[-WINDOW:]), WINDOW)


def test_it_closes_when_people_decide_otherwise_and_opens_again() -> None:
    record = foretold(200)
    assert judge(record).is_open
    changed = [*record, *foretold(150, right=0.2, seed=2)]
    gate = judge(changed)
    assert gate.z < 1
    assert (gate.is_open, gate.was_open) == (False, True)
    assert "any more" in gate_words(gate)
    assert judge([*changed, *foretold(200, seed=3)]).is_open


def test_between_the_two_bounds_it_stays_as_it_is() -> None:
    record = [*foretold(200), *foretold(90, right=0.2, seed=2)]
    gates = [judge(record[:number]) for number in range(201, len(record))]
    between = [gate for gate in gates if 1 <= gate.z <= 2]
    assert between
    assert all(gate.is_open for gate in between)
    poor = judge(foretold(60, right=0.62, seed=5))
    assert not poor.is_open


records = st.lists(st.builds(Scored, st.floats(0, 1), st.booleans(), st.sampled_from(["ann", "bob"])), max_size=260)


@given(records)
def test_it_is_open_only_on_enough_of_both_sorts(record: list[Scored]) -> None:
    gate = judge(record)
    assert gate.scored == min(len(record), WINDOW)
    assert gate.approved + gate.rejected == gate.scored
    assert not gate.is_open or gate.scored >= FEWEST_SCORED
    assert sum(each.decided for each in reviewer_scores(record)) == len(record)


@given(records)
def test_what_is_older_than_the_window_says_nothing_of_how_good_it_is_now(record: list[Scored]) -> None:
    recent = foretold(WINDOW, seed=9)
    assert judge([*record, *recent]).z > 2


def test_agreement_is_told_by_reviewer() -> None:
    ann = [Scored(0.9, approved=True, reviewer="ann")] * 8 + [Scored(0.1, approved=False, reviewer="ann")] * 12
    bob = [Scored(0.9, approved=False, reviewer="bob")] * 3 + [Scored(0.1, approved=False, reviewer="bob")]
    assert reviewer_scores([*bob, *ann]) == (ReviewerScore("ann", 20, 20, 12), ReviewerScore("bob", 4, 1, 4))


def test_reviewers_who_contradict_each_other_are_seen_in_it() -> None:
    made_up = MadeUp("kinds", 3)
    lessons = [made_up.lesson() for _ in range(300)]
    model = learn(lessons[:200])
    assert model is not None
    record = [
        Scored(model.likelihood(each.traits), approved, reviewer)
        for each in lessons[200:]
        for reviewer, approved in (("ann", each.approved), ("contrary", not each.approved))
    ]
    ann, contrary = reviewer_scores(record)
    assert ann.as_foretold > 60
    assert contrary.as_foretold == 100 - ann.as_foretold
    assert not judge(record).is_open


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (Gate(True, False, 3.42, 60, 200), "better than the base rate (z = 3.4)"),
        (Gate(False, False, 1.1, 20, 60), "not better than the base rate yet (z = 1.1; needs 2)"),
        (Gate(False, True, 0.4, 60, 200), "not better than the base rate any more (z = 0.4; needs 2)"),
        (
            Gate(False, False, 1.1, 12, 31),
            "not better than the base rate yet (z = 1.1; needs 2; 31 were foretold; needs 50)",
        ),
        (
            Gate(False, False, 2.4, 3, 60),
            "not proved yet (3 of these approved; needs 10)",
        ),
    ],
)
def test_it_says_why_it_is_closed(gate: Gate, words: str) -> None:
    assert gate_words(gate) == words


@pytest.mark.parametrize(
    ("lessons", "approved", "words"),
    [
        (3, 2, "nothing was learned yet: 3 decisions so far, of at least 10"),
        (30, 30, "nothing can be learned yet: all 30 decisions so far are approvals"),
        (30, 0, "nothing can be learned yet: all 30 decisions so far are rejections"),
        (
            12,
            2,
            (
                "nothing was learned yet from 12 decisions; a daemon does so after its next sweep, unless"
                " PATTERN_SYNC_LEARN is `off`"
            ),
        ),
    ],
)
def test_it_says_why_nothing_was_learned(lessons: int, approved: int, words: str) -> None:
    assert nothing_learned(lessons, approved) == words


def standing(gate: Gate, *, shown: bool, ignored: str | None = None) -> Standing:
    made_up = MadeUp("kinds", 1)
    model = learn([made_up.lesson() for _ in range(41)])
    return Standing(44, 20, model, None, ignored, gate, shown, (), Fold(Folded(), 0, 0))


def test_the_standing_is_one_sentence() -> None:
    closed, opened = Gate(False, False, 1.1, 20, 60), Gate(True, False, 2.5, 20, 60)
    assert standing(closed, shown=False).words == (
        "learned from 41 decisions; not better than the base rate yet (z = 1.1; needs 2)"
    )
    assert standing(opened, shown=True).words == "learned from 41 decisions; better than the base rate (z = 2.5)"
    assert standing(opened, shown=False).words.endswith("nothing is shown, as PATTERN_SYNC_LEARN is not `on`")
    assert "is not used: It is no model." in standing(opened, shown=True, ignored="It is no model.").words


def test_the_cost_of_the_fold_is_known_by_what_was_shown_in_place() -> None:
    in_place = [Scored(0.05, number == 7, "ann") for number in range(60)]
    opened = [Scored(0.05, approved=True, reviewer="ann", folded=True)] * 5  # who looks into it looks for approvals
    likelier = [Scored(0.1, approved=True, reviewer="ann")] * 5
    fold = fold_of(Folded(12, 5_000.0, 1), [*in_place, *opened, *likelier])
    assert (fold.tried, fold.lost) == (60, 1)
    assert fold.lost_share_at_most == pytest.approx(0.077, abs=0.001)
    assert fold_of(Folded(), []).lost_share_at_most == 1
