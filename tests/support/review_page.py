"""The review page as a person sees it: what it shows, and what can be done with it."""

from collections.abc import Callable
from typing import Any, Self

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as NotInTimeError

IDS = "() => [...document.querySelectorAll('#list [role=option]')].map(row => row.dataset.patternId)"
# When a row was added to the document, by the clock that all processes of a machine share.
_WATCH_ARRIVALS = """() => {
    window.arrivals = {};
    const look = nodes => nodes.forEach(node => {
        const id = node.dataset?.patternId;
        if (id !== undefined) window.arrivals[id] ??= performance.timeOrigin + performance.now();
    });
    new MutationObserver(changes => changes.forEach(change => look(change.addedNodes)))
        .observe(document.getElementById("list"), { childList: true });
}"""


class ReviewPage:
    """One open page. `excuse` marks a console error as expected."""

    def __init__(self, page: Page, url: str, excuse: Callable[[str], None]) -> None:
        self.page = page
        self.url = url
        self.excuse = excuse

    @property
    def rows(self) -> Locator:
        return self.page.get_by_role("listbox", name="Patterns").get_by_role("option")

    @property
    def title(self) -> Locator:
        return self.page.locator("#details-title")

    @property
    def toast(self) -> Locator:
        return self.page.locator("#toasts")

    @property
    def banner(self) -> Locator:
        return self.page.locator("#banner")

    @property
    def empty(self) -> Locator:
        return self.page.locator("#empty")

    def __getitem__(self, name: str) -> Locator:
        """Return the element with an id."""
        return self.page.locator(f"#{name}")

    def row(self, pattern_id: str) -> Locator:
        return self.page.locator(f'#list [data-pattern-id="{_css_text(pattern_id)}"]')

    def count(self, name: str) -> Locator:
        return self.page.locator(f"[data-count={name}]")

    def view(self, name: str) -> Locator:
        return self.page.locator(f"[data-view={name}]")

    def dialog(self, name: str) -> Locator:
        return self.page.get_by_role("dialog", name=name, exact=True)

    def ids(self) -> list[str]:
        """Return the patterns whose rows are in the document, from top to bottom."""
        found: list[str] = self.page.evaluate(IDS)
        return found

    def focused(self) -> str:
        """Return the id of the element that has the focus, "" for none."""
        return str(self.page.evaluate("() => document.activeElement?.id ?? ''"))

    def until_live(self) -> Self:
        """Wait until the page is connected and has loaded its list."""
        self.until_connection("live")
        expect(self["queue"]).to_have_attribute("aria-busy", "false")
        expect(self["summary"]).to_contain_text("a month")
        return self

    def until_connection(self, state: str) -> None:
        expect(self["connection"]).to_have_attribute("data-state", state)

    def until_ids(self, *pattern_ids: str) -> None:
        """Wait until the list is exactly this, in this order."""
        try:
            self.page.wait_for_function(
                f"wanted => JSON.stringify(({IDS})()) === JSON.stringify(wanted)", arg=list(pattern_ids)
            )
        except NotInTimeError:
            raise AssertionError(f"the list is {self.ids()}, and not {list(pattern_ids)}") from None

    def until_details(self) -> None:
        """Wait until history and criteria of the selected pattern have loaded."""
        expect(self["why-section"]).to_have_attribute("aria-busy", "false")
        expect(self["history-section"]).to_have_attribute("aria-busy", "false")

    def press(self, *keys: str) -> Self:
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def type(self, text: str) -> Self:
        self.page.keyboard.type(text)
        return self

    def select(self, pattern_id: str) -> Self:
        """Click a row and wait for its details."""
        self.row(pattern_id).click()
        expect(self.row(pattern_id)).to_have_attribute("aria-selected", "true")
        self.until_details()
        return self

    def sign(self, reviewer: str) -> Self:
        """Fill in the reviewer's name in the open dialog."""
        self["reviewer"].fill(reviewer)
        return self

    def watch_arrivals(self) -> None:
        self.page.evaluate(_WATCH_ARRIVALS)

    def arrived_at(self, pattern_id: str) -> float:
        """Wait for the row of a pattern; return when it was added, in Unix seconds."""
        self.row(pattern_id).wait_for()
        return float(self.evaluate("id => window.arrivals[id]", pattern_id)) / 1000

    def evaluate(self, function: str, argument: object = None) -> Any:  # noqa: ANN401 - whatever the function returns
        return self.page.evaluate(function, argument)


def _css_text(text: str) -> str:
    return "".join(each if each.isascii() and each.isalnum() else f"\\{ord(each):x} " for each in text)
