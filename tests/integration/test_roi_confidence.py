"""Confidence from results: the application's formula, mended, noted in its history, on pending entries only."""

import psycopg
import pytest

from tests.support.application import adopt, installer
from tests.support.books import PYTEST, Books
from tests.support.database import TestDatabase

ENOUGH = 5


@pytest.fixture
def adopted(empty_database: TestDatabase) -> TestDatabase:
    adopt(empty_database)
    installer(empty_database).migrate()
    return empty_database


def adjust(database: TestDatabase) -> tuple[list[str], list[str]]:
    row = database.execute("SELECT * FROM pattern_sync.adjust_confidence(%s)", ENOUGH)[0]
    return row["adjusted"], row["refused"]


def succeed(database: TestDatabase, signature: str, runs: int = 10, failures: int = 2) -> None:
    """Record executions that save half of what they were estimated to cost."""
    books = Books(database)
    for number in range(runs):
        books.execute(signature, 1.0, 0.5, workflow=number, success=number >= failures)


def confidence(database: TestDatabase, signature: str = PYTEST) -> float:
    entry = database.entry(signature)
    assert entry is not None
    return float(str(entry["confidence_score"]))


@pytest.mark.parametrize(
    ("rate", "roi", "executions", "expected"),
    [
        (0.987, 312, 150, 1.0),
        (0.80, 60, 30, 0.89),
        (0.80, 90, 5, 0.895),
        (0.60, -25, 20, 0.37),  # .345 in the application, where the loss counts twice
        (0.60, 0, 20, 0.62),
        (0.0, -500, 9, 0.0),
        (1.0, 100_000, 100_000, 1.0),
    ],
)
def test_the_formula_is_the_application_s_but_that_a_loss_counts_once(
    database: TestDatabase, rate: float, roi: float, executions: int, expected: float
) -> None:
    found = database.execute("SELECT pattern_sync.confidence_by_results(%s, %s, %s) AS c", rate, roi, executions)
    assert found[0]["c"] == pytest.approx(expected)


def test_an_adjustment_is_noted_as_the_application_notes_its_own(adopted: TestDatabase) -> None:
    Books(adopted).approve(status="pending", reviewed_at=None)
    succeed(adopted, PYTEST)
    assert adjust(adopted) == ([PYTEST], [])
    assert confidence(adopted) == pytest.approx(0.8 + 0.05 + 0.01)
    (noted,) = adopted.execute("SELECT * FROM pattern_confidence_history")
    assert (noted["pattern_id"], noted["old_confidence"], noted["updated_by"]) == (PYTEST, 0.85, "system")
    assert noted["new_confidence"] == pytest.approx(0.86)
    assert noted["adjustment_reason"] == "10 executions, 80.0 % of them successful, saved 50.0 % of the estimated cost"
    assert noted["roi_data"] == {
        "total_executions": 10, "success_rate": 0.8, "roi_percentage": 50, "total_cost_saved_usd": 4.0,
    }  # fmt: skip
    assert adopted.count("pattern_sync.adjustments") == 1
    assert adjust(adopted) == ([], [])
    assert adopted.count("pattern_confidence_history") == 1


def test_what_a_person_has_decided_stays_what_that_person_saw(adopted: TestDatabase) -> None:
    for number, status in enumerate(("approved", "rejected", "auto-approved", "auto-rejected")):
        Books(adopted).approve(f"a:{number}", status=status)
        succeed(adopted, f"a:{number}")
    assert adjust(adopted) == ([], [])
    assert [confidence(adopted, f"a:{number}") for number in range(4)] == [pytest.approx(0.85)] * 4
    assert adopted.count("pattern_confidence_history") == 0


def test_too_few_executions_say_nothing(adopted: TestDatabase) -> None:
    Books(adopted).approve(status="pending", reviewed_at=None)
    succeed(adopted, PYTEST, runs=ENOUGH - 1)
    assert adjust(adopted) == ([], [])


def test_without_a_history_of_the_application_s_ours_has_it(database: TestDatabase) -> None:
    Books(database).approve(status="pending", reviewed_at=None)
    for number in range(ENOUGH):
        database.execute(
            "SELECT pattern_sync.record_execution(%s, jsonb_build_object('success', true, 'actual_cost', 2,"
            " 'estimated_cost', 1, 'workflow_id', %s::int))",
            *(PYTEST, number),
        )
    assert adjust(database) == ([PYTEST], [])
    assert confidence(database) == pytest.approx(0.005)  # it costs twice as much as before
    (noted,) = database.execute("SELECT * FROM pattern_sync.adjustments")
    assert (noted["old_confidence"], noted["roi_data"]["roi_percentage"]) == (0.85, -100)


def test_an_entry_that_the_application_refuses_costs_no_other(adopted: TestDatabase) -> None:
    adopted.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.pattern_id = 'a:1' THEN"
        " RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER refuse BEFORE UPDATE ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    for number in range(3):
        Books(adopted).approve(f"a:{number}", status="pending", reviewed_at=None)
        succeed(adopted, f"a:{number}")
    made = adopted.execute("SELECT * FROM pattern_sync.adjust_confidence(%s)", ENOUGH)[0]
    assert made == {"adjusted": ["a:0", "a:2"], "refused": ["a:1"], "reason": "not this one"}
    assert adopted.count("pattern_sync.adjustments") == 2


def test_an_entry_that_somebody_has_locked_is_left_until_the_next_time(adopted: TestDatabase) -> None:
    Books(adopted).approve(status="pending", reviewed_at=None)
    succeed(adopted, PYTEST)
    with psycopg.connect(adopted.url) as other:
        other.execute("SELECT 1 FROM pattern_approvals FOR UPDATE")
        assert adjust(adopted) == ([], [])
        other.rollback()
    assert adjust(adopted) == ([PYTEST], [])
