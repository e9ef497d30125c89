"""Deciding fast, and taking it back: approving without a dialog, reasons to pick, undo."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import Tabs
from tests.support.daemon import running_daemon
from tests.support.review_page import ReviewPage
from tests.support.waiting import eventually
from tests.web.conftest import Served
from tests.web.test_page_accessibility import nameless

FIRST, SECOND, THIRD = NAMES = ("sdlc:full:all", "test:pytest:all", "fix:lint:all")
KNOWN = """() => localStorage.setItem("pattern-sync.reviewer", "ann")"""


@pytest.fixture
def three(emptied: Served) -> Served:
    for number, name in enumerate(NAMES):
        emptied.queue(name, occurrence_count=78_167 // 10**number)
    return emptied


def ann_at(tabs: Tabs, served: Served) -> ReviewPage:
    """Open the page in a browser that knows its person."""
    page = tabs.open(served.daemon.http_url).until_live()
    page.evaluate(KNOWN)
    return page


def status(served: Served, signature: str) -> object:
    return (served.database.entry(signature) or {})["status"]


def history(served: Served, signature: str) -> list[tuple[object, ...]]:
    rows = served.database.execute(
        "SELECT action, reviewer, notes FROM pattern_review_history WHERE pattern_id = %s ORDER BY id", signature
    )
    return [tuple(row.values()) for row in rows]


def test_the_name_is_asked_once_and_then_a_key_approves_and_another_takes_it_back(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live().press("j", "a")
    expect(page.dialog("Approve pattern")).to_be_visible()
    page.sign("ann").press("Control+Enter")
    expect(page.title).to_have_text(SECOND)
    page.press("a")
    expect(page.toast).to_contain_text(f"Approved “{SECOND}”")
    expect(page.page.locator("dialog[open]")).to_have_count(0)
    expect(page.title).to_have_text(THIRD)
    assert history(three, SECOND) == [("approved", "ann", None)]

    page.press("z")
    expect(page.toast).to_contain_text(f"“{SECOND}” is undone.")
    page.until_ids(SECOND, THIRD)
    expect(page.title).to_have_text(SECOND)
    expect(page["pattern-status"]).to_have_text("Pending")
    assert [action for action, _, _ in history(three, SECOND)] == ["approved", "flagged"]
    page.press("z")
    expect(page.toast).to_contain_text(f"“{FIRST}” is undone.")
    page.until_ids(*NAMES)
    page.press("z")
    expect(page.toast).to_contain_text("Nothing was decided here within 10 minutes.")
    marks = three.database.execute("SELECT DISTINCT automation_status FROM operation_patterns")
    assert [tuple(mark.values()) for mark in marks] == [("detected",)]


def test_the_toast_offers_the_undo_and_gives_the_focus_back(three: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, three).select(FIRST)
    page["approve"].click()
    expect(page.toast).to_contain_text(f"Approved “{FIRST}”")
    page.toast.get_by_role("button", name="Undo").click()
    expect(page.toast).to_contain_text(f"“{FIRST}” is undone.")
    page.until_ids(*NAMES)
    assert page.focused() == "list"
    assert status(three, FIRST) == "pending"


def test_the_record_keeps_the_place_in_the_list_and_for_how_long_it_was_selected(three: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, three).select(SECOND).press("a")
    expect(page.toast).to_contain_text(f"Approved “{SECOND}”")
    page.select(THIRD).press("r", "1", "Enter")
    expect(page.toast).to_contain_text(f"Rejected “{THIRD}”")
    rows = three.database.execute(
        "SELECT shown->>'position' AS place, (shown->>'seconds')::float AS seconds FROM pattern_sync.decisions"
        " WHERE pattern_id IN (%s, %s) ORDER BY id",
        SECOND,
        THIRD,
    )[-2:]
    assert [row["place"] for row in rows] == ["2", "2"]
    assert all(0 < row["seconds"] < 60 for row in rows)


def test_notes_are_one_key_away_and_a_text_that_was_begun_is_not_lost(three: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, three).select(FIRST).press("Shift+A").type("worth a script")
    expect(page.dialog("Approve pattern")).to_contain_text("As ann")
    expect(page["reviewer"]).to_be_hidden()
    page.press("Escape", "a")
    expect(page["decide-text"]).to_have_value("worth a script")
    page.press("Enter")
    expect(page.toast).to_contain_text(f"Approved “{FIRST}”")
    assert history(three, FIRST) == [("approved", "ann", "worth a script")]


def test_a_reason_is_picked_by_its_digit_and_the_last_one_by_a_point(three: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, three).select(FIRST).press("r")
    picks = page["decide-reasons"].get_by_role("button")
    expect(picks.first).to_contain_text("a one-off")
    page.press("2", "3", "1")
    expect(page["decide-text"]).to_have_value("a one-off")
    page["decide-text"].fill("")
    page.type("not 2 of us want it").press("Enter")
    expect(page.toast).to_contain_text(f"Rejected “{FIRST}”")
    assert history(three, FIRST) == [("rejected", "ann", "not 2 of us want it")]
    expect(page.title).to_have_text(SECOND)
    page.press("r", ".", "Enter")
    expect(page.toast).to_contain_text(f"Rejected “{SECOND}”")
    assert history(three, SECOND) == [("rejected", "ann", "not 2 of us want it")]
    page.press("r")
    expect(picks.first).to_have_accessible_name("not 2 of us want it")
    picks.nth(1).click()
    assert page.focused() == "decide-text"
    page.press("Enter")
    expect(page.empty).to_contain_text("Nothing to decide.")
    assert history(three, THIRD) == [("rejected", "ann", "a one-off")]


def test_another_name_can_be_given(three: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, three).select(FIRST).press("r", "1")
    page.page.get_by_role("button", name="Change the name").click()
    assert page.focused() == "reviewer"
    page.type("bob").press("Control+Enter")
    expect(page.toast).to_contain_text(f"Rejected “{FIRST}”")
    assert history(three, FIRST) == [("rejected", "bob", "a one-off")]


def test_a_fast_approval_that_is_refused_opens_its_dialog_with_the_reason(three: Served, tabs: Tabs) -> None:
    def decide_first(route: Route) -> None:
        three.database.decide(FIRST, "rejected")
        route.continue_()

    page = ann_at(tabs, three).select(FIRST)
    page.excuse("status of 409")
    page.page.route("**/approve", decide_first)
    page.press("a")
    expect(page["decide-notice"]).to_contain_text("To replace that decision, close this and choose “Approve instead…”.")
    expect(page["decide-submit"]).to_be_disabled()
    assert status(three, FIRST) == "rejected"
    page.press("Escape")
    page.until_ids(SECOND, THIRD)


def test_an_approval_whose_answer_is_lost_is_sent_again_and_made_once(three: Served, tabs: Tabs) -> None:
    keys: list[str | None] = []

    def lose_the_first(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page = ann_at(tabs, three)
    page.excuse("Failed to load resource")
    page.page.route("**/approve", lose_the_first)
    page.page.reload()  # requests of a page that is open already may pass the route by
    page.until_live().select(FIRST).press("a")
    expect(page.toast).to_contain_text(f"Approved “{FIRST}”")
    expect(page.page.locator("dialog[open]")).to_have_count(0)
    assert len(keys) == 2
    assert keys[0]
    assert keys[0] == keys[1]
    assert history(three, FIRST) == [("approved", "ann", None)]
    page.press("z")
    expect(page.toast).to_contain_text(f"“{FIRST}” is undone.")
    assert status(three, FIRST) == "pending"


def test_an_undo_leaves_what_somebody_decided_since_and_says_so(three: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, three).select(FIRST).press("a")
    expect(page.toast).to_contain_text(f"Approved “{FIRST}”")
    path = f"/api/v1/patterns/{FIRST}/reject"
    bobs = {"reason": "no", "reviewer": "bob", "replaces": "approved"}
    three.client.post(path, json=bobs).raise_for_status()
    page.press("z")
    expect(page.toast).to_contain_text(f"Not undone: “{FIRST}” is decided again since.")
    assert status(three, FIRST) == "rejected"


def test_the_log_lists_who_decided_what_and_takes_it_back(three: Served, tabs: Tabs) -> None:
    three.database.execute("TRUNCATE pattern_sync.batches, pattern_sync.batch_items, pattern_sync.decisions")
    many = {"pattern_ids": [SECOND, THIRD], "decision": "rejected", "reason": "one-offs", "reviewer": "bob"}
    three.client.post("/api/v1/patterns/decisions", json=many).raise_for_status()
    page = ann_at(tabs, three).select(FIRST).press("a")
    expect(page["log-button"]).to_have_text("3 of 3 today")
    page.press("l")
    items = page.dialog("Decisions of the last seven days").get_by_role("listitem")
    expect(items.first).to_contain_text(f"Approved “{FIRST}” · 183,844.06 USD a month")
    expect(items.nth(1)).to_contain_text("Rejected 2 patterns")
    expect(items.nth(1)).to_contain_text("one-offs")
    page.page.get_by_label("Only mine of today").check()
    expect(page["log-list"]).not_to_contain_text("bob")
    page.page.get_by_label("Only mine of today").uncheck()
    page.page.get_by_role("button", name="Undo: Rejected 2 patterns").click()
    expect(items.nth(1)).to_contain_text("Undone by ann.")
    assert nameless(page.page) == []
    page.press("Escape")
    page.until_ids(SECOND, THIRD)
    assert status(three, SECOND) == "pending"


def test_an_empty_queue_says_what_is_watched_and_what_is_nearest_and_queues_it(emptied: Served, tabs: Tabs) -> None:
    emptied.database.add_pattern("nearly:there", confidence_score=69, occurrence_count=50)
    page = ann_at(tabs, emptied)
    expect(page.empty).to_contain_text("Nothing to decide.")
    expect(page["nearest-watched"]).to_contain_text("70 % or more")
    expect(page["nearest-list"]).to_contain_text("confidence 69 %, not 70 % or more")
    page.page.get_by_role("button", name="Queue nearly:there anyway").click()
    page.until_ids("nearly:there")
    expect(page["nearest"]).to_be_hidden()


def test_a_hard_case_is_snoozed_with_a_key_and_woken_again(three: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, three).select(FIRST).press("s")
    expect(page.dialog("Snooze pattern")).to_contain_text(FIRST)
    page.press("1")
    expect(page.toast).to_contain_text(f"Snoozed “{FIRST}” until ")
    page.until_ids(SECOND, THIRD)
    expect(page.title).to_have_text(SECOND)
    assert status(three, FIRST) == "pending"

    bob = tabs.open(three.daemon.http_url).until_live()
    bob.until_ids(SECOND, THIRD)
    bob["asleep"].click()
    bob.until_ids(FIRST)
    bob.select(FIRST)
    expect(bob["pattern-elsewhere"]).to_contain_text("Snoozed by ann until ")
    bob.press("s")
    expect(bob.toast).to_contain_text(f"“{FIRST}” is awake")
    page.until_ids(*NAMES)

    page.select(SECOND).press("s", "3")
    page.until_ids(FIRST, THIRD)
    expect(page.toast).to_contain_text("until its savings have doubled")
    page.toast.get_by_role("button", name="Wake").click()
    page.until_ids(*NAMES)


def test_a_snoozed_entry_can_be_decided(three: Served, tabs: Tabs) -> None:
    page = ann_at(tabs, three).select(FIRST).press("s", "2")
    page.until_ids(SECOND, THIRD)
    page["asleep"].click()
    page.select(FIRST).press("a")
    expect(page.toast).to_contain_text(f"Approved “{FIRST}”")
    assert status(three, FIRST) == "approved"


def test_two_people_see_each_other_and_go_on_to_different_patterns(three: Served, tabs: Tabs) -> None:
    three.queue("docs:last", occurrence_count=6)
    with running_daemon(three.database.url) as replica:
        ann = ann_at(tabs, three).select(SECOND)
        bob = tabs.open(replica.http_url).until_live()
        bob.evaluate(KNOWN.replace("ann", "bob"))
        bob.select(FIRST)
        expect(bob["pattern-readers"]).to_be_hidden()
        ann.select(FIRST)
        expect(bob["pattern-readers"]).to_have_text("ann is reading this")
        expect(ann["pattern-readers"]).to_have_text("bob is reading this")
        sign = bob.row(FIRST).locator(".reader")
        expect(sign).to_have_text("ann")
        expect(bob.row(FIRST)).to_have_accessible_name(re.compile("ann is reading this$"))
        ann.select(SECOND)
        expect(bob["pattern-readers"]).to_be_hidden()
        expect(sign).to_be_hidden()
        expect(bob.row(SECOND).locator(".reader")).to_have_text("ann")
        bob.press("a")
        expect(bob.title).to_have_text(THIRD)

        cleo = tabs.open(three.daemon.http_url).until_live()
        cleo.evaluate(KNOWN.replace("ann", "cleo"))
        cleo.until_ids(SECOND, THIRD, "docs:last")
        eventually(lambda: cleo.press("Escape", "j").title.inner_text() == "docs:last" or cleo.page.reload())
        bob.page.close()
        ann.page.close()
        cleo.select(SECOND)
        expect(cleo["pattern-readers"]).to_be_hidden()
