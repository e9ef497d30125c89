"""Routines are what comes back together; none of their calls is counted twice, and each figure is what was seen."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pattern_sync.detecting import Orchestration, Terms, mine
from pattern_sync.domain.calls import Call, Outcome, Session
from pattern_sync.domain.routines import Findings, Routine
from tests.support.planted import ROUTINES, Planting, found, planted

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN
RELEASE = ("Bash/npm run build", "Bash/docker build", "Bash/docker push", "Bash/kubectl apply")
FIX = ("Bash/pytest/failed", "Edit/src/.py", "Bash/pytest")


def calls(steps: Iterable[str], at: datetime = MONDAY, cost_usd: float | None = None) -> list[Call]:
    """Return calls of steps as a shape has them."""
    made = []
    for number, each in enumerate(steps):
        word = each.removesuffix("/failed").removesuffix("?")
        outcome = FAILED if each.endswith("/failed") else UNKNOWN if each.endswith("?") else OK
        made.append(Call(word, outcome, at + timedelta(minutes=number), cost_usd))
    return made


def session(name: str, made: Sequence[Call], source: str = "test") -> Session:
    return Session(name, source, len(made), made[-1].at if made else None, tuple(made))


def sessions(steps: Sequence[str], days: Sequence[float], cost_usd: float | None = None) -> list[Session]:
    """Return a session of these steps for each day."""
    return [
        session(f"s{number:03}", calls(steps, MONDAY + timedelta(days=day), cost_usd))
        for number, day in enumerate(days)
    ]


def only(findings: Findings) -> Routine:
    assert [each.shape for each in findings.routines] == [findings.routines[0].shape]
    return findings.routines[0]


@pytest.mark.parametrize("noise", [0.0, 0.15, 0.3])
@pytest.mark.parametrize("seed", range(20))
def test_the_planted_routines_are_all_found_with_three_others_at_most_among_the_first_nine(
    seed: int, noise: float
) -> None:
    # In the order in which they are shown: by the calls that they would save.
    first = [each.shape for each in mine(planted(seed, Planting(noise=noise))).routines[:9]]
    assert found(first) == set(ROUTINES)
    assert len(first) - len(ROUTINES) <= 3


def test_the_order_of_the_sessions_means_nothing() -> None:
    ordered = list(planted(7, Planting(noise=0.3)))
    shuffled = Random(1).sample(ordered, len(ordered))
    assert mine(shuffled) == mine(ordered)


def test_no_call_belongs_to_two_runs() -> None:
    all_sessions = list(planted(3, Planting(noise=0.3)))
    calls_of_routines = sum(each.calls for each in mine(all_sessions).routines)
    assert calls_of_routines <= sum(len(each.calls) for each in all_sessions)
    runs = Counter((run.session_id, run.at) for each in mine(all_sessions).routines for run in each.runs)
    assert max(runs.values()) == 1


def test_a_session_that_is_given_twice_is_refused() -> None:
    twice = sessions(RELEASE, range(8))
    with pytest.raises(ValueError, match="s000 is given twice"):
        mine([*twice, twice[0]])


def test_nothing_is_found_in_nothing() -> None:
    assert mine([]) == Findings((), (), ())
    assert mine([session("empty", [])]).routines == ()


@pytest.mark.parametrize(("count", "is_found"), [(7, False), (8, True)])
def test_a_routine_is_in_eight_sessions(count: int, is_found: bool) -> None:  # noqa: FBT001
    assert bool(mine(sessions(RELEASE, range(count))).routines) is is_found


def test_eight_runs_of_one_session_are_no_routine() -> None:
    assert mine([session("s", calls(RELEASE * 8))]).routines == ()


def test_two_steps_are_none() -> None:
    assert mine(sessions(RELEASE[:2], range(20))).routines == ()


def test_what_seldom_follows_is_none() -> None:
    ends = [f"Bash/{name}" for name in ("npm test", "cargo test", "go test", "make test")]
    made = [
        session(f"s{number}{end}", calls([*RELEASE[:2], end])) for end in ends for number in range(9)
    ]  # a quarter each
    assert mine(made).routines == ()


def test_a_habit_of_single_steps_is_none() -> None:
    random, words = Random(1), ["Bash/pytest", "Edit/src/.py", "Bash/git status"]
    made = [session(f"s{number}", calls(random.choices(words, k=60))) for number in range(30)]
    assert mine(made).routines == ()


def test_steps_that_are_in_nothing_else_are_a_routine_all_the_same() -> None:
    # Each always follows the one before: a chain of the whole log, these runs included, would expect just that.
    assert only(mine(sessions(RELEASE, range(8)))).shape == RELEASE


def test_the_lift_is_over_what_the_steps_do_elsewhere() -> None:
    first, middle, last = "Bash/npm run build", "Bash/docker build", "Bash/docker push"
    made = [
        *sessions([first, middle, last], range(10)),
        *(session(f"a{n}", calls([first, middle, "Bash/ls"])) for n in range(10)),
        *(session(f"b{n}", calls(["Grep", middle, last])) for n in range(8)),
        *(session(f"c{n}", calls(["Glob", middle, "Bash/cat"])) for n in range(2)),
    ]
    routines = mine(made, terms=Terms(min_follows=0, min_lift=0)).routines
    # Elsewhere: 10 times the first pair, 8 times the second, 20 times the step between.
    assert {each.shape: each.lift for each in routines}[first, middle, last] == pytest.approx(10 / (10 * 8 / 20))


def test_calls_of_one_kind_in_a_row_are_one_step() -> None:
    steps = ("Bash/pytest/failed", "Read/src/.py", "Read/src/.py", "Edit/src/.py", "Edit/src/.py", "Bash/pytest")
    made = [session(f"s{n}", calls([*steps[: 2 + n % 2], *steps[3 : 4 + n % 2 + 1], steps[-1]])) for n in range(12)]
    routine = only(mine(made))
    assert routine.shape == ("Bash/pytest/failed", "Read/src/.py", "Edit/src/.py", "Bash/pytest")
    assert routine.calls == sum(len(each.calls) for each in made)
    assert routine.occurrences == 12


def test_a_sequence_does_not_reach_from_one_session_into_the_next() -> None:
    halves = [session(f"s{n:02}", calls(RELEASE[:2] if n % 2 else RELEASE[2:])) for n in range(40)]
    assert mine(halves).routines == ()


def test_books_that_the_assistant_keeps_do_not_part_a_routine() -> None:
    made = sessions([RELEASE[0], "TodoWrite", *RELEASE[1:], "TodoWrite"], range(8))
    assert only(mine(made)).shape == RELEASE


def test_runs_are_numbered_in_their_session_and_begin_when_their_first_call_does() -> None:
    between = ["Bash/ls", "Bash/cat", "Grep", "Glob", "Bash/curl", "Read/.md", "Edit/.md", "Bash/jq"]
    made = [session(f"s{n}", calls([*RELEASE, each, *RELEASE])) for n, each in enumerate(between)]
    runs = only(mine(made)).runs
    assert [(run.session_id, run.number) for run in runs] == [(f"s{n}", number) for n in range(8) for number in (1, 2)]
    assert {run.at for run in runs if run.number == 2} == {MONDAY + timedelta(minutes=5)}


def test_the_confidence_is_the_lower_end_of_what_follows_times_what_ended_well() -> None:
    made = [
        *sessions(FIX, range(30)),
        *(session(f"f{n}", calls([*FIX[:2], "Bash/pytest/failed"])) for n in range(10)),
        *(session(f"o{n}", calls([*FIX[:2], "Bash/ls"])) for n in range(10)),
    ]
    routine = next(each for each in mine(made).routines if each.shape == FIX)
    # 30 of 50: by Wilson's formula, two-sided 95 %.
    assert routine.follows == pytest.approx(0.4618, abs=0.0001)
    assert routine.ended_ok == pytest.approx(30 / 40)
    assert routine.confidence == pytest.approx(100 * 0.4618 * 0.75, abs=0.01)


def test_an_end_that_nobody_knows_takes_nothing_from_the_confidence_and_is_shown_as_unknown() -> None:
    routine = only(mine(sessions([f"{each}?" for each in RELEASE], range(8))))
    assert routine.shape == tuple(f"{each}?" for each in RELEASE)
    assert routine.ended_ok is None
    assert routine.confidence == pytest.approx(100 * routine.follows)


def test_what_ends_in_failure_is_left_out() -> None:
    made = sessions(["Bash/npm run build", "Bash/docker build", "Bash/docker push/failed"], range(8))
    findings = mine(made)
    assert findings.routines == ()
    assert [each.rule for each in findings.left_out] == ["ends-in-failure"]


def test_savings_are_the_runs_of_thirty_days_seen_less_one_call_each() -> None:
    # Twelve runs in ten days, each of four calls for 0.25 USD.
    days = [10 * number / 11 for number in range(12)]
    routine = only(mine(sessions(RELEASE, days, cost_usd=0.25)))
    assert (routine.cost_usd, routine.call_cost_usd) == (1.0, 0.25)
    assert routine.savings_usd == pytest.approx(0.75 * 12 / 10 * 30)


@pytest.mark.parametrize(("days", "savings"), [(6.99, 0.0), (7.0, 0.75 * 8 / 7 * 30)])
def test_savings_are_nothing_until_it_was_seen_for_a_week(days: float, savings: float) -> None:
    made = sessions(RELEASE, [days * number / 7 for number in range(8)], cost_usd=0.25)
    assert only(mine(made)).savings_usd == pytest.approx(savings)


def test_savings_without_a_cost_are_unknown_and_not_nothing() -> None:
    routine = only(mine(sessions(RELEASE, range(0, 40, 4))))
    assert (routine.cost_usd, routine.call_cost_usd, routine.savings_usd) == (None, None, None)


def test_runs_without_a_cost_save_nothing_and_do_not_count_for_the_mean() -> None:
    priced = sessions(RELEASE, range(0, 20, 2), cost_usd=0.25)
    free = [session(f"x{n}", calls(RELEASE, MONDAY + timedelta(days=n))) for n in range(10)]
    half = [replace(each, calls=(*each.calls[:3], replace(each.calls[3], cost_usd=None))) for each in priced[:1]]
    routine = only(mine([*half, *priced[1:], *free]))
    assert routine.occurrences == 20
    assert routine.cost_usd == 1.0
    assert routine.savings_usd == pytest.approx(0.75 * 9 / 18 * 30)


def test_runs_without_a_time_were_never_seen_for_a_week() -> None:
    made = [session(f"s{n}", [Call(each, OK, None, 0.25) for each in RELEASE]) for n in range(8)]
    routine = only(mine(made))
    assert (routine.first_seen, routine.last_seen, routine.savings_usd) == (None, None, 0.0)


def test_a_part_of_a_routine_is_left_out_and_the_whole_is_named() -> None:
    # Parts alone in a sixth of the runs, as where something came between.
    made = [*sessions(RELEASE, range(20)), *(session(f"p{n}", calls(RELEASE[:3])) for n in range(4))]
    findings = mine(made)
    assert only(findings).shape == RELEASE
    part = next(each for each in findings.left_out if each.shape == RELEASE[:3])
    assert part.rule == "part-of-another"
    assert "all but 4 of its 24 runs" in part.because
    assert " → ".join(RELEASE) in part.because


def test_a_part_that_often_comes_alone_is_a_routine_with_its_own_runs() -> None:
    made = [*sessions(RELEASE, range(20)), *(session(f"p{n}", calls(RELEASE[:3])) for n in range(15))]
    assert {each.shape: each.occurrences for each in mine(made).routines} == {RELEASE: 20, RELEASE[:3]: 15}


ORDINARY = {
    "looking": ("Grep", "Read/src/.py", "Bash/ls"),
    "editing": ("Grep", "Read/src/.py", "Edit/src/.py"),
    "planning": ("Task/Explore", "Bash/npm run build", "Bash/docker build"),
    "unnamed": ("Bash/npm run build", "Bash/other", "Bash/docker build"),
}


@pytest.mark.parametrize("rule", ORDINARY)
def test_what_an_assistant_does_in_any_case_is_left_out_with_the_reason_and_can_be_had(rule: str) -> None:
    made = sessions(ORDINARY[rule], range(8))
    findings = mine(made)
    assert findings.routines == ()
    assert [(each.shape, each.rule, bool(each.because)) for each in findings.left_out] == [(ORDINARY[rule], rule, True)]
    assert only(mine(made, terms=Terms(orchestration=Orchestration.off()))).shape == ORDINARY[rule]


def test_a_known_shape_keeps_its_signature_whatever_else_comes() -> None:
    first = only(mine(sessions(RELEASE, range(8))))
    other = ("Bash/npm run build", "Bash/npm test", "Bash/docker push", "Bash/kubectl apply")
    made = [*sessions(RELEASE, range(8)), *(session(f"x{n}", calls(other)) for n in range(30))]
    later = {each.shape: each.signature for each in mine(made, {first.signature: first.shape}).routines}
    assert first.signature == "deploy:kubectl-apply:all"
    assert later[RELEASE] == first.signature
    assert later[other].startswith("deploy:kubectl-apply:all-")
    known = {signature: shape for shape, signature in later.items()}
    assert {each.shape: each.signature for each in mine(made, known).routines} == later


def test_a_known_shape_goes_before_a_new_one_that_is_little_better() -> None:
    # A part in 20 runs more than the whole: the part is worth 4 x 45, the whole 9 x 25.
    made = [*sessions(RELEASE, range(25)), *(session(f"p{n}", calls(RELEASE[:3])) for n in range(20))]
    assert mine(made).routines[0].shape == RELEASE
    known = {"deploy:docker-push:all": RELEASE[:3]}
    assert [(each.shape, each.signature) for each in mine(made, known).routines] == [
        (RELEASE[:3], "deploy:docker-push:all")
    ]
    better = [*sessions(RELEASE, range(60)), *(session(f"p{n}", calls(RELEASE[:3])) for n in range(5))]
    assert only(mine(better, known)).shape == RELEASE


def test_shapes_that_want_one_signature_both_get_a_hash_in_whatever_order_they_stand() -> None:
    other = ("Bash/npm run build", "Bash/npm test", "Bash/docker push", "Bash/kubectl apply")
    names = {
        each.shape: each.signature
        for each in mine([*sessions(RELEASE, range(8)), *(session(f"x{n}", calls(other)) for n in range(9))]).routines
    }
    assert len(set(names.values())) == 2
    assert all(each.startswith("deploy:kubectl-apply:all-") for each in names.values())


def test_a_signature_of_somebody_else_is_not_taken() -> None:
    taken = only(mine(sessions(RELEASE, range(8)), {"deploy:kubectl-apply:all": ()})).signature
    assert taken.startswith("deploy:kubectl-apply:all-")


WORDS_OF_ALL = st.sampled_from(["Bash/a", "Bash/b", "Bash/c", "Read/.py", "Edit/.py"])
MADE = st.lists(
    st.lists(st.tuples(WORDS_OF_ALL, st.sampled_from(Outcome), st.one_of(st.none(), st.floats(0, 9))), max_size=14),
    max_size=14,
)


@settings(max_examples=150)
@given(MADE, st.randoms(use_true_random=False))
def test_whatever_there_is_it_is_counted_once_and_in_any_order_the_same(
    made: list[list[tuple[str, Outcome, float | None]]], random: Random
) -> None:
    all_sessions = [
        session(f"s{number}", [Call(word, outcome, MONDAY, cost) for word, outcome, cost in each])
        for number, each in enumerate(made)
    ]
    terms = Terms(min_sessions=2, min_follows=0.0, min_lift=0.0, orchestration=Orchestration.off())
    findings = mine(all_sessions, terms=terms)
    assert mine(random.sample(all_sessions, len(all_sessions)), terms=terms) == findings
    assert sum(each.calls for each in findings.routines) <= sum(map(len, made))
    for each in findings.routines:
        assert each.sessions >= 2
        assert 0 <= each.confidence <= 100
        assert each.savings_usd is None or math.isfinite(each.savings_usd)
