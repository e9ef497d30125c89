"""The application's panel as a browser plays it: a page of another origin that fetches, posts and listens."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.support.contract import ENTRY_FIELDS, REPORT_FIELDS
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.database import TestDatabase
from tests.support.waiting import eventually

# As the panel does it: JSON in, JSON out, and the status.
CALL = """async ([url, body]) => {
    const sent = body === null ? {} : {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body)
    };
    const answer = await fetch(url, sent);
    return [answer.status, await answer.json()];
}"""
LISTEN = """url => new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }) => resolve(JSON.parse(data));
    socket.onclose = () => reject(new Error("refused"));
})"""


class Blank(BaseHTTPRequestHandler):
    """Serves the empty page in which the panel's script runs."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def origin() -> Iterator[str]:
    """Serve pages of an origin of their own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Blank) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Panel:
    def __init__(self, page: Page, daemon: DaemonProcess) -> None:
        self._page = page
        self._daemon = daemon

    def call(self, path: str, body: object = None) -> tuple[int, Any]:
        status, document = self._page.evaluate(CALL, [f"{self._daemon.http_url}/api/v1/{path}", body])
        return status, document

    def listen(self) -> Any:  # noqa: ANN401 - whatever the daemon says
        return self._page.evaluate(LISTEN, f"{self._daemon.http_url.replace('http', 'ws', 1)}/api/v1/ws/patterns")


@pytest.fixture
def panels(database: TestDatabase, browser: Browser) -> Iterator[tuple[Panel, Panel]]:
    """Return a panel of the listed origin, and a page of another one."""
    with (
        origin() as listed,
        origin() as foreign,
        running_daemon(database.url, PATTERN_SYNC_CORS_ORIGINS=listed) as daemon,
        browser.new_context() as context,
    ):
        pages = [context.new_page() for _ in range(2)]
        for page, url in zip(pages, (listed, foreign), strict=True):
            page.goto(url)
        for name in ("sdlc:full:all", "a/b: 100 % 🎉", "third"):
            database.add_pattern(name)
        eventually(lambda: database.count("pattern_approvals") == 3)
        yield Panel(pages[0], daemon), Panel(pages[1], daemon)


def test_the_panel_works_from_its_own_origin(panels: tuple[Panel, Panel]) -> None:
    panel, _ = panels
    status, entries = panel.call("patterns/pending?limit=20")
    assert (status, len(entries)) == (200, 3)
    assert all(set(entry) == ENTRY_FIELDS for entry in entries)
    assert panel.call("patterns/statistics")[1]["pending"] == 3
    status, entry = panel.call("patterns/a%2Fb%3A%20100%20%25%20%F0%9F%8E%89/approve", {"notes": "worth it"})
    assert (status, entry["status"], entry["pattern_id"]) == (200, "approved", "a/b: 100 % 🎉")
    assert panel.call("patterns/third/reject", {"reason": "a one-off"})[1]["status"] == "rejected"
    assert panel.call("patterns/third/reject", {"reason": "again"})[0] == 409
    assert panel.call("patterns/third/comment", {"comment": "who owns this?"})[1]["status"] == "success"
    assert panel.call("patterns/nobody")[0] == 404
    assert panel.call("patterns/sync/statistics")[1]["patterns_in_review"] == 3
    for path in ("run", "high-priority"):
        status, report = panel.call(f"patterns/sync/{path}?dry_run=true", {})
        assert (status, set(report), report["dry_run"]) == (200, REPORT_FIELDS, True)
    assert panel.call("system/health")[1]["status"] == "ok"
    assert panel.listen()["counts"]["total"] == 3


def test_a_page_of_an_unlisted_origin_can_neither_read_nor_decide_nor_listen(
    panels: tuple[Panel, Panel], database: TestDatabase
) -> None:
    _, stranger = panels
    for path, body in (("patterns/pending", None), ("patterns/third/approve", {}), ("patterns/sync/run", {})):
        with pytest.raises(Error, match="Failed to fetch"):
            stranger.call(path, body)
    with pytest.raises(Error, match="refused"):
        stranger.listen()
    assert database.entry("third")["status"] == "pending"  # type: ignore[index]
