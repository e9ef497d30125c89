"""Behind a real nginx with the documented configuration: a path of its own, TLS, HTTP/2, live updates, signing in."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Route, expect

from tests.support.browser import Tabs, running_chromium
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase
from tests.support.nginx import DAEMON, HOST, SIGN_IN, documented_snippet, free_port, running_nginx
from tests.support.review_page import ReviewPage
from tests.support.waiting import eventually, show
from tests.web.conftest import Served

IDENTITY = "X-Auth-Request-Email"
PUBLIC = f"https://{HOST}"
PATH = "/patterns/"
NETWORK = r"Failed to load resource|WebSocket connection to"
ADDRESSES = "() => performance.getEntries().filter(each => each.name.startsWith('http')).map(each => each.name)"
PROTOCOL = "() => performance.getEntriesByType('navigation')[0].nextHopProtocol"


@dataclass(frozen=True)
class Site:
    """A daemon that is to be reached by its public URL, and the port on which nginx takes its place."""

    served: Served
    folder: Path
    port: int

    def behind(self, snippet: int = 0, changes: Mapping[str, str] | None = None) -> AbstractContextManager[None]:
        """Run a documented snippet in front of the daemon, with what else is to be replaced in it."""
        replaced = {DAEMON: self.served.daemon.http_url, **(changes or {})}
        return running_nginx(self.folder, documented_snippet(snippet), self.port, replaced)

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}", verify=False, timeout=30, headers={"Host": HOST, **headers}
        )

    def open(self, tabs: Tabs) -> ReviewPage:
        page = tabs.open(PUBLIC, path=PATH, ignore_https_errors=True)
        page.excuse(NETWORK)
        return page


@contextmanager
def site_of(database: TestDatabase, folder: Path, port: int, *, header: str = "") -> Iterator[Site]:
    with (
        running_daemon(
            database.url, PATTERN_SYNC_PUBLIC_URL=PUBLIC + PATH, PATTERN_SYNC_IDENTITY_HEADER=header
        ) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        yield Site(Served(database, daemon, client), folder, port)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def browser(chromium: str, port: int) -> Iterator[Browser]:
    with running_chromium(chromium, f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{port}") as browser:
        yield browser


@pytest.fixture(scope="module")
def public(module_database: TestDatabase, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_of(module_database, tmp_path_factory.mktemp("nginx"), port) as site:
        yield site


@pytest.fixture
def site(public: Site) -> Site:
    public.served.database.empty("operation_patterns", "pattern_approvals", "pattern_review_history")
    return public


def test_the_page_lives_and_decides_below_its_path_over_tls_and_http_2(site: Site, tabs: Tabs) -> None:
    for name in ("sdlc:full:all", "a/../b", ".."):
        site.served.queue(name)
    with site.behind():
        page = site.open(tabs).until_live()
        assert page.evaluate(PROTOCOL) == "h2"
        page.until_ids("..", "a/../b", "sdlc:full:all")
        for name in ("a/../b", ".."):
            page.select(name).press("r").type("a one-off")
            if name == "a/../b":  # the name is asked once
                page.sign("ann")
            page.press("Control+Enter")
            expect(page.toast).to_contain_text(f"Rejected “{name}”")
        site.served.queue("new:while:open")
        page.row("new:while:open").wait_for()
        assert {url for url in page.evaluate(ADDRESSES) if not url.startswith(PUBLIC + PATH)} == set()
        page.page.goto("about:blank")
    rejected = site.served.database.execute("SELECT pattern_id FROM pattern_approvals WHERE status = 'rejected'")
    assert {row["pattern_id"] for row in rejected} == {"a/../b", ".."}


@pytest.mark.parametrize("path_after_the_port", ["", "/"], ids=["kept", "removed"])
def test_the_api_works_whether_nginx_keeps_the_path_or_removes_it(site: Site, path_after_the_port: str) -> None:
    for name in ("first", "a/../b", "b"):
        site.served.queue(name)
    kept = {f"{DAEMON};": f"{site.served.daemon.http_url}{path_after_the_port};"}
    with running_nginx(site.folder, documented_snippet(0), site.port, kept), site.client() as client:
        listed = client.get("/patterns/api/v1/patterns/pending?limit=1")
        again = client.get(listed.links["next"]["url"])
        assert len({entry["pattern_id"] for answer in (listed, again) for entry in answer.json()}) == 2
        assert client.get("/patterns/openapi.json").json()["servers"] == [{"url": "/patterns"}]
        origin = {"Origin": PUBLIC}
        placed = "/patterns/api/v1/patterns/~/reject?pattern_id=a%2F..%2Fb"
        decided = client.post(placed, json={"reason": "x"}, headers=origin)
        assert decided.json()["pattern_id"] == "a/../b"
        assert client.post(placed, json={"reason": "x"}, headers={"Origin": "https://evil.example"}).status_code == 403
        assert client.get("/patterns/readyz").json()["status"] == "ok"
        assert client.get("/patterns").headers["location"].endswith("/patterns/")
        assert client.get("/api/v1/patterns/pending").status_code == 404


def test_the_metrics_are_not_for_everybody_who_reaches_the_proxy(site: Site) -> None:
    with site.behind(), site.client() as client:
        answer = client.get("/patterns/metrics")
    assert (answer.status_code, "Pattern-Sync" in answer.headers) == (404, False)


def test_nginx_compresses_lists(site: Site) -> None:
    site.served.database.add_patterns(500, "compressed")
    with site.behind(), site.client() as client:
        address = "/patterns/api/v1/patterns?limit=500"
        eventually(lambda: len(client.get(address).json()) >= 500, what="the entries")
        sizes = {}
        for accepted in ("gzip", "identity"):
            with client.stream("GET", address, headers={"Accept-Encoding": accepted}) as answer:
                sizes[answer.headers.get("content-encoding")] = len(b"".join(answer.iter_raw()))
    show(f"500 entries: {sizes[None]:,} bytes, compressed {sizes['gzip']:,}")
    assert sizes["gzip"] * 10 < sizes[None]


def test_a_page_polls_where_websockets_are_blocked_and_is_live_when_they_are_not(site: Site, tabs: Tabs) -> None:
    site.served.queue("there:before")
    with site.behind(changes={"proxy_set_header Upgrade $http_upgrade;": ""}):
        page = site.open(tabs)
        page.until_connection("polling")
        expect(page["connection"]).to_have_text("Polling")
        expect(page["banner-text"]).to_contain_text("Live updates do not get through")
        page.until_ids("there:before")
        page.select("there:before")
        site.served.queue("new:while:polling", occurrence_count=100_000)
        page.until_ids("new:while:polling", "there:before")
        site.served.database.decide("there:before", "approved")
        page.until_ids("new:while:polling")
        expect(page.count("approved")).to_have_text("1")
        expect(page["decision-title"]).to_contain_text("Approved by ann")
        page.press("j", "a").sign("bob").press("Control+Enter")
        expect(page.toast).to_contain_text("Approved “new:while:polling”")
    with site.behind():
        page.until_connection("live")
        expect(page.banner).to_be_hidden()
        page.page.goto("about:blank")


class SignIn(BaseHTTPRequestHandler):
    """Answers nginx as an authentication service does: who signed in is kept in a cookie."""

    signed_in = True

    def do_GET(self) -> None:
        if self.path.startswith("/oauth2/auth"):
            self.send_response(202 if self.signed_in else 401)
            if self.signed_in:
                self.send_header(IDENTITY, "ann@review.example")
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def signing_in() -> Iterator[tuple[type[SignIn], str]]:
    handler = type("OneSignIn", (SignIn,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05))
        thread.start()
        yield handler, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def named(
    module_database: TestDatabase, port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Site, type[SignIn]]]:
    """Yield a site that people sign in to, while nginx runs in front of it."""
    with (
        signing_in() as (service, address),
        site_of(module_database, tmp_path_factory.mktemp("sign-in"), port, header=IDENTITY) as site,
        site.behind(1, {SIGN_IN: address}),
    ):
        yield site, service


def test_who_signed_in_decides_in_that_name_and_in_no_other(named: tuple[Site, type[SignIn]]) -> None:
    site, service = named
    service.signed_in = True
    path = "/patterns" + site.served.queue("signed:in")
    with site.client(**{IDENTITY: "boss@review.example", "X-Reviewer": "boss"}) as client:
        assert client.get("/patterns/api/v1/reviewer").json()["name"] == "ann@review.example"
        decided = client.post(f"{path}/approve", json={"reviewer": "boss"})
        assert decided.json()["reviewed_by"] == "ann@review.example"
        service.signed_in = False
        refused = client.post(f"{path}/comment", json={"comment": "x"})
        assert (refused.status_code, refused.headers.get("pattern-sync")) == (302, None)
    assert [
        item["reviewer"] for item in site.served.client.get(path.removeprefix("/patterns") + "/history").json()
    ] == ["ann@review.example"]


def test_an_expired_session_claims_nothing_and_the_page_goes_on_when_it_is_renewed(
    named: tuple[Site, type[SignIn]], tabs: Tabs
) -> None:
    site, service = named
    service.signed_in = True
    site.served.database.empty("operation_patterns", "pattern_approvals", "pattern_review_history")
    site.served.queue("sdlc:full:all")
    page = site.open(tabs).until_live().select("sdlc:full:all")
    page.press("r").type("typed before")
    expect(page["reviewer"]).to_have_value("ann@review.example")
    expect(page["reviewer"]).not_to_be_editable()
    expect(page["reviewer-hint"]).to_contain_text("where you signed in")

    service.signed_in = False
    page.press("Control+Enter")
    expect(page["decide-notice"]).to_contain_text("A proxy answered in place of the daemon: a redirect.")
    expect(page["decide-notice"]).to_contain_text("You may have to sign in again")
    expect(page["decide-notice"]).to_contain_text("It is not known whether the decision was recorded")
    assert site.served.database.entry("sdlc:full:all")["status"] == "pending"  # type: ignore[index]
    page.evaluate("() => window.dispatchEvent(new Event('online'))")  # connects anew
    expect(page["banner-text"]).to_contain_text("You may have to sign in again")

    service.signed_in = True
    page.until_connection("live")
    page.press("Control+Enter")
    expect(page.toast).to_contain_text("Rejected “sdlc:full:all”")
    rows = site.served.database.execute("SELECT reviewer, notes FROM pattern_review_history")
    assert [tuple(row.values()) for row in rows] == [("ann@review.example", "typed before")]
    page.page.goto("about:blank")


def test_a_proxys_own_401_asks_for_no_token_and_the_page_looks_at_the_entry_again(
    named: tuple[Site, type[SignIn]], tabs: Tabs
) -> None:
    site, service = named
    service.signed_in = True
    site.served.database.empty("operation_patterns", "pattern_approvals", "pattern_review_history")
    site.served.queue("sdlc:full:all")
    page = site.open(tabs).until_live().select("sdlc:full:all")

    def answer_as_a_proxy(route: Route) -> None:
        route.fulfill(status=401, content_type="application/json", body='{"detail": "The API token is wrong."}')

    page.page.route("**/approve", answer_as_a_proxy)
    page.press("a", "Control+Enter")
    expect(page["decide-notice"]).to_contain_text("A proxy answered in place of the daemon: 401")
    expect(page["decide-notice"]).to_contain_text("the queue still showed the entry as pending")
    expect(page["token-dialog"]).to_be_hidden()
    page.page.goto("about:blank")
