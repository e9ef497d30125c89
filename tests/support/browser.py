"""A real browser: the distribution's Chromium, and tabs that are watched for forbidden behaviour."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Page, expect, sync_playwright

from tests.support.review_page import ReviewPage
from tests.support.waiting import PATIENCE_SECONDS, show

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Root, as in a container, has no sandbox; and Chromium's own requests would be counted as the page's.
_ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def find_chromium() -> str | None:
    """Return the path of the installed browser; none is downloaded."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


@contextmanager
def running_chromium(program: str, *arguments: str) -> Iterator[Browser]:
    """Yield the browser. Until its end the thread has a running event loop: no asyncio.run() beside it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*_ARGUMENTS, *arguments])
        # For the whole process; the machine may be busy, and a passing test never waits for so long.
        expect.set_options(timeout=PATIENCE_SECONDS * 1000)
        yield browser
        browser.close()


class Watch:
    """Notes the faults of one page: exceptions, console errors, broken policies, dialogs, requests to elsewhere."""

    def __init__(self, page: Page, url: str) -> None:
        self._origin = urlsplit(url).netloc
        self._noted: list[str] = []
        self._excused: list[str] = []
        page.on("pageerror", lambda error: self._noted.append(f"exception: {error}"))
        page.on("console", self._heard)
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self._requested(request.url))
        page.on("websocket", lambda socket: self._requested(socket.url))

    def excuse(self, pattern: str) -> None:
        """Expect console errors that a regular expression matches: the browser logs every refused request there."""
        self._excused.append(pattern)

    def faults(self) -> list[str]:
        """Return the recorded faults that were not excused."""
        return [text for text in self._noted if not any(re.search(pattern, text) for pattern in self._excused)]

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "assert"}:
            self._noted.append(f"console: {message.text} ({message.location.get('url')})")

    def _dismiss(self, dialog: Dialog) -> None:
        self._noted.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _requested(self, url: str) -> None:
        target = urlsplit(url)
        if target.scheme not in {"http", "https", "ws", "wss"} or target.netloc != self._origin:
            self._noted.append(f"request to elsewhere: {url}")


class Tabs:
    """Opens the page, each time in a browser context of its own, as in another person's browser."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._watches: list[Watch] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for context in self._browser.contexts:
            context.close()

    def open(self, url: str, *, path: str = "/", **context: Any) -> ReviewPage:  # noqa: ANN401 - of new_context()
        """Open the page at a daemon's URL; options of the context go to Playwright."""
        opened = self._browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **context})
        return self.open_beside(opened.new_page(), url, path=path)

    def open_beside(self, page: Page, url: str, *, path: str = "/") -> ReviewPage:
        """Open the page in an existing tab, such as the second one of a context."""
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        watch = Watch(page, url)
        self._watches.append(watch)
        page.goto(url + path)
        return ReviewPage(page, url, watch.excuse)

    def faults(self) -> list[str]:
        """Return the faults of all pages."""
        return [text for watch in self._watches for text in watch.faults()]

    def describe(self) -> None:
        """Describe what the pages show, for the report of a failure."""
        for page in (page for context in self._browser.contexts for page in context.pages):
            try:
                show(f"{page.url}\n{page.locator('body').aria_snapshot(timeout=1000)}")
            except Error as fault:
                show(f"{page.url}: {fault}")
