"""The header of a proxy that signs people in: it wins over every other name, and nobody decides without it."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.support.browser import Tabs
from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase, snapshot
from tests.web.conftest import API_TOKEN, Served
from tests.web.test_access import PANEL, TABLES, bearer, preflight

HEADER = "X-Forwarded-User"
NAMES = ["ann", "ann@review.example", "Zoë Ångström", "安妮", "an n", "x" * 255, "system"]
# Every request that records a name.
SIGNED = [("approve", {}), ("reject", {"reason": "x"}), ("comment", {"comment": "x"})]


@pytest.fixture(scope="module")
def named(module_database: TestDatabase) -> Iterator[Served]:
    with (
        running_daemon(module_database.url, PATTERN_SYNC_IDENTITY_HEADER=HEADER) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        yield Served(module_database, daemon, client)


def sent(*values: bytes | str) -> list[tuple[bytes, bytes]]:
    return [(HEADER.encode(), value.encode() if isinstance(value, str) else value) for value in values]


@pytest.mark.parametrize("name", NAMES)
def test_the_header_wins_over_every_other_name(named: Served, name: str) -> None:
    path = named.queue(f"named:{name[:9]}")
    headers = [*sent(name), (b"X-Reviewer", b"boss")]
    for ending, body in (SIGNED[2], SIGNED[0]):
        answer = named.client.post(f"{path}/{ending}", json={**body, "reviewer": "boss"}, headers=headers)
        assert answer.status_code == 200, answer.text
    assert {item["reviewer"] for item in named.client.get(f"{path}/history").json()} == {name}
    assert named.client.get(path).json()["reviewed_by"] == name
    known = named.client.get("/api/v1/reviewer", headers=sent(name)).json()
    assert known == {"name": name, "fixed": True, "detail": None}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "is missing"),
        ([""], "is missing"),
        (["\u00a0\u2003"], "is missing"),
        (["ann", "ann"], "came 2 times"),
        (["", "ann"], "came 2 times"),
        (["ann", "bob", "eve"], "came 3 times"),
        (["ann,bob"], "a comma"),
        ([",ann"], "a comma"),
        ([b"\xff\xfe"], "not UTF-8"),
        (["Zoë".encode("latin-1")], "not UTF-8"),
        (["x" * 256], "256 characters"),
    ],
)
def test_a_header_that_does_not_name_one_person_decides_nothing(
    named: Served, values: list[bytes | str], words: str
) -> None:
    path = named.queue(f"unnamed:{values}"[:250])
    before = snapshot(named.database, TABLES)
    for ending, body in SIGNED:
        headers = [*sent(*values), (b"X-Reviewer", b"boss")]
        answer = named.client.post(f"{path}/{ending}", json={**body, "reviewer": "boss"}, headers=headers)
        assert answer.status_code == 403
        assert words in answer.json()["detail"]
        assert HEADER in answer.json()["detail"]
        assert "pattern-sync" in answer.headers
    assert snapshot(named.database, TABLES) == before
    known = named.client.get("/api/v1/reviewer", headers=sent(*values)).json()
    assert (known["name"], known["fixed"]) == (None, True)
    assert words in known["detail"]
    assert named.client.get(path, headers=sent(*values)).status_code == 200, "reading needs no name"


def test_a_header_that_only_looks_like_it_names_nobody(named: Served) -> None:
    path = named.queue("lookalike")
    for name in ("X_Forwarded_User", "X-Forwarded-User-", "X-Forwarded-Username", "X-Reviewer", "Remote-User"):
        assert named.client.post(f"{path}/approve", headers={name: "ann"}).status_code == 403, name


def test_a_page_of_another_origin_cannot_send_the_header(named: Served) -> None:
    assert preflight(named.client, PANEL, headers=HEADER.lower()).status_code == 400
    path = named.queue("foreign:page")
    evil = {"Origin": "https://evil.example", HEADER: "ann"}
    assert "PATTERN_SYNC_CORS_ORIGINS" in named.client.post(f"{path}/approve", headers=evil).json()["detail"]


def test_without_the_setting_the_header_means_nothing(served: Served) -> None:
    path = served.queue("plain")
    headers = {HEADER: "eve"}
    assert served.client.post(f"{path}/approve", json={"reviewer": "ann"}, headers=headers).json()["reviewed_by"] == (
        "ann"
    )
    assert served.client.get("/api/v1/reviewer", headers=headers).json() == {
        "name": None,
        "fixed": False,
        "detail": None,
    }


def test_where_a_token_is_set_the_header_counts_only_with_it(module_database: TestDatabase) -> None:
    with (
        running_daemon(
            module_database.url, PATTERN_SYNC_IDENTITY_HEADER=HEADER, PATTERN_SYNC_API_TOKEN=API_TOKEN
        ) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30) as client,
    ):
        path = Served(module_database, daemon, client).queue("with:token")
        for headers in ({HEADER: "ann"}, {HEADER: "ann", **bearer("wrong")}):
            assert client.post(f"{path}/approve", headers=headers).status_code == 401
            assert client.get("/api/v1/reviewer", headers=headers).status_code == 401
        decided = client.post(f"{path}/approve", headers={HEADER: "ann", **bearer(API_TOKEN)})
        assert decided.json()["reviewed_by"] == "ann"


def test_a_page_that_nobody_signed_in_shows_why_it_cannot_decide(named: Served, tabs: Tabs) -> None:
    named.database.empty("operation_patterns", "pattern_approvals")
    named.queue("sdlc:full:all")
    page = tabs.open(named.daemon.http_url).until_live().select("sdlc:full:all")
    page.press("a", "Control+Enter")
    assert re.fullmatch(
        f"Only the proxy can say who you are, and its header {HEADER} is missing; .+",
        page["reviewer-fault"].inner_text(),
    )
    assert not page["reviewer"].is_editable()
    assert named.database.entry("sdlc:full:all")["status"] == "pending"  # type: ignore[index]
