"""Hostile text: the page shows it as text, and it is decided, explained and linked like any other."""

import re
from urllib.parse import quote, unquote, urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.browser import Tabs
from tests.support.review_page import ReviewPage
from tests.support.waiting import eventually
from tests.web.conftest import Served

IDS = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
    "\"><svg onload=alert(1)>'`",
    "data:text/html,<script>alert(1)</script>",
    "bidi:\u202egnp.\u2066exe\u2069",
    "W" * 255,
    "lines:one\ntwo\r\n\tthree",
    "emoji:👩\u200d👩\u200d👧🏳️\u200d🌈🎉",
    "control:\x01\x1b[31mred\x7f\x85",
    "a/history",
    "a/../../b/explain?x=1#y&z;%2F%",
    "%2e%2e",
    "${7*7}{{7*7}}'; DROP TABLE x; --",
    " spaces  around ",
    "العربية:שלום",
    "zero\u200bwidth\ufeff",
    "#pattern=other",
]
TEXT = "<img src=x onerror=alert(1)></textarea></script>\u202ejavascript:alert(1)\n" + "X" * 255
REVIEWER = "<b onclick=alert(1)>\u202ebob</b> \"'&amp;"
# Characters that must not be rendered: they hide, break lines or reverse the surrounding text.
TROUBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")


def marked(text: str) -> str:
    return TROUBLE.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def in_one_line(text: str) -> str:
    """Return a name as it is shown: joiners and variation selectors are marked in it, too, and so are lost blanks."""
    blanks = re.sub(r"^ +| +$|(?<= ) +", lambda found: "␣" * len(found[0]), text)
    joined = re.sub("[\u200d\ufe0f]", lambda found: f"[U+{ord(found[0]):04X}]", blanks)
    return marked(joined).replace("\n", "↵").replace("\t", "⇥")


@pytest.fixture
def hostile(emptied: Served) -> Served:
    """Queue all hostile texts: as signatures, steps, contexts and sessions, in the order of IDS."""
    database = emptied.database
    for number, signature in enumerate(IDS):
        with database.another_connection(autocommit=False) as detector:  # an entry takes its sessions when it is queued
            found = detector.execute(
                "INSERT INTO operation_patterns (pattern_signature, pattern_type, typical_input_pattern,"
                " typical_operations, confidence_score, occurrence_count, potential_monthly_savings)"
                " VALUES (%s, 'x', %s, jsonb_build_array(%s::text, '<b>bold</b>'), 85, %s, 5000) RETURNING id",
                [signature, TEXT, signature, 1_000 - number],
            )
            row = found.fetchone()
            assert row is not None
            detector.execute(
                "INSERT INTO pattern_occurrences (pattern_id, workflow_id) VALUES (%s, %s)", [row["id"], signature]
            )
    eventually(lambda: database.queue() == set(IDS))
    return emptied


def expect_text_only(page: ReviewPage) -> None:
    """Check that no hostile text became an element, overflowed its place, or was rendered raw."""
    made = page.page.locator("#page :is(img, svg, script, iframe, b[onclick], a:not(#skip))")
    assert made.count() == 1, "more than the page's own icon"
    for part in ("html", "#details", "#scroller"):
        wide = page.page.locator(part).evaluate("element => element.scrollWidth - element.clientWidth")
        assert wide <= 0, f"{part} is {wide} px wider than its place"
    assert not TROUBLE.search(page["page"].inner_text())


def test_hostile_text_is_shown_explained_and_linked_as_text(hostile: Served, tabs: Tabs) -> None:
    page = tabs.open(hostile.daemon.http_url).until_live()
    page.until_ids(*IDS)
    for signature in IDS:
        page.press("j")
        expect(page.title).to_have_text(in_one_line(signature))
        page.until_details()
        expect(page["criteria"]).to_be_visible()
        expect(page["history-text"]).to_have_text("No decisions or comments yet.")
        assert page["context"].text_content() == marked(TEXT)
        assert page["sessions"].locator("li").all_text_contents() == [in_one_line(signature)]
        assert "<b>bold</b>" in page["steps"].locator("li").all_text_contents()
        assert unquote(urlsplit(page.page.url).fragment) == f"pattern={signature}"
        expect_text_only(page)
    page.page.set_viewport_size({"width": 360, "height": 780})
    page.select("W" * 255)
    expect(page.title).to_be_in_viewport()
    expect_text_only(page)


def test_links_to_hostile_patterns_open_them(hostile: Served, tabs: Tabs) -> None:
    url = hostile.daemon.http_url
    page = tabs.open(url)
    for signature in (IDS[0], "bidi:\u202egnp.\u2066exe\u2069", "a/history", "a/../../b/explain?x=1#y&z;%2F%"):
        page.page.goto("about:blank")  # or the browser would only navigate within the page
        page.page.goto(f"{url}/#pattern={quote(signature, safe='')}")
        page.until_live()
        expect(page.title).to_have_text(in_one_line(signature))
        expect(page.row(signature)).to_have_attribute("aria-selected", "true")


def test_hostile_patterns_are_decided_with_hostile_words(hostile: Served, tabs: Tabs) -> None:
    page = tabs.open(hostile.daemon.http_url).until_live().press("j")
    for number, signature in enumerate(IDS):
        expect(page.title).to_have_text(in_one_line(signature))
        page.press("Shift+A" if number % 2 else "r")
        expect(page["decide-pattern"]).to_have_text(in_one_line(signature))
        page["decide-text"].fill(TEXT)
        if number == 0:
            page.sign(REVIEWER)
        expect(page["reviewer-name" if number else "reviewer"]).to_be_visible()
        page.press("Control+Enter")
        expect(page.toast).to_contain_text(in_one_line(signature))
        expect(page["decide"]).to_be_hidden()
    expect(page.empty).to_contain_text("Nothing to decide.")
    entries = hostile.database.execute("SELECT pattern_id, status, reviewed_by, approval_notes FROM pattern_approvals")
    assert {entry["pattern_id"]: entry["status"] for entry in entries} == {
        signature: "approved" if number % 2 else "rejected" for number, signature in enumerate(IDS)
    }
    for entry in entries:
        notes = TEXT if entry["status"] == "approved" else f"REJECTED: {TEXT}"
        assert (entry["reviewed_by"], entry["approval_notes"]) == (REVIEWER, notes)

    page.view("approved").click()
    page.select(IDS[1])
    expect(page["decision-title"]).to_contain_text(f"Approved by {marked(REVIEWER)} on")
    assert page["decision-notes"].text_content() == marked(TEXT)
    expect(page["history"]).to_contain_text(f"Approved by {marked(REVIEWER)}")
    expect_text_only(page)
