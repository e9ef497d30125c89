"""Every way of reading and working: by screen reader, by keyboard, on a phone, in dark mode, without motion."""

import re
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Tabs
from tests.support.review_page import ReviewPage
from tests.support.waiting import eventually
from tests.web.conftest import Served

FIRST, SECOND, THIRD = NAMES = ("sdlc:full:all", "test:pytest:all", "fix:lint:all")
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 780}, "has_touch": True, "is_mobile": True}
SORTED = ["name", "confidence", "occurrences", "savings", "impact"]
INTERACTIVE = {"button", "checkbox", "combobox", "link", "listbox", "option", "searchbox", "textbox", "dialog"}
# The smallest target that a thumb can hit, in CSS pixels.
THUMB = 44
# Texts with too little contrast to their background, with the contrast: at least 4.5 to 1, large ones 3 to 1.
FAINT_TEXTS = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = color => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const over = (top, below) => [0, 1, 2].map(i => (part => below[i] + (top[i] - below[i]) * part)(top[3] / 255));
    const behind = element => {
        if (!element) return [255, 255, 255];
        const own = rgba(getComputedStyle(element).backgroundColor);
        return own[3] === 255 ? own : over(own, behind(element.parentElement));
    };
    const linear = part => part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4;
    const light = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    const faint = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const text = walker.currentNode.data.trim();
        if (!text || !element.checkVisibility() || element.closest(":disabled, script, template, noscript")) continue;
        const style = getComputedStyle(element);
        const below = behind(element);
        const [one, other] = [light(over(rgba(style.color), below)), light(below)];
        const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
        if (contrast < (large ? 3 : 4.5)) faint.push(`${text.slice(0, 40)}: ${contrast.toFixed(2)}`);
    }
    return faint;
}"""
# Elements whose label lacks what is written on them: who speaks to the page says what is written there.
MISNAMED = """() => [...document.querySelectorAll("[aria-label]:is(button, a, [role=option])")]
    .filter(element => element.checkVisibility() && /\\p{L}{2}/u.test(element.innerText))
    .filter(element => !element.ariaLabel.toLowerCase().includes(element.innerText.toLowerCase().trim()))
    .map(element => `${element.innerText}: ${element.ariaLabel}`)"""
# Lists that scroll by themselves: without something in them that takes the focus, no key would reach their end.
SCROLLING_LISTS = """() => [...document.querySelectorAll("ul, ol, dl, table")]
    .filter(each => each.checkVisibility() && /auto|scroll/.test(getComputedStyle(each).overflowY))
    .map(each => each.id || each.className)"""
LINES = """element => {
    const text = document.createRange();
    text.selectNodeContents(element);
    return new Set([...text.getClientRects()].map(each => each.top)).size;
}"""
SMALL_TARGETS = """() => [...document.querySelectorAll("button, input, select, textarea, [role=option], label.check")]
    .filter(each => each.checkVisibility() && each.type !== "checkbox")
    .filter(each => each.getBoundingClientRect().height < %d)
    .map(each => each.id || each.textContent)"""


@pytest.fixture
def three(emptied: Served) -> Served:
    for number, name in enumerate(NAMES):
        emptied.queue(name, occurrence_count=78_167 // 10**number, typical_input_pattern=f"context of {name}")
    return emptied


def nameless(page: Page) -> list[str]:
    """Return the interactive elements of the accessibility tree that have no name."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    told = [
        (node["role"]["value"], node["name"]["value"].strip())
        for node in nodes
        if not node["ignored"] and node["role"]["value"].lower() in INTERACTIVE
    ]
    assert told, "or the tree is empty"
    return [role for role, name in told if not name]


def tab_order(page: ReviewPage, key: str = "Tab") -> list[str]:
    """Return the focused element after each press, until the focus leaves the page or is back at the first."""
    order: list[str] = []
    while len(order) < 60:
        page.press(key)
        place = page.evaluate("""() => {
            const at = document.activeElement;
            return at === document.body ? null : at.id || at.dataset.view || at.dataset.sort || at.textContent;
        }""")
        if place is None or (order and place == order[0]):
            return order
        order.append(place)
    raise AssertionError(f"the focus does not leave: {order}")


def test_everything_has_a_role_and_a_name(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live()
    for role, name in {"navigation": "Views", "region": "Pending patterns", "listbox": "Patterns"}.items():
        expect(page.page.get_by_role(role, name=name)).to_be_visible()  # type: ignore[arg-type]
    for landmark in ("header:has(h1)", "main", "[role=search]"):
        expect(page.page.locator(landmark)).to_have_count(1)
    expect(page.page.get_by_role("heading", level=1)).to_have_text("Pattern Sync")
    assert nameless(page.page) == []
    page.select(FIRST)
    expect(page.page.get_by_role("region", name=FIRST)).to_be_visible()
    expect(page["list"].get_by_role("option", selected=True)).to_have_attribute("data-pattern-id", FIRST)
    active = page["list"].get_attribute("aria-activedescendant")
    expect(page[active or "none"]).to_have_attribute("data-pattern-id", FIRST)
    assert nameless(page.page) == []
    for key, name in {
        "a": "Approve pattern",
        "r": "Reject pattern",
        "c": "Comment on pattern",
        "?": "Keyboard shortcuts",
    }.items():
        page.press(key)
        expect(page.dialog(name)).to_be_visible()
        assert nameless(page.page) == []
        page.press("Escape")
    expect(page["why-section"]).to_have_accessible_name("Why it is here")
    assert page.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_every_state_can_be_read_in_light_and_dark_and_has_the_names_that_are_written_on_it(
    three: Served, tabs: Tabs, device: str
) -> None:
    three.queue("sdlc:full:too", occurrence_count=70_000)
    page = tabs.open(
        three.daemon.http_url, reduced_motion="reduce", **(PHONE if device == "phone" else {})
    ).until_live()
    page.evaluate("() => localStorage.setItem('pattern-sync.reviewer', 'ann')")
    expect_readable(page)
    page.select(FIRST)
    expect(page["similar"].get_by_role("button")).to_have_count(1)
    expect_readable(page)
    for keys in (["r"], ["Shift+A"], ["c"], ["s"], ["l"], ["?"]):
        page.press(*keys)
        expect(page.page.locator("dialog[open]")).to_be_visible()
        expect_readable(page)
        page.press("Escape")
    if device == "phone":
        page["back"].tap()
    page.press("g")
    expect(page["groups"].get_by_role("option").first).to_be_visible()
    expect_readable(page)
    page["group-by"].select_option("")
    page["list"].focus()
    page.press("x", "j", "x")
    expect_readable(page)
    page.press("r")
    expect(page.page.locator("dialog[open]")).to_be_visible()
    expect_readable(page)
    page.press("Escape")
    expect(page.page.locator("dialog[open]")).to_have_count(0)  # until then, the keys are its own
    page.press("Escape", "/")
    expect(page["search"]).to_be_focused()
    page.type("nothing like it")
    expect(page.empty).to_be_visible()
    expect_readable(page)


def expect_readable(page: ReviewPage) -> None:
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert page.evaluate(FAINT_TEXTS) == [], scheme
    assert page.evaluate(MISNAMED) == []
    assert page.evaluate(SCROLLING_LISTS) == []
    assert nameless(page.page) == []
    if page.evaluate("() => innerWidth") < 500:
        expect_to_fit(page)


def test_the_tab_key_visits_everything_in_order_and_is_never_trapped(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url, path=f"/#pattern={FIRST}").until_live()
    expect(page.title).to_have_text(FIRST)
    views = ["pending", "approved", "rejected", "auto-approved"]
    wanted = [
        "skip",
        *views,
        "results-tab",
        "rules-tab",
        "bell-button",
        "log-button",
        "keys-button",
        "search",
        "type",
        "sort",
        "direction",
        "group-by",
        *SORTED,
        "list",
    ]
    wanted += ["approve", "approve-notes", "reject", "comment", "snooze-button"]
    assert tab_order(page) == wanted
    assert tab_order(page, "Shift+Tab") == wanted[::-1]
    page["skip"].focus()
    page.press("Enter")
    assert page.focused() == "list"


def test_a_dialog_keeps_the_focus_and_gives_it_back(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live().press("j")
    assert page.focused() == "list"
    page.press("r")
    assert page.focused() == "decide-text"
    assert set(tab_order(page)) <= {"decide-text", "reviewer", "decide-cancel", "decide-submit"}
    page.press("Escape")
    assert page.focused() == "list"
    for button in ("approve", "comment", "keys-button"):
        page[button].click()
        expect(page.page.locator("dialog[open]")).to_be_visible()
        page.press("Escape")
        assert page.focused() == button
    page["list"].focus()
    page.press("a").sign("ann").press("Control+Enter")
    expect(page.title).to_have_text(SECOND)
    expect(page["decide"]).to_be_hidden()
    assert page.focused() == "list"
    # The button disappears with the last entry.
    page["approve"].click()
    page.press("Control+Enter")
    expect(page.title).to_have_text(THIRD)
    page["approve"].click()
    page.press("Control+Enter")
    expect(page.empty).to_contain_text("Nothing to decide.")
    expect(page["decide"]).to_be_hidden()
    expect(page["list"]).to_be_focused()


def test_changes_are_announced_to_screen_readers(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live().press("j", "a")
    page.press("Control+Enter")
    expect(page["reviewer"]).to_have_accessible_description(
        "Enter your name: it is kept in the history."
        " Recorded with your decision or comment, and remembered in this browser."
    )
    expect(page["reviewer"]).to_have_attribute("aria-invalid", "true")
    page.sign("ann").press("Control+Enter")
    expect(page.page.get_by_role("status").filter(has_text=f"Approved “{FIRST}”")).to_have_count(1)
    three.queue("new:one", occurrence_count=90_000)
    expect(page.page.get_by_role("status").filter(has_text="1 new pattern")).to_have_count(1)
    page["search"].fill("new")
    expect(page.page.get_by_role("status").filter(has_text="1 pattern of 3 shown")).to_have_count(1)


def test_on_a_phone_one_thing_is_shown_at_a_time_and_everything_can_be_decided(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url, **PHONE).until_live()
    page.until_ids(*NAMES)
    expect_to_fit(page)
    page.row(FIRST).tap()
    expect(page.title).to_be_in_viewport()
    page.until_details()
    expect_to_fit(page)
    page.page.get_by_role("button", name="Patterns").tap()
    expect(page.title).to_be_hidden()
    expect(page.row(FIRST)).to_have_attribute("aria-selected", "true")
    assert page.focused() == "list"

    page.row(SECOND).tap()
    expect(page.title).to_have_text(SECOND)
    page.page.go_back()
    expect(page.title).to_be_hidden()
    page.row(SECOND).tap()
    page["previous"].tap()
    expect(page.title).to_have_text(FIRST)
    page["approve"].tap()
    page.sign("ann")
    expect_to_fit(page)
    page["decide-submit"].tap()
    expect(page.title).to_have_text(SECOND)
    expect(page.toast).to_contain_text(f"Approved “{FIRST}”")
    page["back"].tap()
    page.until_ids(SECOND, THIRD)
    page.page.set_viewport_size({"width": 320, "height": 480})
    expect_to_fit(page)


def test_back_and_forward_return_to_the_earlier_view(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url, **PHONE).until_live()
    page.row(FIRST).tap()
    expect(page.title).to_be_visible()
    page.page.go_back()
    expect(page.title).to_be_hidden()
    page.page.go_forward()
    expect(page.title).to_have_text(FIRST)
    expect(page.title).to_be_visible()
    page["back"].tap()
    expect(page.title).to_be_hidden()
    page.row(SECOND).tap()
    expect(page.title).to_have_text(SECOND)
    # Rotated to landscape and back: the details are still open, and one tap closes them.
    page.page.set_viewport_size({"width": 1180, "height": 820})
    expect(page["list"]).to_be_visible()
    page.page.set_viewport_size({"width": 820, "height": 1180})
    expect(page.title).to_be_in_viewport()
    page["back"].tap()
    expect(page.title).to_be_hidden()
    expect(page.row(SECOND)).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(740, 340), (320, 256)], ids=["a phone on its side", "zoomed in"])
def test_the_list_does_not_trap_scrolling_in_a_low_window(three: Served, tabs: Tabs, width: int, height: int) -> None:
    three.database.add_patterns(60, "many", occurrence_count=50)
    page = tabs.open(three.daemon.http_url, viewport={"width": width, "height": height}).until_live()
    expect(page.count("pending")).to_have_text("63")
    page.page.mouse.move(width / 2, height / 2)
    page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    assert page.evaluate("() => scrollY") > 0
    for _ in range(12):
        page.page.mouse.wheel(0, -600)
    eventually(lambda: page.evaluate("() => scrollY") == 0, what="the way back to the top")


@pytest.mark.parametrize("width", [961, 1024, 1280])
def test_no_figure_is_wrapped_or_cut(three: Served, tabs: Tabs, width: int) -> None:
    page = tabs.open(three.daemon.http_url, viewport={"width": width, "height": 800}).until_live().select(FIRST)
    for figure in ("savings", "share", "occurrences", "confidence"):
        assert page[f"figure-{figure}"].evaluate(LINES) == 1, figure


def test_a_dialog_names_its_pattern_and_shows_changes_meanwhile(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live().press("j", "a")
    dialog = page.dialog("Approve pattern")
    expect(dialog).to_have_accessible_description(re.compile(f"{FIRST}.*a month.*undone for seven days"))
    expect(page["reviewer"]).to_have_attribute("required", "")
    three.queue("new:one", occurrence_count=10)
    # Everything outside the dialog is inert.
    expect(dialog.get_by_role("status").filter(has_text="1 new pattern")).to_have_count(1)
    page.press("Escape", "/").type("fix")
    expect(page.page.get_by_role("status").filter(has_text="1 pattern of 4 shown")).to_have_count(1)


def test_a_decision_by_button_moves_the_focus_to_the_next_pattern(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live().select(FIRST)
    page["approve"].click()
    page.sign("ann").press("Control+Enter")
    expect(page.title).to_have_text(SECOND)
    expect(page.title).to_be_focused()


def expect_to_fit(page: ReviewPage) -> None:
    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{wide} px wider than the screen"
    assert page.evaluate(SMALL_TARGETS % THUMB) == []


def test_every_text_has_enough_contrast_in_light_and_dark(three: Served, tabs: Tabs) -> None:
    three.database.decide(THIRD)
    page = tabs.open(three.daemon.http_url, reduced_motion="reduce").until_live()
    expect(page.count("rejected")).to_have_text("1")
    expect_clear_texts(page)
    page.select(FIRST)
    expect_clear_texts(page)
    page.press("r", "Control+Enter")
    expect_clear_texts(page)
    page.press("Escape")
    page.view("rejected").click()
    page.select(THIRD)
    expect_clear_texts(page)


def expect_clear_texts(page: ReviewPage) -> None:
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for part in ("body", "#queue", "#details"):
            background = page.page.locator(part).evaluate("element => getComputedStyle(element).backgroundColor")
            brightness = sum(int(each) for each in background.removeprefix("rgb(").removesuffix(")").split(",")) / 3
            assert (brightness < 64) is (scheme == "dark"), f"{part} is {background}"
            assert (brightness > 192) is (scheme == "light"), f"{part} is {background}"
        assert page.evaluate(FAINT_TEXTS) == [], scheme


def test_nothing_moves_where_reduced_motion_is_preferred(three: Served, tabs: Tabs) -> None:
    page = tabs.open(three.daemon.http_url).until_live()
    motions: tuple[Literal["no-preference", "reduce"], ...] = ("no-preference", "reduce")
    for number, motion in enumerate(motions):
        page.page.emulate_media(reduced_motion=motion)
        three.queue(f"new:{motion}", occurrence_count=90_000 + number)
        moving = page.row(f"new:{motion}").evaluate("row => row.getAnimations().length")
        assert (moving == 0) is (motion == "reduce")
    assert page.evaluate("() => document.getAnimations().length") == 0
