"""Restarts and outages under an open page: it shows what is unknown, keeps typed text, and recovers by itself."""

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route, WebSocketRoute, expect

from tests.support.browser import Tabs
from tests.support.connections import connections_to
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.proxy import Proxy, proxy_to
from tests.support.review_page import ReviewPage
from tests.support.waiting import eventually, show
from tests.web.conftest import Served, path_of

NAME = "sdlc:full:all"
OTHER = "test:pytest:all"
# What the browser itself logs for every request and WebSocket that fails.
NETWORK = r"Failed to load resource|WebSocket connection to"


# Counted within the click, as the page connects by itself, too.
CONNECTIONS_OF_A_CLICK = """() => {
    const Original = window.WebSocket;
    let made = 0;
    window.WebSocket = class extends Original {
        constructor(...options) {
            super(...options);
            made += 1;
        }
    };
    document.getElementById("banner-retry").click();
    window.WebSocket = Original;
    return made;
}"""


def queue_two(database: TestDatabase) -> None:
    database.add_pattern(NAME)
    database.add_pattern(OTHER, occurrence_count=10)
    eventually(lambda: database.queue() == {NAME, OTHER})


def open_with_a_reason_typed(tabs: Tabs, daemon: DaemonProcess) -> ReviewPage:
    page = tabs.open(daemon.http_url)
    page.excuse(NETWORK)
    page.until_live().select(NAME)
    return page.press("r").type("typed before").sign("ann")


def expect_recorded(page: ReviewPage, database: TestDatabase) -> None:
    expect(page.toast).to_contain_text(f"Rejected “{NAME}”")
    rows = database.execute("SELECT action, reviewer, notes FROM pattern_review_history")
    assert [tuple(row.values()) for row in rows] == [("rejected", "ann", "typed before")]


@contextmanager
def restarted(daemon: DaemonProcess, database: TestDatabase) -> Iterator[DaemonProcess]:
    """Start a daemon on the port of a stopped one."""
    port = str(urlsplit(daemon.http_url).port)
    with running_daemon(database.url, PATTERN_SYNC_HTTP_PORT=port) as successor:
        yield successor


def test_a_page_shows_and_survives_a_daemon_restart(database: TestDatabase, tabs: Tabs) -> None:
    with running_daemon(database.url) as daemon:
        queue_two(database)
        page = open_with_a_reason_typed(tabs, daemon)
        daemon.stop(signal.SIGTERM)
        page.until_connection("reconnecting")
        expect(page["connection"]).to_have_text("Reconnecting…")
        expect(page.banner).to_be_visible()
        expect(page["banner-text"]).to_have_text(
            re.compile(r"Connection lost at \d\d:\d\d\. What you see may be out of date\.")
        )
        page.press("Control+Enter")
        expect(page["decide-notice"]).to_contain_text("The daemon cannot be reached.")
        expect(page["decide-notice"]).to_contain_text("What you typed is kept.")
        database.add_pattern("new:meanwhile", occurrence_count=5)
        database.decide(OTHER)
        with restarted(daemon, database):
            started = time.monotonic()
            page.until_connection("live")
            show(f"ready after a restart -> live: {time.monotonic() - started:.1f} s")
            expect(page.banner).to_be_hidden()
            page.until_ids(NAME, "new:meanwhile")
            expect(page["decide-text"]).to_have_value("typed before")
            page.press("Control+Enter")
            expect_recorded(page, database)
            page.until_ids("new:meanwhile")


def test_decisions_made_while_the_daemon_was_away_are_shown_when_it_is_back(database: TestDatabase, tabs: Tabs) -> None:
    with running_daemon(database.url) as daemon:
        queue_two(database)
        page = open_with_a_reason_typed(tabs, daemon)
        daemon.stop()
        page.press("Escape")
        expect(page.page.get_by_role("button", name="Try now")).to_be_visible()
        assert page.evaluate(CONNECTIONS_OF_A_CLICK) == 1
        database.decide(NAME, "approved")
        with restarted(daemon, database):
            page.until_connection("live")
            page.until_ids(OTHER)
            expect(page.title).to_have_text(NAME)
            expect(page["decision-title"]).to_contain_text("Approved by ann")
            page["reject"].click()
            expect(page["decide-text"]).to_have_value("typed before")


def test_a_page_shows_a_lost_database_and_keeps_the_typed_text(database: TestDatabase, tabs: Tabs) -> None:
    with proxy_to(database.url) as (proxy, url), running_daemon(url) as daemon:
        queue_two(database)
        page = open_with_a_reason_typed(tabs, daemon)
        proxy.refuse(refusing=True)
        proxy.cut()
        page.until_connection("outage")
        expect(page["connection"]).to_have_text("No database")
        expect(page.banner).to_be_visible()
        expect(page["banner-text"]).to_contain_text("The daemon has been without its database since ")
        expect(page.row(OTHER)).to_be_visible()
        page.press("Control+Enter")
        expect(page["decide-notice"]).to_contain_text("Nothing was recorded. What you typed is kept.")
        expect(page["decide-text"]).to_have_value("typed before")

        # A page that is opened now shows the outage, and needs no reload.
        late = tabs.open(daemon.http_url)
        late.excuse(NETWORK)
        expect(late.empty).to_have_attribute("data-reason", "fault")
        expect(late.empty).to_contain_text("The page will try again automatically.")

        database.decide(OTHER, "approved")
        database.add_pattern("new:meanwhile", occurrence_count=5)
        proxy.refuse(refusing=False)
        back = time.monotonic()
        for each in (page, late):
            each.until_connection("live")
            expect(each.banner).to_be_hidden()
            each.until_ids(NAME, "new:meanwhile")
            expect(each.count("approved")).to_have_text("1")
        show(f"database back -> both pages live and right: {time.monotonic() - back:.1f} s")
        page.press("Control+Enter")
        expect_recorded(page, database)
        late.until_ids("new:meanwhile")


def test_a_page_shows_that_it_is_offline_and_catches_up_when_it_is_back(emptied: Served, tabs: Tabs) -> None:
    daemon, database = emptied.daemon, emptied.database
    queue_two(database)
    page = tabs.open(daemon.http_url)
    page.excuse(NETWORK)
    page.until_live()
    page.page.context.set_offline(True)
    page.until_connection("reconnecting")
    expect(page.banner).to_be_visible()
    database.decide(OTHER)
    page.page.context.set_offline(False)
    page.until_connection("live")
    page.until_ids(NAME)


def link_to(daemon: DaemonProcess) -> Proxy:
    host, port = daemon.http_url.removeprefix("http://").split(":")
    return Proxy(host, int(port))


def leave_in_silence(link: Proxy) -> None:
    # The daemon closes idle connections long before one dies while the machine sleeps.
    eventually(lambda: connections_to(link.port) == 1, what="the end of idle connections")
    link.half_open()


def test_a_silently_dead_connection_is_dropped_when_the_browser_wakes(emptied: Served, tabs: Tabs) -> None:
    daemon, database = emptied.daemon, emptied.database
    queue_two(database)
    with link_to(daemon) as link:
        page = tabs.open(f"http://127.0.0.1:{link.port}").until_live()
        page.excuse(NETWORK)
        leave_in_silence(link)
        database.decide(OTHER)
        page.evaluate("() => window.dispatchEvent(new Event('online'))")
        woken = time.monotonic()
        page.until_ids(NAME)
        show(f"silent connection: given up and caught up {time.monotonic() - woken:.1f} s after waking")
        page.until_connection("live")
        expect(page.count("rejected")).to_have_text("1")


def test_a_silently_dead_connection_is_dropped_when_heartbeats_stop(
    emptied: Served, tabs: Tabs, browser: Browser
) -> None:
    daemon, database = emptied.daemon, emptied.database
    queue_two(database)
    with link_to(daemon) as link:
        tab = browser.new_context().new_page()
        tab.clock.install()
        page = tabs.open_beside(tab, f"http://127.0.0.1:{link.port}").until_live()
        page.excuse(NETWORK)  # the link ends before the page, which may still be sending requests
        leave_in_silence(link)
        # The counts stay the same.
        database.execute("UPDATE pattern_approvals SET pattern_context = 'new' WHERE pattern_id = %s", NAME)
        tab.clock.fast_forward(30_000)
        page.until_connection("live")
        tab.clock.fast_forward(15_000)
        page.select(NAME)
        expect(page["context"]).to_have_text("new")
        page.until_connection("live")


def test_a_link_followed_in_an_outage_shows_the_pattern_as_unknown(database: TestDatabase, tabs: Tabs) -> None:
    with proxy_to(database.url) as (proxy, url), running_daemon(url) as daemon:
        queue_two(database)
        proxy.refuse(refusing=True)
        proxy.cut()
        daemon.wait_for("database.lost")
        page = tabs.open(daemon.http_url, path=f"/#pattern={NAME}")
        page.excuse(NETWORK)
        expect(page["pattern-status"]).to_have_text("Unknown")
        expect(page["pattern-elsewhere"]).to_contain_text("The database cannot be used now")
        proxy.refuse(refusing=False)
        page.until_connection("live")
        expect(page["pattern-status"]).to_have_text("Pending")


class Deaf:
    """Withholds the daemon's messages from a page after the first state."""

    def __init__(self, page: Page) -> None:
        page.route_web_socket("**/ws/patterns", self._route)

    def _route(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda text: socket.send(text) if '"state"' in str(text)[-40:] else None)


def lose_the_answer(route: Route) -> None:
    route.fetch()
    route.abort()


def test_a_decision_whose_answer_was_lost_may_be_sent_again(emptied: Served, tabs: Tabs, browser: Browser) -> None:
    queue_two(emptied.database)
    tab = browser.new_context().new_page()
    Deaf(tab)
    page = tabs.open_beside(tab, emptied.daemon.http_url)
    page.excuse(NETWORK)
    page.until_live().select(NAME).press("r").type("typed before").sign("ann")
    tab.route("**/reject", lose_the_answer, times=1)
    # Otherwise the page, which looks at the entry again, would learn that the decision was recorded.
    tab.route(f"**{path_of(NAME)}", lambda route: route.abort())
    page.press("Control+Enter")
    expect(page["decide-notice"]).to_contain_text("sending it again does no harm")
    page.press("Control+Enter")
    expect(page.toast).to_contain_text(f"Rejected “{NAME}”")
    rows = emptied.database.execute("SELECT action, reviewer, notes FROM pattern_review_history")
    assert [tuple(row.values()) for row in rows] == [("rejected", "ann", "typed before")]


def test_a_decision_without_an_answer_is_shown_as_unknown(emptied: Served, tabs: Tabs) -> None:
    daemon, database = emptied.daemon, emptied.database
    queue_two(database)
    page = open_with_a_reason_typed(tabs, daemon)
    fates = iter((Route.abort, lose_the_answer, Route.continue_))

    def meet_the_next(route: Route) -> None:
        next(fates)(route)

    page.page.route("**/reject", meet_the_next)
    page.press("Control+Enter")
    expect(page["decide-notice"]).to_contain_text(
        "It is not known whether the decision was recorded: sending it again does no harm."
    )
    expect(page["decide-notice"]).to_contain_text("A moment later, the queue still showed the entry as pending.")
    page.press("Control+Enter")
    expect(page["decide-notice"]).to_contain_text("Meanwhile: Rejected by ann")
    expect(page["decide-text"]).to_have_value("typed before")
    page.press("Control+Enter", "Escape")
    page.until_ids(OTHER)
    rows = database.execute("SELECT action, reviewer, notes FROM pattern_review_history")
    assert [tuple(row.values()) for row in rows] == [("rejected", "ann", "typed before")]
