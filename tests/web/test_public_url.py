"""The public URL: requests as a proxy passes them on, with its path and without, and what nobody is trusted in."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.daemon import running_daemon
from tests.support.database import TestDatabase, snapshot
from tests.support.scrape import scrape
from tests.web.conftest import Served, path_of
from tests.web.test_access import HEADERS, TABLES

PUBLIC = "https://review.example/patterns/"
PREFIX = "/patterns"
PROBES = ["/livez", "/readyz"]
PLACED = "/api/v1/patterns/~"
# As a proxy is told to by its documentation, or by nobody.
FORWARDED = {
    "X-Forwarded-Host": "review.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "host=review.example;proto=https",
    "X-Original-URL": "/livez",
    "X-Rewrite-URL": "/livez",
}


@pytest.fixture(scope="module")
def public(module_database: TestDatabase) -> Iterator[Served]:
    """Return a daemon that has been given its public URL."""
    with (
        running_daemon(module_database.url, PATTERN_SYNC_PUBLIC_URL=PUBLIC) as daemon,
        httpx.Client(base_url=daemon.http_url, timeout=30, headers={"Host": "review.example"}) as client,
    ):
        yield Served(module_database, daemon, client)


@pytest.mark.parametrize("prefix", [PREFIX, ""], ids=["kept", "removed"])
def test_everything_is_served_with_the_path_and_without(public: Served, prefix: str) -> None:
    path = public.queue(f"public:a/b:{prefix}")
    for each in ("/", "/app.js", "/style.css", "/openapi.json", "/livez", "/api/v1/patterns/pending", path):
        answer = public.client.get(prefix + each)
        assert answer.status_code == 200, each
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert answer.headers["cache-control"] == ("no-store" if each.startswith("/api/") else "no-cache")
        assert "set-cookie" not in answer.headers
    assert public.client.get(prefix + path).json()["pattern_id"] == f"public:a/b:{prefix}"
    decided = public.client.post(f"{prefix}{path}/approve", headers={"Origin": "https://review.example"})
    assert decided.json()["status"] == "approved"


@pytest.mark.parametrize("prefix", [PREFIX, ""], ids=["kept", "removed"])
def test_the_link_to_the_next_page_stays_below_the_path(public: Served, prefix: str) -> None:
    for number in range(3):
        public.queue(f"linked:{prefix}:{number}")
    first = public.client.get(f"{prefix}/api/v1/patterns/pending?limit=1")
    link = urlsplit(first.links["next"]["url"])
    assert link.path == f"{PREFIX}/api/v1/patterns/pending"
    assert not link.netloc
    assert public.client.get(first.links["next"]["url"]).json()[0] != first.json()[0]


def test_the_description_names_the_path_as_its_server(public: Served, served: Served) -> None:
    assert public.client.get("/openapi.json").json()["servers"] == [{"url": PREFIX}]
    assert "servers" not in served.client.get("/openapi.json").json()


def test_the_path_without_its_last_slash_leads_to_the_page(public: Served) -> None:
    answer = public.client.get(PREFIX)
    assert (answer.status_code, answer.headers["location"]) == (307, f"{PREFIX}/")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert public.client.head(PREFIX).status_code == 307
    assert public.client.get(PREFIX, headers={"Host": "evil.example"}).status_code == 400
    assert scrape(public.daemon.http_url).value("http_requests_total", route="static", code="307") == 2


@pytest.mark.parametrize(
    "path",
    [
        "/patterns/patterns/",
        "/patternsx/",
        "/Patterns/",
        "/%70atterns/api/v1/patterns/pending",
        "/patterns%2Fapi/v1/patterns/pending",
        "/patterns/patterns/api/v1/patterns/pending",
        "//patterns/api/v1/patterns/pending",
        "/other/api/v1/patterns/pending",
    ],
)
def test_no_other_path_is_taken_for_the_daemons(public: Served, path: str) -> None:
    assert public.client.get(public.daemon.http_url + path).status_code == 404


def test_only_the_public_host_and_origin_are_admitted_besides_our_own(public: Served) -> None:
    path = public.queue("public:origin")
    for host in ("review.example", "REVIEW.EXAMPLE:8443", "127.0.0.1"):
        headers = {"Host": host, "Origin": "https://review.example"}
        assert public.client.post(f"{path}/comment", json={"comment": "x"}, headers=headers).status_code == 200
    before = snapshot(public.database, TABLES)
    for host in ("evil.example", "review.example.evil.example", "patterns"):
        assert public.client.get(path, headers={"Host": host}).status_code == 400
    for origin in ("http://review.example", "https://review.example:8443", "https://evil.example", "null"):
        headers = {"Host": "127.0.0.1", "Origin": origin}
        assert public.client.post(f"{path}/comment", json={"comment": "x"}, headers=headers).status_code == 403
    # A page over http may be written by anybody on its way, even where the proxy passes the public host on.
    insecure = {"Host": "review.example", "Origin": "http://review.example"}
    assert public.client.post(f"{path}/comment", json={"comment": "x"}, headers=insecure).status_code == 403
    assert snapshot(public.database, TABLES) == before


def test_a_daemon_without_a_public_url_has_no_such_host_origin_or_path(served: Served) -> None:
    path = served.queue("private:entry")
    assert served.client.get(path, headers={"Host": "review.example"}).status_code == 400
    assert served.client.post(f"{path}/approve", headers={"Origin": "https://review.example"}).status_code == 403
    assert served.client.get(f"{PREFIX}/api/v1/patterns/pending").status_code == 404


def test_forwarded_headers_change_nothing(served: Served, public: Served) -> None:
    for name, value in FORWARDED.items():
        forged = {"Host": "evil.example", name: value}
        assert served.client.get("/api/v1/patterns/pending", headers=forged).status_code == 400, name
        assert public.client.get("/api/v1/patterns/pending", headers=forged).status_code == 400, name
    for number in range(2):
        served.queue(f"forwarded:{number}")
    answer = served.client.get("/api/v1/patterns/pending?limit=1", headers=FORWARDED)
    assert answer.links["next"]["url"].startswith("/api/v1/patterns/pending?")


@pytest.mark.parametrize("host", ["daemon-1:8002", "evil.example", "", "[::1", "é.example", "a@b", "_prometheus._tcp"])
@pytest.mark.parametrize("path", PROBES)
def test_a_probe_answers_whatever_host_is_asked(served: Served, path: str, host: str) -> None:
    for method in ("GET", "HEAD"):
        assert served.client.request(method, path, headers={b"Host": host.encode()}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/livez/",
        "//livez",
        "/livez/x",
        "/livezz",
        "/LIVEZ",
        "/livez/../api/v1/patterns/pending",
        "/livez/..%2Fapi/v1/patterns/pending",
        "/api/v1/patterns/livez",
        "/api/v1/patterns/~?pattern_id=livez",
        "/api/v1/system/health",
        "/?/livez",
        "/livez;x",
        "/livez%00",
        "/livez%2F",
        "/patterns/livez",
    ],
)
def test_no_other_path_escapes_the_check_of_the_host(served: Served, path: str) -> None:
    # As bytes on the wire: a client would tidy up the path.
    host, port = served.daemon.http_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        assert connection.makefile("rb").readline().split()[1] == b"400"


def test_only_reads_of_a_probe_escape_the_check_of_the_host(served: Served) -> None:
    foreign = {"Host": "evil.example"}
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert served.client.request(method, "/livez", headers=foreign).status_code == 400
    upgrade = {**foreign, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    answer = served.client.get("/livez", headers={**upgrade, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "signature", [".", "..", "pending", "statistics", "a/../b", "a//b", "sync/run", "x/history", "+ &=?#%2F é🎉"]
)
def test_any_signature_can_be_given_in_the_query(served: Served, signature: str) -> None:
    served.queue(signature)
    query = {"pattern_id": signature}
    assert served.client.get(PLACED, params=query).json()["pattern_id"] == signature
    assert served.client.get(f"{PLACED}/history", params=query).json() == []
    assert served.client.get(f"{PLACED}/explain", params=query).json()["pattern_id"] == signature
    decided = served.client.post(f"{PLACED}/reject", params=query, json={"reason": "x"}).json()
    assert (decided["pattern_id"], decided["status"]) == (signature, "rejected")


def test_the_query_counts_only_where_the_path_asks_for_it(served: Served) -> None:
    for name in ("query:asked", "query:other", "~"):
        served.queue(name)
    asked = path_of("query:asked")
    assert served.client.get(asked).json()["pattern_id"] == "query:asked"
    assert served.client.get(f"{asked}?pattern_id=query:other").status_code == 422
    assert served.client.get("/api/v1/patterns/~").json()["pattern_id"] == "~"
    assert served.client.get("/api/v1/patterns/~?x_pattern_id=query:other").status_code == 422
    assert served.client.get("/api/v1/patterns/~?pattern_id=%FF").status_code == 422
    assert served.client.get("/api/v1/patterns/~?pattern_id=nobody").status_code == 404
    assert served.client.get("/api/v1/patterns/~x?pattern_id=query:other").status_code == 422
