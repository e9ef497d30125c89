"""Names that are easy to take for others, what was typed before a reload, and the page on paper."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import Tabs
from tests.support.review_page import ReviewPage
from tests.web.conftest import Served


@pytest.fixture
def filled(emptied: Served) -> Served:
    for name in ("test:pytest", "t\u0435st:pytest", "test:py\u200dtest", "other:one"):
        emptied.database.add_entry(name)
    return emptied


def open_page(served: Served, tabs: Tabs) -> ReviewPage:
    page = tabs.open(served.daemon.http_url)
    page.until_live()
    return page


def test_a_name_says_what_is_odd_about_it_and_which_names_it_looks_like(filled: Served, tabs: Tabs) -> None:
    page = open_page(filled, tabs)
    page.select("test:pytest")
    expect(page["pattern-oddities"]).to_have_text("It looks like “test:py[U+200D]test”, “t\u0435st:pytest”.")
    page.select("t\u0435st:pytest")
    expect(page["pattern-oddities"]).to_contain_text("It mixes alphabets: \u0435 (U+0435).")
    page.select("other:one")
    expect(page["pattern-oddities"]).to_be_hidden()


def test_a_name_that_is_easy_to_take_for_another_has_a_sign_in_its_row(filled: Served, tabs: Tabs) -> None:
    page = open_page(filled, tabs)
    for name, sign, words in (
        ("test:pytest", "look-alike", "looks like “test:py[U+200D]test”, “t\u0435st:pytest”"),
        ("t\u0435st:pytest", "mixed letters, look-alike", "mixes alphabets: \u0435 (U+0435), looks like"),
        ("test:py\u200dtest", "unseen characters, look-alike", "holds unseen characters"),
    ):
        expect(page.row(name).locator(".odd")).to_have_text(sign)
        expect(page.row(name)).to_have_accessible_name(re.compile(re.escape(words)))
    expect(page.row("other:one").locator(".odd")).to_be_hidden()
    filled.database.execute(
        "DELETE FROM pattern_approvals WHERE pattern_id IN (%s, %s)", "t\u0435st:pytest", "test:py\u200dtest"
    )
    expect(page.row("test:pytest").locator(".odd")).to_be_hidden()
    filled.database.add_entry("TEST:pytest")
    expect(page.row("test:pytest").locator(".odd")).to_have_text("look-alike")


def test_what_was_typed_survives_a_reload_and_is_forgotten_when_it_is_sent(filled: Served, tabs: Tabs) -> None:
    page = open_page(filled, tabs)
    page.select("other:one")
    page.press("c").type("half a thought")
    page.page.reload()
    page.until_live().select("other:one")
    page.press("c")
    expect(page["decide-text"]).to_have_value("half a thought")
    page.sign("ann").press("Control+Enter")
    expect(page["history"]).to_contain_text("half a thought")
    page.press("c")
    expect(page["decide-text"]).to_have_value("")


def test_paper_gets_the_open_pattern_and_nothing_that_can_only_be_pressed(filled: Served, tabs: Tabs) -> None:
    page = open_page(filled, tabs)
    page.page.emulate_media(media="print")
    expect(page["queue"]).to_be_visible()
    expect(page["search"]).to_be_hidden()
    page.page.emulate_media(media="screen")
    page.select("other:one")
    page.page.emulate_media(media="print")
    for hidden in ("queue", "actions", "connection"):
        expect(page[hidden]).to_be_hidden()
    expect(page["pattern"]).to_contain_text("other:one")


def test_a_banner_stands_in_a_landmark(filled: Served, tabs: Tabs) -> None:
    page = open_page(filled, tabs)
    banner = page.page.locator("section#banner")
    expect(banner).to_have_attribute("aria-label", "Connection")
