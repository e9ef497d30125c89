"""The tab of results: what was saved beside what was promised, as a drawing and as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browser import Tabs
from tests.support.database import TestDatabase
from tests.support.review_page import ReviewPage
from tests.web.conftest import Served
from tests.web.test_page_accessibility import FAINT_TEXTS, MISNAMED, SCROLLING_LISTS, SMALL_TARGETS

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 780}, "has_touch": True, "is_mobile": True}
PATTERNS = 14
LOSS = f"fix:lint:{PATTERNS}"


@pytest.fixture
def recorded(emptied: Served) -> Served:
    """Return a queue in which each pattern has saved something, but the first and the last one."""
    emptied.database.empty("cost_savings_log")
    now = datetime.now(UTC)
    for number in range(1, PATTERNS + 1):
        signature = f"{'test:pytest' if number % 2 else 'fix:lint'}:{number}"
        approve(emptied.database, signature, now - timedelta(days=70), 10 * number)
        for run in range(0 if number == 1 else 30):
            usd = (-1 if number == PATTERNS else 1) * (1 + run % 3) * number / 5
            emptied.database.execute(
                "SELECT pattern_sync.saved(%s, usd => %s::numeric, workflow => %s, at => %s)",
                *(signature, usd, f"wf-{run}", now - timedelta(days=2 * run)),
            )
    emptied.queue("test:pytest:new", potential_monthly_savings=5_000)
    return emptied


def approve(database: TestDatabase, signature: str, at: datetime, estimate: float) -> None:
    database.add_pattern(signature, automation_status="approved")
    database.execute(
        "INSERT INTO pattern_approvals (pattern_id, status, reviewed_at, confidence_score, occurrence_count,"
        " estimated_savings_usd, tool_sequence) VALUES (%s, 'approved', %s, 0.9, 10, %s, 'Read')",
        *(signature, at, estimate),
    )


def until_results(page: ReviewPage) -> None:
    expect(page["results"]).to_be_visible()
    expect(page["results"]).to_have_attribute("aria-busy", "false")
    expect(page["results-as-of"]).to_contain_text("As of")


def test_the_results_are_a_tab_with_a_drawing_and_the_tables_beneath_it(recorded: Served, tabs: Tabs) -> None:
    page = tabs.open(recorded.daemon.http_url)
    page["results-tab"].click()
    until_results(page)
    expect(page["results-summary"]).to_contain_text("14 approved patterns")
    expect(page["results-summary"]).to_contain_text("1 approved, not used")
    expect(page["queue"]).to_be_hidden()
    expect(page["results-chart"].locator("path.saved")).to_have_count(1)
    expect(page["results-chart"].locator("polygon.band")).to_have_count(1)
    expect(page["results-rows"].locator("tr")).to_have_count(PATTERNS)
    expect(page["results-extreme-rows"].locator("tr")).to_have_count(10)
    expect(page["results-extreme-rows"].locator("circle.loss")).to_have_count(1)
    expect(page["results-kind-rows"].locator("tr")).to_have_count(2)
    expect(page["results-rows"].locator("tr.negative")).to_contain_text("more than before")
    expect(page["results-rows"].locator("tr.not-used")).to_contain_text("Approved, not used")


def test_a_pattern_leads_from_the_results_to_its_details_and_back_leads_back(recorded: Served, tabs: Tabs) -> None:
    page = tabs.open(recorded.daemon.http_url, path="/#tab=results")
    until_results(page)
    page["results-rows"].get_by_role("button", name=LOSS).click()
    expect(page["results"]).to_be_hidden()
    expect(page.title).to_have_text(LOSS)
    expect(page["expectation-result"]).to_contain_text("more than before")
    page.page.go_back()
    expect(page["results"]).to_be_visible()
    expect(page["results-tab"]).to_have_attribute("aria-current", "true")
    page.view("pending").click()
    expect(page["results"]).to_be_hidden()
    expect(page["queue"]).to_be_visible()


def test_the_estimate_of_a_pending_pattern_has_what_is_to_be_expected_beside_it(recorded: Served, tabs: Tabs) -> None:
    page = tabs.open(recorded.daemon.http_url).until_live()
    page.select("test:pytest:new")
    expect(page["expectation-text"]).to_contain_text("6 patterns of this kind got")
    expect(page["figure-savings"]).to_have_text("5,000.00 USD")


def test_without_a_record_the_tab_says_how_to_record(emptied: Served, tabs: Tabs) -> None:
    emptied.database.empty("cost_savings_log")
    page = tabs.open(emptied.daemon.http_url, path="/#tab=results")
    until_results(page)
    expect(page["results-empty"]).to_be_visible()
    expect(page["results-empty"]).to_contain_text("pattern-sync roi record")
    expect(page["results-body"]).to_be_hidden()


def test_shortcuts_of_the_list_rest_while_the_results_are_shown(recorded: Served, tabs: Tabs) -> None:
    page = tabs.open(recorded.daemon.http_url).until_live()
    page.select("test:pytest:new")
    page["results-tab"].click()
    until_results(page)
    page.press("a")
    assert recorded.database.entry("test:pytest:new")["status"] == "pending"  # type: ignore[index]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_results_can_be_read_by_everybody(recorded: Served, tabs: Tabs, width: int, scheme: str) -> None:
    size: dict[str, Any] = (
        PHONE if width == PHONE["viewport"]["width"] else {"viewport": {"width": width, "height": 900}}
    )
    page = tabs.open(recorded.daemon.http_url, path="/#tab=results", color_scheme=scheme, **size)
    until_results(page)
    assert page.evaluate(FAINT_TEXTS) == []
    assert page.evaluate(MISNAMED) == []
    assert page.evaluate(SCROLLING_LISTS) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert page.evaluate("() => document.getElementById('results').scrollWidth") <= width
    if width == PHONE["viewport"]["width"]:
        assert page.evaluate(f"({SMALL_TARGETS % 24})()") == []


def test_every_row_is_reached_by_the_tab_key(recorded: Served, tabs: Tabs) -> None:
    page = tabs.open(recorded.daemon.http_url, path="/#tab=results")
    until_results(page)
    seen = set()
    for _ in range(60):
        page.press("Tab")
        seen.add(page.evaluate("() => document.activeElement?.dataset?.resultId ?? ''"))
    assert LOSS in seen
