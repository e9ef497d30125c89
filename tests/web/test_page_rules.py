"""Rules on the page: their marks on entries and objections to them, their tab, and what they have decided."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from pattern_sync.services.timings import Timings
from tests.support.browser import Tabs
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.review_page import ReviewPage
from tests.support.waiting import eventually
from tests.web.conftest import Served
from tests.web.test_page_accessibility import PHONE, expect_readable

HASTY = Timings(ruling_seconds=0.2, ruling_pace_seconds=0.05)
CHEAP, LINT, NEVER = "cheap-tests", "lint-first", "never"
# No rule leaves these to people as a check: that is decided by the name, for ever.
TESTS = ("test:pytest:web", "test:pytest:db", "test:pytest:jobs")
IMPORTS = "fix:lint:imports"
OTHERWISE = "test:pytest:flaky"
PEOPLE = 41
DUE = "UPDATE pattern_sync.rule_log SET at = at - interval '25 hours' WHERE act = 'would' AND ended_at IS NULL"
RULES: dict[str, dict[str, Any]] = {
    CHEAP: {"verdict": "approve", "only_kinds": ["test:pytest"], "min_confidence": 90, "max_savings": 500},
    LINT: {"verdict": "approve", "only_kinds": ["fix:lint"], "max_savings": 500, "agreement": 0.95},
    NEVER: {"verdict": "reject", "min_confidence": 99.9},
}
STATES = {CHEAP: "on", LINT: "watching", NEVER: "off"}
LISTS = ("only_kinds", "exclude_kinds", "needs_tools", "without_tools")
GUARDS = {"wait_hours": 24, "per_day": 20, "check_share": 0.1, "agreement": 0.8}


@pytest.fixture(scope="module")
def served(module_database: TestDatabase) -> Iterator[Served]:
    """Return a daemon that looks at its rules several times a second."""
    with (
        running_daemon(module_database.url, timings=HASTY) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        yield Served(module_database, daemon, client)


@pytest.fixture
def ruled(emptied: Served) -> Served:
    """Return a queue with a rule that is on, one that watches, and one that is off and can never fire."""
    forget_rules(emptied.database)
    write_queue(emptied.database)
    write_rules(emptied.database)
    until_marked(emptied.database, len(TESTS) + 1)
    return emptied


def forget_rules(database: TestDatabase) -> None:
    tables = ("rules", "rule_log", "decisions", "batches", "traits")
    database.empty(*(f"pattern_sync.{table}" for table in tables), "pattern_review_history")


def write_queue(database: TestDatabase) -> None:
    database.execute("BEGIN")
    for number in range(PEOPLE):
        database.add_entry(f"test:pytest:past-{number}", confidence_score=0.95)
    database.add_entry(OTHERWISE, confidence_score=0.97, estimated_savings_usd=480)
    database.execute(
        "SELECT pattern_sync.decide('test:pytest:past-' || n, 'approved', 'bob', NULL, 'pending')"
        " FROM generate_series(0, %s) AS n",
        PEOPLE - 1,
    )
    database.execute("SELECT pattern_sync.decide(%s, 'rejected', 'ann', 'it never passes', 'pending')", OTHERWISE)
    # The largest of the queue is never a machine's.
    database.add_entry("sdlc:full:all", confidence_score=0.85, estimated_savings_usd=183_844)
    for place, name in enumerate((*TESTS, IMPORTS)):
        database.add_entry(name, confidence_score=0.95, estimated_savings_usd=120 + place)
    database.execute("COMMIT")


def write_rules(database: TestDatabase) -> None:
    for name, terms in RULES.items():
        whole = {**{each: [] for each in LISTS}, "allow_flags": ["nothing-recorded", "no-steps"], **GUARDS, **terms}
        database.execute("SELECT pattern_sync.set_rule(%s, 0, %s, 'ann')", name, json.dumps(whole))
        if STATES[name] != "off":
            database.execute("SELECT pattern_sync.switch_rule(%s, 1, %s, 'ann')", name, STATES[name])


def until_marked(database: TestDatabase, count: int) -> None:
    query = "SELECT count(*) AS n FROM pattern_sync.rule_log WHERE act = 'would' AND ended_at IS NULL"
    eventually(lambda: database.execute(query)[0]["n"] == count, what="the marks")


def open_as_ann(served: Served, tabs: Tabs, path: str = "/", **context: object) -> ReviewPage:
    page = tabs.open(served.daemon.http_url, path=path, **context)
    page.evaluate("() => localStorage.setItem('pattern-sync.reviewer', 'ann')")
    return page


def until_rules(page: ReviewPage) -> None:
    expect(page["rules"]).to_be_visible()
    expect(page["rules"]).to_have_attribute("aria-busy", "false")


def test_a_mark_is_seen_in_its_row_and_objected_to_by_a_key(ruled: Served, tabs: Tabs) -> None:
    page = open_as_ann(ruled, tabs).until_live()
    first, second, third = TESTS
    sign = page.row(first).locator(".ruled")
    expect(sign).to_contain_text("rule approves")
    assert f"Approved by rule {CHEAP}" in page.row(first).locator(".row-words").inner_text()
    page.select(IMPORTS)
    expect(page["pattern-mark-text"]).to_have_text(f"Rule {LINT} would approve this; it only watches.")
    page.select(first)
    expect(page["pattern-mark-text"]).to_contain_text("unless you object")
    expect(page["pattern-mark-bounds"]).to_contain_text("confidence at least 90 %; savings at most 500 USD a month")
    expect_readable(page)
    page.press("v")
    expect(page.toast).to_contain_text(f"Objected: “{first}” waits for a person, and no rule ever decides it.")
    expect(page["pattern-mark"]).to_be_hidden()
    expect(sign).to_be_hidden()
    objections = "SELECT reviewer FROM pattern_sync.rule_log WHERE act = 'vetoed' AND pattern_id = %s"
    assert ruled.database.execute(objections, first) == [{"reviewer": "ann"}]
    page.press("v")
    expect(page.toast).to_contain_text("No rule is about to decide")
    page.select(second)
    page["object"].focus()
    page.press("Enter")
    expect(page["pattern-mark"]).to_be_hidden()
    expect(page.title).to_be_focused()
    # Whatever ends a mark, the page learns of it.
    left = page.row(third).locator(".ruled")
    expect(left).to_be_visible()
    ruled.database.execute("SELECT pattern_sync.pause_rule(%s, 1, 'so', 'system')", CHEAP)
    expect(left).to_be_hidden()


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_tab_has_what_rules_do_and_a_trial_with_the_disagreements_first(
    ruled: Served, tabs: Tabs, device: str
) -> None:
    ruled.database.execute(DUE)
    eventually(lambda: all(ruled.database.entry(name)["status"] == "auto-approved" for name in TESTS))  # type: ignore[index]
    page = open_as_ann(ruled, tabs, reduced_motion="reduce", **(PHONE if device == "phone" else {})).until_live()
    page["rules-tab"].click()
    until_rules(page)
    expect(page["rules-summary"]).to_have_text("3 rules: 1 on, 1 watching, 0 paused, 1 off.")
    cheap = page["rules-list"].locator(f"[data-rule={CHEAP}]")
    expect(cheap).to_contain_text("Proof: 41 of 42 agree")
    expect(cheap).to_contain_text("3 decided, 3 of them within 24 hours")
    expect_readable(page)
    cheap.get_by_role("button", name=CHEAP).focus()
    page.press("Enter")
    expect(cheap).to_contain_text("People decided 41 of them likewise, 1 otherwise.")
    row = cheap.locator("tbody tr")
    expect(row).to_contain_text("480.00 USD")
    expect(row).to_contain_text("it never passes")
    expect(cheap.locator(".commands")).to_contain_text(f"pattern-sync rules revert {CHEAP}")
    expect_readable(page)
    page["rules-list"].get_by_role("button", name=NEVER).click()
    alarm = page["rules-list"].locator(f"[data-rule={NEVER}] .alarm")
    expect(alarm).to_contain_text("It can never fire: min_confidence is 99.9")
    expect_readable(page)
    page.page.go_back()
    expect(row).to_be_visible()
    row.get_by_role("button", name=OTHERWISE).click()
    expect(page["rules"]).to_be_hidden()
    expect(page.title).to_have_text(OTHERWISE)
    expect(page.title).to_be_visible()
    page.page.go_back()
    if device == "phone":  # there, the details cover the list, which is left by a step of its own
        expect(page.title).to_be_hidden()
        page.page.go_back()
    cheap.get_by_role("button", name="Undo: Auto-approved").click()
    expect(page.toast).to_contain_text("3 decisions undone")
    expect(cheap).to_contain_text("3 taken back")
    until_rules(page)
    assert {ruled.database.entry(name)["status"] for name in TESTS} == {"pending"}  # type: ignore[index]


def test_what_a_rule_has_decided_is_said_to_be_a_rules_and_undone(ruled: Served, tabs: Tabs) -> None:
    ruled.database.execute(DUE)
    name = TESTS[0]
    eventually(lambda: ruled.database.entry(name)["status"] == "auto-approved")  # type: ignore[index]
    page = open_as_ann(ruled, tabs).until_live()
    page.view("auto-approved").click()
    page.select(name)
    expect(page["decision-title"]).to_contain_text(f"Auto-approved by rule {CHEAP}, version 1 on")
    page.press("l")
    expect(page["log-list"]).to_contain_text(f"by rule {CHEAP}, version 1")
    page.press("Escape")
    expect_readable(page)
    page["decision-undo"].click()
    expect(page.toast).to_contain_text("The rule decided 3 patterns in one go: they are undone together.")
    page.toast.get_by_role("button", name="Undo all 3").click()
    expect(page.toast).to_contain_text("3 decisions undone")
    assert ruled.database.entry(name)["status"] == "pending"  # type: ignore[index]


def test_without_rules_the_tab_says_how_to_write_one_and_asks_for_nothing_else(emptied: Served, tabs: Tabs) -> None:
    forget_rules(emptied.database)
    emptied.database.add_entry("test:pytest:api")
    page = tabs.open(emptied.daemon.http_url).until_live()
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url))

    def asked_of_rules() -> list[str]:
        return [url for url in asked if "/rules" in url or "/marks" in url]

    page.select("test:pytest:api")
    assert asked_of_rules() == []
    page["rules-tab"].focus()
    page.press("Enter")
    until_rules(page)
    expect(page["rules-title"]).to_be_focused()
    expect(page["rules-how"]).to_contain_text("pattern-sync rules set cheap-tests")
    expect(page["rules-forbidden"]).to_be_hidden()
    assert asked_of_rules() == [f"{emptied.daemon.http_url}/api/v1/rules"]
    page.view("pending").click()
    expect(page["rules"]).to_be_hidden()


def test_where_rules_are_forbidden_no_mark_is_shown(ruled: Served, tabs: Tabs) -> None:
    with running_daemon(ruled.database.url, PATTERN_SYNC_RULES="off") as daemon:
        page = tabs.open(daemon.http_url).until_live()
        name = TESTS[0]
        with page.page.expect_response("**/api/v1/rules"):
            page.page.reload()
        page.until_live().select(name)
        expect(page["pattern-mark"]).to_be_hidden()
        expect(page.row(name).locator(".ruled")).to_be_hidden()
        page["rules-tab"].click()
        until_rules(page)
        expect(page["rules-forbidden"]).to_contain_text("PATTERN_SYNC_RULES=off")
        page.page.close()
