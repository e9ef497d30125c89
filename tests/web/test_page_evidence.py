"""What is recorded of a pattern, on the page: the sign in its row, the block in its details, the worth of the queue."""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.support.browser import Tabs
from tests.support.seed import SIGNATURE, add_occurrences, add_seed
from tests.web.conftest import Served
from tests.web.test_page_accessibility import FAINT_TEXTS, PHONE, nameless

NOW = datetime.now(UTC)

# What is written in a row, and lies not wholly in it.
OUTSIDE = """row => {
    const outer = row.getBoundingClientRect();
    const outside = [];
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = document.createRange();
        text.selectNodeContents(walker.currentNode);
        if (walker.currentNode.parentElement.matches(".unseen")) continue;
        for (const box of walker.currentNode.data.trim() ? text.getClientRects() : []) {
            if (box.top < outer.top || box.bottom > outer.bottom || box.left < outer.left || box.right > outer.right) {
                outside.push(walker.currentNode.data);
            }
        }
    }
    return outside;
}"""


@pytest.fixture
def three(emptied: Served) -> Served:
    """Return a queue with a doubtful claim, one of which nothing is recorded, and one that is shown in full."""
    emptied.database.execute("BEGIN")
    add_seed(emptied.database, entered=False)
    known = {"typical_operations": ["Read", "Edit"], "occurrence_count": 30}
    shown = emptied.database.add_pattern("shown", avg_cost_with_llm=2.5, avg_cost_with_tool=0.29, **known)
    add_occurrences(emptied.database, shown, 30, NOW - timedelta(days=30), NOW)
    # All at once: what is recorded is read when a pattern is queued.
    emptied.database.execute("COMMIT")
    emptied.queue("silent", potential_monthly_savings=2_000, **known)
    return emptied


def test_a_doubtful_claim_has_a_sign_in_its_row_and_every_rule_in_its_details(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live()
    row = page.row(SIGNATURE)
    expect(row.locator(".doubt")).to_have_text("counted twice +5")
    expect(row.locator(".row-shown")).to_have_text("2,209 shown")
    claimed, shown = (row.locator(part).bounding_box() for part in (".claimed", ".shown"))
    assert claimed
    assert shown
    assert shown["width"] / claimed["width"] == pytest.approx(2_208.74 / 183_844.06, abs=0.01)
    label = row.locator(".row-words").inner_text()
    assert "2,208.74 USD a month shown by evidence" in label
    assert label.endswith("counted twice, short span, all time, assumed cost, no steps, gone quiet")
    page.select(SIGNATURE)
    expect(page["pattern-rank"]).to_have_text(
        re.compile(r"No\. \d of 3 by impact: 85 % . 78,167 . 183,844\.06 USD = 12\.2B")
    )
    expect(page["figure-shown"]).to_have_text("2,208.74 USD shown")
    details = page["evidence"]
    for words in ("2,208.74 USD a month, extrapolated", "56.45 USD in all", "24 distinct workflows, 31 a day"):
        expect(details).to_contain_text(words)
    expect(page["evidence-flags"].get_by_role("listitem")).to_have_count(6)
    expect(page["evidence-flags"]).to_contain_text(
        "counted twice: 78,167 occurrences are claimed; 24 distinct workflows are recorded: each was counted 3,257"
        " times."
    )


@pytest.mark.parametrize("width", [360, 961, 1440])
def test_every_line_of_a_row_is_within_the_row(three: Served, tabs: Tabs, width: int) -> None:
    page = tabs.open(three.daemon.http_url, viewport={"width": width, "height": 800}).until_live()
    assert page.row(SIGNATURE).evaluate(OUTSIDE) == []


def test_a_detector_that_records_nothing_has_no_sign(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live()
    expect(page.row("silent").locator(".doubt")).to_be_hidden()
    expect(page.row("shown").locator(".doubt")).to_be_hidden()
    page.select("silent")
    expect(page["evidence"]).to_be_hidden()
    expect(page["evidence-flags"]).to_have_text(
        "nothing recorded: Claimed, not shown: no occurrence is recorded. Not every detector records them."
    )
    page.select("shown")
    expect(page["evidence"]).to_contain_text("30 distinct workflows")
    expect(page["evidence-flags"]).to_be_hidden()


def test_the_overview_says_what_is_claimed_and_what_is_shown(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live()
    expect(page["overview-worth"]).to_have_text(
        "Of what is pending, 369,688.12 USD a month is claimed, and 2,275.04 USD shown by evidence."
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_evidence_can_be_read_by_everybody(
    three: Served, tabs: Tabs, scheme: Literal["light", "dark"], device: str
) -> None:
    context = PHONE if device == "phone" else {}
    page = tabs.open(three.daemon.http_url, color_scheme=scheme, **context).until_live()
    assert page.evaluate(FAINT_TEXTS) == []
    page.select(SIGNATURE)
    assert page.evaluate(FAINT_TEXTS) == []
    assert nameless(page.page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_what_is_like_a_pattern_is_listed_by_the_difference_and_one_key_away(emptied: Served, tabs: Tabs) -> None:
    for name, steps, times in (
        ("test:py:one", ["Read", "Grep", "Edit", "Bash"], 400),
        ("test:py:two", ["Read", "Grep", "Edit", "Write"], 300),
        ("test:py:other", ["WebFetch"], 200),
        ("lint:py:one", ["Read", "Grep", "Edit", "Bash"], 100),
    ):
        emptied.queue(name, typical_operations=steps, occurrence_count=times)
    page = tabs.open(emptied.daemon.http_url).until_live().select("test:py:one")
    found = page["similar"].get_by_role("button")
    expect(found).to_have_count(1)
    expect(found).to_have_accessible_name("test:py:two, 183,844.06 USD a month, without Bash, with Write")
    assert nameless(page.page) == []
    found.focus()
    page.press("Enter")
    expect(page.title).to_have_text("test:py:two")
    expect(page.title).to_be_focused()
    expect(page.row("test:py:two")).to_have_attribute("aria-selected", "true")
    expect(found).to_have_accessible_name(re.compile("^test:py:one,.* without Write, with Bash$"))
    page.select("lint:py:one")
    expect(page["similar-section"]).to_be_hidden()


def test_a_fault_of_what_is_like_a_pattern_is_quiet(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live()
    page.excuse("status of 500|Failed to load")
    page.page.route("**/similar*", lambda route: route.abort())
    with page.page.expect_request("**/similar*"):
        page.select(SIGNATURE)
    expect(page["similar-section"]).to_be_hidden()
    expect(page["fault"]).to_be_hidden()
