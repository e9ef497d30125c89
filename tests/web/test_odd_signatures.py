"""A signature that is a word of the API's own paths, or that paths cannot carry, is opened, commented and decided."""

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.web.conftest import Served

if TYPE_CHECKING:
    from tests.support.browser import Tabs

PLACED = "/api/v1/patterns/~"
DOTS = [".", "..", "~", "a/approve", "/", "a/../b", "history", "x/history", "%2E%2E"]


def words_of_paths(served: Served) -> list[str]:
    """Return what stands in the API's paths where a signature may stand, from its description."""
    paths = served.client.get("/openapi.json").json()["paths"]
    below = [path.removeprefix("/api/v1/patterns/") for path in paths if path.startswith("/api/v1/patterns/")]
    words = {path for path in below if "{" not in path} | {path.split("/")[0] for path in below if path[0] != "{"}
    assert {"pending", "statistics", "decisions", "batches", "log", "sync/run"} <= words
    return sorted(words)


def test_every_signature_is_opened_commented_and_decided_over_http(served: Served) -> None:
    for signature in (*DOTS, *words_of_paths(served)):
        served.queue(signature)
        named = {"pattern_id": signature}
        assert served.client.get(PLACED, params=named).json()["pattern_id"] == signature
        assert served.client.get(f"{PLACED}/explain", params=named).json()["pattern_id"] == signature
        said = served.client.post(f"{PLACED}/comment", params=named, json={"comment": "x"}).json()
        assert said["pattern_id"] == signature
        decided = served.client.post(f"{PLACED}/approve", params=named, json={"reviewer": "ann"}).json()
        assert (decided["pattern_id"], decided["status"]) == (signature, "approved")
        actions = [each["action"] for each in served.client.get(f"{PLACED}/history", params=named).json()]
        assert actions == ["commented", "approved"], signature


@pytest.mark.parametrize("signature", [".", "..", "log", "groups", "batches/1/undo", "statistics"])
def test_the_page_opens_them(emptied: Served, tabs: "Tabs", signature: str) -> None:
    emptied.queue(signature)
    emptied.client.post(f"{PLACED}/comment", params={"pattern_id": signature}, json={"comment": "seen"})
    page = tabs.open(emptied.daemon.http_url)
    page.page.goto("about:blank")  # or the browser would only navigate within the page
    with page.page.expect_response(lambda answer: "/history?" in answer.url) as history:
        page.page.goto(f"{emptied.daemon.http_url}/#pattern={quote(signature, safe='')}")
    assert [each["notes"] for each in history.value.json()] == ["seen"]
