"""Deciding many patterns at once on the page: exactly what was selected, and an outcome for each."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import Tabs
from tests.support.review_page import ReviewPage
from tests.support.waiting import eventually
from tests.web.conftest import Served
from tests.web.test_page_accessibility import PHONE, nameless
from tests.web.test_page_deciding import ann_at, history, status

BIG = "sdlc:full:all"
SMALL = [f"test:pytest:{number}" for number in range(4)]


@pytest.fixture
def five(emptied: Served) -> Served:
    """Queue one pattern that holds nearly all the value, and four others."""
    emptied.queue(BIG)
    for number, name in enumerate(SMALL):
        emptied.queue(name, occurrence_count=100 - number, potential_monthly_savings=2000 - number)
    return emptied


@pytest.fixture
def locked(five: Served) -> Iterator[str]:
    with psycopg.connect(five.database.url) as other:
        other.execute("SELECT FROM pattern_approvals WHERE pattern_id = %s FOR UPDATE", [SMALL[1]])
        yield SMALL[1]


def selected(page: ReviewPage) -> list[str]:
    rows = page["list"].locator('[aria-checked="true"]')
    return [str(row.get_attribute("data-pattern-id")) for row in rows.all()]


def test_a_range_is_rejected_by_keyboard_with_one_reason_and_taken_back(five: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, five)
    page["list"].focus()
    page.press("Home", "j", "x", "j", "j", "Shift+X")
    expect(page["picked-text"]).to_have_text("3 selected · 5,997.00 USD a month")
    assert selected(page) == SMALL[:3]
    expect(page["announcer"]).to_have_text("3 selected")
    page.press("r")
    dialog = page.dialog("Reject 3 patterns")
    expect(dialog).to_have_accessible_description("5,997.00 USD a month together.")
    expect(page["bulk-largest"].get_by_role("listitem")).to_have_count(3)
    expect(page["bulk-count"]).to_be_hidden()
    page.press("1", "Enter")
    expect(page.toast).to_contain_text("Rejected 3 patterns")
    page.until_ids(BIG, SMALL[3])
    expect(page["picked"]).to_be_hidden()
    expect(page.title).to_have_text(SMALL[3])
    expect(page["list"]).to_be_focused()
    assert [history(five, name) for name in SMALL[:3]] == [[("rejected", "ann", "a one-off")]] * 3

    page.press("z")
    expect(page.toast).to_contain_text("3 decisions undone.")
    page.until_ids(BIG, *SMALL)
    assert {status(five, name) for name in SMALL} == {"pending"}


def test_exactly_what_was_selected_is_decided_and_not_what_arrives(five: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, five)
    page["search"].fill("pytest")
    page.press("Escape", "*")
    expect(page["picked-text"]).to_contain_text("4 selected")
    page.press("a")
    expect(page.dialog("Approve 4 patterns")).to_be_visible()
    five.queue("test:pytest:late", occurrence_count=100, potential_monthly_savings=1999)
    expect(page.count("pending")).to_have_text("6")
    page.press("Enter")
    expect(page.toast).to_contain_text("Approved 4 patterns")
    page.until_ids("test:pytest:late")
    assert status(five, "test:pytest:late") == "pending"
    assert {status(five, name) for name in SMALL} == {"approved"}


def test_more_than_half_of_the_value_needs_the_number_typed(five: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, five).press("*", "a", "Enter")
    expect(page["bulk-count-fault"]).to_have_text("Type 5.")
    assert page.focused() == "bulk-count"
    assert status(five, BIG) == "pending"
    page.type("5").press("Control+Enter")
    expect(page.toast).to_contain_text("Approved 5 patterns")
    expect(page.empty).to_contain_text("Nothing to decide.")


def test_each_outcome_is_told_and_what_was_locked_stays_selected(five: Served, tabs: Tabs, locked: str) -> None:
    def decide_first(route: Route) -> None:
        # By an UPDATE, which waits where the daemon is at work on the same entry.
        five.database.execute(
            "UPDATE pattern_approvals SET status = 'approved', reviewed_by = 'ann', reviewed_at = now()"
            " WHERE pattern_id = %s",
            SMALL[2],
        )
        route.continue_()

    page = ann_at(tabs, five)
    page["search"].fill("pytest")
    page.press("Escape", "*", "r", "1")
    page.page.route("**/decisions", decide_first)
    page.press("Enter")
    expect(page["bulk-outcome"]).to_have_text(
        "4 asked: 2 rejected, 1 locked by somebody (try again), 1 approved by ann."
    )
    expect(page["bulk-rest"].get_by_role("listitem")).to_have_count(2)
    expect(page["bulk-cancel"]).to_be_focused()
    assert nameless(page.page) == []
    page.press("Escape")
    page.until_ids(locked)
    expect(page["picked-text"]).to_contain_text("1 selected")
    assert selected(page) == [locked]


def test_a_decision_whose_answer_is_lost_is_sent_again_and_made_once(five: Served, tabs: Tabs) -> None:
    keys: list[str | None] = []

    def lose_the_first(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page = ann_at(tabs, five)
    page.excuse("Failed to load resource")
    page["search"].fill("pytest")
    page.press("Escape", "*", "r", "1")
    page.page.route("**/decisions", lose_the_first)
    page.press("Enter")
    expect(page["bulk-notice"]).to_contain_text("nothing is decided twice")
    page.press("Enter")
    expect(page.toast).to_contain_text("Rejected 4 patterns")
    assert keys[0] == keys[1]
    assert [history(five, name) for name in SMALL] == [[("rejected", "ann", "a one-off")]] * 4


def test_what_somebody_else_decides_leaves_the_selection(five: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, five)
    page.row(SMALL[0]).locator(".row-pick").click()
    page.row(SMALL[2]).click(modifiers=["Shift"])
    expect(page["picked-text"]).to_contain_text("3 selected")
    five.database.decide(SMALL[1])
    expect(page["picked-text"]).to_contain_text("2 selected")
    page.press("Escape")
    expect(page["picked"]).to_be_hidden()
    assert page["list"].locator("[aria-checked]").count() == 0


def test_many_are_tried_before_they_are_decided(emptied: Served, tabs: Tabs) -> None:
    emptied.database.add_patterns(60, "many", occurrence_count=50)
    eventually(lambda: emptied.database.count("pattern_approvals") == 60)
    page = ann_at(tabs, emptied).press("*", "r")
    expect(page["bulk-preview"]).to_have_text("As things are now: 60 would be rejected.")
    assert emptied.database.count("pattern_review_history") == 0
    page.press("1", "Tab")
    page["bulk-count"].fill("60")
    page.press("Control+Enter")
    expect(page.toast).to_contain_text("Rejected 60 patterns")
    expect(page.empty).to_contain_text("Nothing to decide.")
    rows = emptied.database.execute("SELECT DISTINCT batch_id FROM pattern_sync.batch_items")
    assert len(rows) >= 1


def test_a_thumb_selects_and_decides(five: Served, tabs: Tabs) -> None:
    page = tabs.open(five.daemon.http_url, **PHONE).until_live()
    page.row(SMALL[0]).locator(".row-pick").tap()
    page.row(SMALL[1]).locator(".row-pick").tap()
    expect(page["picked-text"]).to_contain_text("2 selected")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    page["picked-reject"].tap()
    expect(page.dialog("Reject 2 patterns")).to_be_visible()
    page["bulk-reasons"].get_by_role("button").first.tap()
    page["bulk-reviewer"].fill("ann")
    page["bulk-submit"].tap()
    expect(page.toast).to_contain_text(re.compile("Rejected 2 patterns"))
