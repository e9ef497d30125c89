"""The list of the review page: sorted by any column, and named by the page's address."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import Tabs
from tests.support.review_page import ReviewPage
from tests.web.conftest import Served

LARGE, OFTEN, SURE = NAMES = ("sdlc:full:large", "test:pytest:often", "fix:lint:sure")
FIGURES = {
    LARGE: {"confidence_score": 80, "occurrence_count": 100, "potential_monthly_savings": 90_000},
    OFTEN: {"confidence_score": 75, "occurrence_count": 5_000, "potential_monthly_savings": 1_500},
    SURE: {"confidence_score": 99, "occurrence_count": 10, "potential_monthly_savings": 2_000},
}


@pytest.fixture
def three(emptied: Served) -> Served:
    for name, figures in FIGURES.items():
        emptied.queue(name, **figures)
    return emptied


def head(page: ReviewPage, name: str) -> None:
    page["columns"].get_by_role("button", name=name).click()


def expect_sorted(page: ReviewPage, column: str, direction: str) -> None:
    sorted_heads = page["columns"].locator("[aria-sort]")
    expect(sorted_heads).to_have_count(1)
    expect(sorted_heads).to_have_text(column)
    expect(sorted_heads).to_have_attribute("aria-sort", direction)


def test_the_list_is_sorted_by_any_column_and_the_other_way_round(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live()
    page.until_ids(LARGE, OFTEN, SURE)
    expect_sorted(page, "Impact", "descending")
    head(page, "Occurrences")
    page.until_ids(OFTEN, LARGE, SURE)
    expect_sorted(page, "Occurrences", "descending")
    head(page, "Occurrences")
    page.until_ids(SURE, LARGE, OFTEN)
    expect_sorted(page, "Occurrences", "ascending")
    for column, order in {
        "Confidence": (SURE, LARGE, OFTEN),
        "USD a month": (LARGE, SURE, OFTEN),
        "Pattern": (SURE, LARGE, OFTEN),
        "Impact": (LARGE, OFTEN, SURE),
    }.items():
        head(page, column)
        page.until_ids(*order)
    expect(page.page.get_by_role("status").filter(has_text="Sorted by Impact, largest first")).to_have_count(1)


def test_the_list_is_sorted_by_keyboard_and_by_a_select(three: Served, tabs: Tabs) -> None:
    for minutes, name in enumerate((SURE, OFTEN, LARGE)):  # those of one transaction would have one time
        three.database.execute(
            "UPDATE pattern_approvals SET created_at = now() - make_interval(mins => %s) WHERE pattern_id = %s",
            minutes,
            name,
        )
    page = tabs.open(three.daemon.http_url).until_live()
    page.press("o", "o", "o", "o")
    expect_sorted(page, "Occurrences", "descending")
    page.until_ids(OFTEN, LARGE, SURE)
    page.press("Shift+O")
    page.until_ids(SURE, LARGE, OFTEN)
    page.page.get_by_label("Sort by").select_option("queued")
    page.until_ids(SURE, OFTEN, LARGE)
    page.page.get_by_role("button", name="Reverse the order: now newest first").click()
    page.until_ids(LARGE, OFTEN, SURE)
    expect(page["columns"].locator("[aria-sort]")).to_have_count(0)


def test_what_arrives_takes_its_place_in_the_order_that_is_shown(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url, path="/#sort=-confidence").until_live()
    page.until_ids(OFTEN, LARGE, SURE)
    three.queue("new:one", confidence_score=90)
    page.until_ids(OFTEN, LARGE, "new:one", SURE)


def test_an_address_names_view_search_order_and_pattern(three: Served, tabs: Tabs) -> None:
    three.database.decide(SURE, "approved")
    page = tabs.open(three.daemon.http_url).until_live()
    page.until_ids(LARGE, OFTEN)
    head(page, "Occurrences")
    page.until_ids(OFTEN, LARGE)
    page["search"].fill("large")
    page.until_ids(LARGE)
    page.select(LARGE)
    address = page.page.url
    assert address.endswith("#q=large&sort=occurrences&pattern=sdlc%3Afull%3Alarge")

    beside = tabs.open_beside(
        page.page.context.new_page(), three.daemon.http_url, path=address.removeprefix(three.daemon.http_url)
    )
    beside.until_live()
    beside.until_ids(LARGE)
    expect(beside["search"]).to_have_value("large")
    expect_sorted(beside, "Occurrences", "descending")
    expect(beside.title).to_have_text(LARGE)

    page.view("approved").click()
    expect(page.empty).to_have_attribute("data-reason", "no-match")
    page["empty-action"].click()
    page.until_ids(SURE)


def test_back_and_forward_lead_through_views_orders_and_searches(three: Served, tabs: Tabs) -> None:
    three.database.decide(SURE, "approved")
    page = tabs.open(three.daemon.http_url).until_live()
    page.until_ids(LARGE, OFTEN)
    head(page, "Occurrences")
    page.until_ids(OFTEN, LARGE)
    page.press("/").type("large")
    page.until_ids(LARGE)
    page["search"].fill("")
    page.until_ids(OFTEN, LARGE)
    page.view("approved").click()
    page.until_ids(SURE)
    page.select(SURE)

    page.page.go_back()
    page.until_ids(OFTEN, LARGE)
    expect(page.view("pending")).to_have_attribute("aria-current", "true")
    expect(page["details"]).to_have_attribute("data-shown", "overview")
    page.page.go_back()
    page.until_ids(OFTEN, LARGE)
    expect_sorted(page, "Occurrences", "descending")
    page.page.go_back()
    page.until_ids(LARGE, OFTEN)
    for _ in range(3):
        page.page.go_forward()
    page.until_ids(SURE)
    expect(page.title).to_have_text(SURE)


def test_terms_are_found_by_the_daemon_and_a_fault_names_the_term(emptied: Served, tabs: Tabs) -> None:
    for number in range(4):
        emptied.database.add_entry(f"test:term:{number}", estimated_savings_usd=1_000 * (number + 1))
    emptied.database.add_entry("git:diff:all", estimated_savings_usd=9_000)
    page = tabs.open(emptied.daemon.http_url).until_live()
    page.press("/").type("type:test savings:>=3k")
    page.until_ids("test:term:3", "test:term:2")
    # What changes is found anew.
    emptied.database.execute(
        "UPDATE pattern_approvals SET estimated_savings_usd = 8000 WHERE pattern_id = 'test:term:0'"
    )
    page.until_ids("test:term:0", "test:term:3", "test:term:2")
    page.excuse("status of 422")
    page["search"].fill("savngs:>5")
    expect(page["search-fault"]).to_contain_text("savings is meant")
    expect(page["search"]).to_have_attribute("aria-invalid", "true")
    page["search"].fill("diff")
    page.until_ids("git:diff:all")
    expect(page["search-fault"]).to_be_hidden()
    page.page.goto(f"{emptied.daemon.http_url}/#q=type%3Agit")
    page.page.reload()
    page.until_live().until_ids("git:diff:all")
