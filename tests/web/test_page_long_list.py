"""A queue that is too long to be loaded: the page holds what is looked at, and the daemon sorts and searches."""

import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.browser import Tabs
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.review_page import ReviewPage
from tests.support.scale import fill_queue
from tests.support.waiting import eventually, show
from tests.web.conftest import Served

pytestmark = pytest.mark.timing

ENTRIES = 20_000
FIRST_ROWS_SECONDS = 5.0  # generous, as the machine may be busy; the measured figure is printed
FIRST, LAST = f"sdlc:full:{ENTRIES}", "test:full:1"


@pytest.fixture(scope="module")
def long(module_database: TestDatabase) -> Iterator[Served]:
    fill_queue(module_database, ENTRIES)
    with (
        running_daemon(module_database.url) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        eventually(lambda: "Total-Count" in client.get("/api/v1/patterns/pending").headers)
        yield Served(module_database, daemon, client)


def open_page(long: Served, tabs: Tabs, path: str = "/") -> ReviewPage:
    page = tabs.open(long.daemon.http_url, path=path).until_live()
    expect(page.rows.first).to_be_visible()
    return page


def held(page: ReviewPage) -> int:
    """Return how many rows the list has room for."""
    rows: float = page.evaluate(
        "() => document.getElementById('list').offsetHeight / document.querySelector('.row').offsetHeight"
    )
    return round(rows)


def test_the_beginning_is_shown_at_once_and_what_is_looked_at_follows(long: Served, tabs: Tabs) -> None:
    begun = time.monotonic()
    page = tabs.open(long.daemon.http_url)
    expect(page.rows.first).to_have_attribute("data-pattern-id", FIRST)
    took = time.monotonic() - begun
    show(f"{ENTRIES} entries: first rows {took:.2f} s")
    expect(page["summary"]).to_contain_text("20,000 patterns ·")
    expect(page.rows.first).to_have_attribute("aria-setsize", str(ENTRIES))
    eventually(lambda: held(page) == 500)
    page["list"].focus()
    page.press("End")
    expect(page.title).to_have_text("test:full:19501")
    eventually(lambda: held(page) == 1000)
    page.press("End")
    eventually(lambda: held(page) == 1500)
    expect(page.title).to_have_text("test:full:19001")
    assert page.rows.count() < 60
    assert took < FIRST_ROWS_SECONDS


def test_the_daemon_sorts_searches_and_filters(long: Served, tabs: Tabs) -> None:
    page = open_page(long, tabs)
    page["columns"].get_by_role("button", name="Occurrences").click()
    page["columns"].get_by_role("button", name="Occurrences").click()
    expect(page.rows.first).to_have_attribute("data-pattern-id", LAST)
    page.press("/").type("full:77 type:sdlc")
    expect(page["summary"]).to_contain_text("27 of 20,000 patterns")
    assert all(name.startswith("sdlc:full:77") for name in page.ids())
    page.excuse("status of 422")
    page["search"].fill("type:")
    expect(page["search-fault"]).to_contain_text("has no value")
    expect(page["search"]).to_have_attribute("aria-invalid", "true")
    page["search"].fill("")
    expect(page["summary"]).to_contain_text("20,000 patterns ·")
    page["type"].select_option("docs")
    expect(page["summary"]).to_contain_text("5,000 of 20,000 patterns")
    assert all(name.startswith("docs:") for name in page.ids())


def test_a_link_and_a_reload_show_the_same_part(long: Served, tabs: Tabs) -> None:
    page = open_page(long, tabs, "/#q=full%3A77%20type%3Asdlc&sort=-savings")
    expect(page["summary"]).to_contain_text("27 of 20,000 patterns")
    before = page.ids()
    page.page.reload()
    page.until_live()
    expect(page["summary"]).to_contain_text("27 of 20,000 patterns")
    assert page.ids() == before


def test_back_leads_from_a_search_to_the_whole(long: Served, tabs: Tabs) -> None:
    page = open_page(long, tabs)
    page["search"].fill("full:7777")
    expect(page["summary"]).to_contain_text("1 of 20,000 patterns")
    page.page.go_back()
    expect(page["summary"]).to_contain_text("20,000 patterns ·")
    expect(page["search"]).to_have_value("")


def test_what_arrives_is_decided_or_snoozed_changes_the_part_that_is_held(long: Served, tabs: Tabs) -> None:
    page = open_page(long, tabs)
    long.queue("new:top", occurrence_count=95_000)
    expect(page.rows.first).to_have_attribute("data-pattern-id", "new:top")
    expect(page["summary"]).to_contain_text("20,001 patterns ·")
    long.queue("new:low", occurrence_count=5)
    expect(page["summary"]).to_contain_text("20,002 patterns ·")
    assert "new:low" not in page.ids()
    # What searches are found by follows the queue within seconds.
    eventually(lambda: len(long.client.get("/api/v1/patterns/pending", params={"q": "new:"}).json()) == 2)
    page["search"].fill("new:")
    page.until_ids("new:top", "new:low")
    long.queue("new:later", occurrence_count=6)
    page.until_ids("new:top", "new:later", "new:low")
    page.select("new:top").press("a").sign("ann").press("Control+Enter")
    page.until_ids("new:later", "new:low")
    page["search"].fill("")
    expect(page["summary"]).to_contain_text("20,002 patterns ·")


def test_a_pattern_far_down_is_opened_by_a_link_and_said_to_be_further_down(long: Served, tabs: Tabs) -> None:
    page = open_page(long, tabs, f"/#pattern={LAST}")
    expect(page.title).to_have_text(LAST)
    expect(page["pattern-elsewhere"]).to_contain_text("Further down in the list")
    assert LAST not in page.ids()


def test_the_first_thousand_are_picked_though_fewer_are_held(long: Served, tabs: Tabs) -> None:
    page = open_page(long, tabs)
    page["list"].focus()
    page.press("*")
    expect(page["picked-text"]).to_contain_text("1,000 selected")
    page.press("Escape")
    page.press("/").type("type:build full:1999")
    page.press("Enter", "*")
    expect(page["picked-text"]).to_contain_text("3 selected")
