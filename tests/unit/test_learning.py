"""What is learned from decisions, and how it is put into words."""

import json
import math
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pattern_sync.domain.errors import ModelUnreadable
from pattern_sync.domain.folding import LIKELY_REJECT, Prediction, is_drawn
from pattern_sync.domain.learning import FEWEST_LESSONS, learn
from pattern_sync.domain.lessons import Lesson, Traits
from pattern_sync.domain.model import Model
from pattern_sync.domain.model_text import digest_of, model_text, read_model
from pattern_sync.domain.ridge import Fit, Row, chance, fit
from tests.support.tastes import MadeUp


def traits(
    *,
    confidence: float = 0.8,
    savings: float = 2_000,
    kind: str | None = "test:pytest",
    target: str | None = "backend",
    shape: str = "Read→Edit",
    evidence: float | None = 500,
) -> Traits:
    return Traits(confidence, 20, savings, evidence, 10, 12.5, kind, target, shape)


def lessons_of(taste: str, number: int, seed: int = 1) -> list[Lesson]:
    made_up = MadeUp(taste, seed)
    return [made_up.lesson() for _ in range(number)]


def learned(lessons: list[Lesson]) -> Model:
    model = learn(lessons)
    assert model is not None
    return model


@given(st.integers(0, 10_000), st.integers(FEWEST_LESSONS, 60), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_the_order_of_the_decisions_makes_no_difference(seed: int, number: int, order: Random) -> None:
    lessons = lessons_of("mixed", number, seed)
    shuffled = lessons[:]
    order.shuffle(shuffled)
    assert learn(shuffled) == learn(lessons)


def test_what_is_approved_is_likely_and_what_is_rejected_is_not() -> None:
    approved = [Lesson(traits(kind="test:pytest"), approved=True) for _ in range(30)]
    rejected = [Lesson(traits(kind="fix:lint", shape="Bash→TodoWrite"), approved=False) for _ in range(30)]
    model = learned([*approved, *rejected])
    assert model.likelihood(traits(kind="test:pytest")) > 0.9
    assert model.likelihood(traits(kind="fix:lint", shape="Bash→TodoWrite")) < 0.1


def test_a_kind_that_was_never_seen_is_told_by_its_figures() -> None:
    model = learned(lessons_of("thresholds", 100))
    rich = traits(kind="new:new", target="nowhere", shape="Unheard", savings=90_000, confidence=0.98)
    poor = traits(kind="new:new", target="nowhere", shape="Unheard", savings=1_000, confidence=0.71)
    assert model.likelihood(rich) > 0.8
    assert model.likelihood(poor) < 0.2


def test_at_first_more_savings_and_more_confidence_are_taken_for_better() -> None:
    lessons = [Lesson(traits(savings=1_000 * number), approved=number % 2 == 0) for number in range(1, 11)]
    model = learned(lessons)
    assert model.likelihood(traits(savings=20_000)) > model.likelihood(traits(savings=1_000))


@pytest.mark.parametrize("approved", [True, False])
def test_nothing_is_learned_from_decisions_of_one_sort(approved: bool) -> None:  # noqa: FBT001 - a case
    assert learn([Lesson(traits(), approved=approved)] * 100) is None


def test_nothing_is_learned_from_a_few_decisions() -> None:
    few = [Lesson(traits(), approved=number > 3) for number in range(FEWEST_LESSONS - 1)]
    assert learn(few) is None
    assert learn([*few, Lesson(traits(), approved=True)]) is not None


def test_one_of_another_sort_among_many_is_no_certainty() -> None:
    lessons = [Lesson(traits(savings=1_000 + number), approved=number != 500) for number in range(1_000)]
    assert 0.9 < learned(lessons).likelihood(traits()) < 1


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, -5.0, 1e300])
def test_a_figure_that_is_none_moves_nothing_but_itself(odd: float) -> None:
    strange = Traits(odd, odd, odd, odd, odd, odd, None, None, "")
    model = learned([*lessons_of("mixed", 60), Lesson(strange, approved=True)])
    assert 0 < model.likelihood(strange) < 1
    assert all(math.isfinite(number) for term in model.figures.values() for number in (term.mean, term.weight))


def test_without_any_evidence_there_is_still_a_model() -> None:
    lessons = [
        Lesson(Traits(0.8, 5, 1_000 + number, None, None, None, None, None, "Unknown"), approved=number % 3 == 0)
        for number in range(30)
    ]
    model = learned(lessons)
    assert model.likelihood(lessons[0].traits) == pytest.approx(1 / 3, abs=0.15)


def test_the_model_is_a_short_text() -> None:
    text = model_text(learned(lessons_of("mixed", 200)))
    assert text.isascii()
    assert len(text) < 1_400
    assert read_model(text, digest_of(text)) == learned(lessons_of("mixed", 200))


def edited(text: str, **changes: object) -> str:
    return json.dumps({**json.loads(text), **changes}, separators=(",", ":"), sort_keys=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "version 2, and this program reads version 1"),
        ({"bias": math.nan}, "figures are missing or out of range"),
        ({"bias": 1e300}, "figures are missing or out of range"),
        ({"bias": "much"}, "figures are missing or out of range"),
        ({"figures": {"savings": [1, 0, 1]}}, "figures are missing or out of range"),
        ({"figures": {"savings": [1, 1]}}, "figures are missing or out of range"),
        ({"categories": {"tool Read": [1, 9, 3]}}, "figures are missing or out of range"),
        ({"decided": 0, "approved": 0}, "figures are missing or out of range"),
        ({"figures": None}, "figures are missing or out of range"),
    ],
)
def test_a_model_that_cannot_be_right_is_not_used(changes: dict[str, object], said: str) -> None:
    text = edited(model_text(learned(lessons_of("mixed", 50))), **changes)
    with pytest.raises(ModelUnreadable, match=said):
        read_model(text, digest_of(text))


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "[" * 100_000, "nonsense"])
def test_what_is_no_model_is_not_used(text: str) -> None:
    with pytest.raises(ModelUnreadable, match="It is no model"):
        read_model(text, digest_of(text))


def test_a_model_that_somebody_has_edited_is_not_used() -> None:
    text = model_text(learned(lessons_of("mixed", 50)))
    with pytest.raises(ModelUnreadable, match="somebody has edited it"):
        read_model(edited(text, bias=3.0), digest_of(text))


def test_the_reasons_are_the_largest_terms_in_words() -> None:
    approved = [Lesson(traits(kind="test:pytest"), approved=number > 1) for number in range(20)]
    rejected = [Lesson(traits(kind="fix:lint", shape="Bash→TodoWrite"), approved=number < 2) for number in range(40)]
    model = learned([*approved, *rejected])
    liked = model.reasons(traits(kind="test:pytest"))
    disliked = model.reasons(traits(kind="fix:lint", shape="Bash→TodoWrite"))
    assert len(liked) == 3
    assert "18 of 20 with test:pytest were approved, and 33 % of all" in liked
    assert "38 of 40 with TodoWrite were rejected, and 67 % of all" in disliked
    assert not any("savings" in reason for reason in (*liked, *disliked))  # all are the same


def test_a_type_with_one_kind_is_named_once() -> None:
    lessons = [Lesson(traits(kind="a:b" if number % 2 else "c:d"), approved=number % 2 == 0) for number in range(40)]
    reasons = learned(lessons).reasons(traits(kind="a:b"))
    assert "20 of 20 with a:b were rejected, and 50 % of all" in reasons
    assert not any("with a were" in reason for reason in reasons)


def test_what_all_have_is_no_reason() -> None:
    lessons = [Lesson(traits(kind=f"k:{number % 2}", shape="Read"), approved=number % 2 == 0) for number in range(40)]
    assert not any("Read" in reason for reason in learned(lessons).reasons(traits(kind="k:0", shape="Read")))


def test_figures_are_told_by_comparison() -> None:
    reasons = learned(lessons_of("thresholds", 200)).reasons(traits(savings=200_000, confidence=0.99, evidence=None))
    assert "more savings than usual speaks for it" in reasons
    assert "more confidence than usual speaks for it" in reasons


def test_a_twentieth_of_all_is_drawn_and_never_folds_away() -> None:
    names = [f"kind:{number}" for number in range(10_000)]
    drawn = [name for name in names if is_drawn(name)]
    assert 400 < len(drawn) < 600
    assert not any(Prediction(name, 0.01).folds for name in drawn)
    assert sum(Prediction(name, 0.01).folds for name in names) == len(names) - len(drawn)
    assert not any(Prediction(name, LIKELY_REJECT).folds for name in names)


rows = st.lists(
    st.builds(
        lambda first, second, yes: Row((0, 1), (first, second), yes),
        st.floats(-3, 3),
        st.floats(-3, 3),
        st.booleans(),
    ),
    min_size=4,
    max_size=40,
).filter(lambda found: 0 < sum(row.yes for row in found) < len(found))


@given(rows, st.sampled_from([3.0, 10.0, 30.0]))
@settings(max_examples=100)
def test_a_fit_is_the_point_where_nothing_pulls_any_more(found: list[Row], strength: float) -> None:
    done = fit(found, [0.3, 0.0], strength)
    pulls = [strength * (done.weights[0] - 0.3), strength * done.weights[1], 0.0]
    for row in found:
        missed = likelihood(done, row) - row.yes
        pulls = [pull + missed * value for pull, value in zip(pulls, (*row.values, 1.0), strict=True)]
    assert max(map(abs, pulls)) < 1e-6


def likelihood(done: Fit, row: Row) -> float:
    return chance(
        done.bias + sum(done.weights[column] * value for column, value in zip(row.columns, row.values, strict=True))
    )


@given(rows)
@settings(max_examples=50)
@example([Row((0, 1), (0.0, 2.0), False)] * 2 + [Row((0, 1), (0.0, -1.0), False), Row((0, 1), (1.0, 0.0), True)])
def test_where_a_fit_begins_makes_no_difference(found: list[Row]) -> None:
    far = Fit((3.0, -3.0), 2.0, 0.0)
    assert fit(found, [0.0, 0.0], 3.0, far).weights == pytest.approx(fit(found, [0.0, 0.0], 3.0).weights, abs=1e-6)


def test_the_error_is_about_that_of_leaving_each_out() -> None:
    chosen = Random(4)
    found = [
        Row((0,), (value,), chosen.random() < chance(value)) for value in (chosen.gauss(0, 1.5) for _ in range(60))
    ]
    losses = []
    for number, row in enumerate(found):
        likely = likelihood(fit(found[:number] + found[number + 1 :], [0.0], 3.0), row)
        losses.append(-math.log(likely if row.yes else 1 - likely))
    assert fit(found, [0.0], 3.0).error == pytest.approx(sum(losses) / len(losses), rel=0.01)


def test_the_likelihoods_are_those_of_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is not installed")
    chosen = Random(7)
    found = [Row((0, 1, 2), tuple(chosen.gauss(0, 1) for _ in range(3)), chosen.random() < 0.4) for _ in range(200)]
    for strength in (3.0, 10.0, 30.0):
        done = fit(found, [0.0, 0.0, 0.0], strength)
        theirs = linear_model.LogisticRegression(C=1 / strength, tol=1e-10, max_iter=10_000)
        theirs.fit([row.values for row in found], [row.yes for row in found])
        for row, (_, likely) in zip(found, theirs.predict_proba([row.values for row in found]), strict=True):
            assert likelihood(done, row) == pytest.approx(likely, abs=1e-5)
