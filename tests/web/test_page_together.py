"""Several people, an application and a detector at the same queue: no decision unknowingly replaces another."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import Tabs
from tests.support.review_page import ReviewPage
from tests.support.waiting import eventually
from tests.web.conftest import Served, path_of

NAME = "sdlc:full:all"
OTHER = "test:pytest:all"
WHEN = r"\d{1,2} \w{3,4} \d{4}, \d{2}:\d{2}"


@pytest.fixture
def entries(emptied: Served) -> Served:
    emptied.queue(NAME)
    emptied.queue(OTHER, occurrence_count=10)
    return emptied


def reviewer_at(tabs: Tabs, served: Served) -> ReviewPage:
    return tabs.open(served.daemon.http_url).until_live().select(NAME)


def test_the_first_reviewer_wins_and_the_second_sees_who_decided_what_and_when(entries: Served, tabs: Tabs) -> None:
    ann, bob = reviewer_at(tabs, entries), reviewer_at(tabs, entries)
    ann.press("a").sign("ann")
    bob.press("r").type("a one-off, I think").sign("bob")
    ann.press("Control+Enter")
    expect(ann.toast).to_contain_text(f"Approved “{NAME}”")

    alert = bob.dialog("Reject pattern").get_by_role("alert")
    expect(alert).to_contain_text(re.compile(f"Meanwhile: Approved by ann on {WHEN}"))
    expect(alert).to_contain_text("What you typed is kept.")
    expect(bob["decide-text"]).to_have_value("a one-off, I think")
    expect(bob["decide-submit"]).to_be_disabled()
    bob.press("Control+Enter", "Escape")
    bob.until_ids(OTHER)
    expect(bob["decision-title"]).to_contain_text("Approved by ann")
    assert entries.database.entry(NAME)["status"] == "approved"  # type: ignore[index]

    bob["reject"].click()
    expect(bob.dialog("Reject pattern instead")).to_be_visible()
    expect(bob["decide-text"]).to_have_value("a one-off, I think")
    bob.press("Control+Enter")
    expect(bob.toast).to_contain_text(f"Rejected “{NAME}”")
    expect(ann.count("rejected")).to_have_text("1")
    rows = entries.database.execute("SELECT action, reviewer, notes FROM pattern_review_history ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [
        ("approved", "ann", None),
        ("rejected", "bob", "a one-off, I think"),
    ]


def test_a_decision_that_crosses_another_is_refused_with_the_reason(entries: Served, tabs: Tabs) -> None:
    def decide_first(route: Route) -> None:
        entries.database.decide(NAME, "approved")
        route.continue_()

    bob = reviewer_at(tabs, entries)
    bob.excuse("status of 409")
    bob.press("r").type("mine").sign("bob")
    # The last moment at which the page cannot have seen it: the request is on its way.
    bob.page.route("**/reject", decide_first)
    bob.press("Control+Enter")
    alert = bob.dialog("Reject pattern").get_by_role("alert")
    # Of the response and the live update, the later one decides the message.
    expect(alert).to_contain_text(re.compile(r"approved by ann on \d", re.IGNORECASE))
    expect(alert).to_contain_text("To replace that decision, close this and choose “Reject instead…”.")
    expect(bob["decide-text"]).to_have_value("mine")
    expect(bob["decide-submit"]).to_be_disabled()
    bob.page.get_by_role("button", name="Close", exact=True).click()
    bob.until_ids(OTHER)
    expect(bob["decision-title"]).to_contain_text("Approved by ann")
    assert entries.database.entry(NAME)["status"] == "approved"  # type: ignore[index]


def test_an_entry_that_the_application_decides_by_sql_leaves_the_list(entries: Served, tabs: Tabs) -> None:
    page = reviewer_at(tabs, entries)
    entries.database.decide(NAME, "auto-rejected")
    page.until_ids(OTHER)
    expect(page.count("pending")).to_have_text("1")
    expect(page.count("auto_rejected")).to_have_text("1")
    expect(page.view("auto-rejected")).to_be_visible()
    expect(page.title).to_have_text(NAME)
    expect(page["decision-title"]).to_contain_text("Auto-rejected by ann")
    expect(page["pattern-elsewhere"]).to_have_text("Not in the list: it is auto-rejected.")
    page.press("j")
    expect(page.title).to_have_text(OTHER)


def test_an_entry_deleted_under_an_open_dialog_is_shown_as_gone(entries: Served, tabs: Tabs) -> None:
    page = reviewer_at(tabs, entries)
    page.press("Shift+A").type("good").sign("ann")
    page.excuse("status of 404")  # in case the page requests its history just now
    # Otherwise it would be queued again at once.
    entries.database.execute("UPDATE operation_patterns SET automation_status = 'active'")
    entries.database.execute("DELETE FROM pattern_approvals WHERE pattern_id = %s", NAME)
    expect(page["decide-notice"]).to_contain_text("Meanwhile, the entry was removed from the queue.")
    expect(page["decide-submit"]).to_be_disabled()
    expect(page["decide-text"]).to_have_value("good")
    page.press("Escape")
    page.until_ids(OTHER)
    expect(page["details"]).to_have_attribute("data-shown", "missing")


def test_an_entry_whose_pattern_was_deleted_stays_pending(entries: Served, tabs: Tabs) -> None:
    entries.database.execute("INSERT INTO pattern_sync.written VALUES (%s) ON CONFLICT DO NOTHING", NAME)
    entries.database.execute("DELETE FROM operation_patterns WHERE pattern_signature = %s", NAME)
    page = reviewer_at(tabs, entries)
    expect(page["why-text"]).to_contain_text("The detector has deleted this pattern")
    page.press("a").sign("ann").press("Control+Enter")
    expect(page.toast).to_contain_text(f"Approved “{NAME}”")
    page.until_ids(OTHER)


def test_a_comment_of_another_person_is_shown_in_the_open_details(entries: Served, tabs: Tabs) -> None:
    page = reviewer_at(tabs, entries)
    entries.client.post(f"{path_of(NAME)}/comment", json={"comment": "who owns this?", "reviewer": "bob"})
    expect(page["history"].locator("li[data-action=commented]")).to_contain_text("Comment by bob")
    expect(page["history"]).to_contain_text("who owns this?")


def test_a_comment_goes_through_although_the_entry_was_decided_meanwhile(entries: Served, tabs: Tabs) -> None:
    page = reviewer_at(tabs, entries)
    page.press("c").type("see the runbook").sign("ann")
    entries.database.decide(NAME, "approved")
    expect(page["decide-notice"]).to_contain_text("Meanwhile: Approved by ann")
    page.press("Control+Enter")
    expect(page["history"]).to_contain_text("see the runbook")


def test_a_toast_opens_the_entry_as_it_is_now(entries: Served, tabs: Tabs) -> None:
    page = reviewer_at(tabs, entries)
    page.press("a").sign("ann").press("Control+Enter")
    expect(page.toast).to_contain_text(f"Approved “{NAME}”")
    entries.database.execute(
        "UPDATE pattern_approvals SET status = 'rejected', reviewed_by = 'bob', reviewed_at = now()"
        " WHERE pattern_id = %s",
        NAME,
    )
    expect(page.count("rejected")).to_have_text("1")
    page.toast.get_by_role("button", name="Show").click()
    expect(page.title).to_have_text(NAME)
    expect(page["decision-title"]).to_contain_text("Rejected by bob")
    expect(page.title).to_be_focused()


def test_a_response_older_than_a_live_update_changes_nothing(entries: Served, tabs: Tabs) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page = tabs.open(entries.daemon.http_url).until_live()
    page.view("approved").click()
    expect(page.empty).to_contain_text("No approved patterns.")
    page.page.route(f"**{path_of(NAME)}", hold)
    page.page.evaluate("hash => { location.hash = hash; }", f"#pattern={NAME}")
    eventually(lambda: page.evaluate("1") and held)
    outdated = held[0].fetch()
    entries.database.decide(NAME, "auto-rejected")
    expect(page["decision-title"]).to_contain_text("Auto-rejected by ann")
    held[0].fulfill(response=outdated)
    page.press("?", "Escape")
    expect(page["pattern-status"]).to_have_text("Auto-rejected")


def test_a_pattern_that_was_not_there_never_shows_another_patterns_details(entries: Served, tabs: Tabs) -> None:
    entries.client.post(f"{path_of(NAME)}/comment", json={"comment": f"about {NAME}", "reviewer": "bob"})
    page = reviewer_at(tabs, entries)
    expect(page["history"]).to_contain_text(f"about {NAME}")
    page.excuse("status of 404")
    page.page.evaluate("() => { location.hash = '#pattern=new%3Aone'; }")
    expect(page["pattern-status"]).to_have_text("Not in the queue")
    page.page.route("**/new%3Aone/**", lambda route: route.abort())
    page.excuse("Failed to load resource")
    entries.queue("new:one")
    expect(page["pattern-status"]).to_have_text("Pending")
    expect(page["history-text"]).to_contain_text("The daemon cannot be reached.")
    expect(page["history"].get_by_role("listitem")).to_have_count(0)
    expect(page["criteria"]).to_be_hidden()
    page.page.unroute("**/new%3Aone/**")
    page["history-text"].get_by_role("button", name="Try again").click()
    expect(page["history-text"]).to_have_text("No decisions or comments yet.")
    expect(page.title).to_be_focused()
