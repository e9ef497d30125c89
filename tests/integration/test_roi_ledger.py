"""The ledger of savings: which recorded runs count, and how often, to the cent."""

from decimal import Decimal

import pytest

from tests.support.application import adopt, installer
from tests.support.books import PYTEST, Books
from tests.support.database import TestDatabase


@pytest.fixture
def books(database: TestDatabase) -> Books:
    return Books(database)


@pytest.fixture
def adopted(empty_database: TestDatabase) -> Books:
    adopt(empty_database)
    installer(empty_database).migrate()
    return Books(empty_database)


def test_an_amount_of_type_real_is_what_it_shows(adopted: Books) -> None:
    pattern = adopted.approve()
    for run in range(1_000):
        adopted.log(pattern, 0.1, f"wf-{run}")
    assert adopted.of() == {"logged": 1_000, "saved": Decimal("100.0")}


def test_a_run_counts_once_however_often_it_is_written_down(books: Books) -> None:
    pattern = books.approve()
    for _ in range(1_000):
        books.log(pattern, "2.50", "wf-1")
    books.log(pattern, "1.00", "wf-1", days_ago=9)
    books.log(pattern, "0.25", "wf-1", days_ago=8, tool_call_id="a")
    books.log(pattern, "0.25", "wf-1", days_ago=8, tool_call_id="b")
    assert books.of() == {"logged": 4, "saved": Decimal("4.0"), "repeated": 999}


def test_of_rows_that_disagree_about_a_run_the_least_counts(books: Books) -> None:
    pattern = books.approve()
    books.log(pattern, "5", "wf-1")
    books.log(pattern, "-1", "wf-1")
    assert books.of() == {"logged": 1, "saved": Decimal(-1), "repeated": 1}


def test_what_came_before_the_approval_is_the_baseline(books: Books) -> None:
    pattern = books.approve(days_ago=20)
    books.log(pattern, "7", "wf-0", days_ago=20.001)
    books.log(pattern, "3", "wf-1", days_ago=19.999)
    assert books.parts() == {(PYTEST, "baseline"): 7, (PYTEST, "saved"): 3}


def test_what_belongs_to_no_approved_pattern_has_a_line_of_its_own(adopted: Books) -> None:
    adopted.approve()
    pending = adopted.approve("git:status:summary", status="pending", reviewed_at=None)
    queued_by_nobody = adopted.database.add_pattern("docs:generate:all")
    adopted.database.execute("ALTER TABLE cost_savings_log DROP CONSTRAINT cost_savings_log_pattern_id_fkey")
    adopted.log(None, 1, "wf-1")
    adopted.log(None, 2, "wf-2")
    adopted.log(2_000_000_000, 4, "wf-3")
    adopted.log(pending, 8, "wf-4")
    adopted.log(queued_by_nobody, 16, "wf-5")
    assert adopted.parts() == {
        ("", "no-pattern"): 3,
        ("", "deleted"): 4,
        ("git:status:summary", "undecided"): 8,
        ("docs:generate:all", "undecided"): 16,
    }


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", None])
def test_an_amount_that_is_no_plain_number_is_left_out_and_counted(adopted: Books, amount: str | None) -> None:
    pattern = adopted.approve()
    adopted.log(pattern, amount, "wf-1")
    adopted.log(pattern, 1, "wf-2")
    assert adopted.of() == {"logged": 1, "saved": 1}
    assert adopted.of(part="unusable") == {"logged": 1}


@pytest.mark.parametrize("at", ["infinity", "-infinity", "0044-03-15 BC", "2200-01-01"])
def test_a_time_that_cannot_be_is_left_out_and_counted(books: Books, at: str) -> None:
    pattern = books.approve()
    books.log(pattern, 1, "wf-1", saved_at=at)
    assert books.of() == {}
    assert books.of(part="unusable") == {"logged": 1}


def test_an_execution_saves_what_it_cost_less_and_a_failure_loses_its_cost(adopted: Books) -> None:
    adopted.approve()
    adopted.execute(PYTEST, 1.0, 0.25, workflow=1)
    adopted.execute(PYTEST, 1.0, 1.5, workflow=2)
    adopted.execute(PYTEST, 1.0, 0.4, workflow=3, success=False)
    adopted.execute(PYTEST, 1.0, 0.4, workflow=3, success=False)
    assert adopted.of() == {
        "executed": 3,
        "tried": 3,
        "failed": 1,
        "saved": Decimal("-0.15"),
        "repeated": 1,
    }


def test_executions_without_a_workflow_are_each_a_run(adopted: Books) -> None:
    adopted.approve()
    for _ in range(3):
        adopted.execute(PYTEST, 1.0, 0.5)
    assert adopted.of() == {"executed": 3, "tried": 3, "saved": Decimal("1.5")}


def test_of_a_run_in_both_tables_the_log_says_what_it_saved(adopted: Books) -> None:
    pattern = adopted.approve()
    adopted.log(pattern, 2, "17", days_ago=10)
    adopted.execute(PYTEST, 9.0, 1.0, workflow=17, days_ago=3)
    adopted.execute(PYTEST, 1.0, 0.25, workflow=18, days_ago=10, success=False)
    assert adopted.of() == {
        "logged": 1,
        "executed": 1,
        "tried": 2,
        "failed": 1,
        "saved": Decimal("1.75"),
        "superseded": 1,
    }


def test_where_the_tables_name_workflows_differently_the_log_has_the_day(adopted: Books) -> None:
    pattern = adopted.approve()
    adopted.log(pattern, 2, "wf-abc", days_ago=10)
    adopted.execute(PYTEST, 9.0, 1.0, workflow=17, days_ago=10)
    adopted.execute(PYTEST, 3.0, 1.0, workflow=18, days_ago=5)
    assert adopted.of() == {"logged": 1, "executed": 1, "tried": 2, "saved": 4, "superseded": 1}
