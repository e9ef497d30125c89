"""Marks: keys that may have changed and were not read yet."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_sync.services.marks import Marks, Taken
from tests.support.asynchronous import run

MOST = 3


@pytest.fixture
def marks() -> Marks[str, int]:
    return Marks(MOST)


def test_the_latest_value_of_a_key_is_kept(marks: Marks[str, int]) -> None:
    marks.add({"a": 1, "b": 1})
    marks.add({"a": 2})
    assert len(marks) == 2
    assert marks.take() == Taken({"a": 2, "b": 1}, everything=False)


def test_a_new_mark_leaves_the_value_of_one_that_is_there(marks: Marks[str, int]) -> None:
    marks.add_new({"a": 1})
    marks.add_new({"a": 2, "b": 2})
    assert list(marks.values()) == [1, 2]
    marks.add_new({"c": 3, "d": 4})
    assert marks.take() == Taken({}, everything=True)


def test_taking_clears_the_marks_and_a_change_during_the_read_is_a_new_mark(marks: Marks[str, int]) -> None:
    marks.add({"a": 1})
    marks.take()
    assert len(marks) == 0
    assert not marks.take()
    marks.add({"a": 1})
    assert marks.take()


def test_one_mark_beyond_the_limit_turns_all_into_everything(marks: Marks[str, int]) -> None:
    marks.add({"a": 1, "b": 1, "c": 1})
    assert not marks.everything
    marks.add({"d": 1})
    assert marks.take() == Taken({}, everything=True)
    assert not marks.take(), "it is handed out once"


def test_marks_that_come_while_everything_is_marked_are_kept_beside_it(marks: Marks[str, int]) -> None:
    marks.add_everything()
    marks.add({"a": 1})
    assert marks.take() == Taken({"a": 1}, everything=True)


def test_a_mark_that_is_put_back_yields_to_a_newer_one(marks: Marks[str, int]) -> None:
    marks.add({"a": 1, "b": 1})
    taken = marks.take()
    marks.add({"b": 2})
    marks.put_back(taken)
    assert marks.take() == Taken({"a": 1, "b": 2}, everything=False)


def test_everything_is_put_back_too_and_survives_newer_marks(marks: Marks[str, int]) -> None:
    marks.add_everything()
    everything = marks.take()
    marks.put_back(everything)
    assert marks.take().everything
    marks.add({"a": 1})
    one = marks.take()
    marks.add_everything()
    marks.put_back(one)
    assert marks.take() == Taken({"a": 1}, everything=True)


def test_putting_back_is_bounded(marks: Marks[str, int]) -> None:
    marks.add({"a": 1, "b": 1})
    taken = marks.take()
    marks.add({"c": 1, "d": 1})
    marks.put_back(taken)
    assert marks.take() == Taken({}, everything=True)


@pytest.mark.parametrize("everything", [False, True], ids=["a mark", "everything"])
def test_the_event_is_set_while_anything_is_marked(marks: Marks[str, int], *, everything: bool) -> None:
    marks.add({})
    assert not marks.wake.is_set()
    if everything:
        marks.add_everything()
    else:
        marks.add({"a": 1})
    assert marks.wake.is_set()
    taken = marks.take()
    assert not marks.wake.is_set()
    marks.put_back(Taken({}, everything=False))
    assert not marks.wake.is_set()
    marks.put_back(taken)
    assert marks.wake.is_set()


def test_a_mark_wakes_whoever_waits(marks: Marks[str, int]) -> None:
    async def check() -> None:
        waiting = asyncio.create_task(marks.wake.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        marks.add({"a": 1})
        await waiting

    run(check())


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sets(st.sampled_from("abcde"))),
        st.tuples(st.sampled_from(["everything", "take", "put back"]), st.just(frozenset[str]())),
    )
)


@given(STEPS)
def test_no_order_of_steps_loses_a_mark_or_leaves_one_unnoticed(steps: list[tuple[str, set[str]]]) -> None:
    marks: Marks[str, int] = Marks(MOST)
    outstanding: set[str] = set()
    taken: Taken[str, int] = Taken({}, everything=False)
    for step, keys in steps:
        match step:
            case "add":
                marks.add(dict.fromkeys(keys, 1))
                outstanding |= keys
            case "everything":
                marks.add_everything()
            case "take":
                taken = marks.take()
                held, outstanding = outstanding, set()
                assert taken.everything or held <= set(taken.marks)
            case _:
                marks.put_back(taken)
                outstanding |= set(taken.marks)
        assert len(marks) <= MOST
        assert marks.wake.is_set() == (len(marks) > 0 or marks.everything)
