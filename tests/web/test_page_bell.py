"""The browser's own notifications: asked for by a click, of patterns that arrive while nobody looks."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import Tabs
from tests.support.review_page import ReviewPage
from tests.web.conftest import Served

# The page is not looked at, and what it shows is kept.
UNSEEN = """() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => window.unseen });
    window.unseen = true;
    window.rung = [];
    window.Notification = class extends EventTarget {
        static permission = "granted";
        constructor(title, { body }) { super(); window.rung.push(`${title}: ${body}`); }
    };
}"""


@pytest.fixture
def page(emptied: Served, tabs: Tabs) -> ReviewPage:
    page = tabs.open(emptied.daemon.http_url)
    page.until_connection("live")
    return page


def rung(page: ReviewPage) -> list[str]:
    found: list[str] = page.page.evaluate("() => window.rung")
    return found


def test_a_person_is_notified_of_what_arrives_unseen_once_they_have_asked(emptied: Served, page: ReviewPage) -> None:
    bell = page.page.get_by_role("button", name="Notify me")
    expect(bell).to_have_attribute("aria-pressed", "false")
    page.page.context.grant_permissions(["notifications"])
    bell.click()
    expect(page["bell-button"]).to_have_text("Notifying")
    expect(page["bell-button"]).to_have_attribute("aria-pressed", "true")
    page.page.evaluate(UNSEEN)
    page.page.clock.install()
    for name, savings in (("a\u202eb", 500), ("best", 9_000), ("third", 800)):
        emptied.database.add_pattern(name, potential_monthly_savings=savings * 10)
    page.until_ids("best", "third", "a\u202eb")
    page.page.clock.run_for(31_000)
    assert rung(page) == ["3 new patterns: best, 90,000.00 USD a month, and 2 others"]
    page.page.evaluate("() => { window.unseen = false; }")
    emptied.database.add_pattern("seen", potential_monthly_savings=99_000)
    expect(page.row("seen")).to_be_visible()
    page.page.clock.run_for(31_000)
    page["bell-button"].click()
    page.page.evaluate("() => { window.unseen = true; }")
    emptied.database.add_pattern("after it was off", potential_monthly_savings=99_000)
    expect(page.row("after it was off")).to_be_visible()
    page.page.clock.run_for(31_000)
    assert len(rung(page)) == 1


def test_it_is_remembered_by_the_browser(page: ReviewPage) -> None:
    page.page.context.grant_permissions(["notifications"])
    page["bell-button"].click()
    expect(page["bell-button"]).to_have_text("Notifying")
    page.page.reload()
    expect(page["bell-button"]).to_have_text("Notifying")


def test_a_name_rings_as_what_it_is(emptied: Served, page: ReviewPage) -> None:
    page.page.context.grant_permissions(["notifications"])
    page["bell-button"].click()
    expect(page["bell-button"]).to_have_text("Notifying")
    page.page.evaluate(UNSEEN)
    page.page.clock.install()
    emptied.database.add_pattern("a\u202eb", potential_monthly_savings=5_000)
    page.until_ids("a\u202eb")
    page.page.clock.run_for(31_000)
    assert rung(page) == ["1 new pattern: a[U+202E]b, 5,000.00 USD a month"]
