"""What was learned, on the page: an order by what is expected, and likely rejects folded away at its end."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from pattern_sync.domain.standing import LearnMode
from tests.conftest import fresh_database
from tests.support.browser import Tabs
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.learning import KINDS, look, proved
from tests.support.review_page import ReviewPage
from tests.support.scale import fill_queue
from tests.support.waiting import eventually
from tests.web.conftest import Served
from tests.web.test_page_accessibility import FAINT_TEXTS, MISNAMED, SCROLLING_LISTS, SMALL_TARGETS, tab_order

if TYPE_CHECKING:
    import psycopg

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 780}, "has_touch": True, "is_mobile": True}
EXPECTED = "/#sort=expected"
LONG = 5_200


@pytest.fixture(scope="module")
def foretold(module_database: TestDatabase) -> Iterator[Served]:
    """Return a daemon that shows what it foretells: 80 entries wait, of two kinds of which people like one."""
    yield from served_learning(module_database)


@pytest.fixture(scope="module")
def long(server_url: str, admin: "psycopg.Connection[dict[str, object]]", template: str) -> Iterator[Served]:
    with fresh_database(server_url, admin, template) as database, database.connect():
        fill_queue(database, LONG)
        yield from served_learning(database)


@pytest.fixture(scope="module")
def recording(server_url: str, admin: "psycopg.Connection[dict[str, object]]", template: str) -> Iterator[Served]:
    """Return a daemon that keeps score and shows nothing, though the gate is open."""
    with fresh_database(server_url, admin, template) as database, database.connect():
        yield from served_learning(database, "record", until="likelihoods.hidden")


def served_learning(database: TestDatabase, mode: str = "on", until: str = "daemon.ready") -> Iterator[Served]:
    prove(database)
    with (
        running_daemon(database.url, PATTERN_SYNC_LEARN=mode) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        eventually(lambda: daemon.lines(until), what=until)
        yield Served(database, daemon, client)


def prove(database: TestDatabase) -> None:
    """Have the gate open."""
    in_a_thread(lambda: proved(database))


def in_a_thread(act: Callable[[], object]) -> None:
    """Do what needs a loop of its own, as Playwright runs one in this thread."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(act).result()


def fold(served: Served) -> dict[str, Any]:
    report: dict[str, Any] = served.client.get("/api/v1/model").raise_for_status().json()
    assert report["shown"], report["words"]
    folded: dict[str, Any] = report["fold"]
    return folded


def waiting(served: Served) -> int:
    return int(served.client.get("/api/v1/patterns/pending?limit=1").headers["Total-Count"])


def open_page(served: Served, tabs: Tabs, path: str = EXPECTED) -> ReviewPage:
    page = tabs.open(served.daemon.http_url, path=path).until_live()
    expect(page["overview-model"]).to_contain_text("etter than the base rate")
    return page


def setsize(page: ReviewPage, rows: int) -> None:
    expect(page.rows.first).to_have_attribute("aria-setsize", str(rows))


def test_the_order_expected_is_offered_and_folds_likely_rejects_away(foretold: Served, tabs: Tabs) -> None:
    rejects, all_of_them = fold(foretold)["entries"], waiting(foretold)
    page = open_page(foretold, tabs, "/")
    setsize(page, all_of_them)  # by impact, everything is in its place
    expect(page["fold"]).to_be_hidden()
    page["sort"].select_option("expected")
    setsize(page, all_of_them - rejects)
    expect(page["fold-switch"]).to_have_text(f"{rejects} likely rejects")
    expect(page["fold-text"]).to_have_text("folded away")  # these have no pattern that would save something
    expect(page["summary"]).to_contain_text(f"{all_of_them} patterns")  # they stay in the counts
    expect(page.rows.first).to_contain_text("% likely")


def test_the_fold_follows_the_list_and_is_opened_and_closed_every_way(foretold: Served, tabs: Tabs) -> None:
    rejects, all_of_them = fold(foretold)["entries"], waiting(foretold)
    page = open_page(foretold, tabs)
    expect(page["fold"]).to_be_visible()
    order = tab_order(page)
    assert order[order.index("list") + 1] == "fold-switch"
    for way in ("key", "mouse", "keyboard"):
        setsize(page, all_of_them - rejects)
        switch(page, way)
        setsize(page, all_of_them)
        expect(page["fold-switch"]).to_have_attribute("aria-expanded", "true")
        expect(page["announcer"]).to_have_text(f"{rejects} likely rejects shown")
        first = page.rows.and_(page.page.locator("[aria-selected=true]"))
        expect(first).to_be_in_viewport()
        expect(first).to_have_attribute("aria-posinset", str(all_of_them - rejects + 1))
        expect(first).to_contain_text("likely reject, ")
        expect(page["likelihood-text"]).to_contain_text("a likely reject")
        switch(page, way)
        setsize(page, all_of_them - rejects)
        expect(page["fold-switch"]).to_have_attribute("aria-expanded", "false")
        expect(page["announcer"]).to_have_text(f"{rejects} likely rejects folded away")
        expect(page["overview"]).to_be_visible()


def switch(page: ReviewPage, way: str) -> None:
    if way == "key":
        page["list"].focus()
        page.press("f")
    elif way == "mouse":
        page["fold-switch"].click()
    else:
        page["fold-switch"].focus()
        page.press("Enter")
        assert page.focused() == "fold-switch"


def test_a_selection_of_all_says_whether_likely_rejects_are_in_it(foretold: Served, tabs: Tabs) -> None:
    rejects, all_of_them = fold(foretold)["entries"], waiting(foretold)
    page = open_page(foretold, tabs)
    page["list"].focus()
    page.press("j", "x")
    expect(page["picked-all"]).to_have_text(f"All {all_of_them - rejects} shown, without {rejects} likely rejects")
    page.press("*")
    expect(page["picked-text"]).to_contain_text(f"{all_of_them - rejects} selected · ")
    expect(page["picked-text"]).not_to_contain_text("likely reject")
    page.press("f")
    expect(page["picked-all"]).to_have_text(f"All {all_of_them} shown, with {rejects} likely rejects")
    page["picked-all"].click()
    expect(page["picked-text"]).to_contain_text(f" · {rejects} likely rejects")


def test_the_details_say_how_likely_and_why(foretold: Served, tabs: Tabs) -> None:
    page = open_page(foretold, tabs)
    page.rows.first.click()
    expect(page["likelihood-section"]).to_be_visible()
    expect(page["likelihood-text"]).to_contain_text("%")
    expect(page["likelihood-reasons"].locator("li")).to_have_count(3)
    expect(page["likelihood-reasons"]).to_contain_text("test:pytest were approved")


def test_a_search_counts_what_it_finds_in_the_fold(foretold: Served, tabs: Tabs) -> None:
    rejects, all_of_them = fold(foretold)["entries"], waiting(foretold)
    page = open_page(foretold, tabs)
    page["search"].fill("fix:lint")
    expect(page["fold-switch"]).to_have_text(f"{rejects} likely rejects")
    expect(page["summary"]).to_contain_text(f"40 of {all_of_them} patterns")
    page["search"].fill("likely:reject")
    expect(page.empty).to_contain_text("Only likely rejects are left.")
    page["search"].blur()
    page.press("f")
    setsize(page, rejects)


def test_the_page_follows_what_is_foretold_and_the_gate_at_once(foretold: Served, tabs: Tabs) -> None:
    eventually(lambda: "pattern_sync_likelihoods_shown 1" in foretold.client.get("/metrics").text, what="a first look")
    page = open_page(foretold, tabs)
    foretold.database.add_entry(f"{KINDS[0]}:arrives", estimated_savings_usd=100_000)
    expect(page.rows.filter(has_text="arrives")).to_contain_text("% likely")
    in_a_thread(lambda: look(foretold.database, LearnMode.RECORD))
    expect(page["sort"]).to_have_value("impact")
    expect(page["sort"].locator("option[value=expected]")).to_have_count(0)
    expect(page.rows.first).not_to_contain_text("likely")
    in_a_thread(lambda: look(foretold.database))
    expect(page["sort"].locator("option[value=expected]")).to_have_count(1)
    expect(page.rows.first).to_contain_text("likely")


def test_a_long_list_shows_its_likely_rejects_alone(long: Served, tabs: Tabs) -> None:
    rejects, all_of_them = fold(long)["entries"], waiting(long)
    page = open_page(long, tabs)
    setsize(page, all_of_them - rejects)
    expect(page["fold-switch"]).to_have_text(f"{rejects} likely rejects")
    expect(page["summary"]).to_contain_text(f"{all_of_them:,} patterns")
    page["list"].focus()
    page.press("f")
    setsize(page, rejects)
    expect(page["fold-text"]).to_have_text("shown alone")
    expect(page["summary"]).to_contain_text(f"{all_of_them:,} patterns")
    expect(page.rows.first).to_contain_text("likely reject, ")
    page.press("f")
    setsize(page, all_of_them - rejects)
    page["search"].fill("fix:lint")
    setsize(page, 40 - rejects)
    expect(page["fold-switch"]).to_have_text(f"{rejects} likely rejects")
    expect(page["summary"]).to_contain_text(f"40 of {all_of_them:,} patterns")


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1440, "dark")])
def test_the_fold_can_be_read_by_everybody(foretold: Served, tabs: Tabs, width: int, scheme: str) -> None:
    size: dict[str, Any] = (
        PHONE if width == PHONE["viewport"]["width"] else {"viewport": {"width": width, "height": 900}}
    )
    page = tabs.open(foretold.daemon.http_url, path=EXPECTED, color_scheme=scheme, **size).until_live()
    expect(page["fold"]).to_be_visible()
    for _ in range(2):
        assert page.evaluate(FAINT_TEXTS) == []
        assert page.evaluate(MISNAMED) == []
        assert page.evaluate(SCROLLING_LISTS) == []
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        if width == PHONE["viewport"]["width"]:
            assert page.evaluate(f"({SMALL_TARGETS % 24})()") == []
        page["fold-switch"].click()
    expect(page["fold-switch"]).to_have_attribute("aria-expanded", "false")


def test_without_the_setting_only_the_standing_is_shown(recording: Served, tabs: Tabs) -> None:
    page = tabs.open(recording.daemon.http_url, path=EXPECTED).until_live()
    expect(page["overview-model"]).to_contain_text("nothing is shown, as PATTERN_SYNC_LEARN is not on.")
    expect(page["sort"]).to_have_value("impact")
    expect(page.toast).to_contain_text("Sorted by impact. Learned from 80 decisions")
    expect(page["sort"].locator("option[value=expected]")).to_have_count(0)
    expect(page["fold"]).to_be_hidden()
    expect(page.rows.first).not_to_contain_text("likely")
    page.press("f")
    expect(page.toast).to_contain_text("PATTERN_SYNC_LEARN")
