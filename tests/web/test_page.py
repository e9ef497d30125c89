"""The review page in a real browser: pending entries appear at once and are decided without a mouse."""

import re
import statistics
import time
from typing import Any

from playwright.sync_api import expect

from tests.support.browser import Tabs
from tests.support.review_page import ReviewPage
from tests.support.waiting import assert_soon, eventually, show
from tests.web.conftest import Served

BEST = "sdlc:full:all"
INSERT = (
    "INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,"
    " tool_sequence) VALUES (%s, %s, %s, %s, %s, 'Read')"
)


# An entry without a pattern counts as ours if our records show that we wrote it.
OURS = "INSERT INTO pattern_sync.written (pattern_id) VALUES (%s) ON CONFLICT DO NOTHING"


def queue_three(served: Served) -> list[str]:
    """Queue three patterns; return their names, best impact first."""
    names = [BEST, "test:pytest:all", "fix:lint:all"]
    for number, name in enumerate(names):
        served.queue(name, confidence_score=85 - number, occurrence_count=78_167 // 10**number)
    return names


def history(served: Served, signature: str) -> list[tuple[Any, ...]]:
    rows = served.database.execute(
        "SELECT action, reviewer, notes FROM pattern_review_history WHERE pattern_id = %s ORDER BY id", signature
    )
    return [tuple(row.values()) for row in rows]


def decision(served: Served, signature: str) -> tuple[Any, ...]:
    entry = served.database.entry(signature)
    assert entry is not None
    return entry["status"], entry["reviewed_by"], entry["approval_notes"]


def test_the_list_is_ordered_by_impact_and_shows_readable_figures(emptied: Served, tabs: Tabs) -> None:
    # The least savings, but the impact is confidence x occurrences x savings.
    emptied.database.execute(INSERT, "test:b", "pending", 0.7567, 300, 61.5)
    emptied.database.execute(INSERT, "fix:a", "pending", 0.5, 10, 120.0)
    emptied.database.execute(INSERT, "docs:old", "approved", 0.5, 1, 5.0)
    for name in ("test:b", "fix:a"):
        emptied.database.execute(OURS, name)
    emptied.queue(BEST, typical_input_pattern="run the whole life cycle", typical_operations=["Read", "Edit", "Write"])
    page = tabs.open(emptied.daemon.http_url).until_live()
    page.until_ids(BEST, "test:b", "fix:a")
    best = page.row(BEST)
    expect(best).to_have_accessible_name(
        f"{BEST}, impact 12.2B, confidence 85 %, 78,167 occurrences, 183,844.06 USD a month, 99.9 % of the value,"
        " carries the queue"
    )
    for figure in ("85 %", "78,167", "183,844.06 USD", "12.2B", "Read→Edit→Write"):
        expect(best).to_contain_text(figure)
    expect(page.row("test:b")).to_contain_text("75.7 %")
    expect(page.row("test:b")).to_contain_text("14K")
    expect(page["summary"]).to_have_text("3 patterns · 184,025.56 USD a month")
    for name, count in {"pending": "3", "approved": "1", "rejected": "0", "auto_approved": "0", "total": "4"}.items():
        expect(page.count(name)).to_have_text(count)
    expect(page.page).to_have_title("(3) Pattern Sync")
    expect(page.row("fix:a")).to_have_attribute("aria-posinset", "3")
    expect(page.row("fix:a")).to_have_attribute("aria-setsize", "3")

    page.select(BEST)
    for name, figure in {
        "savings": "183,844.06 USD",
        "share": "99.9 %",
        "occurrences": "78,167",
        "confidence": "85 %",
    }.items():
        expect(page[f"figure-{name}"]).to_have_text(figure)
    expect(page["steps"].get_by_role("listitem")).to_have_text(["Read", "Edit", "Write"])
    expect(page["context"]).to_have_text("run the whole life cycle")
    expect(page["criteria-rows"].get_by_role("row")).to_have_text(
        [
            "Confidence85 %70 % or more✓ met",
            "Occurrences78,1675 or more✓ met",
            "Savings183,844.06 USD a month1,000.00 USD a month or more✓ met",
        ]
    )
    expect(page["history-text"]).to_have_text("No decisions or comments yet.")


def test_a_pattern_appears_within_a_second_of_the_detectors_commit_without_a_reload(
    emptied: Served, tabs: Tabs
) -> None:
    page = tabs.open(emptied.daemon.http_url).until_live()
    expect(page.empty).to_contain_text("Nothing to decide.")
    page.watch_arrivals()
    took = []
    for number in range(15):
        emptied.database.add_pattern(f"live:{number}", occurrence_count=100 + number)
        committed = time.time()
        took.append(page.arrived_at(f"live:{number}") - committed)
    page.until_ids(*(f"live:{number}" for number in range(14, -1, -1)))
    expect(page["announcer"]).to_contain_text("new pattern")
    expect(page.count("pending")).to_have_text("15")
    show(
        f"commit -> row in the page: p50 {statistics.median(took) * 1000:.0f} ms,"
        f" max {max(took) * 1000:.0f} ms of {len(took)}"
    )
    assert_soon(took)


def test_a_foreign_entry_is_labelled_and_left_out_of_the_savings(emptied: Served, tabs: Tabs) -> None:
    emptied.database.execute(INSERT, "0123456789abcdef", "pending", 0.9, 400, 1_000_000)
    emptied.queue(BEST)
    page = tabs.open(emptied.daemon.http_url).until_live()
    expect(page["summary"]).to_have_text("2 patterns · 183,844.06 USD a month")
    expect(page["overview-text"]).to_have_text(
        "wait for a decision, 183,844.06 USD a month in all, not counting 1 written by other programs."
    )
    expect(page.row(BEST)).to_have_accessible_name(re.compile("100 % of the value"))
    expect(page.row("0123456789abcdef")).to_contain_text("1,000,000.00 USD")
    page.select("0123456789abcdef")
    expect(page["figure-share"]).to_have_text("\N{EN DASH}")
    expect(page["why-text"]).to_contain_text("Written by another program")
    page.press("a").sign("ann").press("Control+Enter")
    expect(page.toast).to_contain_text("Approved “0123456789abcdef”")


def test_a_refused_decision_is_reported_once(emptied: Served, tabs: Tabs) -> None:
    emptied.queue(BEST)
    emptied.database.execute(
        "CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;"
        "CREATE TRIGGER keep_out BEFORE UPDATE ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION keep_out()"
    )
    try:
        page = tabs.open(emptied.daemon.http_url).until_live().select(BEST)
        page.excuse("status of 409")
        page.press("a").sign("ann").press("Control+Enter")
        expect(page["decide-notice"]).to_have_text(
            f"A trigger or policy of the application refused the decision on '{BEST}'; nothing was written."
            " What you typed is kept."
        )
    finally:
        emptied.database.execute("DROP FUNCTION keep_out CASCADE")


def test_a_rules_decision_is_shown_as_a_rules(emptied: Served, tabs: Tabs) -> None:
    emptied.database.execute(INSERT, "docs:old", "auto-rejected", 0.5, 1, 5.0)
    page = tabs.open(emptied.daemon.http_url).until_live()
    page.view("auto-rejected").click()
    page.select("docs:old")
    expect(page["decision-title"]).to_contain_text("Auto-rejected by a rule")
    expect(page["why-text"]).to_contain_text("A rule's decision stands")


def test_new_figures_are_shown_in_place_and_in_the_details(emptied: Served, tabs: Tabs) -> None:
    first, second, third = queue_three(emptied)
    page = tabs.open(emptied.daemon.http_url).until_live().select(third)
    emptied.database.execute(
        "UPDATE operation_patterns SET occurrence_count = 1000000, potential_monthly_savings = 2000000"
        " WHERE pattern_signature = %s",
        third,
    )
    expect(page["figure-occurrences"]).to_have_text("1,000,000")
    expect(page["figure-savings"]).to_have_text("2,000,000.00 USD")
    page.until_ids(third, first, second)
    expect(page.row(third)).to_contain_text("1,000,000")
    expect(page.row(third)).to_have_attribute("aria-selected", "true")
    expect(page.title).to_have_text(third)


def test_every_view_is_reached_by_keyboard(emptied: Served, tabs: Tabs) -> None:
    first, second, third = queue_three(emptied)
    page = tabs.open(emptied.daemon.http_url).until_live()
    page.until_ids(first, second, third)
    page["list"].focus()
    page.press("End")
    expect(page.title).to_have_text(third)
    page.press("Home", "j", "j", "k")
    expect(page.title).to_have_text(second)
    page.press("ArrowUp", "k")
    expect(page.title).to_have_text(first)
    page.press("Enter")
    assert page.focused() == "details-title"
    page.press("Escape")
    assert page.focused() == "list"

    page.press("?")
    expect(page.dialog("Keyboard shortcuts")).to_be_visible()
    page.press("j", "Escape")
    expect(page.dialog("Keyboard shortcuts")).to_be_hidden()
    expect(page.title).to_have_text(first)

    page.press("/").type("jkarc?")
    expect(page["search"]).to_have_value("jkarc?")
    expect(page.page.locator("dialog[open]")).to_have_count(0)
    expect(page.empty).to_have_attribute("data-reason", "no-match")
    page.press("Escape")
    assert page.focused() == "list"
    page.press("Escape")
    page.until_ids(first, second, third)


def test_everything_is_decided_by_keyboard_alone(emptied: Served, tabs: Tabs) -> None:
    first, second, third = queue_three(emptied)
    page = tabs.open(emptied.daemon.http_url).until_live().press("j", "a")
    expect(page.dialog("Approve pattern")).to_contain_text(first)
    assert page.focused() == "reviewer", "nothing else is missing"
    page.press("Shift+Tab").type("worth a script").press("Shift+Enter").type("soon").press("Enter")
    expect(page["reviewer-fault"]).to_have_text("Enter your name: it is kept in the history.")
    assert page.focused() == "reviewer"
    assert decision(emptied, first) == ("pending", None, None)
    page.type("ann").press("Control+Enter")
    expect(page.toast).to_contain_text(f"Approved “{first}”")
    expect(page["decide"]).to_be_hidden()
    assert decision(emptied, first) == ("approved", "ann", "worth a script\nsoon")
    assert history(emptied, first) == [("approved", "ann", "worth a script\nsoon")]
    page.until_ids(second, third)

    expect(page.title).to_have_text(second)
    page.press("r", "Control+Enter")
    expect(page["decide-text-fault"]).to_have_text("Enter a reason: it is kept in the history.")
    assert page.focused() == "decide-text"
    page.type(" ").press("Control+Enter")
    expect(page.dialog("Reject pattern")).to_be_visible()
    assert decision(emptied, second) == ("pending", None, None)
    page.type("a one-off").press("Control+Enter")
    expect(page.toast).to_contain_text(f"Rejected “{second}”")
    assert decision(emptied, second) == ("rejected", "ann", "REJECTED: a one-off")

    expect(page.title).to_have_text(third)
    page.press("c").type("who owns this?").press("Control+Enter")
    expect(page.toast).to_contain_text(f"Commented on “{third}”")
    expect(page["history"].locator("li[data-action=commented]")).to_contain_text("Comment by ann")
    expect(page["history"]).to_contain_text("who owns this?")
    assert decision(emptied, third) == ("pending", None, None)
    assert history(emptied, third) == [("commented", "ann", "who owns this?")]

    for name, count in {"pending": "1", "approved": "1", "rejected": "1", "total": "3"}.items():
        expect(page.count(name)).to_have_text(count)
    marks = emptied.database.execute("SELECT automation_status, reviewed_by FROM operation_patterns ORDER BY id")
    assert [tuple(mark.values()) for mark in marks] == [("approved", "ann"), ("rejected", "ann"), ("detected", None)]


def test_a_decision_can_be_replaced_from_the_view_of_its_status(emptied: Served, tabs: Tabs) -> None:
    emptied.queue(BEST)
    page = tabs.open(emptied.daemon.http_url).until_live().select(BEST)
    page["approve"].click()
    page.sign("ann").press("Control+Enter")
    expect(page.empty).to_contain_text("Nothing to decide.")

    page.view("approved").click()
    expect(page.view("approved")).to_have_attribute("aria-current", "true")
    page.until_ids(BEST)
    page.select(BEST)
    expect(page["decision-title"]).to_contain_text("Approved by ann on")
    expect(page["approve"]).to_be_hidden()
    page["reject"].click()
    dialog = page.dialog("Reject pattern instead")
    expect(dialog).to_contain_text("This replaces a decision: Approved by ann")
    expect(page["reviewer"]).to_have_value("ann")
    page.type("on second thoughts, no").press("Control+Enter")
    expect(page.empty).to_have_attribute("data-reason", "none")
    expect(page.count("rejected")).to_have_text("1")
    assert decision(emptied, BEST) == ("rejected", "ann", "REJECTED: on second thoughts, no")
    assert history(emptied, BEST) == [("approved", "ann", None), ("rejected", "ann", "on second thoughts, no")]

    page.view("rejected").click()
    page.select(BEST)
    expect(page["history"].locator("li")).to_have_count(2)
    expect(page["decision-notes"]).to_have_text("on second thoughts, no")


def test_several_presses_of_the_key_decide_once(emptied: Served, tabs: Tabs) -> None:
    first, second, third = queue_three(emptied)
    page = tabs.open(emptied.daemon.http_url).until_live().select(first)
    posts: list[str] = []
    page.page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.press("a").sign("ann")
    page.press("Control+Enter", "Control+Enter", "Enter", "Control+Enter")
    expect(page.title).to_have_text(second)
    expect(page["decide"]).to_be_hidden()
    page.until_ids(second, third)
    assert len(posts) == 1
    assert history(emptied, first) == [("approved", "ann", None)]


def test_a_reopened_dialog_keeps_the_typed_text(emptied: Served, tabs: Tabs) -> None:
    first, second, _ = queue_three(emptied)
    page = tabs.open(emptied.daemon.http_url).until_live().select(first)
    page.press("r").type("half a thought").press("Escape", "r")
    expect(page["decide-text"]).to_have_value("half a thought")
    page.press("Escape")
    page.select(second).press("r")
    expect(page["decide-text"]).to_have_value("")


def test_a_text_that_is_too_long_is_reported_before_it_is_sent(emptied: Served, tabs: Tabs) -> None:
    emptied.queue(BEST)
    page = tabs.open(emptied.daemon.http_url).until_live().select(BEST)
    page.press("c").sign("ann")
    page["decide-text"].fill("x" * 10_001)
    page.press("Control+Enter")
    expect(page["decide-text-fault"]).to_have_text("Too long: 10,001 characters; at most 10,000 are kept.")
    page["decide-text"].fill("🎉" * 10_000)
    page.press("Control+Enter")
    expect(page.toast).to_contain_text("Commented on")
    assert history(emptied, BEST) == [("commented", "ann", "🎉" * 10_000)]


def test_the_search_finds_by_signature_tools_and_context_and_a_type_narrows(emptied: Served, tabs: Tabs) -> None:
    emptied.queue("sdlc:alpha", typical_input_pattern="ship it", typical_operations=["Read"])
    emptied.queue("sdlc:beta", typical_input_pattern="plan it", typical_operations=["Grep"], occurrence_count=10)
    emptied.queue("docs:gamma", typical_input_pattern="Ship the notes", typical_operations=["Write"])
    page = tabs.open(emptied.daemon.http_url).until_live()
    everything = ["docs:gamma", "sdlc:alpha", "sdlc:beta"]
    page.until_ids(*everything)
    search = page.page.get_by_role("searchbox", name="Search")
    for words, found in {
        "BETA": ["sdlc:beta"],
        "grep": ["sdlc:beta"],
        "ship": ["docs:gamma", "sdlc:alpha"],
        "ship sdlc": ["sdlc:alpha"],
    }.items():
        search.fill(words)
        page.until_ids(*found)
    expect(page["summary"]).to_contain_text("1 of 3 patterns")
    search.fill("")
    page.page.get_by_label("Type", exact=True).select_option("sdlc")
    page.until_ids("sdlc:alpha", "sdlc:beta")
    emptied.queue("sdlc:delta", occurrence_count=5)
    emptied.queue("docs:delta", occurrence_count=5)
    page.until_ids("sdlc:alpha", "sdlc:beta", "sdlc:delta")
    search.fill("nothing like it")
    page["empty-action"].click()
    page.until_ids("docs:gamma", "sdlc:alpha", "sdlc:beta", "docs:delta", "sdlc:delta")


def test_a_link_opens_its_pattern_in_whichever_view_it_is_now(emptied: Served, tabs: Tabs) -> None:
    names = queue_three(emptied)
    page = tabs.open(emptied.daemon.http_url).until_live().select(names[1])
    link = page.page.url
    follow(page, link)
    page.until_live()
    expect(page.title).to_have_text(names[1])
    expect(page.row(names[1])).to_have_attribute("aria-selected", "true")

    emptied.database.decide(names[1])
    follow(page, link)
    expect(page["decision-title"]).to_contain_text("Rejected by ann")
    expect(page["pattern-elsewhere"]).to_have_text("Not in the list: it is rejected.")

    page.excuse("status of 404")
    follow(page, f"{emptied.daemon.http_url}/#pattern=nobody%3Aknows")
    expect(page["details"]).to_have_attribute("data-shown", "missing")
    expect(page.title).to_have_text("nobody:knows")


def follow(page: ReviewPage, link: str) -> None:
    page.page.goto("about:blank")  # or the browser would only navigate within the page
    page.page.goto(link)


def test_rows_keep_their_place_on_the_screen_when_others_arrive_above(emptied: Served, tabs: Tabs) -> None:
    emptied.database.add_patterns(60, "many", occurrence_count=50)
    eventually(lambda: emptied.database.count("pattern_approvals") == 60)
    page = tabs.open(emptied.daemon.http_url).until_live()
    page["scroller"].evaluate("scroller => { scroller.scrollTop = 1000; }")
    expect(page.row("many:1")).to_have_count(0)  # the browser fires the scroll event later, and the rows are drawn then
    in_sight = page.ids()[len(page.ids()) // 2]
    before = page.row(in_sight).bounding_box()
    for number in range(3):
        emptied.queue(f"above:{number}", occurrence_count=70_000)
    expect(page["arrivals"]).to_have_text("↑ 3 new")
    assert page.row(in_sight).bounding_box() == before
    page["arrivals"].click()
    expect(page.row("above:0")).to_be_in_viewport()
    expect(page["arrivals"]).to_be_hidden()


def test_single_letters_can_be_switched_off_and_stay_off(emptied: Served, tabs: Tabs) -> None:
    emptied.queue(BEST)
    page = tabs.open(emptied.daemon.http_url).until_live()
    page["keys-button"].click()
    page.page.get_by_label("Use single-letter shortcuts").uncheck()
    page.press("Escape")
    page.page.reload()
    page.until_live().press("j", "a", "?")
    expect(page["details"]).to_have_attribute("data-shown", "overview")
    expect(page.page.locator("dialog[open]")).to_have_count(0)
    page["list"].focus()
    page.press("ArrowDown")
    expect(page.title).to_have_text(BEST)
