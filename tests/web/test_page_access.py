"""What the page may load and who may see it: nothing from elsewhere, nothing without the token."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import Tabs
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.review_page import ReviewPage
from tests.support.waiting import eventually
from tests.web.conftest import Served

NAME = "sdlc:full:all"
TOKEN = "a-token-of-32-characters-0123456"
RENEWED = TOKEN[::-1]
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
}
# What the browser logs for a refused request, and for a refused WebSocket.
REFUSED = r"status of 401|WebSocket connection to"


@pytest.fixture(scope="module")
def guarded(module_database: TestDatabase) -> Iterator[DaemonProcess]:
    """Return a daemon that requires a token, with one pattern in its queue."""
    with running_daemon(module_database.url, PATTERN_SYNC_API_TOKEN=TOKEN) as daemon:
        module_database.add_pattern(NAME)
        eventually(lambda: NAME in module_database.queue())
        yield daemon


def enter(page: ReviewPage, token: str) -> None:
    expect(page.dialog("Access token")).to_be_visible()
    page["token"].fill(token)
    page.press("Enter")


def test_nothing_is_loaded_from_elsewhere_and_everything_is_served_with_a_strict_policy(
    served: Served, tabs: Tabs
) -> None:
    page = tabs.open(served.daemon.http_url).until_live()
    loaded = page.evaluate(
        "() => performance.getEntries().filter(each => each.name.startsWith('http')).map(each => each.name)"
    )
    paths = {urlsplit(url).path for url in loaded}
    assert {"/", "/style.css", "/app.js", "/icon.svg", "/api/v1/patterns/pending"} <= paths
    for url in loaded:
        assert url.startswith(served.daemon.http_url + "/")
        headers = httpx.get(url).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy == POLICY, url
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "set-cookie" not in headers
        assert headers["cache-control"] == ("no-store" if "/api/" in url else "no-cache")


def is_reported(page: ReviewPage, tabs: Tabs, since: int, fault: str) -> bool:
    page.evaluate("1")  # Playwright delivers events during calls
    return any(fault in text for text in tabs.faults()[since:])


def test_the_browser_enforces_the_policy_and_reports_every_violation_to_the_tests(served: Served, tabs: Tabs) -> None:
    page = tabs.open(served.daemon.http_url).until_live()
    for attempt, fault in {
        "document.body.innerHTML = '<b>x</b>'": "TrustedHTML",
        "document.body.appendChild(document.createElement('script')).text = 'window.ran = 1'": "TrustedScript",
        "location.href = 'javascript:window.ran = 1'": "javascript:",
        "fetch('http://localhost:1/')": "localhost:1/",
        "new Image().src = 'http://localhost:2/x.png'": "localhost:2/",
        "document.body.setAttribute('style', 'color: red')": "style-src",
        "throw new Error('nobody catches this')": "nobody catches",
        "alert('window.ran = 1')": "dialog:",
    }.items():
        before = len(tabs.faults())
        page.evaluate(f"() => {{ setTimeout(() => {{ {attempt} }}); }}")
        eventually(partial(is_reported, page, tabs, before, fault), what=f"{fault} after {attempt}")
    assert page.evaluate("() => window.ran") is None
    page.excuse(".")


def test_a_page_without_the_token_shows_nothing_and_asks_for_it(guarded: DaemonProcess, tabs: Tabs) -> None:
    page = tabs.open(guarded.http_url)
    page.excuse(REFUSED)
    expect(page.dialog("Access token")).to_be_visible()
    assert page.focused() == "token"
    assert page.ids() == []
    enter(page, "wrong")
    expect(page["token-notice"]).to_contain_text("That token was not accepted.")
    expect(page["token"]).to_have_value("")
    page.press("Escape")
    expect(page.empty).to_contain_text("The patterns could not be loaded.")
    page.until_connection("reconnecting")
    page["empty-action"].dispatch_event(
        "click"
    )  # not with the mouse: another request may have shown the form anew meanwhile
    enter(page, TOKEN)
    page.until_live().until_ids(NAME)


def test_the_token_opens_everything_and_is_asked_for_once_a_browser(
    guarded: DaemonProcess, module_database: TestDatabase, tabs: Tabs
) -> None:
    page = tabs.open(guarded.http_url)
    page.excuse(REFUSED)
    enter(page, TOKEN)
    page.until_live().select(NAME)
    expect(page["history-text"]).to_have_text("No decisions or comments yet.")
    module_database.add_pattern("live:with:token", occurrence_count=5)
    page.until_ids(NAME, "live:with:token")
    page.press("c").type("seen").sign("ann").press("Control+Enter")
    expect(page["history"]).to_contain_text("seen")

    page.page.reload()
    page.until_live().until_ids(NAME, "live:with:token")
    assert TOKEN not in page.page.url
    assert TOKEN not in json.dumps(page.page.context.cookies())
    beside = tabs.open_beside(page.page.context.new_page(), guarded.http_url)
    beside.until_live().until_ids(NAME, "live:with:token")
    expect(beside.dialog("Access token")).to_be_hidden()


def test_a_token_that_one_tab_is_told_answers_the_question_of_the_others(guarded: DaemonProcess, tabs: Tabs) -> None:
    page = tabs.open(guarded.http_url)
    page.excuse(REFUSED)
    expect(page.dialog("Access token")).to_be_visible()
    beside = tabs.open_beside(page.page.context.new_page(), guarded.http_url)
    beside.excuse(REFUSED)
    enter(beside, TOKEN)
    page.until_live()
    expect(page.dialog("Access token")).to_be_hidden()


@contextmanager
def open_before_a_new_token(database: TestDatabase, tabs: Tabs) -> Iterator[tuple[ReviewPage, DaemonProcess]]:
    """Yield a page with a valid token, and its daemon, which ends while the page is open."""
    with running_daemon(database.url, PATTERN_SYNC_API_TOKEN=TOKEN) as daemon:
        database.add_pattern(NAME)
        page = tabs.open(daemon.http_url)
        page.excuse(REFUSED + "|Failed to load resource")
        enter(page, TOKEN)
        page.until_live().until_ids(NAME)
        yield page, daemon


def refuse_reads(route: Route) -> None:
    if route.request.method == "GET":
        route.abort()
    else:
        route.continue_()


def renewed(daemon: DaemonProcess, database: TestDatabase) -> AbstractContextManager[DaemonProcess]:
    """Start a daemon with another token in place of one that has ended."""
    port = str(urlsplit(daemon.http_url).port)
    return running_daemon(database.url, PATTERN_SYNC_API_TOKEN=RENEWED, PATTERN_SYNC_HTTP_PORT=port)


def test_a_page_asks_for_a_new_token_at_the_refused_action(database: TestDatabase, tabs: Tabs) -> None:
    with open_before_a_new_token(database, tabs) as (page, daemon):
        page.select(NAME).press("Shift+A").type("typed before").sign("ann")
        # Otherwise a read of the page itself, such as a reload that is due, might ask for the token first.
        page.page.route("**/api/v1/**", refuse_reads)
    with renewed(daemon, database):
        page.press("Control+Enter")
        expect(page["token-notice"]).to_contain_text("That token was not accepted.")
        enter(page, RENEWED)
        expect(page.toast).to_contain_text(f"Approved “{NAME}”")
        page.until_connection("live")
    rows = database.execute("SELECT reviewer, notes FROM pattern_review_history")
    assert [tuple(row.values()) for row in rows] == [("ann", "typed before")]


def test_an_idle_page_asks_for_the_new_token_too(database: TestDatabase, tabs: Tabs) -> None:
    with open_before_a_new_token(database, tabs) as (page, daemon):
        pass
    with renewed(daemon, database):
        expect(page["token-notice"]).to_contain_text("That token was not accepted.")
        enter(page, RENEWED)
        page.until_connection("live")
        page.until_ids(NAME)
