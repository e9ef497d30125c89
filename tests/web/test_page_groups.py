"""Groups on the review page: by kind, shape, target or flag; opened, decided and undone by keyboard."""

import re
import time

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import Tabs
from tests.support.review_page import ReviewPage
from tests.web.conftest import Served

FAMILY = [f"sdlc:full:{number}" for number in range(29)]
OTHERS = ("test:pytest:backend", "test:pytest:frontend", "fix:lint:backend")


@pytest.fixture
def grouped(emptied: Served) -> Served:
    for number, name in enumerate(FAMILY):
        emptied.database.add_entry(
            name, estimated_savings_usd=2_000 + number, confidence_score=0.8, tool_sequence="Read→Edit→Edit→Bash"
        )
    for name in OTHERS:
        emptied.database.add_entry(name, estimated_savings_usd=1_500, confidence_score=0.9, tool_sequence="Bash")
    return emptied


def slowly(route: Route) -> None:
    time.sleep(0.5)
    route.continue_()


def expect_groups(page: ReviewPage, *names: str) -> None:
    expect(page["groups"].locator(".group-name")).to_have_text(list(names))


def test_g_cycles_through_what_the_list_can_be_grouped_by(grouped: Served, tabs: Tabs) -> None:
    page = tabs.open(grouped.daemon.http_url).until_live()
    expect(page.rows.first).to_be_visible()
    page.press("g")
    expect(page["group-by"]).to_have_value("kind")
    expect_groups(page, "sdlc:full", "test:pytest", "fix:lint")
    expect(page["scroller"]).to_be_hidden()
    page.press("g")
    expect_groups(page, "Read→Edit→Bash", "Bash")
    page.press("g")
    expect(page["group-by"]).to_have_value("target")
    expect(page["groups"].get_by_role("option").first).to_be_visible()
    page.press("g")
    expect_groups(page, "nothing recorded")
    page.press("g")
    expect(page["group-by"]).to_have_value("")
    expect(page["scroller"]).to_be_visible()
    expect(page["group-scroller"]).to_be_hidden()


def test_a_group_tells_what_it_holds_and_what_was_decided_of_it_before(grouped: Served, tabs: Tabs) -> None:
    for number, status in enumerate(("approved", "rejected", "rejected")):
        grouped.database.add_entry(f"sdlc:full:old{number}", status=status)
    page = tabs.open(grouped.daemon.http_url, path="/#group=kind").until_live()
    row = page["groups"].get_by_role("option").first
    expect(row).to_have_accessible_name(
        "Kind sdlc:full, 29 patterns, 58,406.00 USD a month, each 2,000.00 to 2,028.00 USD, confidence 80 %,"
        " approved 1 of 3 before",
    )
    expect(row).to_have_attribute("aria-setsize", "3")


def test_a_family_is_opened_and_decided_by_keyboard_and_undone(grouped: Served, tabs: Tabs) -> None:
    page = tabs.open(grouped.daemon.http_url).until_live()
    page.press("g")
    expect_groups(page, "sdlc:full", "test:pytest", "fix:lint")
    page.press("j", "Enter")
    expect(page["group-title"]).to_have_text("Kind sdlc:full")
    expect(page["summary"]).to_contain_text("29 patterns ·")
    assert set(page.ids()) <= set(FAMILY)
    page.press("Escape")
    expect_groups(page, "sdlc:full", "test:pytest", "fix:lint")
    expect(page["groups"]).to_be_focused()

    page.press("r")
    expect(page["bulk"]).to_be_visible()
    expect(page["bulk"]).to_contain_text("29 patterns")
    page["bulk-text"].fill("one family")
    page["bulk-reviewer"].fill("ann")
    page.press("Control+Enter")
    expect_groups(page, "test:pytest", "fix:lint")
    assert {name for name in FAMILY if (grouped.database.entry(name) or {})["status"] == "rejected"} == set(FAMILY)
    page.press("z")
    expect_groups(page, "sdlc:full", "test:pytest", "fix:lint")
    assert {(grouped.database.entry(name) or {})["status"] for name in FAMILY} == {"pending"}


def test_x_selects_a_group_and_the_search_narrows_the_groups(grouped: Served, tabs: Tabs) -> None:
    page = tabs.open(grouped.daemon.http_url, path="/#group=kind").until_live()
    expect_groups(page, "sdlc:full", "test:pytest", "fix:lint")
    page.press("j", "j", "x")
    expect(page["picked-text"]).to_contain_text("2 selected")
    page.press("Escape")
    expect(page["picked"]).to_be_hidden()
    page.press("/").type("backend")
    expect_groups(page, "fix:lint", "test:pytest")
    page.press("Enter", "Home", "x")
    expect(page["picked-text"]).to_contain_text("1 selected")
    pytest_row = page["groups"].get_by_role("option", name=re.compile("test:pytest"))
    pytest_row.locator(".row-pick").click()
    expect(page["picked-text"]).to_contain_text("2 selected")
    expect(pytest_row).to_have_attribute("aria-checked", "true")
    page.press("x")
    expect(page["picked-text"]).to_contain_text("1 selected")
    expect(pytest_row).to_have_attribute("aria-checked", "false")
    page["picked-clear"].click()
    expect(page["groups"]).to_be_focused()


def test_a_decision_waits_for_what_was_picked_just_before_and_no_pick_lands_elsewhere(
    grouped: Served, tabs: Tabs
) -> None:
    page = tabs.open(grouped.daemon.http_url, path="/#group=kind").until_live()
    expect_groups(page, "sdlc:full", "test:pytest", "fix:lint")
    page.page.route("**/patterns/pending?*group_key*", slowly)
    page["groups"].get_by_role("option", name=re.compile("fix:lint")).locator(".row-pick").click()
    page.press("a")
    expect(page["bulk-largest"]).to_contain_text("fix:lint:backend")
    expect(page["bulk-largest"].get_by_role("listitem")).to_have_count(1)
    page.press("Escape", "Escape", "Home", "x", "g")
    expect(page["group-by"]).to_have_value("shape")
    page.press("G", "x")
    expect(page["picked"]).to_be_hidden()
    page.press("*")
    expect(page.toast).to_contain_text("Open a group")
    expect(page["picked"]).to_be_hidden()


def test_groups_are_counted_again_after_an_outage_of_the_connection(grouped: Served, tabs: Tabs) -> None:
    page = tabs.open(grouped.daemon.http_url, path="/#group=kind").until_live()
    expect_groups(page, "sdlc:full", "test:pytest", "fix:lint")
    page.excuse("ERR_INTERNET_DISCONNECTED")
    page.page.context.set_offline(True)
    page.until_connection("reconnecting")
    grouped.database.execute("UPDATE pattern_approvals SET status = 'approved' WHERE pattern_id = 'fix:lint:backend'")
    page.page.context.set_offline(False)
    page.until_connection("live")
    expect_groups(page, "sdlc:full", "test:pytest")


def test_an_address_names_a_group_and_back_leads_through_them(grouped: Served, tabs: Tabs) -> None:
    page = tabs.open(grouped.daemon.http_url).until_live()
    page["group-by"].select_option("kind")
    page["groups"].get_by_role("option", name=re.compile("test:pytest")).click()
    page.until_ids("test:pytest:backend", "test:pytest:frontend")
    expect(page["group-title"]).to_have_text("Kind test:pytest")
    path = page.page.url.removeprefix(grouped.daemon.http_url)
    second = tabs.open_beside(page.page.context.new_page(), grouped.daemon.http_url, path=path)
    second.until_live().until_ids("test:pytest:backend", "test:pytest:frontend")
    page.page.go_back()
    expect_groups(page, "sdlc:full", "test:pytest", "fix:lint")
    page.page.go_back()
    expect(page["scroller"]).to_be_visible()
    expect(page["group-by"]).to_have_value("")
    page.page.go_forward()
    expect_groups(page, "sdlc:full", "test:pytest", "fix:lint")


def test_groups_follow_what_arrives_and_an_emptied_group_leads_back(grouped: Served, tabs: Tabs) -> None:
    page = tabs.open(grouped.daemon.http_url, path="/#group=kind").until_live()
    expect_groups(page, "sdlc:full", "test:pytest", "fix:lint")
    page.press("End")
    grouped.queue("new:kind:one", potential_monthly_savings=500_000)
    expect_groups(page, "new:kind", "sdlc:full", "test:pytest", "fix:lint")
    expect(page["groups"].locator("[aria-selected=true] .group-name")).to_have_text("fix:lint")
    page.press("Enter")
    page.until_ids("fix:lint:backend")
    grouped.database.execute("UPDATE pattern_approvals SET status = 'approved' WHERE pattern_id = 'fix:lint:backend'")
    expect(page["empty"]).to_contain_text("Nothing of this group is left.")
    page.press("Escape")
    expect_groups(page, "new:kind", "sdlc:full", "test:pytest")


def test_names_that_are_hostile_or_missing_are_shown_as_they_are(emptied: Served, tabs: Tabs) -> None:
    names = ["<img src=x onerror=alert(1)>:b:c", "a" * 100 + ":" + "b" * 100 + ":c", "::", "0123456789abcdef"]
    for name in names:
        emptied.database.add_entry(name)
    page = tabs.open(emptied.daemon.http_url, path="/#group=kind", viewport={"width": 360, "height": 700}).until_live()
    expect(page["groups"].get_by_role("option")).to_have_count(4)
    assert page["groups"].locator("img").count() == 0
    expect(page["groups"]).to_contain_text("names that are digests")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page["groups"].get_by_role("option", name=re.compile("<img")).click()
    expect(page["summary"]).to_contain_text("1 pattern ·")


def test_a_daemon_that_does_not_count_is_said_and_asked_again(grouped: Served, tabs: Tabs) -> None:
    page = tabs.open(grouped.daemon.http_url).until_live()
    page.excuse("status of 503")
    page.page.route(
        "**/patterns/groups*",
        lambda route: route.fulfill(
            status=503, headers={"Pattern-Sync": "daemon"}, json={"detail": "The database is away."}
        ),
    )
    page.press("g")
    expect(page["group-state"]).to_have_text("The groups could not be counted. The database is away.")
    page.page.unroute("**/patterns/groups*")
    page["group-retry"].click()
    expect_groups(page, "sdlc:full", "test:pytest", "fix:lint")
    expect(page["group-state"]).to_be_hidden()
