"""How two sequences of tools differ, and what a spreadsheet gets."""

import csv
import io
import random
import time
from datetime import UTC, datetime

import pytest

from pattern_sync.domain.entry import QueueEntry
from pattern_sync.domain.groups import Step, StepChange, difference_of, differences_of, tools_of
from pattern_sync.domain.table import csv_head, csv_rows
from tests.support.seed import NO_EVIDENCE

ADDED, MISSING = StepChange.ADDED, StepChange.MISSING


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ("A→B→C→D", "A→B→C→D", ()),
        ("A→B→C→D", "A→B→C", (Step("D", MISSING),)),
        ("A→B→C", "A→X→B→C", (Step("X", ADDED),)),
        ("A→B→C→D", "A→X→C→D", (Step("B", MISSING), Step("X", ADDED))),
        ("A->B->C->D", "A->B->C", (Step("D", MISSING),)),
        ("A→B→C→D", "A→B→X→Y", None),
        ("A", "B", None),
        ("", "A", None),
    ],
)
def test_entries_are_alike_if_three_quarters_of_their_steps_are_the_same(
    one: str, other: str, difference: tuple[Step, ...] | None
) -> None:
    assert difference_of(tools_of(one), tools_of(other)) == difference


def test_the_sequences_of_whole_sessions_do_not_stop_the_daemon() -> None:
    """Two thousand of a thousand steps, all with the same tools in another order, took minutes on the event loop."""
    steps = random.Random(1).choices(["Read", "Grep", "Edit", "Bash", "Write"], k=1_000)
    shuffled = random.Random(2).sample(steps, len(steps))
    others = [*((f"other {number}", shuffled) for number in range(2_000)), ("the same", list(steps))]
    begun = time.process_time()
    assert dict(differences_of(steps, others)) == {"the same": ()}
    assert time.process_time() - begun < 3


def test_no_ordinary_sequence_is_left_out() -> None:
    tools = [f"Tool{number}" for number in range(20)]
    others = [(f"other {number}", tools[:-1]) for number in range(2_000)]
    assert len(dict(differences_of(tools, others))) == len(others)


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(first: str) -> None:
    name, created_at = f"{first}HYPERLINK(1)", datetime(2026, 11, 26, tzinfo=UTC)
    entry = QueueEntry(
        name,
        "Read",
        "pending",
        0.85,
        7,
        1e3,
        5950.0,
        'two\nlines, "quoted"',
        (),
        None,
        None,
        None,
        created_at,
        NO_EVIDENCE,
        None,
        None,
        None,
        folded=False,
    )
    head, row = csv.reader(io.StringIO(csv_head() + csv_rows([entry])))
    cells = dict(zip(head, row, strict=True))
    assert cells["pattern_id"] == f"'{first}HYPERLINK(1)"
    assert cells["pattern_context"] == 'two\nlines, "quoted"'
    assert (cells["confidence_score"], cells["created_at"]) == ("0.85", "2026-11-26T00:00:00+00:00")
